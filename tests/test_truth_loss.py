"""The truth loss: how well merges know true pictures, measured without drawing."""

import json
from hashlib import sha256

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from lorarar.bench.plan import read_plan
from lorarar.bench.truth_loss import LEVELS, NOISES, truth_losses
from lorarar.families import find_base
from lorarar.generation.bases import load_pipeline
from lorarar.lora.files import read_adapter
from lorarar.pocket import shipped
from lorarar.pocket.concepts import STYLES_BY_SLUG, SUBJECTS_BY_SLUG
from lorarar.pocket.ground_truth import true_picture
from lorarar.util.errors import PlanError

HEAD = """
title = "a"
base = "pocket"
[contents]
names = ["clock"]
[styles]
names = ["oil-painting-1"]
[pictures]
guidance = 2.0
"""


@pytest.fixture
def plan(tmp_path):
    """A function that writes a plan of one cell with these rows and returns its file."""

    def write(*methods, head=HEAD):
        file = tmp_path / "a.toml"
        file.write_text(head + "".join(f"[[methods]]\n{method}\n" for method in methods))
        return file

    return write


@torch.no_grad()
def loss_by_hand(weights):
    """The losses at each level of the clock in oil, from dense updates of the UNet and the scheduler's own words."""
    pipeline = load_pipeline(find_base("pocket"), "cpu", torch.float32)
    loras = (shipped.content_lora("clock"), shipped.style_lora("oil-painting-1"))
    for lora, weight in zip(loras, weights, strict=True):
        for layer, factors in read_adapter(lora).layers.items():
            module = pipeline.unet.get_submodule(layer.removeprefix("unet."))
            module.weight += weight * factors.up.float() @ factors.down.float()
    picture = np.array(true_picture(SUBJECTS_BY_SLUG["clock"], STYLES_BY_SLUG["oil-painting-1"]))
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1
    vae = pipeline.vae
    mean, deviation = (torch.tensor(vae.config[key]).view(1, -1, 1, 1) for key in ("latents_mean", "latents_std"))
    latents = (vae.encode(pixels).latent_dist.mean - mean) / deviation * vae.config.scaling_factor
    text, _, pooled, _ = pipeline.encode_prompt("a sks clock in oil painting style", do_classifier_free_guidance=False)
    scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)
    name = "clock--oil-painting-1"
    generator = torch.Generator().manual_seed(int.from_bytes(sha256(name.encode()).digest()[:6]))
    noises = torch.randn(LEVELS * NOISES, 4, 16, 16, generator=generator)
    added = {"text_embeds": pooled, "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64]])}
    losses = []
    for number, noise in enumerate(noises):
        t = torch.tensor([(62, 187, 312, 437, 562, 687, 812, 937)[number // NOISES]])
        noisy = scheduler.add_noise(latents, noise[None], t)
        predicted = pipeline.unet(noisy, t, text, added_cond_kwargs=added).sample
        losses.append((predicted - scheduler.get_velocity(latents, noise[None], t)).square().mean())
    return torch.stack(losses).view(LEVELS, NOISES).mean(1)


def test_the_loss_is_that_of_a_unet_with_the_merge_added_to_its_weights(plan):
    file = plan('method = "direct"\nweights = [0.8, 0.5]', 'method = "direct"\nname = "all"\nweights = [1.0, 1.0]')
    losses = truth_losses(read_plan(file), find_base("pocket"))

    for name, weights in (("direct", (0.8, 0.5)), ("all", (1.0, 1.0))):
        levels = loss_by_hand(weights)
        assert losses[name].low.value == pytest.approx(float(levels[:4].mean()), rel=1e-4)
        assert losses[name].high.value == pytest.approx(float(levels[4:].mean()), rel=1e-4)
        assert losses[name].whole.value == pytest.approx(float(levels.mean()), rel=1e-4)
    assert losses["direct"].against_first is None
    difference = losses["all"].whole.value - losses["direct"].whole.value
    assert losses["all"].against_first.value == pytest.approx(difference, abs=1e-5)


def test_the_command_gives_figures_for_machines_and_leaves_nothing_behind(plan, run, tmp_path):
    file = plan('method = "direct"', 'method = "ziplora"')
    before = set(tmp_path.iterdir())

    result = run("bench", "loss", str(file), "--json")

    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(figures["rows"]) == {"direct"}  # ziplora trains
    assert 0 < figures["rows"]["direct"]["low"]["value"] < 1
    assert set(tmp_path.iterdir()) == before


def test_what_has_no_truth_is_refused(plan, tmp_path, tiny_folder):
    with pytest.raises(PlanError, match="every row of the plan trains"):
        truth_losses(read_plan(plan('method = "ziplora"')), find_base("pocket"))
    own = tmp_path / "own"
    own.mkdir()
    (own / "fox.safetensors").write_bytes(shipped.content_lora("clock").read_bytes())
    (own / "fox").symlink_to(shipped.content_lora("clock").with_suffix(""))
    file = plan('method = "direct"', head=HEAD.replace('names = ["clock"]', f'folder = "{own}"'))
    with pytest.raises(PlanError, match="fox in oil-painting-1 has no true picture"):
        truth_losses(read_plan(file), find_base("pocket"))
    file = plan(
        'method = "direct"',
        head=HEAD.replace('base = "pocket"', f'base = "{tiny_folder}"')
        .replace('names = ["clock"]', f'folder = "{shipped.CONTENTS}"')
        .replace('names = ["oil-painting-1"]', f'folder = "{shipped.STYLES}"'),
    )
    with pytest.raises(PlanError, match="has none; accepted is base pocket"):
        truth_losses(read_plan(file), find_base(str(tiny_folder)))
