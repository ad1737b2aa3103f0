"""Pictures that are drawn while a LoRA is trained: what they show, and that the training knows nothing of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from lorarar.families import find_base
from lorarar.generation.studio import Studio
from lorarar.lora.files import read_adapter
from lorarar.pictures.images import read_image, write_png
from lorarar.training import sampling as samples
from lorarar.training.lesson import Lesson
from lorarar.training.lora import train_lora
from lorarar.training.options import LoraOptions
from lorarar.training.sampling import Sampler, Sampling
from lorarar.util.errors import DrawingError

from .test_training import pictures

OPTIONS = LoraOptions(rank=2, steps=5, rate=3e-2, batch=2, seed=7)
PROMPT = "a sks dog"


@pytest.fixture
def sampling(tiny_folder, tmp_path):
    return Sampling(2, PROMPT, tmp_path / "samples", find_base(str(tiny_folder)), seed=7)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Each picture in two steps."""
    original = samples.DrawingSettings.of
    monkeypatch.setattr(samples.DrawingSettings, "of", lambda base, options: replace(original(base, options), steps=2))


def train(tiny, sampling=None, **more):
    return train_lora(tiny, [Lesson(pictures(), PROMPT)], OPTIONS, sampling=sampling, **more)


def notes_of(path):
    with Image.open(path) as picture:
        return dict(picture.info)


def pixels(path):
    return np.asarray(read_image(path), dtype=int)


def test_the_training_ends_in_the_same_bits_with_and_without_samples(tiny, sampling):
    vae = {name: value.clone() for name, value in tiny.vae.state_dict().items()}
    scheduler = dict(tiny.scheduler.config)
    plain = train(tiny)
    torch.rand(3)  # whatever else has drawn numbers
    assert train(tiny, sampling).identity == plain.identity
    assert train(tiny, replace(sampling, every=1, prompt="a cat")).identity == plain.identity
    assert dict(tiny.scheduler.config) == scheduler
    assert all(torch.equal(value, vae[name]) for name, value in tiny.vae.state_dict().items())


def test_the_last_sample_is_what_generate_draws_with_the_result(tiny, sampling):
    adapter = train(tiny, sampling)
    assert sorted(path.name for path in sampling.folder.iterdir()) == ["step-2.png", "step-4.png", "step-5.png"]
    with Studio(sampling.base, "cpu") as studio:
        studio.load_lora(adapter)
        [expected] = studio.generate(PROMPT, [7], steps=2)
    last = sampling.folder / "step-5.png"
    assert abs(pixels(last) - np.asarray(expected.image, dtype=int)).max() <= 1
    assert abs(pixels(last) - pixels(sampling.folder / "step-2.png")).max() > 1  # it learns meanwhile
    notes = notes_of(last)
    assert (notes["prompt"], notes["seed"], notes["steps"], notes["step"]) == (PROMPT, "7", "2", "5")
    assert notes["lora_sha256"] == adapter.identity
    assert {name: notes[name] for name in ("base_digest", "dtype")} == {
        name: expected.notes()[name] for name in ("base_digest", "dtype")
    }


def test_a_long_prompt_is_drawn_whole_and_another_size_too(tiny, sampling):
    words = "a sks dog and a house in watercolor painting style " * 6
    draw = Sampler(tiny, replace(sampling, prompt=words), 24, steps=100)
    draw.draw(20, train(tiny))
    [drawn] = sampling.folder.iterdir()
    assert drawn.name == "step-020.png"
    assert read_image(drawn).size == (24, 24)


@pytest.mark.parametrize(
    "fault", [RuntimeError("CUDA out of memory"), DrawingError("no finite numbers"), ValueError("no such size")]
)
def test_where_nothing_can_be_drawn_the_training_goes_on(tiny, sampling, monkeypatch, capsys, fault):
    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(samples, "decode", fail)
    assert train(tiny, sampling).identity == train(tiny).identity
    lines = [line for line in capsys.readouterr().err.splitlines() if "there is no picture of step" in line]
    assert len(lines) == 3
    assert not sampling.folder.exists()


def test_a_vae_that_fits_on_no_gpu_decodes_on_the_cpu(tiny, sampling, monkeypatch):
    places = []
    original = Sampler._decoded_on

    def full(self, device, latents):
        places.append(device.type)
        if device.type == "meta":
            raise RuntimeError("CUDA out of memory")
        return original(self, device, torch.zeros(latents.shape))

    monkeypatch.setattr(Sampler, "_decoded_on", full)
    Sampler(tiny, sampling, 16, steps=1)._decoded(torch.zeros(1, 4, 8, 8, device="meta"))
    assert places == ["meta", "cpu"]


def test_commands_draw_beside_the_result_what_they_are_told(run, tiny_folder, tmp_path):
    write_png(Image.effect_noise((16, 16), 80).convert("RGB"), tmp_path / "photos/contents/dog/1.png")
    (tmp_path / "c.toml").write_text(f'[contents]\ndog = {{ prompt = "{PROMPT}" }}\n')
    options = ("--base", tiny_folder, "--rank", 2, "--steps", 2, "--sample-every", 1)
    said = ("--sample-prompt", "{prompt} in snow")
    one = run("train", "lora", "photos/contents/dog", "--prompt", PROMPT, "-o", "one.safetensors", *options)
    many = run("train", "loras", "c.toml", "--images", "photos", "-o", "out", *options, *said)
    assert (one.exit_code, many.exit_code) == (0, 0), one.output + many.output
    drawn = [tmp_path / "one.samples" / "step-2.png", tmp_path / "out/contents/dog.samples/step-2.png"]
    assert [notes_of(path)["prompt"] for path in drawn] == [PROMPT, f"{PROMPT} in snow"]
    one, other = map(read_adapter, (tmp_path / "one.safetensors", tmp_path / "out/contents/dog.safetensors"))
    assert all(torch.equal(factors.up, other.layers[name].up) for name, factors in one.layers.items())
    alone = run("train", "lora", "photos/contents/dog", "--prompt", PROMPT, "-o", "x.safetensors", *said)
    assert (alone.exit_code, "give both" in alone.stderr) == (2, True)
