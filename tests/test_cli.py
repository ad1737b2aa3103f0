import json
import signal
import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from lorarar.cli.console import clean
from lorarar.cli.main import app
from lorarar.cli.merge import parse_weights
from lorarar.errors import MethodError
from lorarar.images import write_png
from lorarar.store import Store


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LORARAR_DB", raising=False)

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


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
    assert done.stdout.split() == ["p/a-dog-3.png", "p/a-dog-4.png"]
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
        (("merge", "none", "none", "-o", "m.safetensors", "--weights", "one"), "two numbers"),
        (("merge", "none", "none", "-o", "m.safetensors", "--key-value", "max"), "mean and sum"),
        (("generate", "--prompt", "x", "--base", "nothing"), "neither pocket nor sdxl"),
        (("generate", "--prompt", "x", "--lora", "none"), "none does not exist"),
        (("pocket", "truth", "dog #9", "glowing", "-o", "t.png"), "Pocket has: backpack"),
        (("pocket", "truth", "dog #8", "cubism", "-o", "t.png"), "Pocket has: 3D rendering #1"),
        (("pocket", "build", "magic"), "the stages are art"),
        (("demo", "--subject", "nobody"), "unknown subject"),
        (("train", "lora", "none", "--prompt", "x", "-o", "x.safetensors"), "no pictures"),
        (("train", "lora", "none", "--prompt", "x", "-o", "x.bin"), "ending in .safetensors"),
        (("train", "hypernet", "--contents", "a", "--styles", "b", "-o", "x.safetensors"), "has no LoRA"),
        (("train", "hypernet", "--contents", "a", "--styles", "b", "-o", "x.safetensors", "--loss", "l7"), "l2, mse"),
    ],
)
def test_bad_input_is_one_clear_line(run, arguments, message):
    done = run(*arguments)
    assert done.exit_code == 1
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
    assert "cannot write" in done.stderr
    assert (tmp_path / "m.safetensors").read_bytes() == before
    with Store(tmp_path / "lorarar.db") as store:
        assert len(store.rows("SELECT id FROM merges")) == 1


def test_weights_are_two_finite_numbers():
    assert parse_weights("1,0.5") == (1.0, 0.5)
    for text in ("1", "1,2,3", "a,b", "nan,1", "inf,1", ""):
        with pytest.raises(MethodError):
            parse_weights(text)


def test_control_codes_never_reach_the_terminal(run):
    hostile = "\x1b]52;c;evil\x07\u202e[/bold]\x9b31m"
    assert not set(clean(hostile)) & set("\x1b\x07\u202e\x9b")
    done = run("pocket", "truth", hostile, "glowing", "-o", "t.png")
    assert done.exit_code == 1
    assert not set(done.stderr) & set("\x1b\x07\u202e\x9b")


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
    assert "broken 1/" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert not broken.exists()
    subprocess.run(command(broken), check=True, capture_output=True)
    assert broken.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert not (tmp_path / "broken.checkpoint.pt").exists()
