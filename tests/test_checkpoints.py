"""One checkpoint file as a base; whole ones are tiny, of each architecture's own blocks."""

import json
import pickle
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.rehearsal.original_names import original_name
from lorarar.calls.drawing import generate
from lorarar.cli.inspect_checkpoint import checkpoint_facts, checkpoint_words
from lorarar.families import FAMILIES, Family, architecture_family, family_of, find_base
from lorarar.generation.base_digest import base_digest
from lorarar.generation.bases import aligned, load_pipeline, load_weights
from lorarar.generation.checkpoint import clip_tokenizer
from lorarar.generation.forward_process import forward_process
from lorarar.generation.studio import Studio
from lorarar.generation.vae import load_vae
from lorarar.lora.base_layers import layers_of
from lorarar.lora.base_weights import BaseWeights
from lorarar.util.errors import BaseError
from lorarar.util.registry import Registry

from .checkpoint_files import meta_unet, new_pipeline, stored_weights, tiny_family, write_checkpoint

KINDS = ("sdxl", "ssd-1b", "koala-700m", "sd15")
BILLIONS = {"sdxl": 2.567, "ssd-1b": 1.331, "koala-700m": 0.782, "sd15": 0.859}  # as published, cut to three digits
TENSORS = {"sdxl": 1680, "sd15": 686}  # of the UNets in the files that were published
EMPTY = torch.zeros(0)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No network, and the tiny families beside the others."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    rows = (*FAMILIES.values(), *map(tiny_family, KINDS))
    monkeypatch.setattr("lorarar.families.table.FAMILIES", Registry("lorarar.none", Family, rows))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network is used"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A pipeline of SDXL's and one of SD 1.5's blocks, each in a folder and in one file."""
    places = {}
    for kind in ("sdxl", "sd15"):
        folder = tmp_path_factory.mktemp(kind)
        pipeline = new_pipeline(tiny_family(kind))
        pipeline.save_pretrained(folder / "folder")
        places[kind] = folder / "folder", write_checkpoint(pipeline, folder / "one.safetensors")
    return places


@pytest.mark.parametrize("kind", ["sdxl", "sd15"])
def test_every_layer_has_the_weight_that_it_has_in_the_folder(files, kind):
    folder, file = (find_base(str(place)) for place in files[kind])
    weight_of, expected = BaseWeights(file), BaseWeights(folder)
    layers = layers_of(folder)
    assert len(layers) > 200
    assert all(torch.equal(weight_of(layer), expected(layer)) for layer in layers)


@pytest.fixture
def sd15(files):
    return files["sd15"][1]


def public(config):
    return {key: value for key, value in config.items() if not key.startswith("_")}


def states(pipeline):
    return {
        f"{name}.{key}": value
        for name, model in pipeline.components.items()
        if hasattr(model, "state_dict")
        for key, value in model.state_dict().items()
    }


def assert_equal(ours, theirs):
    assert type(ours) is type(theirs)
    one, other = states(ours), states(theirs)
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[key]) for key, value in one.items())


@pytest.mark.parametrize("kind", ["sdxl", "sd15"])
def test_a_checkpoint_file_is_its_folder_tensor_for_tensor_and_picture_for_picture(kind, files):
    pipelines = [load_pipeline(find_base(str(place)), "cpu") for place in files[kind]]
    assert_equal(*pipelines)
    schedulers = [public(pipeline.scheduler.config) for pipeline in pipelines]
    assert schedulers[0] == schedulers[1]
    assert public(pipelines[0].unet.config) == public(pipelines[1].unet.config)
    images = []
    for place, pipeline in zip(files[kind], pipelines, strict=True):
        with Studio(find_base(str(place)), "cpu", aligned(pipeline)) as studio:
            images += [picture.image for picture in studio.generate("a sks dog, 2 cats", [4], steps=2, guidance=3.0)]
    assert images[0].tobytes() == images[1].tobytes()
    assert np.asarray(images[1]).std() > 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sdxl", "sd15"])
