"""Where an import's pictures are named: patterns, the usual layout and manifests, each clear or refused in one line."""

import json
import os

import pytest
from PIL import Image

from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut
from lorarar.imports.pattern import FIELDS, AmbiguousPathError, PathPattern
from lorarar.imports.sources import read_source
from lorarar.imports.tree import read_tree
from lorarar.util.errors import ImageError


def picture(path, colour="red"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), colour).save(path, "PNG")
    return path


def fields(pattern, path):
    return PathPattern.parse(pattern, ("subject", "style"), FIELDS).read(path)


def sourced(source, pattern=None, method="pictures"):
    """The cells with seeds that a source says, and what it leaves out."""
    left_out = LeftOut()
    pictures = read_source(source, pattern, method, left_out)
    return [(*one.cell, one.seed) for one in pictures], dict(left_out.names)


# patterns


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("{method}/{subject}/{style}/{seed}.png", "a/b c/ü %20/07.png", ("a", "b c", "ü %20", "07")),
        ("{subject}/{style}/*.png", "dog/ink/any name.png", (None, "dog", "ink", None)),
        ("{method}-{subject} in {style} ({seed}).*", "m-dog in ink (3).jpeg", ("m", "dog", "ink", "3")),
        ("{subject}/{subject}_{style}_*.png", "dog/dog_ink_1.png", (None, "dog", "ink", None)),
        ("100%/{subject}[{style}].png", "100%/dog[ink].png", (None, "dog", "ink", None)),
    ],
)
def test_a_pattern_reads_what_a_path_says(pattern, path, expected):
    values = fields(pattern, path)
    assert tuple(values.get(name) for name in FIELDS) == expected


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{subject}/{style}/{seed}.png", "dog/ink/x.png"),
        ("{subject}/{style}/{seed}.png", "dog/ink/deeper/1.png"),
        ("{subject}/{style}/{seed}.png", "dog/ink/1.PNG"),
        ("{subject}/{subject}_{style}.png", "dog/cat_ink.png"),
        ("{subject}/{style}.png", "dog/.png"),
    ],
)
def test_a_path_that_does_not_match_says_nothing(pattern, path):
    assert fields(pattern, path) is None


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{subject}_{style}.png", "dog_oil_painting.png"),
        ("*{seed}*/{subject}/{style}.png", "1a2a1/dog/ink.png"),
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_not_guessed_at(pattern, path):
    with pytest.raises(AmbiguousPathError):
        fields(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{subject}/{look}/{seed}.png", r"has \{look\}; accepted are \{method\}, \{subject\}"),
        ("{method}/{subject}.png", r"lacks \{style\}"),
        ("/{subject}/{style}.png", "no path of files below"),
        ("../{subject}/{style}.png", "no path of files below"),
        ("{subject}//{style}.png", "no path of files below"),
        ("{}/{subject}/{style}.png", r"has \{\}"),
    ],
)
def test_an_unsound_pattern_is_one_line(pattern, words):
    with pytest.raises(ImportingError, match=words):
        fields(pattern, "x")


def test_what_matches_no_pattern_is_counted_by_name_and_the_rest_is_taken(tmp_path):
    for name in ("dog_ink_1.png", "dog_ink_2.png", "dog_oil_paint_1.png", "sheet.png", "deep/dog_ink_1.png"):
        picture(tmp_path / name)
    taken, left_out = sourced(tmp_path, "{subject}_{style}_{seed}.png", "ours")
    assert taken == [("ours", "dog", "ink", 1), ("ours", "dog", "ink", 2)]
    assert left_out == {
        "the pattern reads their paths in several ways": ["dog_oil_paint_1.png"],
        "their paths do not match the pattern": ["deep/dog_ink_1.png", "sheet.png"],
    }


