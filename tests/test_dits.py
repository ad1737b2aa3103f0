"""Drawing and training with transformers, on tiny random pipelines of the real classes."""

import pytest
import torch

from lorarar.families import find_base
from lorarar.generation.autoencoders.table import autoencoder_kind
from lorarar.generation.bases import load_pipeline
from lorarar.generation.decoding import decode
from lorarar.generation.denoisers.table import denoiser_of, encode_prompts, pipeline_kind, predict
from lorarar.generation.forward_process import forward_process
from lorarar.generation.latents import encode_images
from lorarar.generation.studio import Studio
from lorarar.util.errors import DrawingError

from .tiny_dits import BUILDERS, NATIVE, SIDE, save_base

PROMPT = "a sks dog in red style"
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
    monkeypatch.setattr("lorarar.generation.denoisers.denoiser_kind.NATIVE", NATIVE)


def noise_of(seed):
    """The noise that a pipeline draws from a seed."""
    channels = 4
    return torch.randn((1, channels, SIDE // 2, SIDE // 2), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_a_prediction_is_the_pipelines_own(pipeline):
    kind, noise = pipeline_kind(pipeline), noise_of(1)
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


@torch.no_grad()
def test_several_prompts_of_other_lengths_are_predicted_as_each_alone(pipeline):
    prompts, noise = [PROMPT, "a cat"], torch.cat([noise_of(1), noise_of(2)])
    timesteps = torch.tensor([700.0, 300.0])
    alone = [encode_prompts(pipeline, [prompt], SIDE) for prompt in prompts]
    together = predict(denoiser_of(pipeline), noise, timesteps, alone[0].followed_by(alone[1]))
    for place, conditioning in enumerate(alone):
        row = slice(place, place + 1)
        one = predict(denoiser_of(pipeline), noise[row], timesteps[row], conditioning)
        torch.testing.assert_close(together[row], one, rtol=1e-4, atol=1e-5)
    assert float((together[0] - together[1]).abs().max()) > 0.01


@torch.no_grad()
def test_pictures_are_encoded_and_decoded_as_the_pipeline_does_it(pipeline):
    kind, vae = autoencoder_kind(pipeline.vae), pipeline.vae
    pixels = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(3)) * 2 - 1
    latents = encode_images(vae, pixels)
    mean = vae.encode(pixels).latent_dist.mean
    torch.testing.assert_close(latents, (mean - vae.config.shift_factor) * vae.config.scaling_factor)
    torch.testing.assert_close(kind.decode(vae, latents), vae.decode(mean).sample)
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
    latents, noise = noise_of(1), noise_of(2)
    tokens = latents.shape[-1] * latents.shape[-2] // 4
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
