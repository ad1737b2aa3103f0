"""Drawing and training with transformers, on tiny random pipelines of the real classes."""

import json
import shutil
from dataclasses import replace

import diffusers
import pytest
import torch
from safetensors.torch import save_file

from lorarar.families import FAMILIES, find_base
from lorarar.families.layer_table import layers_of_model
from lorarar.generation.attached_loras import AttachedLora
from lorarar.generation.autoencoders.table import autoencoder_kind
from lorarar.generation.bases import load_pipeline
from lorarar.generation.decoding import decode
from lorarar.generation.denoisers.table import DENOISER_KINDS, denoiser_of, encode_prompts, pipeline_kind, predict
from lorarar.generation.forward_process import forward_process
from lorarar.generation.gates import gated, is_gated
from lorarar.generation.latents import encode_images
from lorarar.generation.schedulers import scheduler_like
from lorarar.generation.settings import DrawingSettings
from lorarar.generation.studio import Studio
from lorarar.generation.vae import load_vae
from lorarar.lora.adapter import Adapter, Factors, part_of
from lorarar.lora.drawn_methods import DRAWN
from lorarar.lora.files import read_adapter, read_provenance
from lorarar.lora.stack import stack
from lorarar.merging.heads.layer_place import places_of
from lorarar.pictures.images import read_image
from lorarar.training.hypernet import new_objective
from lorarar.training.lesson import Lesson
from lorarar.training.lora import LoraDenoising, lora_schedule, train_lora
from lorarar.training.lora_group import train_lora_group
from lorarar.training.options import HypernetOptions, LoraOptions, RankOptions, SoupsOptions, ZipOptions
from lorarar.training.pair_coefficients import train_coefficients
from lorarar.util.errors import BaseError, DrawingError

from .tiny_dits import BUILDERS, NATIVE, SIDE, concepts, lora_for, own_latents, save_base

PROMPT = "a sks dog in red style"
ROWS = ("norm1.linear", "adaLN_modulation.0", "modulation_img.linear", "img_mod.1")  # layers that see no tokens
#: Of Qwen-Image's last block the text's way out, of which nothing comes.
MUTE = tuple(
    f"transformer_blocks.1.{layer}"
    for layer in ("attn.add_q_proj", "attn.to_add_out", "txt_mlp.net.0.proj", "txt_mlp.net.2")
)
FAMILY_NAMES = tuple(BUILDERS)


