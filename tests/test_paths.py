"""Where a database's files lie: after moves, from other folders, of several folders, and of lorarar 0.1."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from lorarar.lora.files import read_adapter, write_adapter
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.paths import PathResolver
from lorarar.util.errors import OutputError
from lorarar.util.files import sha256_of

from .conftest import random_adapter


def lora(path, seed=0, references=1):
    """A LoRA file with its references beside it."""
    write_adapter(random_adapter(2, seed), path)
    for number in range(references):
        write_png(Image.new("RGB", (8, 8), (seed, number, 0)), path.with_suffix("") / f"{number}.png")
    return path


def kept_path(store, sha256):
    ((path,),) = store.db.conn.execute("SELECT path FROM adapters WHERE sha256 = ?", [sha256])
    return path


def add(store, path, kind="content"):
    adapter = read_adapter(path)
    store.add_adapter(adapter, path, kind)
    return adapter.sha256


def picture(path, colour):
    """A picture as the store takes it, written."""
    write_png(Image.new("RGB", (8, 8), colour), path)
    made_by = {"prompt": "x", "base": "b", "base_revision": None, "seed": 0, "steps": 1, "guidance": 1.0}
    size = {"width": 8, "height": 8, "seconds": 0.0, "version": "1"}
    row = {"path": str(path), "sha256": sha256_of(path), **made_by, **size}
    return SimpleNamespace(path=path, sha256=row["sha256"], row=lambda: dict(row), record=dict)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project" / "loras").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("database", "working", "typed", "kept"),
    [
        ("lorarar.db", ".", "loras/a", "loras/a"),
        ("lorarar.db", "loras", "a", "loras/a"),
        ("lorarar.db", "loras", "../out/../loras/./a", "loras/a"),
        ("lorarar.db", "../elsewhere", "../project/loras/a", "loras/a"),
        ("lorarar.db", ".", "../elsewhere/a", "ABOVE/elsewhere/a"),
        ("db/lorarar.db", ".", "loras/a", "ABOVE/project/loras/a"),
        ("lorarar.db", ".", "ABOVE/project/loras/a", "loras/a"),
        ("lorarar.db", ".", "link/a", "link/a"),
        ("link/lorarar.db", ".", "loras/a", "loras/a"),
    ],
)
def test_a_path_is_relative_to_the_database_where_it_lies_below_it(
    project, monkeypatch, database, working, typed, kept
):
    above = str(project.parent)
    (project / "link").symlink_to(project / "loras" if kept.startswith("link") else project)
    monkeypatch.chdir(project / working)
    paths = PathResolver(project / database)
    assert paths.stored(typed.replace("ABOVE", above)) == kept.replace("ABOVE", above)


@pytest.mark.parametrize("typed", ["loras/a.safetensors", "{absolute}/loras/a.safetensors"])
def test_what_is_kept_is_found_after_a_move_and_from_any_folder(project, monkeypatch, typed):
    lora(project / "loras" / "a.safetensors")
    monkeypatch.chdir(project)
    with Store("lorarar.db") as store:
        sha256 = add(store, typed.format(absolute=project))
    moved = project.parent / "elsewhere" / "moved"
    shutil.move(project, moved)
    for working in (moved, moved / "loras", moved.parent, "/"):
        monkeypatch.chdir(working)
        with Store(os.path.relpath(moved / "lorarar.db")) as store:
            path = kept_path(store, sha256)
            assert store.paths.find(path).samefile(moved / "loras" / "a.safetensors")
            assert len(store.paths.references(path)) == 1


def test_a_renamed_folder_is_found_again_when_its_lora_is_seen(project):
    before, after = project / "loras", project / "renamed"
    lora(before / "a.safetensors")
    with Store(project / "lorarar.db") as store:
        sha256 = add(store, before / "a.safetensors")
        before.rename(after)
        assert store.paths.references(kept_path(store, sha256)) == ()
        store.see_loras({sha256: after / "a.safetensors", "0" * 64: after / "unknown.safetensors"})
        assert kept_path(store, sha256) == "renamed/a.safetensors"
        assert len(store.paths.references(kept_path(store, sha256))) == 1
        assert len(store.rows("SELECT id FROM adapters")) == 1, "what was only seen is not kept"


@pytest.mark.parametrize(
    ("old_references", "new_references", "follows"),
    [(True, False, False), (False, True, True), (True, True, False), (False, False, False)],
)
def test_a_copy_is_followed_only_where_the_references_are(project, old_references, new_references, follows):
    old, new = project / "loras" / "a.safetensors", project / "copy" / "a.safetensors"
    for path, references in ((old, old_references), (new, new_references)):
        lora(path, references=references)
    with Store(project / "lorarar.db") as store:
        sha256 = add(store, old)
        add(store, new)
        assert kept_path(store, sha256) == ("copy/a.safetensors" if follows else "loras/a.safetensors")


def test_a_lora_whose_place_another_took_is_followed(project):
    first = lora(project / "loras" / "a.safetensors", seed=1)
    with Store(project / "lorarar.db") as store:
        sha256 = add(store, first)
        kept = shutil.copytree(project / "loras", project / "old") / "a.safetensors"
        lora(first, seed=2)
        add(store, kept)
        assert kept_path(store, sha256) == "old/a.safetensors"


def test_pictures_of_one_name_in_two_folders_with_one_database_are_two(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_DB", str(tmp_path / "all.db"))
    for name, colour in (("one", "red"), ("two", "blue")):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with Store() as store:
            store.add_image(picture(tmp_path / name / "out" / "x.png", colour))
            store.add_image(replace_path(picture(tmp_path / name / "out" / "x.png", colour), "out/x.png"))
    with Store() as store:
        assert [row["path"] for row in store.rows("SELECT path FROM images ORDER BY id")] == [
            "one/out/x.png",
            "two/out/x.png",
        ]


def replace_path(made, typed):
    """The same picture with its path as it was typed in its folder."""
    return SimpleNamespace(path=Path(typed), sha256=made.sha256, row=lambda: made.row() | {"path": typed}, record=dict)


@pytest.mark.parametrize("typed_in", [".", "work", "work/deep"])
def test_rows_of_0_1_are_found_beside_and_above_the_database_and_in_the_working_folder(project, monkeypatch, typed_in):
    file = project / typed_in / "out" / "x.png"
    write_png(Image.new("RGB", (8, 8)), file)
    database = project / "work" / "deep" / "lorarar.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir("/")
    assert PathResolver(database).find("out/x.png") == file
    monkeypatch.chdir(project / typed_in)
    assert PathResolver(project.parent / "elsewhere" / "lorarar.db").find("out/x.png") == file


def test_what_cannot_be_found_is_said_with_every_place_it_was_looked_for(project, monkeypatch):
    monkeypatch.chdir(project.parent / "elsewhere")
    text = PathResolver(project / "lorarar.db").lost("out/x.png")
    assert text.startswith("out/x.png cannot be found; looked in ")
    for folder in (project / "out", project.parent / "elsewhere" / "out", project.parent / "out"):
        assert str(folder) in text
    assert PathResolver(project / "lorarar.db").lost("/gone/x.png").endswith("looked in /gone")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_no_file_has_such_a_name(project, path):
    paths = PathResolver(project / "lorarar.db")
    assert paths.places(path) == []
    assert paths.references(path) == ()
    assert "looked in" not in paths.lost(path)


def test_a_name_that_no_database_can_keep_is_one_line(project):
    with Store(project / "lorarar.db") as store, pytest.raises(OutputError, match=r"dog\\xff is no UTF-8"):
        store.add_adapter(replace(random_adapter(2, 0), sha256="a" * 64), project / "dog\udcff")


@pytest.mark.parametrize("path", ["a" * 5000, "n" * 256 + ".png", "d/" * 3000 + "x", "a\0b", "é" * 200])
def test_a_path_that_no_file_can_have_is_not_found_and_raises_nowhere(tmp_path, path):
    paths = PathResolver(tmp_path / "a.db")
    assert paths.places(path) == []
    assert not paths.find(path).exists() and not paths.find(path).is_file()
    assert paths.lost(path).endswith("cannot be found") and len(paths.lost(path)) < 100
    assert paths.references(path) == ()


def test_a_file_in_a_folder_that_may_not_be_read_counts_as_there(tmp_path, monkeypatch):
    def refuse(self, **_):
        raise PermissionError(13, "no", str(self))

    monkeypatch.setattr(Path, "stat", refuse)
    assert PathResolver(tmp_path / "a.db").find("x.png") == tmp_path / "x.png"
