import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from PIL import Image

from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.truncation import truncate
from lorarar.pictures.images import write_png
from lorarar.pocket import shipped
from lorarar.store import Store
from lorarar.util.text import clean


def test_merge_prints_the_path_and_keeps_the_merge(run, lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    done = run(
        "merge", *pair, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder, "--weights", "0.5,0.5"
    )
    assert done.exit_code == 0, done.output
    assert done.stdout == "m.safetensors\n"
    assert "Direct merge" in done.stderr
    with Store(tmp_path / "lorarar.db") as store:
        (row,) = store.rows("SELECT method, options FROM merges")
    assert row["method"] == "direct"
    assert json.loads(row["options"]) == {"seed": 0, "weights": [0.5, 0.5]}


def test_merge_speaks_json(run, lora_file, tiny_folder):
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    done = run(
        "merge", *pair, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder, "--json", "--db", "x.db"
    )
    made = json.loads(done.stdout)
    assert made["ranks"] == [4]
    assert made["seconds"].keys() == {"read", "compute", "write"}


def test_generate_keeps_pictures(run, tiny_folder, tmp_path):
    done = run(
        "generate", "--prompt", "a dog", "--base", tiny_folder, "-n", "2", "--steps", "1", "-o", "p", "--seed", "3"
    )
    assert done.exit_code == 0, done.output
    assert [name.rpartition("-")[0] for name in done.stdout.split()] == ["p/a-dog-3", "p/a-dog-4"]
    with Store(tmp_path / "lorarar.db") as store:
        assert [row["seed"] for row in store.rows("SELECT seed FROM images ORDER BY seed")] == [3, 4]


def test_a_merge_and_its_pictures_are_linked(run, lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    run("merge", *pair, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder)
    run("generate", "--prompt", "a dog", "--lora", "m.safetensors", "--base", tiny_folder, "--steps", "1")
    with Store(tmp_path / "lorarar.db") as store:
        (row,) = store.rows("SELECT m.method FROM images i JOIN merges m ON m.id = i.merge")
    assert row["method"] == "direct"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("merge", "none", "none", "-o", "m.safetensors"), "none does not exist"),
        (("merge", "none", "none", "-o", "m.safetensors", "--method", "magic"), "accepted are direct, ties"),
        (
            ("merge", "none", "none", "-o", "m.safetensors", "--method", "direct", "--weights", "one"),
            "2 finite numbers",
        ),
        (("merge", "none", "none", "-o", "m.safetensors", "--key-value", "max"), "mean, sum"),
        (("merge", "none", "none", "-o", "m", "--layout", "zip"), "accepted are diffusers, kohya, comfy, peft"),
        (
            ("merge", "none", "none", "-o", "m.safetensors", "--dtype", "int8"),
            "accepted are float32, float16, bfloat16",
        ),
        (("merge", "none", "none", "-o", "m.safetensors", "--method", "ties", "--density", "2"), "above 0 and up to 1"),
        (("merge", "none", "none", "-o", "m.safetensors", "--method", "direct", "--mu", "2"), "takes no --mu"),
        (("merge", "--all", "none", "none", "-o", "m"), "none does not exist; looked in /"),
        (
            ("coefficients", "none", "none", "-o", "m.safetensors", "--method", "ties"),
            "accepted are ziplora, ziprank, soups, lorarar",
        ),
        (("inspect", "none"), "none"),
        (("bench", "run", "none.toml"), "shipped plan: constants, demo, half-held-out, pocket, quick, sdxl"),
        (("bench", "plan", "none"), "there are constants, demo, half-held-out, pocket, quick, sdxl"),
        (("backup", "-o", "b.db"), "does not exist"),
        (
            ("train", "hypernet", "--contents", "a", "--styles", "b", "-o", "x.safetensors", "--parts", "nose"),
            "query, key",
        ),
        (("generate", "--prompt", "x", "--base", "nothing"), "neither pocket nor sdxl"),
        (("generate", "--prompt", "x", "--lora", "none"), "none does not exist"),
        (("pocket", "truth", "dog #9", "glowing", "-o", "t.png"), "Pocket has: backpack"),
        (("pocket", "truth", "dog #8", "cubism", "-o", "t.png"), "Pocket has: 3D rendering #1"),
        (("pocket", "build", "magic"), "the stages are art"),
        (("demo", "--subject", "nobody"), "unknown subject"),
        (("train", "lora", "none", "--prompt", "x", "-o", "x.safetensors"), "none does not exist; looked in /"),
        (("train", "lora", "none", "--prompt", "x", "-o", "x.bin"), "ending in .safetensors"),
        (("train", "hypernet", "--contents", "a", "--styles", "b", "-o", "x.safetensors"), "has no LoRA"),
        (("train", "hypernet", "--contents", "a", "--styles", "b", "-o", "x.safetensors", "--loss", "l7"), "l2, mse"),
    ],
)
def test_bad_input_is_one_clear_line(run, arguments, message):
    done = run(*arguments)
    assert done.exit_code == (2 if done.stderr.startswith("Usage: ") else 1)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_an_unwritable_output_leaves_earlier_results(run, lora_file, tiny_folder, tmp_path):
    (tmp_path / "file").write_text("x")
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    run("merge", *pair, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder)
    before = (tmp_path / "m.safetensors").read_bytes()
    done = run("merge", *pair, "-o", "file/m.safetensors", "--method", "direct", "--base", tiny_folder)
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr
    assert (tmp_path / "m.safetensors").read_bytes() == before
    with Store(tmp_path / "lorarar.db") as store:
        assert len(store.rows("SELECT id FROM merges")) == 1


