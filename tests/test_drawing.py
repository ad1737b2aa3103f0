"""Everything that says how a picture is drawn: what each does, and that nothing else of a picture changes by it."""

from copy import deepcopy
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.schedulers import KarrasDiffusionSchedulers

from lorarar.families import FAMILIES, Base, find_base
from lorarar.generation import decoding
from lorarar.generation.attached_loras import AttachedLora, summed
from lorarar.generation.drawing_pipeline import load_for_drawing
from lorarar.generation.long_prompts import pieces_needed, prompt_arguments
from lorarar.generation.out_of_memory import memory_in_one_line, what_would_fit
from lorarar.generation.picture_size import parse_size
from lorarar.generation.placement import Placement
from lorarar.generation.schedulers import SCHEDULERS, scheduler_like
from lorarar.generation.settings import DrawingSettings
from lorarar.generation.studio import Studio
from lorarar.lora.strength_text import file_and_strength
from lorarar.pictures.images import read_image
from lorarar.store import Store
from lorarar.util.errors import AdapterError, BaseError, DrawingError

from .conftest import random_adapter

SHORT = "a dog in glowing style"
LONG = f"{'a dog ' * 11}in glowing style"  # 25 words of one token each, of which the encoders take 22 at once


@pytest.fixture
def studio(tiny, tiny_folder):
    return Studio(Base("tiny", str(tiny_folder)), pipeline=tiny)


