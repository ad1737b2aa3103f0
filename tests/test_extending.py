"""What other packages give: used through the command line, and one line where it cannot be used."""

import json

from lorarar.merging.methods import METHODS

from .extending import BAD_EXTENSION, EXTENSION, left_out, run_lorarar


def test_a_method_of_another_package_merges_and_bad_ones_are_a_line_each(lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 3, 1)
    arguments = ("-o", tmp_path / "m.safetensors", "--method", "content-only", "--base", tiny_folder, "--json")
    done = run_lorarar("merge", *pair, *arguments, packages=(EXTENSION, BAD_EXTENSION), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["method"], made["ranks"]) == ("content-only", [2])
    lines = [line for line in left_out(done.stderr) if line.startswith("The method ")]
    assert [line.partition(" is left out: ")[0].split()[2] for line in lines] == ["like-ours", "no-method", "raising"]
    assert lines[0].endswith("ValueError: lorarar has one named direct")
    assert "accepted is a lorarar.merging.methods.table.Method" in lines[1]
    assert lines[2].endswith("RuntimeError: no such luck")


def test_what_is_on_the_path_is_seen_and_what_left_it_is_gone(monkeypatch):
    before = list(METHODS)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(EXTENSION)
        assert list(METHODS) == [*before, "content-only"]
    assert list(METHODS) == before
