"""The file that a training ends in: its numbers, and what it says made it."""

import pytest
import torch
from PIL import Image

from lorarar.lora.adapter import Adapter, Factors, all_finite
from lorarar.lora.files import read_adapter
from lorarar.pictures.images import write_png
from lorarar.training.lora_training import in_dtype

from .conftest import random_adapter


def updates(adapter):
    return {name: factors.to(torch.float64).dense() for name, factors in adapter.layers.items()}


def close(one, other):
    """That two updates are equal but for the rounding of half precision."""
    return bool((one - other).abs().max() <= 2e-3 * other.abs().max())


@pytest.fixture
def folder(tmp_path):
    write_png(Image.effect_noise((16, 16), 80).convert("RGB"), tmp_path / "dog" / "1.png")
    return tmp_path / "dog"


def test_a_lora_is_written_in_half_precision_unless_another_is_asked_for(run, folder, tiny_folder, tmp_path):
    options = ("--base", tiny_folder, "--steps", 2, "--rank", 2, "--rate", "0.01", "--prompt", "a sks dog")
    for out, more in (("half.safetensors", ()), ("full.safetensors", ("--dtype", "float32"))):
        assert run("train", "lora", folder, *options, "-o", out, *more).exit_code == 0
    half, full = read_adapter(tmp_path / "half.safetensors"), read_adapter(tmp_path / "full.safetensors")
    assert (half.stored, full.stored) == (torch.float16, torch.float32)
    assert (half.provenance["dtype"], full.provenance["dtype"]) == ("float16", "float32")
    assert half.provenance["training"] == full.provenance["training"]  # one training, written in two ways
    expected = updates(full)
    assert all(close(update, expected[name]) for name, update in updates(half).items())
    refused = run("train", "lora", folder, *options, "-o", "x.safetensors", "--dtype", "float8")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "accepted are float32, float16, bfloat16" in refused.stderr


@pytest.mark.parametrize(("down", "up"), [(1e6, 1e-6), (1e-7, 1e4), (3e5, 0.02)])
def test_what_one_half_alone_would_lose_to_half_precision_is_kept(down, up):
    plain = random_adapter(2, 0, strength=1.0)
    scaled = Adapter({name: Factors(f.down * down, f.up * up) for name, f in plain.layers.items()})
    written = in_dtype(scaled, "float16")
    assert written.dtype == torch.float16
    expected = updates(scaled)
    assert all(close(update, expected[name]) for name, update in updates(written).items())


def test_what_half_precision_cannot_hold_at_all_is_written_whole(capsys):
    factors = Factors(torch.full((1, 4), 1e5), torch.full((4, 1), 1e5))
    written = in_dtype(Adapter({"unet.a": factors}), "float16")
    assert written.dtype == torch.float32
    assert torch.equal(written.layers["unet.a"].up, factors.up)
    assert all_finite(written.layers["unet.a"].down)
    assert "written in float32" in capsys.readouterr().err