@pytest.fixture
def sd15(tiny, tmp_path):
    """A tiny pipeline of SD 1.5's kind, with one text encoder."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        attention_head_dim=2,
        cross_attention_dim=tiny.text_encoder.config.hidden_size,
        norm_num_groups=4,
    )
    parts = {"vae": tiny.vae, "text_encoder": tiny.text_encoder, "tokenizer": tiny.tokenizer, "unet": unet.eval()}
    rest = {"scheduler": tiny.scheduler, "safety_checker": None, "feature_extractor": None, "image_encoder": None}
    pipeline = StableDiffusionPipeline(**parts, **rest, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(tmp_path / "sd15")
    return Studio(Base("tiny15", str(tmp_path / "sd15")), pipeline=pipeline)


def draw(studio, prompt=SHORT, seeds=(1,), **options):
    """The pixels of pictures of two steps."""
    return [pixels(picture) for picture in studio.generate(prompt, list(seeds), **{"steps": 2, **options})]


def pixels(picture):
    return np.asarray(picture.image).astype(int)


def apart(one, other):
    return np.abs(one - other).max()


def test_a_picture_is_to_the_bit_what_the_pipeline_itself_makes_of_it(studio, sd15):
    for one in (studio, sd15):
        generator = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
        theirs = one.pipeline(SHORT, num_images_per_prompt=2, generator=generator, num_inference_steps=2).images
        ours = [picture.image for picture in one.generate(SHORT, [1, 2], steps=2, guidance=one_guidance(one))]
        assert all(np.array_equal(a, b) for a, b in zip(map(np.asarray, ours), map(np.asarray, theirs), strict=True))


def one_guidance(studio):
    """What the pipeline takes by default."""
    return 5.0 if hasattr(studio.pipeline, "text_encoder_2") else 7.5


def check_schedulers(studio, names):
    own = studio.pipeline.scheduler
    (plain,) = draw(studio, guidance=1.0)
    seen = {}
    for name in names:
        together = draw(studio, seeds=(1, 2), guidance=1.0, scheduler=name)
        (alone,) = draw(studio, seeds=(2,), guidance=1.0, scheduler=name)
        assert apart(together[1], alone) <= 1, name
        assert studio.pipeline.scheduler.config.prediction_type == "v_prediction", name
        seen[name] = together[0]
    assert apart(seen[type(own).__name__], plain) <= 1 < apart(seen["EulerAncestralDiscreteScheduler"], plain)
    assert np.array_equal(draw(studio, guidance=1.0)[0], plain) and studio.pipeline.scheduler is own


def test_a_scheduler_draws_a_picture_that_its_seed_decides_and_leaves_the_bases_own(studio):
    check_schedulers(studio, ["DDPMScheduler", "EulerAncestralDiscreteScheduler", "PNDMScheduler"])


@pytest.mark.slow
def test_every_scheduler_draws_pictures_that_their_seeds_decide(studio):
    check_schedulers(studio, SCHEDULERS)


@pytest.mark.parametrize("zero_snr", [False, True])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_every_scheduler_has_the_noise_that_the_base_was_trained_with_and_cuts_no_latent(zero_snr, prediction):
    sdxl = FAMILIES["sdxl"].architecture.components["scheduler"].config
    noise = {"beta_schedule": "linear", "prediction_type": prediction, "rescale_betas_zero_snr": zero_snr}
    owns = [
        DPMSolverMultistepScheduler(**noise),  # which leaves much to its defaults
        EulerDiscreteScheduler.from_config({**sdxl, **noise}),
    ]
    for own in owns:
        for name in SCHEDULERS:
            other = scheduler_like(own, name)
            assert torch.allclose(other.alphas_cumprod, own.alphas_cumprod, rtol=1e-3, atol=1e-7), name
            assert not other.config.get("clip_sample"), name
            assert other.config.prediction_type == prediction, name


def test_no_scheduler_fails_on_noise_that_leaves_nothing_of_the_picture(studio):
    studio._own_scheduler = DPMSolverMultistepScheduler(
        prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    for name in ("DDIMScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler"):
        assert draw(studio, guidance=1.0, scheduler=name)[0].std() > 0


def test_every_step_is_counted_once_also_where_the_unet_runs_twice_for_it(studio):
    for name in (None, "HeunDiscreteScheduler"):
        steps = []
        draw(studio, scheduler=name, steps=3, guidance=1.0, on_step=partial(steps.append, 1))
        assert len(steps) == 3


def test_what_a_scheduler_cannot_do_is_one_line(studio, monkeypatch):
    def fail(*arguments, **options):
        raise ValueError("too few\nof them")

    monkeypatch.setattr(type(studio.pipeline.scheduler), "set_timesteps", fail)
    with pytest.raises(DrawingError, match=r"^DDPMScheduler cannot draw with --steps 2: too few$"):
        draw(studio)


def test_the_schedulers_are_diffusers_own():
    left_out = {"DPMSolverSDEScheduler", "EDMEulerScheduler"}
    assert {*SCHEDULERS} == {one.name for one in KarrasDiffusionSchedulers} - left_out | {
        "LCMScheduler",
        "TCDScheduler",
    }


def test_what_is_said_of_a_picture_changes_it_and_its_name_and_what_is_not_said_neither(studio):
    said = [{}, {"negative": "a cat"}, {"size": (32, 16)}, {"size": (16, 32)}, {"scheduler": "EulerDiscreteScheduler"}]
    pictures = [next(studio.generate(SHORT, [1], steps=2, guidance=3.0, **one)) for one in said]
    assert len({picture.image.tobytes() for picture in pictures}) == len(said)
    assert len({str(picture.makings()) for picture in pictures}) == len(said)
    assert pictures[0].settings.makings() == {"steps": 2, "guidance": 3.0}
    assert pictures[2].settings.makings() == {"steps": 2, "guidance": 3.0, "size": "32x16"}
    assert pictures[2].image.size == (32, 16) and pictures[3].notes()["size"] == "16x32"
    assert (pictures[1].notes()["negative"], pictures[4].notes()["scheduler"]) == ("a cat", "EulerDiscreteScheduler")
    none = {"negative": "", "size": None, "scheduler": None}
    assert next(studio.generate(SHORT, [1], steps=2, guidance=3.0, **none)).makings() == pictures[0].makings()


def test_nothing_of_a_long_prompt_is_cut_off(studio, sd15):
    """Planted are two prompts that begin with the same words, more than the encoders take at once."""
    other = LONG.replace("glowing", "dog")
    for one in (studio, sd15):
        tokens = one.pipeline.tokenizer(LONG).input_ids
        assert tokens[:24] == one.pipeline.tokenizer(other).input_ids[:24]
        assert (pieces_needed(one.pipeline, SHORT), pieces_needed(one.pipeline, SHORT, LONG)) == (1, 2)
        assert apart(*draw(one, LONG), *draw(one, other)) > 0
        assert apart(*draw(one, SHORT, negative=LONG), *draw(one, SHORT, negative=other)) > 0


def test_a_piece_of_a_long_prompt_is_encoded_as_if_it_were_the_whole(studio, sd15):
    """The truth is what the pipeline itself makes of the first words and of the others."""
    words = LONG.split()
    for one in (studio, sd15):
        said = prompt_arguments(one.pipeline, LONG, "a cat", "cpu")
        parts = [" ".join(words[:22]), " ".join(words[22:])]
        theirs = [
            one.pipeline.encode_prompt(part, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True)
            for part in parts
        ]
        assert torch.allclose(said["prompt_embeds"], torch.cat([part[0] for part in theirs], dim=1), atol=1e-5)
        assert said["negative_prompt_embeds"].shape == said["prompt_embeds"].shape == (1, 48, theirs[0][0].shape[-1])
        if len(theirs[0]) == 4:
            assert torch.allclose(said["pooled_prompt_embeds"], theirs[0][2], atol=1e-5)


def test_several_loras_do_what_their_dense_updates_do_at_these_strengths(studio):
    """The truth is the base with the updates added to its weights."""
    loras = [AttachedLora(random_adapter(2, 0), 0.5), AttachedLora(random_adapter(3, 1), -1.5)]
    unet = studio.pipeline.unet
    before, modules = deepcopy(unet.state_dict()), dict(unet.named_modules())
    with torch.no_grad():
        for lora in loras:
            for name, factors in lora.adapter.layers.items():
                modules[name.removeprefix("unet.")].weight += lora.strength * factors.dense()
    (theirs,) = draw(studio)
    unet.load_state_dict(before)
    (plain,) = draw(studio)
    studio.load_loras(loras)
    made = next(studio.generate(SHORT, [1], steps=2))
    assert apart(pixels(made), theirs) <= 1 < apart(theirs, plain)
    first, second = (lora.adapter.sha256 for lora in loras)
    assert made.lora == made.makings()["lora"] == f"{first}:0.5,{second}:-1.5"
    studio.load_loras([])
    assert np.array_equal(draw(studio)[0], plain)


def test_one_lora_as_it_is_is_known_as_it_always_was(studio):
    adapter = random_adapter(2, 0)
    assert summed([AttachedLora(adapter)]) is adapter
    studio.load_lora(adapter)
    assert next(studio.generate(SHORT, [1], steps=1)).lora == adapter.sha256


@pytest.mark.parametrize("after", ["alike", "another rank", "fewer layers"])
def test_a_lora_after_another_draws_as_it_does_on_a_base_without_any(studio, monkeypatch, after):
    adapter = random_adapter(3 if after == "another rank" else 2, 1, strength=1.0)
    if after == "fewer layers":
        adapter = replace(adapter, layers=dict([*adapter.layers.items()][1:]))
    studio.load_lora(adapter)
    alone = draw(studio)[0]
    studio.load_loras([])
    studio.load_lora(random_adapter(2, 0, strength=1.0))
    other = draw(studio)[0]
    unload = type(studio.pipeline).unload_lora_weights
    unloaded = []
    with monkeypatch.context() as patch:
        patch.setattr(type(studio.pipeline), "unload_lora_weights", lambda self: (unloaded.append(1), unload(self)))
        studio.load_lora(adapter)
    assert np.array_equal(draw(studio)[0], alone)
    assert not np.array_equal(alone, other)
    assert next(studio.generate(SHORT, [1], steps=1)).lora == adapter.sha256
    assert (unloaded == []) is (after == "alike")


def test_loras_of_two_bases_are_refused_together_by_the_layer():
    adapter = random_adapter(2, 0)
    name, factors = next(iter(adapter.layers.items()))
    other = replace(adapter, layers={name: replace(factors, down=factors.down[:, :-1])}, name="other")
    with pytest.raises(AdapterError, match=rf"other is of another base model than the LoRAs before it: {name} is "):
        summed([AttachedLora(adapter), AttachedLora(other)])


def test_whatever_stops_a_lora_from_being_attached_leaves_nothing_of_it(studio, monkeypatch):
    """Planted is an error of a kind that nobody expects, after the LoRA is on."""
    (plain,) = draw(studio)
    load = type(studio.pipeline).load_lora_weights

    def fail(*arguments, **options):
        load(*arguments, **options)
        raise TypeError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr(type(studio.pipeline), "load_lora_weights", fail)
        with pytest.raises(TypeError):
            studio.load_lora(random_adapter(4, 0, strength=1.0))
    assert np.array_equal(draw(studio)[0], plain)
    assert next(studio.generate(SHORT, [1], steps=1)).lora == ""


@pytest.mark.parametrize(
    ("text", "name", "strength"),
    [
        ("a.safetensors", "a.safetensors", 1.0),
        ("a.safetensors:0.8", "a.safetensors", 0.8),
        ("a.safetensors:-1e-1", "a.safetensors", -0.1),
        ("a:b.safetensors", "a:b.safetensors", 1.0),
        ("a:b.safetensors:2", "a:b.safetensors", 2.0),
        (r"C:\a.safetensors", r"C:\a.safetensors", 1.0),
        ("there:2", "there:2", 1.0),
        ("there:2:3", "there:2", 3.0),
    ],
)
def test_a_strength_is_what_follows_the_last_colon_where_that_is_a_number(text, name, strength, tmp_path, monkeypatch):
    """Planted is a file whose name ends in a colon and a number."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there:2").touch()
    file, said = file_and_strength(text)
    assert (str(file), said) == (name, strength)