def test_a_vae_keeps_its_digits_where_the_rest_is_in_half_precision(kind, files):
    for place in files[kind]:
        base = find_base(str(place))
        whole, half = load_weights(base, torch.float32), load_weights(base, torch.bfloat16, vae_dtype=torch.float32)
        assert half.unet.dtype == half.text_encoder.dtype == torch.bfloat16
        theirs = whole.vae.state_dict()
        assert all(torch.equal(value, theirs[key]) for key, value in half.vae.state_dict().items())


def test_the_header_of_a_checkpoint_moves_no_bit_of_its_pictures(sd15, tmp_path):
    places = [sd15]
    for length in (1, 30, 77):
        places.append(tmp_path / f"{length}.safetensors")
        save_file(load_file(sd15), places[-1], {"title": "x" * length})
    pictures = [generate("a dog", base=str(place), steps=2)[0].image.tobytes() for place in places]
    assert len(set(pictures)) == 1


@pytest.mark.parametrize("kind", ["ssd-1b", pytest.param("koala-700m", marks=pytest.mark.slow)])
def test_smaller_ones_of_sdxl_load_from_one_file(kind, tmp_path):
    """The middle of their UNets is one block without attention, or none."""
    pipeline = new_pipeline(tiny_family(kind))
    base = find_base(str(write_checkpoint(pipeline, tmp_path / "one.safetensors")))
    assert family_of(base).name == f"tiny-{kind}"
    assert_equal(load_pipeline(base, "cpu"), pipeline)


@pytest.mark.parametrize("kind", KINDS)
def test_architectures_have_their_published_sizes_and_the_blueprint_that_tells_them_apart(kind):
    from lorarar.families.architecture import blueprint_of

    architecture = FAMILIES[kind].architecture
    unet = meta_unet(architecture)
    parameters = sum(weight.numel() for weight in unet.parameters())
    assert int(parameters / 1e6) == pytest.approx(BILLIONS[kind] * 1000, abs=0.5)
    shapes = {name: tuple(weight.shape) for name, weight in unet.state_dict().items()}
    original = {f"model.diffusion_model.{original_name(name, unet)}": shape for name, shape in shapes.items()}
    assert blueprint_of(shapes) == blueprint_of(original) == architecture.blueprint
    assert len(original) == TENSORS.get(kind, len(shapes))


def test_the_vocabulary_is_clips():
    """The numbers are those that CLIP's paper's code gives these words."""
    tokenizer = clip_tokenizer("!")
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer("sks Dog", padding="max_length", max_length=6).input_ids == [49406, 48136, 1929, 49407, 0, 0]
    assert tokenizer.model_max_length == 77


@pytest.mark.parametrize(
    ("more", "metadata", "option", "prediction", "zero_snr"),
    [
        pytest.param({}, None, None, "epsilon", False, marks=pytest.mark.slow),
        pytest.param({"v_pred": EMPTY}, None, None, "v_prediction", False, marks=pytest.mark.slow),
        ({"v_pred": EMPTY, "ztsnr": EMPTY}, None, None, "v_prediction", True),
        ({}, {"modelspec.prediction_type": "v"}, None, "v_prediction", False),
        ({}, {"modelspec.prediction_type": "epsilon"}, "v", "v_prediction", False),
        ({"v_pred": EMPTY}, None, "epsilon", "epsilon", False),
    ],
)
def test_what_a_checkpoint_predicts_is_read_from_it_or_named(
    tmp_path, sd15, more, metadata, option, prediction, zero_snr
):
    file = tmp_path / "v.safetensors"
    save_file({**load_file(sd15), **more}, file, metadata)
    pipeline = load_pipeline(find_base(str(file), prediction=option), "cpu")
    training = forward_process(pipeline).scheduler
    for scheduler in (pipeline.scheduler, training):
        assert scheduler.config.prediction_type == prediction
    last = float(training.alphas_cumprod[-1])
    assert (last < 1e-6) == zero_snr
    pipeline.scheduler.set_timesteps(10)
    assert (int(pipeline.scheduler.timesteps[0]) == 999) == zero_snr