def test_a_seed_beyond_the_largest_is_none(tmp_path):
    picture(tmp_path / "dog" / "ink" / f"{2**64}.png")
    picture(tmp_path / "dog" / "ink" / f"{2**64 - 1}.png")
    taken, left_out = sourced(tmp_path, "{subject}/{style}/{seed}.png")
    assert taken == [("pictures", "dog", "ink", 2**64 - 1)]
    assert [*left_out] == [f"the seed is not a number from 0 to {2**64 - 1}"]


# the usual layout


def test_how_deep_pictures_lie_says_whether_there_are_methods(tmp_path):
    picture(tmp_path / "one" / "dog" / "ink" / "a.png")
    assert sourced(tmp_path / "one")[0] == [("pictures", "dog", "ink", None)]
    assert sourced(tmp_path)[0] == [("one", "dog", "ink", None)]
    picture(tmp_path / "sheet.png")
    picture(tmp_path / "one" / "cover.png")
    picture(tmp_path / "one" / "dog" / "ink" / "more" / "even" / "deep.png")
    taken, left_out = sourced(tmp_path)
    assert taken == [("one", "dog", "ink", None)]
    assert sorted(*left_out.values()) == ["one/cover.png", "one/dog/ink/more/even/deep.png", "sheet.png"]


def test_a_tree_of_both_layouts_is_refused_with_an_example_of_each(tmp_path):
    picture(tmp_path / "one" / "dog" / "ink" / "a.png")
    picture(tmp_path / "dog" / "ink" / "a.png")
    words = r"two layouts: 1 like dog/ink/a.png in SUBJECT/STYLE/, 1 like one/dog/ink/a.png in METHOD/SUBJECT/STYLE/"
    with pytest.raises(ImportingError, match=words):
        sourced(tmp_path)


def test_a_tree_of_neither_is_refused(tmp_path):
    picture(tmp_path / "a.png")
    with pytest.raises(ImportingError, match="has no folders SUBJECT/STYLE/ or METHOD/SUBJECT/STYLE/"):
        sourced(tmp_path)
    with pytest.raises(ImageError, match="does not exist"):
        sourced(tmp_path / "none")


def test_links_are_followed_but_never_in_a_circle_and_what_lies_elsewhere_is_counted(tmp_path):
    own, far = tmp_path / "own", tmp_path / "far"
    picture(far / "dog" / "ink" / "a.png")
    picture(own / "a" / "dog" / "ink" / "a.png")
    (own / "b").symlink_to(far)
    (own / "a" / "dog" / "ink" / "again").symlink_to(own)
    (own / "a" / "dog" / "ink" / "b.png").symlink_to(own / "a" / "dog" / "ink" / "a.png")
    (own / "a" / "dog" / "ink" / "c.png").symlink_to("c.png")
    tree = read_tree(own)
    names = [tree.below(path) for path in tree.pictures]
    assert names == [f"a/dog/ink/{name}.png" for name in "abc"] + ["b/dog/ink/a.png"]
    assert tree.outside == 1


def test_what_programs_leave_behind_and_captions_are_no_part_of_a_tree(tmp_path):
    picture(tmp_path / "dog" / "ink" / "a.png")
    for name in ("a.txt", "._a.png", "Thumbs.db"):
        (tmp_path / "dog" / "ink" / name).write_text("x")
    picture(tmp_path / "__MACOSX" / "dog" / "ink" / "a.png")
    (tmp_path / "notes.md").write_text("x")
    tree = read_tree(tmp_path)
    assert [tree.below(path) for path in (*tree.pictures, *tree.others)] == ["dog/ink/a.png", "notes.md"]


# manifests


