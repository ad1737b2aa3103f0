"""What is taken of a folder of pictures: what programs leave behind is none of it, and what is left out is said."""

import os
import unicodedata

import pytest
from PIL import Image

from judge.targets import TargetError, from_folders
from lorarar.pictures import folders, formats
from lorarar.pictures.folders import child, find_images, folders_in, look_into
from lorarar.util.errors import ImageError

LEFT_BEHIND = ["._r.png", ".hidden.png", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"]
KEPT_BY_PROGRAMS = [".ipynb_checkpoints", "__MACOSX", "@eaDir", ".git", "$RECYCLE.BIN", "System Volume Information"]


def picture(path, colour="red"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path, "PNG")
    return path


@pytest.fixture
def plain(tmp_path):
    """One subject in one style, with its references."""
    made, given = tmp_path / "G", tmp_path / "R"
    picture(made / "dog" / "glowing" / "0.png")
    picture(given / "subjects" / "dog" / "r.png")
    picture(given / "styles" / "glowing" / "r.png")
    return made, given


def test_what_programs_leave_behind_is_no_picture_no_reference_no_subject_and_no_style(plain, capsys):
    made, given = plain
    (expected,) = from_folders(made, given)
    for name in LEFT_BEHIND:
        for folder in (made / "dog" / "glowing", given / "subjects" / "dog", given / "styles" / "glowing"):
            (folder / name).write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X")
    for name in KEPT_BY_PROGRAMS:
        for folder in (made, made / "dog", made / "dog" / "glowing", given / "subjects" / "dog"):
            picture(folder / name / "dog" / "r.png")
    assert from_folders(made, given) == [expected]
    assert capsys.readouterr().err == ""


def test_files_that_are_left_out_are_counted_in_one_line(plain, capsys, monkeypatch):
    made, given = plain
    monkeypatch.setattr(formats, "has_heic", lambda: False)
    for name in ("a.heic", "b.HEIC", "words.txt", "film.mov", "noending"):
        (given / "subjects" / "dog" / name).write_text("x")
    (made / "dog" / "glowing" / "more.txt").write_text("x")
    from_folders(made, given)
    assert capsys.readouterr().err.splitlines() == [
        "6 files are left out: 2 .heic, 1 .mov, 2 .txt, 1 without an ending; "
        "HEIC is read with: pip install 'lorarar[heic]'"
    ]


def test_one_file_of_its_own_has_no_neighbours_left_out(tmp_path):
    one = picture(tmp_path / "a.png")
    (tmp_path / "words.txt").write_text("x")
    picture(tmp_path / "b.png")
    assert folders.left_out_beside([(one,)]) == ""
    assert folders.left_out_beside([(one, tmp_path / "b.png"), ()]) == "1 file is left out: 1 .txt"


def test_a_folder_without_pictures_says_what_it_has_instead(tmp_path):
    (tmp_path / "film.mov").write_text("x")
    with pytest.raises(ImageError, match=r"holds no pictures; 1 file is left out: 1 \.mov; accepted.* ending in \.png"):
        find_images(tmp_path)


@pytest.mark.parametrize("ending", [".png", ".JPG", ".jfif", ".webp", ".avif", ".gif", ".bmp", ".tif", ".TIFF"])
def test_pictures_are_found_by_any_ending_in_any_case(tmp_path, ending):
    (tmp_path / f"a{ending}").write_bytes(b"")
    assert find_images(tmp_path) == [tmp_path / f"a{ending}"]


def test_files_and_folders_are_told_apart(tmp_path):
    picture(tmp_path / "deeper" / "a.png")
    picture(tmp_path / "b.png")
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.txt").write_text("the caption of b.png")
    inside = look_into(tmp_path)
    assert [[path.name for path in group] for group in (inside.pictures, inside.others, inside.folders)] == [
        ["b.png"],
        ["a.txt"],
        ["deeper"],
    ]
    assert folders_in(tmp_path) == [tmp_path / "deeper"]


@pytest.mark.parametrize(
    ("made", "given"),
    [
        ("café", unicodedata.normalize("NFD", "café")),
        (unicodedata.normalize("NFD", "café"), "café"),
        ("Dog", "dog"),
        ("STRASSE", "straße"),
        (unicodedata.normalize("NFD", "CAFÉ"), "café"),
    ],
)
def test_names_that_look_the_same_are_one_subject(tmp_path, made, given):
    picture(tmp_path / "G" / made / "Glowing" / "0.png")
    picture(tmp_path / "R" / "Subjects" / given / "r.png")
    picture(tmp_path / "R" / "styles" / "glowing" / "r.png")
    (target,) = from_folders(tmp_path / "G", tmp_path / "R")
    assert (target.subject, target.style) == (made, "Glowing")
    assert len(target.subject_references) == len(target.style_references) == 1


def test_of_names_that_look_the_same_the_exact_one_counts_and_two_others_are_not_chosen_from(tmp_path):
    for name in ("dog", "Dog"):
        (tmp_path / name).mkdir()
    assert child(tmp_path, "dog").name == "dog"
    assert child(tmp_path, "DOG").name == "DOG"  # which is not there


def refuse(monkeypatch, folder):
    """Have a folder refused as to one who may not read it; whoever runs tests may read all."""
    listing = os.listdir

    def listed(place="."):
        if str(place) == str(folder):
            raise PermissionError(13, "Permission denied", str(place))
        return listing(place)

    monkeypatch.setattr(os, "listdir", listed)


def test_a_folder_that_may_not_be_read_is_said_to_be_so(plain, monkeypatch):
    made, given = plain
    for folder in (given / "subjects" / "dog", made / "dog" / "glowing", made):
        with monkeypatch.context() as patch:
            refuse(patch, folder)
            with pytest.raises((ImageError, TargetError), match=rf"{folder}.*Permission denied"):
                from_folders(made, given)