@pytest.fixture(scope="session", params=FAMILY_NAMES)
def base(request, tmp_path_factory):
    """A folder of each family's tiny pipeline."""
    return save_base(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def pipeline(base):
    """The pipeline of it; tests leave it as it is."""
    return load_pipeline(find_base(str(base)), "cpu")


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    for kind in DENOISER_KINDS.values():
        monkeypatch.setattr(type(kind), "native", NATIVE)


def noise_of(pipeline, seed):
    """The noise that a pipeline draws from a seed."""
    side = SIDE // 2 // pipeline_kind(pipeline).folded
    return torch.randn((1, 4, side, side), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_a_prediction_is_the_pipelines_own(pipeline):
    kind, noise = pipeline_kind(pipeline), noise_of(pipeline, 1)
    generator = [torch.Generator().manual_seed(1)]
    size = {"width": SIDE, "height": SIDE}
    arguments = kind.call_arguments(pipeline, PROMPT, "", 1.0, "cpu")
    output = pipeline(**arguments, **size, generator=generator, num_inference_steps=2, output_type="latent").images
    ours = noise
    for timestep in (scheduler := pipeline.scheduler).timesteps:
        conditioning = encode_prompts(pipeline, [PROMPT], SIDE)
        velocity = predict(denoiser_of(pipeline), ours, timestep.expand(1), conditioning)
        sigma = float(timestep) / 1000
        sigmas = [*scheduler.sigmas.tolist()]
        step = sigmas[min(range(len(sigmas)), key=lambda place: abs(sigmas[place] - sigma)) + 1] - sigma
        ours = ours + step * velocity
    theirs = kind.latents(pipeline, output, (SIDE, SIDE))
    assert float((theirs - noise).abs().max()) > 0.1
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def called(pipeline, steps=2, **arguments):
    """The latents of a pipeline's call."""
    generator = [torch.Generator().manual_seed(1)]
    size = {"width": SIDE, "height": SIDE, "num_inference_steps": steps}
    return pipeline(**arguments, **size, generator=generator, output_type="latent").images


def test_guidance_and_what_it_leads_away_from_are_the_pipelines_own(pipeline):
    own = {
        "flux2-klein": {"guidance_scale": 3.0},
        "qwen-image": {"true_cfg_scale": 3.0, "negative_prompt": "a cat"},
        "z-image": {"guidance_scale": 3.0, "negative_prompt": "a cat"},
    }
    name = type(pipeline).__name__
    theirs = next((one for family, one in own.items() if name in FAMILIES[family].pipeline), None)
    if theirs is None:
        pytest.skip("FLUX.1 is told of guidance, and has no negative prompt")
    kind, negative = pipeline_kind(pipeline), theirs.get("negative_prompt", "")
    if "klein" in name.lower():
        with pytest.raises(DrawingError, match="--guidance 3 would change nothing"):
            kind.call_arguments(pipeline, PROMPT, "", 3.0, "cpu")
        pipeline.register_to_config(is_distilled=False)
    try:
        ours = called(pipeline, **kind.call_arguments(pipeline, PROMPT, negative, 3.0, "cpu"))
        plain = called(pipeline, **kind.call_arguments(pipeline, PROMPT, "", 1.0, "cpu"))
        torch.testing.assert_close(ours, called(pipeline, prompt=PROMPT, **theirs))
        assert float((ours - plain).abs().max()) > 0.01
    finally:
        if "klein" in name.lower():
            pipeline.register_to_config(is_distilled=True)


@torch.no_grad()
def test_several_prompts_of_other_lengths_are_predicted_as_each_alone(pipeline):
    prompts, noise = [PROMPT, "a cat"], torch.cat([noise_of(pipeline, 1), noise_of(pipeline, 2)])
    timesteps = torch.tensor([700.0, 300.0])
    alone = [encode_prompts(pipeline, [prompt], SIDE) for prompt in prompts]
    together = predict(denoiser_of(pipeline), noise, timesteps, alone[0].followed_by(alone[1]))
    for place, conditioning in enumerate(alone):
        row = slice(place, place + 1)
        one = predict(denoiser_of(pipeline), noise[row], timesteps[row], conditioning)
        torch.testing.assert_close(together[row], one, rtol=1e-4, atol=1e-5)
    assert float((together[0] - together[1]).abs().max()) > 0.01


@pytest.mark.parametrize("place", ["vae", "vae/diffusion_pytorch_model.safetensors", ""])
def test_another_vae_is_a_folder_a_file_or_a_pipelines(base, place):
    named = find_base(str(base), vae=str(base / place))
    loaded = load_vae(named, torch.float32)
    own = load_pipeline(find_base(str(base)), "cpu").vae
    assert type(loaded) is type(own) and not loaded.training
    weights = own.state_dict()
    assert loaded.state_dict().keys() == weights.keys()
    assert all(torch.equal(weight, weights[name]) for name, weight in loaded.state_dict().items())
    assert dict(loaded.config) | {"_name_or_path": ""} == dict(own.config) | {"_name_or_path": ""}


def test_another_models_vae_is_one_line(base, tmp_path):
    """A class that no base has, and weights that are none of its own."""
    config = json.loads((base / "vae" / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "_class_name": "AutoencoderTiny"}))
    with pytest.raises(
        BaseError, match=r"is an AutoencoderTiny, and .* takes an AutoencoderKL\w*: it is another"
    ) as told:
        load_vae(find_base(str(base), vae=str(tmp_path)), torch.float32)
    assert "\n" not in str(told.value)
    save_file({"encoder.weight": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(BaseError, match=r"is no VAE of .*: its weights are others") as told:
        load_vae(find_base(str(base), vae=str(tmp_path / "x.safetensors")), torch.float32)
    known = config["_class_name"] == "AutoencoderKL"
    assert ("in diffusers' names" in str(told.value)) == (not known)


@torch.no_grad()
def test_pictures_are_encoded_and_decoded_as_the_pipeline_does_it(pipeline):
    kind, vae = autoencoder_kind(pipeline.vae), pipeline.vae
    pixels = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(3)) * 2 - 1
    latents = encode_images(vae, pixels)
    mean, theirs = own_latents(pipeline, pixels)
    torch.testing.assert_close(latents, theirs)
    torch.testing.assert_close(kind.decode(vae, latents), vae.decode(mean).sample.view(2, 3, SIDE, SIDE))
    own = pipeline_kind(pipeline)
    arguments = {
        **own.call_arguments(pipeline, PROMPT, "", 1.0, "cpu"),
        "width": SIDE,
        "height": 2 * SIDE,
        "num_inference_steps": 1,
    }
    generators = ([torch.Generator().manual_seed(1)] for _ in range(2))
    output = pipeline(**arguments, generator=next(generators), output_type="latent").images
    (theirs,) = pipeline(**arguments, generator=next(generators), output_type="pil").images
    (ours,) = decode(pipeline, own.latents(pipeline, output, (SIDE, 2 * SIDE)), [1])
    assert ours.size == theirs.size == (SIDE, 2 * SIDE)
    assert ours.tobytes() == theirs.tobytes()


def test_noise_comes_in_as_the_scheduler_takes_it_out(pipeline):
    process, scheduler = forward_process(pipeline), pipeline.scheduler
    latents, noise = noise_of(pipeline, 1), noise_of(pipeline, 2)
    tokens = latents.shape[-1] * latents.shape[-2] // pipeline_kind(pipeline).patch ** 2
    mu = pipeline_kind(pipeline).time_shift(scheduler.config, tokens)
    scheduler.set_timesteps(sigmas=[0.9, 0.5, 0.1], mu=mu)
    places = torch.special.ndtr(torch.logit(torch.tensor([0.9, 0.5, 0.1])))
    timesteps = process.at(places, latents)
    torch.testing.assert_close(timesteps, scheduler.timesteps, rtol=1e-5, atol=1e-3)
    noisy = process.noised(latents, noise, scheduler.timesteps[1:2])
    torch.testing.assert_close(noisy, scheduler.scale_noise(latents, scheduler.timesteps[1:2], noise))
    sigma = scheduler.timesteps[1:2] / 1000
    torch.testing.assert_close(noisy - sigma * process.target(latents, noise, sigma), latents)
    drawn = process.draw(latents.expand(4000, -1, -1, -1), torch.Generator().manual_seed(0))
    assert drawn.median() == pytest.approx(float(timesteps[1]), rel=0.1)
    assert float(drawn.min()) > 0 and float(drawn.max()) < 1000


def test_pictures_are_what_their_seeds_say(base, pipeline):
    studio = Studio(find_base(str(base)), pipeline=pipeline)
    settings = {"steps": 2, "size": (SIDE, SIDE)}
    both = [picture.image for picture in studio.generate(PROMPT, [1, 2], **settings)]
    (alone,) = studio.generate(PROMPT, [2], **settings)
    difference = torch.tensor(list(both[1].tobytes())).int() - torch.tensor(list(alone.image.tobytes())).int()
    assert int(difference.abs().max()) <= 1 and both[0].tobytes() != both[1].tobytes()
    with pytest.raises(DrawingError, match="multiples of 4 pixels"):
        [*studio.generate(PROMPT, [1], steps=1, size=(SIDE + 2, SIDE))]
    with pytest.raises(DrawingError, match="--negative"):
        [*studio.generate(PROMPT, [1], negative="a cat", guidance=1.0, steps=1)]
    with pytest.raises(DrawingError, match="text encoder takes 512"):
        [*studio.generate("a dog " * 300, [1], steps=1)]


@pytest.mark.parametrize("name", ["FlowMatchHeunDiscreteScheduler", "UniPCMultistepScheduler"])
def test_a_base_with_another_scheduler_of_flow_matching_says_what_draws_it(pipeline, name):
    own = pipeline.scheduler.config
    other = getattr(diffusers, name).from_config(own, use_flow_sigmas=True, flow_shift=3.0)
    with pytest.raises(DrawingError, match=rf"own scheduler is {name}; .* draw with --scheduler FlowMatchEuler"):
        scheduler_like(other, None)
    drawn = scheduler_like(other, "FlowMatchEulerDiscreteScheduler")
    shift = 3.0 if name.startswith("UniPC") else own.shift
    assert (drawn.config.shift, drawn.config.use_dynamic_shifting) == (shift, own.use_dynamic_shifting)


def numbers(picture):
    return torch.tensor(list(picture.image.tobytes())).float()


def test_loras_change_pictures_by_their_sum_and_places(base, pipeline):
    """A LoRA of the same shapes takes the place of the one before it, and none is left on the base."""
    studio = Studio(find_base(str(base)), pipeline=pipeline)
    one, two = lora_for(pipeline, 1), lora_for(pipeline, 2)

    def drawn(*loras, method=None):
        studio.load_loras([AttachedLora(lora, strength) for lora, strength in loras], method)
        (picture,) = studio.generate(PROMPT, [1], steps=2)
        return numbers(picture)

    plain, first = drawn(), drawn((one, 1.0))
    second, both = drawn((two, 1.0)), drawn((one, 1.0), (two, 0.5))
    assert min(float((a - b).abs().max()) for a, b in ((plain, first), (first, second), (second, both))) > 5
    assert float((drawn((one, 1.0)) - first).abs().max()) <= 1
    assert float((drawn((two, 0.5), (one, 1.0)) - both).abs().max()) <= 1
    switched = drawn((one, 1.0), (two, 1.0), method=DRAWN["k-lora"])
    assert min(float((switched - other).abs().max()) for other in (plain, both)) > 5
    assert float((drawn() - plain).abs().max()) <= 1
    with pytest.raises(DrawingError, match=r"DDIMScheduler is one of diffusion, .* FlowMatchEulerDiscreteScheduler"):
        [*studio.generate(PROMPT, [1], steps=1, scheduler="DDIMScheduler")]
    assert [*studio.generate(PROMPT, [1], steps=1, scheduler="FlowMatchEulerDiscreteScheduler")]


@torch.no_grad()
def test_gates_of_one_are_the_lora_and_each_sample_has_its_own(pipeline):
    """Hooks do what the attached LoRA does, also on layers that see rows of samples instead of tokens."""
    model = denoiser_of(pipeline)
    shapes = layers_of_model("transformer", model)
    assert [layer for layer in shapes if not is_gated(layer)] == [
        layer for layer in shapes if ".cap_embedder." in layer
    ]
    apart = [layer for layer in shapes if layer.endswith(ROWS)]
    assert apart
    lora = lora_for(pipeline, 3)
    more = {layer: Factors(torch.randn(2, shapes[layer][1]), torch.randn(shapes[layer][0], 2) / 4) for layer in apart}
    lora = Adapter({**lora.layers, **more}, "more")
    noise, timesteps = torch.cat([noise_of(pipeline, 1), noise_of(pipeline, 2)]), torch.tensor([700.0, 300.0])
    conditioning = encode_prompts(pipeline, [PROMPT, PROMPT], SIDE)
    plain = predict(model, noise, timesteps, conditioning)
    one = torch.ones(2, 1, 1)
    first = torch.tensor([1.0, 0.0]).view(2, 1, 1)
    with gated(model, lora, Adapter({}), dict.fromkeys(lora.layers, (one, one))):
        whole = predict(model, noise, timesteps, conditioning)
    with gated(model, lora, Adapter({}), dict.fromkeys(lora.layers, (first, 1 - first))):
        half = predict(model, noise, timesteps, conditioning)
    torch.testing.assert_close(half[0], whole[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(half[1], plain[1], rtol=1e-4, atol=1e-4)
    studio = Studio(find_base("z-image"), pipeline=pipeline)
    studio.load_lora(lora)
    attached = predict(model, noise, timesteps, conditioning)
    studio.load_lora(None)
    torch.testing.assert_close(whole, attached, rtol=1e-3, atol=1e-3)
    other, unit = lora_for(pipeline, 4), torch.ones(())
    with gated(model, other, Adapter({}), dict.fromkeys(other.layers, (unit, unit))):
        second = predict(model, noise, timesteps, conditioning)[1]
    several = stack([lora_for(pipeline, 3), other])
    with gated(model, several, Adapter({}), dict.fromkeys(several.layers, (unit, unit))):
        torch.testing.assert_close(predict(model, noise, timesteps, conditioning)[1], second, rtol=1e-4, atol=1e-3)


def lesson():
    images = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(5)) * 2 - 1
    return Lesson(images, "a sks dog")


OPTIONS = LoraOptions(rank=2, steps=4, rate=3e-2, batch=2, seed=7)


def loss_of(pipeline, lora):
    """The mean loss of a LoRA on the lesson, over the same noises."""
    objective = LoraDenoising(pipeline, [lesson()], OPTIONS)
    try:
        batches = [objective.batch(torch.Generator().manual_seed(step)) for step in range(4)]
    finally:
        objective.close()
    one = torch.ones(())
    with torch.no_grad(), gated(denoiser_of(pipeline), lora, Adapter({}), dict.fromkeys(lora.layers, (one, one))):
        return float(torch.stack([objective(*batch) for batch in batches]).mean())


def test_a_lora_learns_goes_on_to_the_bit_and_changes_nothing_else(pipeline, tmp_path, monkeypatch):
    model = denoiser_of(pipeline)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    whole = train_lora(pipeline, [lesson()], OPTIONS)
    assert {layer.partition(".")[0] for layer in whole.layers} == {"transformer"}
    assert {part_of(layer) for layer in whole.layers} == {"query", "key", "value", "output"}
    halted = {"at": 2}

    def stop(self, *_):
        halted["at"] -= 1
        if halted["at"] < 0:
            raise KeyboardInterrupt
        return original(self, *_)

    original = LoraDenoising.batch
    monkeypatch.setattr("lorarar.training.lora.lora_schedule", every_step(OPTIONS))
    monkeypatch.setattr(LoraDenoising, "batch", stop)
    with pytest.raises(KeyboardInterrupt):
        train_lora(pipeline, [lesson()], OPTIONS, checkpoint=tmp_path / "c", makings={})
    monkeypatch.setattr(LoraDenoising, "batch", original)
    resumed = {"checkpoint": tmp_path / "c", "makings": {}, "checkpointing": True}
    assert train_lora(pipeline, [lesson()], OPTIONS, **resumed).identity == whole.identity
    after = model.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[name], before[name]) for name in before)
    untrained = Adapter({layer: Factors(of.down, of.up * 0) for layer, of in whole.layers.items()}, "untrained")
    assert loss_of(pipeline, whole) < loss_of(pipeline, untrained)


def every_step(options):
    """A schedule that keeps the state after every step."""
    schedule = replace(lora_schedule(options), save_every=1)
    return lambda _: schedule


def test_loras_of_a_group_learn_each_its_own_lesson(pipeline):
    other = Lesson(lesson().images.flip(1), "a cat")
    two = train_lora_group(pipeline, [[lesson()], [other]], OPTIONS)
    assert len(two) == 2 and two[0].layers.keys() == two[1].layers.keys()
    seen = [[float(of.up.abs().max()) for layer, of in lora.layers.items() if not layer.endswith(MUTE)] for lora in two]
    assert all(min(ups) > 0 for ups in seen)
    assert two[0].identity != two[1].identity


@pytest.mark.parametrize(
    ("base", "head", "pairs"),
    [
        *(("flux1", "columns", 1), ("flux1", "ranks", 2), ("z-image", "context", 2), ("z-image", "balance", 1)),
        *(("flux2-klein", "ranks", 2), ("qwen-image", "ranks", 1)),
    ],
    indirect=["base"],
)
def test_every_head_learns_of_a_pair_or_of_many(pipeline, tmp_path, head, pairs):
    contents, styles = concepts(pipeline, tmp_path)
    options = HypernetOptions(head=head, hidden=4, batch=1, pairs=pairs, steps=1, parts=("query", "output"))
    objective = new_objective(pipeline, contents, styles, options, SIDE, None, pairs == 2)
    loss = objective(*objective.batch(torch.Generator().manual_seed(0)))
    loss.backward()
    assert torch.isfinite(loss) and float(loss.detach()) > 0
    gradients = [weight.grad for weight in objective.hypernet.parameters()]
    assert all(gradient is not None for gradient in gradients)
    assert any(float(gradient.abs().max()) > 0 for gradient in gradients)


@pytest.mark.parametrize(
    ("base", "options"),
    [
        *(("flux1", ZipOptions), ("z-image", RankOptions), ("flux1", SoupsOptions)),
        *(("flux2-klein", ZipOptions), ("qwen-image", ZipOptions)),
    ],
    indirect=["base"],
)
def test_coefficients_of_a_pair_are_learnt_along_each_axis(pipeline, tmp_path, options):
    contents, styles = concepts(pipeline, tmp_path)
    learnt = train_coefficients(pipeline, contents[0], styles[1], options(steps=2, rate=0.1), side=SIDE)
    assert learnt.axis == options.axis and set(learnt) <= set(contents[0].adapter.layers)
    moved = [pair for layer, pair in learnt.items() if not layer.endswith(MUTE)]
    assert all(float((side - 1).abs().max()) > 1e-3 for pair in moved for side in pair)


TRUNKS = (
    (
        "transformer_blocks.0.attn.to_q",
        "transformer_blocks.10.ff.net.2",
        "single_transformer_blocks.2.attn.to_k",
        "single_transformer_blocks.10.attn.to_k",
    ),
    (
        "noise_refiner.0.attention.to_q",
        "context_refiner.0.feed_forward.w1",
        "layers.3.attention.to_out.0",
        "layers.20.feed_forward.w2",
    ),
)


@pytest.mark.parametrize("names", TRUNKS)
def test_blocks_of_a_trunk_are_in_the_order_in_which_they_run(names):
    shuffled = [f"transformer.{names[number]}" for number in (2, 0, 3, 1)]
    places = dict(zip(shuffled, places_of(shuffled), strict=True))
    ordered = [places[f"transformer.{name}"] for name in names]
    assert [place.depth for place in ordered] == [0.125, 0.375, 0.625, 0.875]
    assert [place.group[: len("quarter 0")] for place in ordered] == [f"quarter {number}" for number in range(4)]
    assert {place.kind for place in ordered} == {"self", "feed-forward"}


@pytest.fixture
def few_steps(monkeypatch):
    """Pictures in two steps wherever nobody says how many."""
    own = DrawingSettings.of
    monkeypatch.setattr(DrawingSettings, "of", lambda base, options: replace(own(base, options), steps=2))


ZIPLORA_PLAN = """
title = "tiny"
base = "{base}"
contents = {{ folder = "contents", names = ["dog"] }}
styles = {{ folder = "styles", names = ["c1"] }}
pictures = {{ seeds = 1, steps = 2 }}
methods = [{{ method = "ziplora", steps = 1, batch = 1 }}]
"""


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("base", ["flux1", "z-image"], indirect=True)
def test_all_that_trains_is_trained_by_commands_and_drawn_with(run, base, pipeline, tmp_path):
    """A LoRA of pictures, its merges by what is optimised, predicted and calibrated, and pictures of them."""
    concepts(pipeline, tmp_path)
    shutil.copytree(tmp_path / "contents" / "c0", tmp_path / "contents" / "dog")
    where = ("--base", base, "--device", "cpu")

    def done(*arguments):
        result = run(*arguments)
        assert result.exit_code == 0, (arguments, result.output)
        return result

    made = ("-o", "contents/dog.safetensors", "--steps", 2, "--rank", 2, "--sample-every", 2)
    done("train", "lora", "contents/dog", "--prompt", "a sks dog", *made, *where)
    layers = read_adapter(tmp_path / "contents" / "dog.safetensors").layers.keys()
    assert {layer.partition(".")[0] for layer in layers} == {"transformer"}
    assert [path.name for path in (tmp_path / "contents" / "dog.samples").iterdir()] == ["step-2.png"]
    shutil.rmtree(tmp_path / "contents" / "dog.samples")

    (tmp_path / "plan.toml").write_text(ZIPLORA_PLAN.format(base=base))
    done("bench", "run", "plan.toml", "-o", "grid", "--device", "cpu")
    assert read_image(next((tmp_path / "grid").rglob("*.png"))).size == (SIDE, SIDE)

    pair = ("contents/dog.safetensors", "styles/c1.safetensors")
    merges: dict[str, tuple[object, ...]] = {"ssr": ()}
    for head in ("columns", "ranks"):
        network = f"{head}-network.safetensors"
        sides = ("--contents", "contents", "--styles", "styles", "--names", "c0,c1")
        done("train", "hypernet", *sides, "--head", head, "--hidden", 4, "--steps", 1, "-o", network, *where)
        merges[head] = ("--hypernet", network)
    for name, more in merges.items():
        method = "ssr" if name == "ssr" else "lorarar"
        done("merge", *pair, "-o", f"{name}.safetensors", "--method", method, *more, *where)
        merged = read_adapter(tmp_path / f"{name}.safetensors").layers.keys()
        assert merged == layers | read_adapter(tmp_path / pair[1]).layers.keys()
    assert read_provenance(tmp_path / "ssr.safetensors")["calibration"]["prompts"] == [
        "a sks dog",
        "a house in blue style",
    ]
    drawn = done("generate", "--prompt", PROMPT, "--lora", "ranks.safetensors:0.8", "-o", "drawn", "--json", *where)
    assert json.loads(drawn.stdout)
    assert read_image(next((tmp_path / "drawn").glob("*.png"))).size == (SIDE, SIDE)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("offload", ["none", "model", "sequential"])
def test_a_gpu_draws_in_bfloat16_and_with_what_is_not_needed_kept_off_it(base, pipeline, offload):
    lora = lora_for(pipeline, 1, strength=0.2)
    with Studio(find_base(str(base)), "cuda", offload=offload) as studio:
        studio.load_lora(lora)
        pictures = [*studio.generate(PROMPT, [1, 2], steps=2)]
    assert [picture.makings()["dtype"] for picture in pictures] == ["bfloat16"] * 2
    with Studio(find_base(str(base)), "cuda") as studio:
        studio.load_lora(lora)
        plain = [*studio.generate(PROMPT, [1, 2], steps=2)]
    for picture, same in zip(pictures, plain, strict=True):
        assert float((numbers(picture) - numbers(same)).abs().mean()) < 8