def manifest(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_csv_says_pictures_row_by_row_whatever_separates_its_columns(tmp_path):
    for mark in ",;\t":
        text = "\ufeffPath,Style,subject,seed,mood\nb/1.png, ink ,dog,3,x\n\n../a.png,ink,cat,,\n".replace(",", mark)
        file = manifest(tmp_path / "m.csv", text)
        left_out = LeftOut()
        pictures = read_source(file, None, "ours", left_out)
        assert [(*one.cell, one.seed) for one in pictures] == [("ours", "dog", "ink", 3), ("ours", "cat", "ink", None)]
        assert [one.path for one in pictures] == [tmp_path / "b" / "1.png", tmp_path / ".." / "a.png"]
        assert not left_out


def test_jsonl_has_the_same_rows(tmp_path):
    rows = [
        {"path": str(tmp_path / "a.png"), "subject": "dog", "style": "ink", "seed": 3, "prompt": "a dog\nin ink"},
        {"path": "b.png", "subject": "dog", "style": "ink", "seed": "4", "method": None},
    ]
    file = manifest(tmp_path / "m.jsonl", "\n".join(map(json.dumps, rows)))
    (first, second), left_out = read_source(file, None, "ours", LeftOut()), LeftOut()
    assert (first.path, first.seed, first.prompt) == (tmp_path / "a.png", 3, "a dog in ink")
    assert (second.path, second.seed, second.method) == (tmp_path / "b.png", 4, "ours")
    assert not left_out


def test_rows_that_are_none_are_counted_by_line_and_the_rest_is_taken(tmp_path):
    lines = [
        "path,subject,style,seed",
        "a.png,dog,ink,1",
        ",dog,ink,2",
        "c.png,,ink,3",
        "d.png,dog,ink,x",
        "e.png,dog,ink,5,6",
        "f.png,../dog,ink,6",
        "g.png,dog,..,7",
        f"h.png,dog,{'x' * 300},7",
        f"i.png,{'x' * 70_000},ink,8",
        'j.png,"dog"s,ink,9',
        "k.png,dog",
        "z.png,dog,ink,10",
    ]
    taken, left_out = sourced(manifest(tmp_path / "m.csv", "\n".join(lines)))
    assert [seed for *_, seed in taken] == [1, 10]
    assert sorted(name for names in left_out.values() for name in names) == [
        "line 10", "line 11", "line 12 (k.png)", "line 3", "line 4 (c.png)", "line 5 (d.png)", "line 6",
        "line 7 (f.png)", "line 8 (g.png)", "line 9 (h.png)",
    ]  # fmt: skip


def test_lines_that_are_no_objects_are_counted_and_the_rest_is_taken(tmp_path):
    good = json.dumps({"path": "a.png", "subject": "dog", "style": "ink"})
    bad = ["{", "[1]", "[" * 30_000, '{"path": ["a"], "subject": "dog", "style": "ink"}', "null", '{"path": true}']
    bad += ['{"path": "a.png", "subject": {"x": 1}, "style": "ink"}', '{"path": 1.5}', '{"subject": "dog"}']
    taken, left_out = sourced(manifest(tmp_path / "m.jsonl", "\n".join([*bad, "", good])))
    assert taken == [("pictures", "dog", "ink", None)]
    assert sum(map(len, left_out.values())) == len(bad)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.csv", "path,subject\na,b\n", "there is no column style; its first line names path, subject"),
        ("m.csv", "", "there is no column path, subject, style; its first line names none"),
        ("m.csv", "path,subject,style,path\n", "names a column twice"),
        ("m.csv", "path,subject,style\nä.png,a,b\n".encode("latin-1"), "no text in UTF-8"),
        ("m.csv", "path,subject,style\n".encode("utf-16"), "no text in UTF-8"),
        ("m.json", "[]", r"no manifest; accepted are a folder, and files ending in \.csv, \.tsv, \.jsonl"),
    ],
)
def test_a_manifest_that_is_none_is_one_line(tmp_path, name, text, words):
    with pytest.raises(ImportingError, match=words):
        sourced(manifest(tmp_path / name, text))
    with pytest.raises(ImportingError, match="does not exist"):
        sourced(tmp_path / "none.csv")
    with pytest.raises(ImportingError, match="--pattern is of folders"):
        sourced(tmp_path / name, "{subject}/{style}.png")


def test_a_manifest_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "m.csv")
    with pytest.raises(ImportingError, match="a pipe"):
        sourced(tmp_path / "m.csv")
