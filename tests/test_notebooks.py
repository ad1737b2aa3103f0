"""What a notebook shows of results, and the notebooks of ``examples``."""

import ast
import json
import logging
from pathlib import Path

import pytest
import torch
from PIL import Image

import judge
import lorarar
import studies
import tui
from judge.pictures import JudgedPicture
from judge.reports.figures import ReportFigure
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.generation.studio import Studio
from lorarar.lora.adapter import Adapter
from lorarar.merging.methods.merge_inputs import MergeResult
from lorarar.util.errors import OutputError
from lorarar.util.messages import is_silent
from lorarar.util.progress import Ticker
from lorarar.util.rows import MOST, Rows
from lorarar.util.tables import Table

from .conftest import random_adapter

ROOT = Path(lorarar.__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
LONGEST = 400  # characters of a result in a notebook
EVIL = "<script>alert(1)</script>\x1b[31m"


@pytest.fixture
def pair(lora_file):
    return lora_file("content", 3, 0), lora_file("style", 2, 1)


@pytest.fixture
def merged(pair, tiny_folder, tmp_path):
    return lorarar.merge(*pair, tmp_path / "m.safetensors", method="direct", base=str(tiny_folder))


def test_a_merge_and_its_parts_are_a_line_without_numbers_of_tensors(merged, pair, tmp_path):
    many = Adapter(random_adapter(4, 0).layers, "many")
    parts = [
        merged,
        merged.adapter,
        many,
        next(iter(many.layers.values())),
        MergeResult(dict(many.layers)),
        lorarar.convert(pair[0], tmp_path / "c.safetensors"),
    ]
    for part in parts:
        assert len(repr(part)) < LONGEST and "\n" not in repr(part) and "tensor(" not in repr(part)
    assert "content.safetensors, style.safetensors" in repr(merged) and "rank 5" in repr(merged)
    assert repr(parts[3]).startswith("Factors(rank 4, ")


def test_calls_print_nothing_unless_progress_is_asked_for(tiny_folder, tmp_path, lora_file, capfd, monkeypatch):
    pair, silent, own = (lora_file("content", 3, 0), lora_file("style", 2, 1)), [], Ticker.__init__

    def noted(self, *arguments, **more):
        silent.append(is_silent())
        own(self, *arguments, **more)

    monkeypatch.setattr(Ticker, "__init__", noted)
    for progress in (False, True):
        made = lorarar.merge(*pair, tmp_path / "m.safetensors", method="ties", base=str(tiny_folder), progress=progress)
        lorarar.convert(made.path, tmp_path / "c.safetensors", progress=progress)
        lorarar.generate("a hill", lora=made.path, base=str(tiny_folder), steps=2, progress=progress)
        assert silent and set(silent) == {not progress}
        silent.clear()
        if not progress:
            assert capfd.readouterr() == ("", "")
    assert not is_silent()


def test_coefficients_are_a_line():
    from lorarar.merging.coefficients import CoefficientSet

    long = CoefficientSet({f"layer.{at}": (torch.rand(500), torch.rand(500)) for at in range(200)}, "rank")
    assert repr(long) == "CoefficientSet(200 layers, along ranks)"


def test_a_picture_shows_itself(merged, tiny_folder):
    with Studio(merged.base) as studio:
        (picture,) = studio.generate("a hill " * 100, [3], steps=1)
    data = picture._repr_png_()
    assert data.startswith(b"\x89PNG") and len(repr(picture)) < LONGEST and "seed 3" in repr(picture)
    from io import BytesIO

    assert list(Image.open(BytesIO(data)).getdata()) == list(picture.image.getdata())


def test_a_judged_picture_is_a_line():
    references = tuple(Path(f"/a/very/long/place/of/references/{at}.png") for at in range(60))
    target = Target(Path("/x/a.png"), "direct", "dog", "glowing", references, references, "glowing", "a dog")
    picture = JudgedPicture(target, (Verdict("ok", True, None),), (Verdict("ok", False, None),))
    assert repr(target) == "Target(a.png: direct, dog in glowing)"
    assert repr(picture).endswith("yes of subject 1 of 1, style 0 of 1)")


def test_rows_are_a_table_in_which_nothing_is_markup():
    row = ReportFigure("plan x", EVIL, "", "", "average", "pocket", "paper", 0.5, 0.25, 0.75, 4)
    rows = Rows([row] * (MOST + 5))
    html = rows._repr_html_()
    assert html.count("<tr>") == MOST + 1 and "and 5 more" in html and "0.500" in html
    assert "<script>" not in html and "\x1b" not in html and "<th>subject" not in html
    assert len(repr(rows)) < LONGEST and rows == [row] * (MOST + 5) and Rows()._repr_html_() == "<p>no rows</p>"
    table = Table(EVIL, [EVIL], [[EVIL]], [EVIL])._repr_html_()
    assert "<script>" not in table and "&lt;script&gt;" in table and "\x1b" not in table


def test_what_calls_make_is_noted_in_the_database_that_is_named_as_commands_note_it(pair, tiny_folder, tmp_path):
    base, db = str(tiny_folder), tmp_path / "n.db"
    merged = lorarar.merge(*pair, tmp_path / "m.safetensors", method="direct", base=base, db=db)
    pictures = lorarar.generate("a hill", lora=merged.path, base=base, n=2, steps=1, out=tmp_path / "out", db=db)
    with lorarar.Store(db) as store:
        assert [row["method"] for row in store.rows("SELECT method FROM merges")] == ["direct"]
        images = store.rows("SELECT sha256, merge FROM images ORDER BY seed")
        ids = store.rows("SELECT id FROM merges")
    assert [(row["sha256"], row["merge"]) for row in images] == [(one.sha256, ids[0]["id"]) for one in pictures]


def test_what_is_in_no_file_is_not_noted_and_nothing_is_made_where_nobody_asks(pair, tiny_folder, tmp_path):
    with pytest.raises(OutputError, match="name a file with out"):
        lorarar.merge(*pair, method="direct", base=str(tiny_folder), db=tmp_path / "n.db")
    with pytest.raises(OutputError, match="name a folder with out"):
        lorarar.generate("a hill", base=str(tiny_folder), db=tmp_path / "n.db")
    with pytest.raises(OutputError):
        lorarar.merge(
            *pair, tmp_path / "n.safetensors", method="direct", base=str(tiny_folder), db=tmp_path / "n.safetensors"
        )
    lorarar.merge(*pair, method="direct", base=str(tiny_folder))
    assert not list(tmp_path.glob("*.db"))


def test_options_are_said_by_help():
    from lorarar.merging.methods import METHODS
    from lorarar.merging.methods.method import COMMON

    words = lorarar.merge.__doc__
    assert all(f"``{name}``" in words for name in COMMON)
    assert all(any(f"``{o.name}" in words for o in method.options) for method in METHODS.values())
    assert all(
        f"``{name}``" in lorarar.generate.__doc__ for name in ("steps", "guidance", "negative", "size", "scheduler")
    )


@pytest.mark.parametrize("package", [lorarar, judge, studies, tui])
def test_every_package_is_typed_and_says_so_in_the_wheel(package):
    import tomllib

    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert (Path(package.__file__).parent / "py.typed").is_file() and "py.typed" in data[package.__name__]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_is_sound_python(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 3 and all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    for cell in code:
        ast.parse("".join(cell["source"]))


@pytest.mark.notebook
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_pocket(notebook, tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    read = nbformat.read(notebook, as_version=4)
    nbclient.NotebookClient(read, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in read.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) or "text/html" in output.get("data", {}) for output in shown)