def test_latents_that_are_not_finite_are_an_error_and_no_picture(run, tiny_folder, lora_file):
    words = ("generate", "--prompt", SHORT, "--base", tiny_folder, "--steps", 2)
    done = run(*words, "--lora", f"{lora_file('a')}:1e30")
    assert done.exit_code == 1
    said = " ".join(done.output.split())
    assert "Drawing: there is no picture of seed 0: the sampler ended in numbers that are not finite" in said
    assert not list(lora_file("b").parent.rglob("*.png"))


def test_a_vae_that_overflows_is_an_error_that_names_the_seed(studio):
    with torch.no_grad():
        studio.pipeline.vae.decoder.conv_out.bias.fill_(float("inf"))
    with pytest.raises(DrawingError, match=r"there is no picture of seed 7: the VAE made of it numbers that are not"):
        draw(studio, seeds=(7, 8))


def test_pictures_that_are_decoded_one_by_one_are_the_same(studio, monkeypatch):
    together = draw(studio, seeds=(1, 2, 3))
    monkeypatch.setattr(decoding, "AT_ONCE", 1)
    assert all(apart(*pair) <= 1 for pair in zip(together, draw(studio, seeds=(1, 2, 3)), strict=True))
    assert not studio.pipeline.vae.use_tiling
    monkeypatch.setattr(decoding, "UNTILED", 1)
    draw(studio)
    assert studio.pipeline.vae.use_tiling