@pytest.mark.slow
def test_v_prediction_draws_other_pictures(sd15):
    plain, other = (
        generate("a dog", base=find_base(str(sd15), prediction=prediction), steps=1)[0] for prediction in (None, "v")
    )
    assert plain.image.tobytes() != other.image.tobytes()
    assert plain.makings()["base"] != other.makings()["base"]


@pytest.mark.slow
def test_another_vae_draws_the_pictures_from_a_file_a_folder_or_a_pipeline(tmp_path, sd15, files):
    other = new_pipeline(tiny_family("sd15"), seed=1)
    other.save_pretrained(tmp_path / "folder")
    vae = {k: v for k, v in stored_weights(other).items() if k.startswith("first_stage_model.")}
    save_file({k.removeprefix("first_stage_model."): v for k, v in vae.items()}, tmp_path / "vae.safetensors")
    places = [tmp_path / "vae.safetensors", tmp_path / "folder" / "vae", tmp_path / "folder"]
    places += [tmp_path / "folder" / "vae" / "diffusion_pytorch_model.safetensors"]
    wanted = other.vae.state_dict()
    bases = {base: [find_base(str(base), vae=str(place)) for place in places] for base in (sd15, files["sd15"][0])}
    loaded = [load_vae(base, torch.float32) for same in bases.values() for base in same]
    loaded += [load_pipeline(same[0], "cpu").vae for same in bases.values()]
    for vae in loaded:
        assert all(torch.equal(vae.state_dict()[name], value) for name, value in wanted.items())


def test_a_checkpoint_without_a_vae_takes_one_by_name(tmp_path, sd15, files):
    weights = {k: v for k, v in load_file(sd15).items() if not k.startswith("first_stage_model.")}
    save_file(weights, tmp_path / "pruned.safetensors")
    with pytest.raises(BaseError, match=r"tiny SD 1.5 without its VAE, which --vae would name"):
        find_base(str(tmp_path / "pruned.safetensors"))
    assert checkpoint_words(checkpoint_facts(tmp_path / "pruned.safetensors"))["usable"].endswith(" --vae VAE")
    pipeline = load_pipeline(find_base(str(tmp_path / "pruned.safetensors"), vae=str(files["sd15"][0])), "cpu")
    assert_equal(pipeline, load_pipeline(find_base(str(sd15)), "cpu"))


def test_a_vae_of_another_model_is_refused(tmp_path, sd15):
    from diffusers import AutoencoderKL

    AutoencoderKL(latent_channels=16, block_out_channels=[8], norm_num_groups=4).save_pretrained(tmp_path / "vae")
    with pytest.raises(BaseError, match="makes latents of 16 channels"):
        load_pipeline(find_base(str(sd15), vae=str(tmp_path / "vae")), "cpu")
    save_file({"x": EMPTY}, tmp_path / "x.safetensors")
    with pytest.raises(BaseError, match=r"x\.safetensors is no VAE of"):
        load_pipeline(find_base(str(sd15), vae=str(tmp_path / "x.safetensors")), "cpu")
    with pytest.raises(BaseError, match="--vae is 'nothing'; accepted is a "):
        find_base(str(sd15), vae="nothing")
    with pytest.raises(BaseError, match="--prediction is 'x'; accepted are epsilon, v"):
        find_base(str(sd15), prediction="x")