def test_merge_all_speaks_json_and_goes_on(run, lora_file, tiny_folder, tmp_path):
    for name, seed in (("c/a", 0), ("c/b", 1), ("s/x", 2)):
        lora_file(name, 2, seed)
    arguments = ("merge", "--all", "c", "s", "-o", "out", "--method", "ties", "--base", tiny_folder)
    made = json.loads(run(*arguments, "--json").stdout)
    assert [one["path"] for one in made] == ["out/a--x.safetensors", "out/b--x.safetensors"]
    assert 0 < made[0]["discarded_energy"] < 1
    again = run(*arguments)
    assert again.stdout.split() == ["out/a--x.safetensors", "out/b--x.safetensors"]
    assert "0 merges, 2 were there already" in again.stderr
    with Store(tmp_path / "lorarar.db") as store:
        assert all(row["discarded"] > 0 for row in store.rows("SELECT discarded FROM merges"))


def test_coefficients_are_written_and_described(run, lora_file, tiny_folder, tmp_path):
    from lorarar.merging.hypernet import Hypernetwork
    from lorarar.merging.hypernet_file import write_hypernet

    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    network = write_hypernet(Hypernetwork((16, 32)), tmp_path / "h.safetensors")
    arguments = ("coefficients", *pair, "-o", "k.safetensors", "--hypernet", network, "--base", tiny_folder)
    done = run(*arguments)
    assert done.stdout == "k.safetensors\n"
    assert "mid" in done.stderr
    spreads = json.loads(run(*arguments, "--json").stdout)["spreads"]
    assert {one["part"] for one in spreads} == {"query", "key", "value", "output"}
    merged = run(
        "merge",
        *pair,
        "-o",
        "m.safetensors",
        "--method",
        "ziplora",
        "--coefficients",
        "k.safetensors",
        "--base",
        tiny_folder,
    )
    assert merged.exit_code == 0, merged.output


