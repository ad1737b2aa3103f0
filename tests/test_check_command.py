"""``lorarar judge check`` as a user types it, with a tiny random critic of the real architecture."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from judge.cli.app import app
from judge.pocket.critic import new_tokenizer
from lorarar.pictures.images import write_png
from lorarar.store import Store

from .random_critic import answering_critic

ROOT = Path(__file__).parents[1]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A critic, four generated pictures and their references in a folder of their own, from which commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    tokenizer = new_tokenizer(tmp_path / "critic")
    answering_critic(tokenizer).save_pretrained(tmp_path / "critic")
    noise = np.random.default_rng(0)
    for path in (
        *(f"made/{subject}/{style}/0.png" for subject in ("cat", "dog") for style in ("glowing", "sticker")),
        *(f"given/subjects/{subject}/{k}.png" for subject in ("cat", "dog") for k in range(2)),
        *(f"given/styles/{style}/0.png" for style in ("glowing", "sticker")),
    ):
        coarse = Image.fromarray(noise.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        write_png(coarse.resize((64, 64), Image.Resampling.BICUBIC), path)
    return tmp_path


def check(*more):
    given = ["check", "--critic", "critic", "--generated", "made", "--references", "given", "--device", "cpu", *more]
    return CliRunner().invoke(app, given)


def test_the_command_says_all_its_parts_and_asks_nothing_twice(place):
    done = check("--image-mode", "pad", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["pictures"], said["of"], said["critic"]["image mode"]) == (4, 4, "pad")
    assert said["order"]["subject"]["rate"]["n"] == 8
    assert len(said["wording"]["templates"]) == 12
    assert [setting["name"] for setting in said["settings"]] == ["image mode anyres", "side 32 px", "dtype bfloat16"]
    assert all(setting["flips"]["rate"]["n"] == 12 for setting in said["settings"])
    assert said["tally"]["failed"] == said["tally"]["unparsed"] == 0
    assert {finding["part"] for finding in said["findings"]} == {
        "order",
        "wording",
        "controls",
        "settings",
        "truth",
        "people",
    }
    with Store(place / "lorarar.db") as store:
        (kept,) = store.rows("SELECT collection, pictures, grades FROM checks")
    graded = {finding["part"] for finding in said["findings"] if finding["grade"]}
    assert kept["pictures"] == 4 and set(json.loads(kept["grades"])) == graded
    again = check("--image-mode", "pad")
    assert again.exit_code == 0, again.output
    assert "0 of them asked now" in again.stdout
    assert "Can critic be trusted? 4 of 4 pictures" in again.stdout


def test_an_unknown_critic_is_one_line(place):
    done = check("--critic", "nobody")
    assert done.exit_code == 1
    assert "is none of pocket" in done.stderr
    assert "Traceback" not in done.output


def test_folders_go_together(place):
    done = CliRunner().invoke(app, ["check", "--generated", "made"])
    assert done.exit_code == 1
    assert "go together" in done.stderr


def test_the_commands_of_the_judge_load_nothing_heavy():
    code = "import sys, judge.cli.app; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in done.stdout.split()} & {"torch", "scipy", "numpy", "PIL", "sqlite_utils"}
