"""``lorarar convert``: one LoRA in another layout, rank or precision."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.lora.adapter import Factors
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.layouts import LAYOUTS

from .conftest import random_adapter
from .sdxl_adapter import whole_adapter


def run(*arguments, code=0):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


def convert(file, out, *options):
    return json.loads(run("convert", file, "-o", out, "--json", *options).stdout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_there_and_back_every_update_and_the_provenance_are_kept(tmp_path, layout):
    file = write_adapter(random_adapter(3, 0), tmp_path / "a.safetensors", {"prompt": "a sks dog"})
    there, back = tmp_path / f"b{LAYOUTS[layout].ending}", tmp_path / "c.safetensors"
    assert convert(file, there, "--layout", layout)["layout"] == layout
    convert(there, back)
    ours, again = read_adapter(file), read_adapter(back)
    assert ours.layers.keys() == again.layers.keys()
    for layer, factors in ours.layers.items():
        torch.testing.assert_close(again.layers[layer].dense(), factors.dense(), rtol=1e-6, atol=1e-7)
    assert again.provenance["prompt"] == "a sks dog"
    assert again.provenance["converted"]["from"]["name"] == there.name


def test_a_cut_is_the_best_of_its_rank_and_says_what_it_discards(tmp_path):
    file = write_adapter(random_adapter(6, 0), tmp_path / "a.safetensors")
    said = convert(file, tmp_path / "b.safetensors", "--rank", 2)
    whole = lost = 0.0
    cut = read_adapter(tmp_path / "b.safetensors")
    for layer, factors in read_adapter(file).layers.items():
        values = torch.linalg.svdvals(factors.dense().flatten(1).double()) ** 2
        whole, lost = whole + float(values.sum()), lost + float(values[2:].sum())
        error = torch.linalg.norm(cut.layers[layer].dense().flatten(1).double() - factors.dense().flatten(1).double())
        assert float(error) ** 2 == pytest.approx(float(values[2:].sum()), rel=1e-3)
    assert said["ranks"] == [2]
    assert said["discarded_energy"] == pytest.approx(lost / whole, rel=1e-3)
    assert cut.provenance["converted"]["discarded"] == said["discarded_energy"]
    assert cut.provenance["converted"]["rank"] == 2


def test_a_rank_above_all_cuts_nothing(tmp_path):
    file = write_adapter(random_adapter(3, 0), tmp_path / "a.safetensors")
    said = convert(file, tmp_path / "b.safetensors", "--rank", 64)
    assert (said["ranks"], said["discarded_energy"]) == ([3], 0.0)


def test_the_dtype_is_the_loras_own_or_what_is_said(tmp_path):
    file = write_adapter(random_adapter(3, 0).to(torch.float16), tmp_path / "a.safetensors")
    assert convert(file, tmp_path / "b.safetensors", "--rank", 2)["dtype"] == "float16"
    assert convert(file, tmp_path / "c.safetensors", "--dtype", "bfloat16")["dtype"] == "bfloat16"
    with safe_open(tmp_path / "c.safetensors", "pt") as opened:
        assert {opened.get_tensor(key).dtype for key in opened.keys()} == {torch.bfloat16}


def test_numbers_that_the_dtype_cannot_hold_are_refused(tmp_path):
    adapter = random_adapter(2, 0)
    layer, factors = next(iter(adapter.layers.items()))
    large = replace(adapter, layers={**adapter.layers, layer: Factors(factors.down * 1e14, factors.up)})
    file = write_adapter(large, tmp_path / "a.safetensors")
    done = run("convert", file, "-o", tmp_path / "b.safetensors", "--dtype", "float16", code=1)
    assert "does not fit float16" in done.stderr
    assert not (tmp_path / "b.safetensors").exists()


def test_the_same_file_twice_is_the_same_bytes(tmp_path):
    file = write_adapter(random_adapter(3, 0), tmp_path / "a.safetensors")
    digests = {convert(file, tmp_path / f"{name}.safetensors", "--layout", "kohya")["sha256"] for name in "bc"}
    assert len(digests) == 1


def test_the_input_is_never_written_over(tmp_path):
    file = write_adapter(random_adapter(3, 0), tmp_path / "a.safetensors")
    before = file.read_bytes()
    done = run("convert", file, "-o", tmp_path / "." / "a.safetensors", code=1)
    assert "which is also an input" in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--layout", "onnx"), "--layout is 'onnx'; accepted are diffusers, kohya"),
        (("--dtype", "int8"), "--dtype is 'int8'; accepted are float32"),
        (("--base", "nowhere"), "'nowhere' is neither"),
        (("--base", "sdxl"), "does not fit base sdxl"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(tmp_path, options, reason):
    file = write_adapter(random_adapter(3, 0), tmp_path / "a.safetensors")
    done = run("convert", file, "-o", tmp_path / "b.safetensors", *options, code=1)
    assert reason in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert not (tmp_path / "b.safetensors").exists()


def test_a_rank_of_nought_is_a_usage_error(tmp_path):
    file = write_adapter(random_adapter(3, 0), tmp_path / "a.safetensors")
    run("convert", file, "-o", tmp_path / "b.safetensors", "--rank", 0, code=2)


def test_who_reads_the_result_is_said_and_counted(tmp_path):
    file = write_adapter(whole_adapter(dtype=torch.float16), tmp_path / "a.safetensors")
    done = run("convert", file, "-o", tmp_path / "b.safetensors", "--layout", "comfy")
    said = " ".join(done.stderr.split())
    assert "1,059 layers of rank 1, in float16" in said
    assert "Read by ComfyUI whole; not by diffusers, A1111, Forge" in said
    assert done.stdout.strip() == str(tmp_path / "b.safetensors")
    said = convert(file, tmp_path / "c.safetensors", "--layout", "kohya")
    with safe_open(tmp_path / "c.safetensors", "pt") as opened:
        assert opened.metadata()["modelspec.title"] == "a"
    assert said["readers"] == {"diffusers": 1059, "ComfyUI": 1059, "A1111": 1058, "Forge": 1059}
