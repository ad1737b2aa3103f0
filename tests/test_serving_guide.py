"""The guide on serving a judge: its commands are run as they stand, at a server in place of vLLM."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judge.critics.presets.table import PRESETS
from lorarar.cli.main import app
from lorarar.pictures.images import write_png
from lorarar.pocket.concepts import style_named, subject_named
from lorarar.pocket.ground_truth import true_picture

from .misbehaving_server import Said, says, serving

GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "serving-a-judge.md"
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"https?://[\w.:]+/v1")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The guide's two folders, in which a database comes to be."""
    image = true_picture(subject_named("teapot"), style_named("glowing"))
    for folder in ("made/teapot/glowing", "given/subjects/teapot", "given/styles/glowing"):
        write_png(image, tmp_path / folder / "1.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LORARAR_API_KEY", "open-sesame")
    for name in ("LORARAR_CRITIC", "LORARAR_DB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def lines(program):
    """The guide's commands of a program, each on one line."""
    blocks = "".join(BLOCK.findall(GUIDE.read_text())).replace("\\\n", " ")
    return [shlex.split(line)[1:] for line in blocks.splitlines() if line.split()[0].endswith(program)]


def answer(body):
    asks_for_scores = "two scores in a list" in json.dumps(body)
    return says('{"reasoning": "alike", "score": [20, 20]}' if asks_for_scores else "Yes", [("Yes", 0.9), ("No", 0.1)])


def test_every_command_of_the_guide_runs(place):
    models = Said(200, {"data": [{"id": "qwen3-vl-8b", "owned_by": "vllm"}]})
    commands = lines("lorarar")
    with serving(answer, lambda: models) as server, serving(answer, lambda: models) as other:
        for arguments in commands:
            here = [
                ADDRESS.sub(server.url, word) if "," not in word else f"{server.url},{other.url}" for word in arguments
            ]
            if here[:2] == ["judge", "run"] and "--metrics" not in here:
                here += ["--metrics", "mars2"]  # no backbones are fetched here
            result = CliRunner().invoke(app, here)
            assert result.exit_code == 0, f"{arguments}: {result.output}"
        assert set(server.keys) == {"Bearer open-sesame"}
    assert [words[:2] for words in commands].count(["judge", "run"]) == 4
    assert {"check", "report", "critics"} <= {words[1] for words in commands}


def test_what_the_guide_serves_is_what_the_table_serves():
    flags = {name: shlex.split(preset.serve) for name, preset in PRESETS.items()}
    plain, adapter = (["vllm", *words] for words in lines("/vllm"))
    assert plain == flags["qwen3-vl-8b"] and adapter == flags["pvc-judge"]


def test_refusals_read_as_the_guide_says(place):
    text = GUIDE.read_text()
    told = {
        "refuses the key; it is read from the variable LORARAR_API_KEY or OPENAI_API_KEY (401: ": Said(
            401, {"error": "no"}
        ),
        "has several models; choose one with --model: ": Said(200, {"data": [{"id": "a"}, {"id": "b"}]}),
        "answers pairs alone: accepted is --protocol pairwise, or another critic such as ": Said(
            200, {"data": [{"id": "pvc-judge"}]}
        ),
    }
    for words, models in told.items():
        with serving(answer, lambda models=models: models) as server:
            run = (
                "judge",
                "run",
                "--critic",
                server.url,
                "--generated",
                "made",
                "--references",
                "given",
                "--metrics",
                "mars2",
            )
            result = CliRunner().invoke(app, run)
        assert result.exit_code == 1 and words in result.stderr and words in text
    gone = CliRunner().invoke(app, run)
    assert "does not answer: ConnectError: " in gone.stderr and "does not answer: ConnectError: " in text
    assert not (place / "lorarar.db").exists()