def test_bench_runs_a_shipped_plan(run, tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    assert run("bench", "plan").stdout.split() == [
        "constants",
        "demo",
        "half-held-out",
        "pocket",
        "quick",
        "sdxl",
        "training-pairs",
        "validation",
    ]
    text = run("bench", "plan", "quick").stdout
    (tmp_path / "mine.toml").write_text(text.replace("steps = 8", "steps = 1"))
    done = json.loads(run("bench", "run", "mine.toml", "-o", "grid", "--json").stdout)
    assert (done["cells"], done["drawn"], done["failures"]) == (20, 20, [])
    assert "20 were there, 0 drawn" in run("bench", "run", "mine.toml", "-o", "grid").stderr


def test_a_bench_with_failures_ends_with_exit_code_1(run, tmp_path):
    text = run("bench", "plan", "quick").stdout.replace("steps = 8", "steps = 1")
    only = text[: text.index("[[methods]]")] + '[[methods]]\nmethod = "ties"\nform = "factors"\n'
    content = shipped.CONTENTS / "teapot"
    (tmp_path / "contents").mkdir()
    shutil.copytree(content, tmp_path / "contents" / "odd")
    narrow = truncated_adapter(content.with_suffix(".safetensors"), 2)
    write_adapter(narrow, tmp_path / "contents" / "odd.safetensors", {"prompt": "a sks teapot"})
    (tmp_path / "mine.toml").write_text(only.replace('names = ["teapot", "cat-2"]', 'folder = "contents"'))
    done = run("bench", "run", "mine.toml", "-o", "grid")
    assert done.exit_code == 1
    assert "ties, odd--glowing: the factor-wise form needs equal ranks" in done.stderr
    assert "2 pairs failed" in done.stderr


def truncated_adapter(path, rank):
    """A LoRA cut to a rank."""
    adapter = read_adapter(path)
    return replace(adapter, layers={name: truncate(f.to(torch.float32), rank)[0] for name, f in adapter.layers.items()})


def test_backup_copies_the_database(run, lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    run("merge", *pair, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder)
    assert run("backup", "-o", "copy.db").stdout == "copy.db\n"
    with Store(tmp_path / "copy.db") as store:
        assert len(store.rows("SELECT id FROM merges")) == 1


def test_joint_training_writes_one_lora(run, tiny_folder, tmp_path):
    for name in ("dog", "house"):
        write_png(Image.effect_noise((16, 16), 80).convert("RGB"), tmp_path / name / "1.png")
    prompts = ("--content-prompt", "a sks dog", "--style-prompt", "a house in glowing style")
    sides = ("--content", "dog", "--style", "house")
    done = run(
        "train", "joint", *sides, *prompts, "-o", "j.safetensors", "--base", tiny_folder, "--rank", 2, "--steps", 2
    )
    assert done.exit_code == 0, done.output
    record = read_adapter(tmp_path / "j.safetensors").provenance
    assert (record["method"], record["content_prompt"], record["steps"]) == ("joint", "a sks dog", 2)


def test_control_codes_never_reach_the_terminal(run):
    hostile = "\x1b]52;c;evil\x07\u202e[/bold]\x9b31m"
    assert not set(clean(hostile)) & set("\x1b\x07\u202e\x9b")
    done = run("pocket", "truth", hostile, "glowing", "-o", "t.png")
    assert done.exit_code == 1
    assert not set(done.stderr) & set("\x1b\x07\u202e\x9b")


def test_methods_are_listed_whole_however_narrow_the_page(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    listed = run("methods").stdout
    assert "np-lora: NP-LoRA (Chen et al., 2025), of two LoRAs or more" in listed.splitlines()
    assert re.search(r"  --mu NUMBER  .*null space\. Default 0\.5; accepted is a number from 0 to inf\.\n", listed)
    by_name = {method["name"]: method for method in json.loads(run("methods", "--json").stdout)}
    options = [option["name"] for option in by_name["lorarar"]["options"]]
    assert options == ["hypernet", "key_value", "others", "means", "strengths", "rank", "seed", "blocks", "balance"]
    assert by_name["ties"]["options"][0]["default"] == [1.0, 1.0]


def test_the_flags_of_methods_say_which_methods_take_them(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    shown = run("merge", "--help").stdout
    assert re.search(r"--density .* Share of elements kept \(ties, dare, dare-ties, knots\)\.", shown)
    assert re.search(r"--weights .* \(all but ziplora, ziprank, soups, lorarar\)\.", shown)
    assert "--hypernet" in run("coefficients", "--help").stdout
    assert "--mu" not in run("coefficients", "--help").stdout


def test_version(run):
    assert run("--version").stdout.startswith("lorarar 0.")


@pytest.mark.slow
def test_training_stopped_by_ctrl_c_goes_on_and_ends_as_an_unbroken_one(tiny_folder, tmp_path):
    write_png(Image.effect_noise((16, 16), 80).convert("RGB"), tmp_path / "pictures" / "1.png")

    def command(out, steps="40"):
        return [
            *(sys.executable, "-m", "lorarar", "train", "lora", str(tmp_path / "pictures"), "--prompt", "a sks dog"),
            *("-o", str(out), "--base", str(tiny_folder), "--rank", "2", "--steps", steps, "--rate", "0.01"),
        ]

    subprocess.run(command(tmp_path / "whole.safetensors"), check=True, capture_output=True)
    broken = tmp_path / "broken.safetensors"
    process = subprocess.Popen(command(broken), stderr=subprocess.PIPE, text=True)
    assert any("broken 1/" in line for line in process.stderr)  # read until its first step is counted
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert not broken.exists()
    subprocess.run(command(broken), check=True, capture_output=True)
    assert broken.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert not (tmp_path / "broken.checkpoint.pt").exists()
