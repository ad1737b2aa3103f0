"""The guide on one's own pictures, run as it stands, on Pocket's pictures under foreign names."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store.queries import Collection
from tui.catalog import Catalog

GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "own-pictures.md"
OLD = Path(__file__).with_name("data") / "lorarar-0.1"
METHODS = {"baseline": "direct", "ours": "lorarar"}
SUBJECTS = {"tabby": "cat-2", "pot": "teapot"}
STYLES = {"neon": "glowing", "toon-2": "flat-cartoon-illustration-2"}
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The guide's two folders, and a flat one."""
    (tmp_path / "flat").mkdir()
    for method, row in METHODS.items():
        for subject, content in SUBJECTS.items():
            for style, look in STYLES.items():
                folder = tmp_path / "generated" / method / subject / style
                shutil.copytree(OLD / "first" / "images" / row / f"{content}--{look}", folder)
                for file in folder.iterdir():
                    shutil.copy(file, tmp_path / "flat" / f"{method}__{subject}__{style}__{file.name}")
    for names, ours, theirs in ((SUBJECTS, "contents", "subjects"), (STYLES, "styles", "styles")):
        for name, concept in names.items():
            shutil.copytree(OLD / "loras" / ours / concept, tmp_path / "references" / theirs / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_guide_leads_from_two_folders_to_a_report_and_a_study(place):
    text = GUIDE.read_text()
    outputs = {}
    for language, name, body in BLOCK.findall(text):
        if name:
            Path(name).write_text(body)
        elif language == "sh":
            for line in body.splitlines():
                program, *arguments = shlex.split(line)
                if program == "lorarar-tui":
                    snapshot = Catalog(place / "lorarar.db").snapshot(Collection("import", "mine"))
                    assert snapshot.methods == ["baseline", "ours"] and len(snapshot.pictures) == 16
                    assert all(None not in snapshot.verdict(picture) for picture in snapshot.pictures)
                    continue
                assert program == "lorarar"
                result = CliRunner().invoke(app, arguments)
                assert result.exit_code == 0, f"{line}: {result.output}"
                outputs[line] = result.output
    printed = "\n".join(outputs.values())
    promised = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    assert len(promised) == 3 and [line for line in promised if line not in printed] == []
    assert sum(line.startswith("lorarar study new") for line in outputs) == 1
    page = (place / "mine.html").read_text()
    assert page.count("<img") > 16 and "Without worth" not in page + printed
