"""Dialects and layouts of other packages."""

import json

import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.lora.dialects import DIALECTS, parse_keys
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.layouts import LAYOUTS
from lorarar.util.errors import AdapterError

from .conftest import random_adapter
from .extending import BAD_EXTENSION, EXTENSION, left_out


def run(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_layout_of_another_package_is_written_and_its_dialect_read(extended, lora_file, tiny_folder, tmp_path):
    pair, out = (lora_file("c", 2, 0), lora_file("s", 3, 1)), tmp_path / "m.safetensors"
    run("merge", *pair, "-o", out, "--method", "direct", "--base", tiny_folder, "--layout", "matrices")
    with safe_open(out, "pt") as file:
        assert {key.rpartition("/")[2] for key in file.keys()} == {"matrix_a", "matrix_b"}
    assert json.loads(run("inspect", out, "--json"))["dialects"] == ["matrices"]
    content, style, merged = map(read_adapter, (*pair, out))
    for layer, factors in merged.layers.items():
        torch.testing.assert_close(factors.dense(), content.layers[layer].dense() + style.layers[layer].dense())
    assert "matrices: a file of matrix_a and matrix_b" in " ".join(run("merge", "--help").replace("│", " ").split())


def test_without_the_package_such_a_file_is_refused(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.syspath_prepend(EXTENSION)
        write_adapter(random_adapter(2, 0), tmp_path / "m.safetensors", layout="matrices")
    with pytest.raises(AdapterError, match="is not a LoRA key"):
        read_adapter(tmp_path / "m.safetensors")
    with pytest.raises(AdapterError, match="accepted are diffusers, kohya, comfy, peft, of which peft is a folder"):
        write_adapter(random_adapter(2, 0), tmp_path / "m.safetensors", layout="matrices")


THIEF = """
from lorarar.lora.dialects import Dialect


def parse(key):
    if key.endswith(".broken"):
        raise KeyError("what")
    return None


THIEF = Dialect("thief", down=r"(.+)[.]lora_A[.]weight", up=r"(.+)[.]lora_B[.]weight")
CARELESS = Dialect("careless", parse=parse)
"""


def test_a_key_of_two_dialects_is_refused_by_both_names_and_a_careless_one_ends_nothing(monkeypatch, tmp_path):
    info = tmp_path / "thief-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thief\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[lorarar.dialects]\nthief = lorarar_thief:THIEF\ncareless = lorarar_thief:CARELESS\n"
    )
    (tmp_path / "lorarar_thief.py").write_text(THIEF)
    ours, broken = "unet.conv_in.lora_A.weight", "unet.conv_in.broken"
    assert parse_keys({ours: torch.ones(1)}).unread == {}
    monkeypatch.syspath_prepend(tmp_path)
    unread = parse_keys({ours: torch.ones(1), broken: torch.ones(1)}).unread
    assert unread[ours] == "is a key of several dialects, diffusers and thief; accepted is a key of one"
    assert unread[broken] == "is not read by careless: 'what'"


def test_bad_dialects_and_layouts_are_a_line_each(monkeypatch, capsys):
    before = list(DIALECTS), list(LAYOUTS)
    monkeypatch.syspath_prepend(BAD_EXTENSION)
    assert (list(DIALECTS), list(LAYOUTS)) == before
    lines = left_out(capsys.readouterr().err)
    assert [line.partition(" of lorarar-bad ")[0] for line in lines] == [
        "The dialect no-expression",
        "The dialect no-group",
        "The dialect reads-nothing",
        "The layout like-ours",
    ]
    assert "missing ), unterminated subpattern" in lines[0]


def test_no_key_of_ours_is_of_two_dialects():
    layer = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    flat, plain = layer.replace(".", "_"), layer.removeprefix("unet.")
    keys = [f"lora_{flat}.alpha", f"{layer}.alpha", f"{layer}.lora.alpha", f"base_model.model.{plain}.alpha"]
    for prefix in ("", "base_model.model."):
        keys += [f"{prefix}{plain}{half}.weight" for half in ("_lora.down", ".lora.up", ".lora_A", ".lora_B.default")]
    for key in keys:
        assert sum(row.role_and_layer(key) is not None for row in DIALECTS.own.values()) == 1, key