@pytest.mark.parametrize(("upcast", "dtype"), [(True, torch.float32), (False, torch.bfloat16)])
def test_the_vae_of_a_half_precision_base_is_as_its_configuration_demands(
    tiny, tiny_folder, upcast, dtype, monkeypatch
):
    tiny.vae.register_to_config(force_upcast=upcast)
    monkeypatch.setattr(
        "lorarar.generation.drawing_pipeline.load_pipeline", lambda base, device, dtype: tiny.to(dtype=dtype)
    )
    base = Base("tiny", str(tiny_folder))
    pipeline = load_for_drawing(base, Placement.of(base, "cpu", "bfloat16"))
    assert (pipeline.unet.dtype, pipeline.vae.dtype) == (torch.bfloat16, dtype)
    studio = Studio(Base("tiny", str(tiny_folder)), pipeline=pipeline)
    (picture,) = studio.generate(SHORT, [1], steps=1)
    assert picture.notes()["dtype"] == picture.makings()["dtype"] == "bfloat16"


class Recorder:
    """A pipeline that notes where it is put."""

    def __getattr__(self, name):
        return lambda *arguments, **options: (name, arguments, options) and self.__dict__.update(done=(name, options))


def test_offloading_is_diffusers_own_and_needs_a_gpu():
    for offload, method in (("model", "enable_model_cpu_offload"), ("sequential", "enable_sequential_cpu_offload")):
        recorder = Recorder()
        assert Placement("cuda:1", torch.float16, offload).put(recorder) is recorder
        assert recorder.done == (method, {"device": "cuda:1"})
        with pytest.raises(BaseError, match=rf"--offload {offload} keeps parts .* but --device is cpu; leave it out"):
            Placement.of(find_base("pocket"), "cpu", None, offload)


def test_a_lora_moves_no_offloaded_base_to_another_gpu(studio, monkeypatch):
    places = []
    monkeypatch.setattr(Placement, "put", lambda place, pipeline: places.append(place.device))
    studio.load_lora(random_adapter(2, 1))
    assert places == []  # of what is not offloaded nothing moves
    studio.place = Placement("cuda:1", torch.float32, "model")
    studio.load_lora(random_adapter(2, 1))
    assert places == ["cuda:1"]


