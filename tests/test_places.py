import json

import pytest
import torch
from safetensors.torch import load_file as tensors_of
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.lora.files import write_adapter

from .conftest import random_adapter


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LORARAR_DB", raising=False)

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


ALL = ("merge", "--all", "c", "s", "-o", "out", "--method", "direct", "--base")


def test_names_that_meet_are_files_of_their_own_and_are_there_the_second_time(run, lora_file, tiny_folder, tmp_path):
    for number, name in enumerate(("c/a", "c/a--b", "s/b--c", "s/c")):
        lora_file(name, 2, number)
    first = run(*ALL, tiny_folder)
    assert len(set(first.stdout.split())) == len(list((tmp_path / "out").iterdir())) == 4
    again = run(*ALL, tiny_folder)
    assert "0 merges, 4 were there already" in again.stderr
    assert again.stdout == first.stdout


def test_every_kind_of_lora_is_taken_and_one_bad_file_stops_no_other(run, lora_file, tiny_folder, tmp_path):
    for number, name in enumerate(("a", "b", "d", "e")):
        lora_file(f"c/{name}", 2, number)
    contents = tmp_path / "c"
    (contents / "d.safetensors").rename(contents / "d.SAFETENSORS")
    torch.save(tensors_of(contents / "e.safetensors"), contents / "e.pt")
    (contents / "e.safetensors").unlink()
    write_adapter(random_adapter(2, 9), contents / "p.v1", layout="peft")
    (contents / "b.safetensors").write_bytes(b"bad")
    (contents / "._a.safetensors").write_bytes(b"of macOS")
    (contents / "e.safetensors.checkpoint.pt").write_bytes(b"of a training")
    (contents / "a").mkdir()
    lora_file("s/x", 2, 20)
    lora_file("s/y", 2, 21)
    done = run(*ALL, tiny_folder)
    assert done.exit_code == 1
    assert done.stdout.split() == [
        f"out/{name}--{style}.safetensors" for name in ("a", "d", "e", "p.v1") for style in "xy"
    ]
    assert done.stderr.count("b.safetensors is not a sound safetensors file") == 1
    assert "2 of 10 pairs failed" in done.stderr


def test_what_was_there_already_is_listed_for_machines_too(run, lora_file, tiny_folder, tmp_path):
    lora_file("c/a", 2, 0)
    lora_file("s/x", 3, 1)
    new, there = (json.loads(run(*ALL, tiny_folder, "--json").stdout) for _ in range(2))
    assert (new[0].pop("new"), there[0].pop("new")) == (True, False)
    new[0].pop("seconds"), there[0].pop("seconds")
    assert there == new


@pytest.mark.parametrize("folder", ["c", "s", "c/../s"])
def test_merges_never_go_where_they_would_be_contents(run, lora_file, tiny_folder, tmp_path, folder):
    lora_file("c/a", 2, 0)
    lora_file("s/x", 2, 1)
    done = run("merge", "--all", "c", "s", "-o", folder, "--method", "direct", "--base", tiny_folder)
    assert done.exit_code == 1
    assert "also an input" in done.stderr
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2


def test_a_merge_replaces_an_input_only_where_asked(run, lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    before = pair[0].read_bytes()
    arguments = ("merge", *pair, "-o", pair[0].name, "--method", "direct", "--base", tiny_folder)
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert "also an input" in refused.stderr
    assert pair[0].read_bytes() == before
    assert run(*arguments, "--overwrite-input").exit_code == 0
    assert pair[0].read_bytes() != before


def test_a_peft_folder_is_not_replaced_by_a_merge_of_what_it_holds(run, lora_file, tiny_folder, tmp_path):
    write_adapter(random_adapter(2, 9), tmp_path / "p", layout="peft")
    style = lora_file("s", 2, 1)
    for content in ("p", "p/adapter_model.safetensors"):
        done = run("merge", content, style, "-o", "p", "--layout", "peft", "--method", "direct", "--base", tiny_folder)
        assert "also an input" in done.stderr


def test_a_lora_whose_name_is_no_utf8_is_refused_in_one_line(run, lora_file, tiny_folder, tmp_path):
    good = lora_file("s", 2, 1)
    bad = tmp_path / "dog-\udcff.pt"
    torch.save(tensors_of(good), bad)
    done = run("merge", bad, good, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder)
    assert done.exit_code == 1
    assert r"dog-\xff.pt is no UTF-8" in done.stderr
    assert not (tmp_path / "m.safetensors").exists()