def unet(channels=4, width=320, context=2048):
    """The header's worth of a UNet in a checkpoint file."""
    place = "model.diffusion_model."
    return {
        f"{place}input_blocks.0.0.weight": torch.zeros(width, channels, 1, 1),
        f"{place}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": torch.zeros(1, context),
    }


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"lora_unet_down_blocks_1_attentions_0_proj_in.lora_down.weight": EMPTY}, "a LoRA, which goes on a base"),
        ({"unet.mid_block.attentions.0.proj_in.lora_A.weight": EMPTY}, "a LoRA"),
        (unet(channels=9), "an inpainting checkpoint"),
        (unet(channels=8, context=768), "a checkpoint that edits pictures"),
        (unet(context=1280), "SDXL's refiner, which draws no picture alone"),
        (unet(context=1024), "Stable Diffusion 2"),
        (unet(), "of an architecture that is not known here"),
        ({**unet(), "edm_mean": EMPTY}, "an EDM model"),
        ({"double_blocks.0.img_attn.qkv.weight": EMPTY}, "FLUX"),
        ({"model.diffusion_model.joint_blocks.0.x.weight": EMPTY}, "Stable Diffusion 3"),
        ({"something": EMPTY}, "no checkpoint of Stable Diffusion"),
    ],
)
def test_what_is_no_base_says_in_one_line_what_it_is(tmp_path, tensors, words):
    save_file(tensors, tmp_path / "x.safetensors")
    with pytest.raises(BaseError) as caught:
        find_base(str(tmp_path / "x.safetensors"))
    assert f"x.safetensors is {words}" in str(caught.value)
    assert "accepted as a base is a whole checkpoint of SDXL, SSD-1B, KOALA-700m, SD 1.5" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_broken_or_of_another_kind_say_it_in_one_line(tmp_path, sd15):
    whole = sd15.read_bytes()
    header = struct.pack("<Q", 2) + b"{}"
    for name, content, words in (
        ("cut.safetensors", whole[:-100], f"is cut short: {len(whole) - 100:,} of its {len(whole):,} bytes are there"),
        ("start.safetensors", whole[:100], "is not a sound safetensors file"),
        ("old.ckpt", pickle.dumps({"a": 1}), "is a pickle, as .ckpt files are"),
        ("torch.ckpt", b"PK\x03\x04" + bytes(100), "is a pickle, as .ckpt files are"),
        ("words.safetensors", b"<html>not found</html>", "is not a sound safetensors file"),
        ("empty.safetensors", b"", "is not a sound safetensors file"),
        ("nothing.safetensors", header, "is no checkpoint of Stable Diffusion"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BaseError) as caught:
            find_base(str(tmp_path / name))
        assert words in str(caught.value), name
        assert "\n" not in str(caught.value)
    with pytest.raises(BaseError, match=r"models/mine.safetensors does not exist"):
        find_base("models/mine.safetensors")


@pytest.mark.slow
def test_a_part_of_a_checkpoint_is_named(tmp_path, sd15):
    weights = load_file(sd15)
    alone = {k.removeprefix("model.diffusion_model."): v for k, v in weights.items() if k.startswith("model.")}
    save_file(alone, tmp_path / "unet.safetensors")
    with pytest.raises(BaseError, match=r"a part of tiny SD 1.5 alone, without unet, vae, text_encoder"):
        find_base(str(tmp_path / "unet.safetensors"))
    for part, name in (("unet or vae", "model.diffusion_model.out.2.bias"), ("text_encoder, such as", "mlp.fc1.bias")):
        left = next(key for key in weights if key.endswith(name))
        save_file({k: v for k, v in weights.items() if k != left}, tmp_path / "short.safetensors")
        with pytest.raises(BaseError, match=f"lacks weights of its {part}"):
            load_pipeline(find_base(str(tmp_path / "short.safetensors")), "cpu")


def test_a_checkpoint_is_known_by_its_bytes_and_not_by_its_name(tmp_path, sd15):
    copy, changed = tmp_path / "copy.safetensors", tmp_path / "changed.safetensors"
    copy.write_bytes(sd15.read_bytes())
    changed.write_bytes(sd15.read_bytes()[:-1] + b"x")
    digests = [base_digest(find_base(str(file))) for file in (sd15, copy, changed)]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 64


@pytest.mark.parametrize("variant", [pytest.param(None, marks=pytest.mark.slow), "fp16"])
def test_a_folder_with_half_precision_alone_is_loaded(tmp_path, sd15, variant):
    pipeline = load_pipeline(find_base(str(sd15)), "cpu")
    pipeline.save_pretrained(tmp_path / "folder", variant="fp16")
    if variant is None:  # one model has both
        pipeline.unet.save_pretrained(tmp_path / "folder" / "unet")
    pipeline.vae.save_pretrained(tmp_path / "folder" / "vae_of_old", variant="fp16")  # of no component
    assert_equal(load_pipeline(find_base(str(tmp_path / "folder")), "cpu"), pipeline)


def test_families_are_told_by_their_repository_where_nothing_is_on_this_machine():
    for name in KINDS:
        assert architecture_family(find_base(name)).name == name
        assert architecture_family(find_base(find_base(name).location)).name == name
    assert architecture_family(find_base("owner/name")) is None


def test_a_lora_goes_on_a_base_of_one_encoder_and_comes_off(sd15):
    from .conftest import random_adapter

    base = find_base(str(sd15))
    with Studio(base, "cpu") as studio:
        (plain,) = studio.generate("a dog", [1], steps=1)
        adapter = random_adapter(2, 0, studio.pipeline.unet, strength=1.0)
        studio.load_lora(adapter)
        (changed,) = studio.generate("a dog", [1], steps=1)
        studio.load_lora(None)
        (again,) = studio.generate("a dog", [1], steps=1)
    assert plain.image.tobytes() == again.image.tobytes() != changed.image.tobytes()


def test_a_base_of_one_encoder_trains_loras_and_coefficients(sd15, tmp_path):
    from PIL import Image

    from lorarar.pictures.concepts import Concept
    from lorarar.training.lesson import Lesson
    from lorarar.training.lora import train_lora
    from lorarar.training.options import LoraOptions, ZipOptions
    from lorarar.training.pair_coefficients import train_coefficients

    pipeline = load_pipeline(find_base(str(sd15)), "cpu")
    image, prompts = tmp_path / "a.png", ("a sks dog", "a house in flat style")
    Image.new("RGB", (64, 64), (200, 30, 30)).save(image)
    options = LoraOptions(rank=2, steps=1)
    lessons = [Lesson.read([image], prompt, 64) for prompt in prompts]
    adapters = [train_lora(pipeline, [lesson], options) for lesson in lessons]
    pair = [Concept(p, adapter, (image,), p) for p, adapter in zip(prompts, adapters, strict=True)]
    coefficients = train_coefficients(pipeline, *pair, ZipOptions(steps=1), side=64)
    assert set(coefficients) == set(adapters[0].layers)
    assert {name.split(".")[0] for name in coefficients} == {"unet"}


def test_inspect_says_which_base_a_checkpoint_is(run, sd15, tmp_path):
    save_file({**load_file(sd15), "v_pred": EMPTY, "ztsnr": EMPTY}, tmp_path / "v.safetensors", {"title": "[red]mine"})
    done = run("inspect", tmp_path / "v.safetensors")
    assert done.exit_code == 0, done.output
    for words in ("tiny SD 1.5", "v, zero terminal SNR", "its own", "[red]mine"):
        assert words in done.stdout
    facts = json.loads(run("inspect", sd15, "--json").stdout)
    assert (facts["family"], facts["prediction"], facts["vae"]) == ("tiny-sd15", "epsilon", True)
    assert facts["unusable"] is None
    save_file(unet(context=1280), tmp_path / "refiner.safetensors")
    done = run("inspect", tmp_path / "refiner.safetensors")
    assert "Cannot be used: it is SDXL's refiner" in " ".join(done.stdout.split())


def test_generate_and_a_plan_take_a_checkpoint_with_a_vae_and_a_prediction(run, sd15, tmp_path):
    from lorarar.bench.plan import read_plan

    vae = {k: v for k, v in load_file(sd15).items() if k.startswith("first_stage_model.")}
    save_file(vae, tmp_path / "vae.safetensors")
    flags = ["--base", sd15, "--vae", tmp_path / "vae.safetensors", "--prediction", "v"]
    done = run("generate", "--prompt", "a dog", *flags, "--steps", 1, "--json")
    assert done.exit_code == 0, done.output
    for side in ("contents", "styles"):
        (tmp_path / side).mkdir()
    plan = tmp_path / "p.toml"
    plan.write_text(
        f'base = "{sd15}"\nvae = "{tmp_path}/vae.safetensors"\nprediction = "v"\n'
        '[contents]\nfolder = "contents"\n[styles]\nfolder = "styles"\n[[methods]]\nmethod = "direct"\n'
    )
    assert read_plan(plan).find_base() == find_base(str(sd15), vae=str(tmp_path / "vae.safetensors"), prediction="v")