def test_running_out_of_memory_is_one_line_that_says_what_would_fit():
    gpu, cpu = Placement("cuda", torch.float16), Placement("cpu", torch.float32)
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 12.00 GiB\nmore"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ):
        with pytest.raises(DrawingError) as caught, memory_in_one_line(4, gpu):
            raise error
        line = "cuda has not enough memory for --batch 4; what would fit: --batch 2, --offload model, a smaller --size"
        assert str(caught.value) == line
    with pytest.raises(RuntimeError, match="another"), memory_in_one_line(4, gpu):
        raise RuntimeError("another")
    assert what_would_fit(1, replace(gpu, offload="model")) == "--offload sequential, a smaller --size"
    assert what_would_fit(1, replace(gpu, offload="sequential")) == what_would_fit(1, cpu) == "a smaller --size"


@pytest.mark.parametrize(
    "words",
    [
        ("--size", "1024"),
        ("--size", "100x100"),
        ("--size", "0x8"),
        ("--scheduler", "EulerScheduler"),
        ("--dtype", "float8"),
        ("--offload", "all"),
        ("--batch", "0"),
        ("--lora", "a.safetensors:nan"),
        ("--seed", str(2**64)),
        ("--seed", str(2**64 - 1), "-n", "2"),
        ("--seed", "-1"),
        ("--negative", "a \udc80 dog"),
        ("--guidance", "inf"),
    ],
)
def test_what_cannot_be_drawn_with_is_a_usage_error_before_anything_is_loaded(run, words, monkeypatch):
    monkeypatch.setattr("lorarar.families.find_base", lambda name: pytest.fail("a base was looked for"))
    assert run("generate", "--prompt", SHORT, *words).exit_code == 2


def test_an_unknown_scheduler_is_named_beside_all_that_there_are(run):
    said = run("generate", "--prompt", SHORT, "--scheduler", "EulerScheduler").output
    assert all(name in said.replace("\n", "") or name[:8] in said for name in SCHEDULERS)


def test_every_flag_reaches_the_picture_and_the_database(run, tiny_folder, lora_file, tmp_path):
    """The seed is the largest, which SQLite's integers cannot hold as it is."""
    files = [lora_file("a:b", 2, 0), lora_file("c", 3, 1)]
    loras = ["--lora", files[0], "--lora", f"{files[1]}:0.25"]
    words = ["--negative", "a cat", "--size", "32x16", "--scheduler", "DDIMScheduler", "--dtype", "float32"]
    largest = 2**64 - 1
    done = run(
        *("generate", "--prompt", LONG, "--base", tiny_folder, "--steps", 1, "--seed", largest, "--batch", 1),
        *(*loras, *words, "--device", "cpu", "--db", "a.db"),
    )
    assert done.exit_code == 0, done.output
    (file,) = (tmp_path / "out").glob("*.png")
    assert read_image(file).size == (32, 16) and f"-{largest}-" in file.name
    with Store(tmp_path / "a.db") as store:
        (row,) = store.rows("SELECT seed, adapter, makings FROM images")
        assert (row["seed"], row["adapter"]) == (-1, None)
        assert '"negative": "a cat"' in row["makings"] and ":0.25" in row["makings"]
        assert len(store.rows("SELECT id FROM adapters")) == 2


def test_a_size_is_width_before_height():
    assert parse_size(" 1024 x 768 ") == (1024, 768)
    settings = DrawingSettings(steps=1, guidance=1.0, size=parse_size("1024X768"))
    assert settings.makings()["size"] == "1024x768"


def test_an_empty_negative_prompt_of_a_long_one_is_what_the_pipeline_takes_for_none(studio):
    """SDXL's says nothing by zeros; a base whose configuration does not say so encodes an empty text."""
    zeros = prompt_arguments(studio.pipeline, LONG, "", "cpu")["negative_prompt_embeds"]
    assert not zeros.any() and studio.pipeline.config.force_zeros_for_empty_prompt
    studio.pipeline.register_to_config(force_zeros_for_empty_prompt=False)
    assert prompt_arguments(studio.pipeline, LONG, "", "cpu")["negative_prompt_embeds"].any()


def test_a_vae_with_a_mean_of_its_own_is_decoded_as_the_pipeline_does_it(tiny, tiny_folder):
    values = {"latents_mean": [0.1, -0.2, 0.3, 0.0], "latents_std": [1.5, 0.5, 2.0, 1.0]}
    tiny.vae.register_to_config(**values)
    assert isinstance(tiny.vae, AutoencoderKL)
    studio = Studio(Base("tiny", str(tiny_folder)), pipeline=tiny)
    theirs = tiny(SHORT, generator=torch.Generator().manual_seed(1), num_inference_steps=2).images[0]
    assert np.array_equal(draw(studio)[0], np.asarray(theirs))
    assert SimpleNamespace(**values).latents_mean == tiny.vae.config.latents_mean
