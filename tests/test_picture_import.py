"""``lorarar pictures import``: pictures of any program become a collection like a plan's, and stay where they are."""

import json
import os
import shutil
import unicodedata

import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from judge import PAPER, from_folders, from_store, judge_pictures, mars2_by_method
from judge.targets import TargetError
from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.util.errors import StoreError
from lorarar.util.files import sha256_of
from studies.creation.candidates import find_candidates
from tui.catalog import Catalog

from .test_collections import Favours

PATTERN = "{method}/{subject}/{style}/{seed}.png"


def picture(path, colour=(0, 0, 0), size=(8, 6), **notes):
    path.parent.mkdir(parents=True, exist_ok=True)
    chunks = PngImagePlugin.PngInfo()
    for name, text in notes.items():
        chunks.add_text(name, text)
    extra = {"pnginfo": chunks} if notes else {}
    Image.new("RGB", size, colour).save(path, **extra)
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Two methods' pictures of two subjects in a style, with references; the working folder is theirs."""
    monkeypatch.chdir(tmp_path)
    for m, method in enumerate(("our best 100%", "base line")):
        for s, subject in enumerate(("Kätzchen", "dog")):
            for seed in range(2):
                picture(tmp_path / "made" / method / subject / "ink-2" / f"{seed}.png", (90 * m, 90 * s, 90 * seed))
    for s, subject in enumerate(("Kätzchen", "dog")):
        picture(tmp_path / "given" / "subjects" / subject / "a.png", (1, 90 * s, 1))
    picture(tmp_path / "given" / "styles" / "ink-2" / "a.png", (1, 1, 200))
    return tmp_path


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [*arguments, "--db", "own.db"])
    assert result.exit_code == code, result.output
    return result


def imported(*arguments):
    """The counts of an import."""
    return json.loads(run("pictures", "import", *arguments, "--json").stdout)


def import_made(*arguments):
    return imported("made", "--name", "mine", "--pattern", PATTERN, "--references", "given", *arguments)


def changes(counts):
    return {name: counts[name] for name in ("new", "changed", "moved", "replaced", "gone") if counts[name]}


def cells(title="mine"):
    with Store("own.db", read_only=True) as store:
        rows = store.rows(
            "SELECT c.row, c.content, c.style, c.seed, i.path FROM cells c JOIN images i ON i.id = c.image "
            "JOIN collections g ON g.id = c.collection WHERE g.name = ? ORDER BY 1, 2, 3, 4",
            title,
        )
    return [tuple(row.values()) for row in rows]


def test_pictures_become_rows_like_ours_and_nothing_is_copied_or_read_twice(place):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*.png")}
    counts = import_made()
    assert counts["pictures"] == counts["new"] == 8 and counts["methods"] == ["base line", "our best 100%"]
    assert (counts["left_out"], counts["lacking_references"]) == ({}, [])
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*.png")} == before
    assert cells()[0] == ("base line", "Kätzchen", "ink-2", 0, "made/base line/Kätzchen/ink-2/0.png")
    with Store("own.db") as store:
        rows = store.rows("SELECT path, sha256, width, height, base, prompt FROM images")
        assert {(row["width"], row["height"], row["base"], row["prompt"]) for row in rows} == {(8, 6, "", "")}
        assert all(sha256_of(place / row["path"]) == row["sha256"] for row in rows)


def test_a_second_import_of_the_same_writes_nothing(place):
    import_made()
    with Store("own.db") as store:
        tables = ("cells", "images", "collections", "concepts", "reference_pictures")
        first = {table: store.rows(f"SELECT * FROM {table}") for table in tables}
    assert changes(import_made()) == {}
    assert "(all as they were)" in run("pictures", "import", "made", "--name", "mine").stdout
    with Store("own.db") as store:
        assert {table: store.rows(f"SELECT * FROM {table}") for table in tables} == first


def test_an_unchanged_file_is_neither_digested_nor_decoded_again(place, monkeypatch):
    for path in place.rglob("*.png"):
        os.utime(path, (1e9, 1e9))
    import_made()
    monkeypatch.setattr("lorarar.util.files._SETTLED", -(10**18))  # the last change was long ago, whatever ctime says
    monkeypatch.setattr("lorarar.util.files._digests", {})
    import_made()
    monkeypatch.setattr("lorarar.util.files._digests", {})

    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr("lorarar.util.files.open_regular", refuse)
    monkeypatch.setattr("lorarar.imports.sound.read_image", refuse)
    assert import_made()["known"] == 8


def test_what_is_new_changed_moved_and_gone_is_said_and_the_rest_stays(place):
    import_made()
    method = place / "made" / "base line" / "dog" / "ink-2"
    picture(method / "0.png", (7, 7, 7), size=(5, 5))
    picture(method / "2.png", (8, 8, 8))
    (place / "made" / "our best 100%" / "dog" / "ink-2" / "1.png").unlink()
    counts = import_made()
    assert changes(counts) == {"new": 1, "changed": 1, "gone": 1} and counts["pictures"] == 8
    with Store("own.db") as store:
        (row,) = store.rows("SELECT * FROM images WHERE path = 'made/base line/dog/ink-2/0.png'")
        assert (row["sha256"], row["width"]) == (sha256_of(method / "0.png"), 5)
        assert store.rows("SELECT count(*) AS n FROM images") == [{"n": 8}]
    swapped = imported("made", "--name", "mine", "--pattern", "{method}/{style}/{subject}/{seed}.png")
    assert changes(swapped) == {"moved": 8}
    assert {cell[1:3] for cell in cells()} == {("ink-2", "Kätzchen"), ("ink-2", "dog")}


def test_methods_in_folders_of_their_own_meet_under_one_title(place):
    for method in ("our best 100%", "base line"):
        args = (f"made/{method}", "--name", "mine", "--method", method)
        assert imported(*args, "--references", "given")["new"] == 4
    assert len(cells()) == 8
    one = picture(place / "other" / "dog" / "ink-2" / "x.png", (5, 5, 5))
    assert changes(imported("other", "--name", "mine", "--method", "base line")) == {"new": 1}
    assert ("base line", "dog", "ink-2", 2, "other/dog/ink-2/x.png") in cells()  # 0 and 1 are others'
    one.rename(one.with_name("1.png"))
    args = ("other", "--name", "mine", "--method", "base line", "--pattern", "{subject}/{style}/{seed}.png")
    assert changes(imported(*args)) == {"new": 1, "gone": 1, "replaced": 1}
    assert len(cells()) == 8


def test_what_cannot_be_taken_is_counted_by_name_while_the_rest_is(place):
    folder = place / "made" / "base line" / "dog" / "ink-2"
    (folder / "3.png").write_text("no picture")
    (folder / "4.png").write_bytes(b"")
    (folder / "5.png").write_bytes(picture(place / "whole.png", size=(64, 64)).read_bytes()[:-30])
    (folder / "6.png").symlink_to("nothing.png")
    os.mkfifo(folder / "7.png")
    picture(folder / "01.png")
    (folder / "8.png").mkdir()
    counts = import_made()
    names = "base line/dog/ink-2/{}.png"
    assert counts["left_out"] == {
        "the file is no picture that can be read": [names.format(number) for number in (3, 4, 5, 7)],
        "no file is there": [names.format(6)],
        "another picture has their method, subject, style and seed": [names.format(1)],
    }
    assert counts["pictures"] == 8
    assert ("base line", "dog", "ink-2", 1, "made/base line/dog/ink-2/01.png") in cells()
    words = run("pictures", "import", "made", "--name", "mine", "--pattern", PATTERN).stderr
    assert "4 pictures are left out: the file is no picture that can be read: base line/dog/ink-2/3.png, " in words


def test_two_rows_of_one_path_are_one_picture(place):
    lines = ["path,subject,style,method"]
    lines += [f"made/base line/dog/ink-2/{name},dog,ink-2,x" for name in ("0.png", "../ink-2/0.png", "1.png")]
    (place / "m.csv").write_text("\n".join(lines))
    counts = imported("m.csv", "--name", "listed")
    assert counts["left_out"] == {"another row has their path": ["line 3 (made/base line/dog/ink-2/../ink-2/0.png)"]}
    assert [cell[3] for cell in cells("listed")] == [0, 1]


def test_nothing_is_made_where_nothing_can_be_taken(place):
    (place / "bad" / "dog" / "ink").mkdir(parents=True)
    (place / "bad" / "dog" / "ink" / "0.png").write_text("x")
    refusals = [
        (("bad", "--name", "x"), "bad has no picture that can be taken; 1 picture is left out: the file is no picture"),
        (("made", "--name", " x"), "--name is ' x'; accepted is a title of one line"),
        (("made", "--name", ""), "--name is ''"),
        (("made", "--name", "x", "--method", "a/b"), "--method is 'a/b'"),
        (("made", "--name", "x", "--pattern", "{subject}.png"), "lacks {style}"),
        (("made", "--name", "x", "--references", "made"), "has no folders subjects/SUBJECT/ and styles/STYLE/"),
        (("made", "--name", "x", "--references", "none"), "none does not exist"),
        (("made", "--name", "x", "--references-pattern", "{style}/*"), "goes together with --references"),
        (("made", "--name", "x", "--references", "given", "--references-pattern", "{seed}/*"), "has {seed}"),
        (("made", "--name", "x", "--references", "given", "--references-pattern", "*/*"), "has to have {subject}"),
        (("made", "--name", "x", "--pattern", "{subject}-{style}.png"), "and 3 more"),
        (("none", "--name", "x"), "none does not exist"),
    ]
    for arguments, words in refusals:
        result = run("pictures", "import", *arguments, code=1)
        assert words in result.stderr and result.stdout == ""
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr
        assert not (place / "own.db").exists()


def test_formats_of_other_programs_are_read_by_the_one_reader(place):
    for number, ending in enumerate(("jpg", "WEBP", "avif", "png")):
        picture(place / "mix" / "dog" / "ink-2" / f"{number}.{ending}", (40 * number, 9, 9), size=(32, 24))
    counts = imported("mix", "--name", "mix", "--pattern", "{subject}/{style}/{seed}.*")
    assert (counts["pictures"], counts["left_out"]) == (4, {})


def test_notes_say_prompts_and_seeds_where_nothing_else_does(place):
    folder = place / "ui" / "dog" / "ink-2"
    settings = "a dog in ink\nSteps: 2, Seed: {}, Size: 8x8"
    picture(folder / "a.png", (1, 0, 0), parameters=settings.format(30))
    picture(folder / "b.png", (2, 0, 0), parameters=settings.format(20))
    counts = imported("ui", "--name", "ui", "--references", "given")
    assert counts["prompts"] == 2
    assert [cell[3] for cell in cells("ui")] == [20, 30]
    picture(folder / "c.png", (3, 0, 0), parameters=settings.format(20))  # of one batch: no seed tells them apart
    imported("ui", "--name", "ui")
    assert [cell[3] for cell in cells("ui")] == [0, 1, 2]
    with Store("own.db") as store:  # what made them stays known
        assert [row["seed"] for row in store.rows("SELECT seed FROM images ORDER BY path")] == [30, 20, 20]
    (place / "m.csv").write_text("path,subject,style,seed,prompt\nui/dog/ink-2/a.png,dog,ink-2,5,a sks dog\n")
    imported("m.csv", "--name", "listed", "--references", "given")
    with Store("own.db") as store:
        (target,) = from_store(store, "import=listed")
        assert (target.prompt, target.plain_prompt) == ("a sks dog", "a dog")
        assert {target.prompt for target in from_store(store, "import=ui")} == {"a dog in ink", "a sks dog"}


def test_seeds_of_notes_count_where_methods_have_the_same_ones(place):
    def draw(method, style, *seeds):
        for number, seed in enumerate(seeds):
            note = f"a dog\nSteps: 2, Seed: {seed}, Size: 8x8"
            file = place / "ui" / method / "dog" / style / f"{number}.png"
            picture(file, (number, seed, ord(method)), parameters=note)

    draw("a", "shared", 4, 9)
    draw("b", "shared", 9, 4)
    draw("a", "own", 4, 9)
    draw("b", "own", 1, 2)
    imported("ui", "--name", "ui")
    assert [(*cell[:1], *cell[2:4], cell[4][-5:]) for cell in cells("ui")] == [
        ("a", "own", 0, "0.png"),
        ("a", "own", 1, "1.png"),
        ("a", "shared", 4, "0.png"),
        ("a", "shared", 9, "1.png"),
        ("b", "own", 0, "0.png"),
        ("b", "own", 1, "1.png"),
        ("b", "shared", 4, "1.png"),
        ("b", "shared", 9, "0.png"),
    ]


def judged(title="mine"):
    """The pictures of an import, judged by one who likes the dog."""
    with Store("own.db") as store:
        return judge_pictures(store, from_store(store, f"import={title}"), Favours("dog"), PAPER)


def test_an_import_is_judged_reported_shown_and_studied_with_its_methods(place):
    import_made()
    pictures = judged()
    assert mars2_by_method(pictures) == {"our best 100%": 0.5, "base line": 0.5}
    report = run("judge", "report", "--against", "base line", "--gallery", "page.html", "--json")
    data = json.loads(report.stdout)
    assert (data["collection"], [one["method"] for one in data["groups"]]) == (
        "import mine",
        ["base line", "our best 100%"],
    )
    assert "our best 100%" in (place / "page.html").read_text()
    snapshot = Catalog(place / "own.db").snapshot()
    assert snapshot.collection.label == "import mine" and not snapshot.uncounted
    assert snapshot.mean("our best 100%", best=False) == 0.5
    with Store("own.db") as store:
        candidates = find_candidates(store, ["our best 100%", "base line"], "import=mine")
        assert len(candidates.pictures) == 8
        assert candidates.references["dog", "ink-2"].words == "ink"
    new = ("study", "new", "pref", "--kind", "ab", "--methods", "our best 100%,base line", "--images", "import=mine")
    run(*new, "--repeats", "0", "--attention", "0", "--items", "2")
    assert "pref" in run("study", "list").stdout


def test_names_are_kept_to_the_letter_whatever_they_look_like(place):
    names = ["v1.pt", "a.b.", "-x", "sks", "%20", "[bold]", "e=mc2", "ñ" * 100]
    for number, name in enumerate(names):
        picture(place / "odd" / name / name / "0.png", (number, 0, 0))
        picture(place / "given" / "subjects" / name / "0.png", (number, 1, 0))
        picture(place / "given" / "styles" / name / "0.png", (number, 2, 0))
    counts = imported("odd", "--name", "odd", "--references", "given")
    assert (counts["subjects"], counts["lacking_references"]) == (sorted(names), [])
    with Store("own.db") as store:
        assert sorted(target.subject for target in from_store(store, "import=odd")) == sorted(names)


# references and words of styles


def test_a_style_is_called_what_styles_toml_says(place):
    (place / "given" / "styles.toml").write_text('"INK-2" = "loose black ink"\nunused = "x"\n')
    import_made()
    with Store("own.db") as store:
        assert {target.style_words for target in from_store(store, "import=mine")} == {"loose black ink"}
    assert {target.style_words for target in from_folders(place / "made", place / "given")} == {"loose black ink"}
    (place / "given" / "styles.toml").unlink()
    import_made()
    with Store("own.db") as store:
        assert {target.style_words for target in from_store(store, "import=mine")} == {"ink"}


@pytest.mark.parametrize("text", ["x = 1", "x = ''", 'x = "a\\nb"', "= 3", 'x = """a\nb"""', "[x]\ny = 'z'", "\xff"])
def test_words_that_are_none_are_one_line(place, text):
    (place / "given" / "styles.toml").write_bytes(text.encode("latin-1"))
    arguments = ("made", "--name", "x", "--references", "given")
    assert "given/styles.toml" in run("pictures", "import", *arguments, code=1).stderr
    judge = ("judge", "run", "--generated", "made", "--references", "given", "--critic", "pocket")
    assert "given/styles.toml" in run(*judge, code=1).stderr
    assert not (place / "own.db").exists()


def test_references_of_other_layouts_are_kept_one_by_one(place):
    shutil.rmtree(place / "given")
    for name in ("dog-1", "dog-2", "kätzchen-1"):
        picture(place / "refs" / "photos" / f"{unicodedata.normalize('NFD', name)}.png", (1, 1, len(name)))
    picture(place / "refs" / "ink-2.jpg")
    (place / "refs" / "ink-3.jpg").write_text("x")
    patterns = ("--references-pattern", "photos/{subject}-*.png", "--references-pattern", "{style}.jpg")
    args = ("made", "--name", "mine", "--pattern", PATTERN, "--references", "refs", *patterns)
    counts = imported(*args)
    assert counts["left_out"] == {"the file is no picture that can be read": ["reference ink-3.jpg"]}
    assert counts["lacking_references"] == []
    with Store("own.db") as store:
        targets = from_store(store, "import=mine")
        numbers = {target.subject: len(target.subject_references) for target in targets}
        assert numbers == {"dog": 2, "Kätzchen": 1}
        assert {path.name for target in targets for path in target.style_references} == {"ink-2.jpg"}
    assert {one.correct for one in judged() if one.target.subject == "dog"} == {True}
    (place / "refs" / "photos" / "dog-1.png").unlink()
    (place / "refs" / "ink-2.jpg").unlink()
    with Store("own.db") as store, pytest.raises(TargetError, match=r"no references.*refs/ink-2\.jpg"):
        from_store(store, "import=mine,content=dog")


def test_references_in_a_manifest_are_taken_row_by_row(place):
    rows = [{"path": f"given/subjects/{name}/a.png", "subject": name} for name in ("dog", "Kätzchen")]
    rows += [{"path": "given/styles/ink-2/a.png", "style": "ink-2"}]
    rows += [{"path": "given/none.png", "style": "ink-2"}, {"path": "x.png"}, {**rows[0], "style": "ink-2"}]
    (place / "refs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    counts = imported("made", "--name", "mine", "--pattern", PATTERN, "--references", "refs.jsonl")
    assert counts["left_out"] == {
        "no file is there": ["reference line 4 (given/none.png)"],
        "neither a subject nor a style is said, or both": [
            "reference line 5 (x.png)",
            "reference line 6 (given/subjects/dog/a.png)",
        ],
    }
    assert {one.correct for one in judged() if one.target.subject == "dog"} == {True}


def references_of(title="mine"):
    with Store("own.db") as store:
        targets = from_store(store, f"import={title}")
    return {
        target.subject: ([path.parts[-4] for path in target.subject_references], target.style_words)
        for target in targets
    }


def test_references_of_another_import_take_the_place_of_those_they_have_any_for_and_leave_the_others(place):
    (place / "given" / "styles.toml").write_text('"ink-2" = "loose ink"\n')
    import_made()
    picture(place / "more" / "subjects" / "dog" / "b.png", (2, 90, 1))
    imported("made", "--name", "mine", "--pattern", PATTERN, "--references", "more")
    assert references_of() == {"dog": (["more"], "loose ink"), "Kätzchen": (["given"], "loose ink")}
    (place / "refs.csv").write_text("path,subject\ngiven/subjects/dog/a.png,dog\n")
    imported("made", "--name", "mine", "--pattern", PATTERN, "--references", "refs.csv")
    assert references_of() == {"dog": (["given"], "loose ink"), "Kätzchen": (["given"], "loose ink")}
    imported("made", "--name", "mine", "--pattern", PATTERN, "--references", "more")
    assert references_of()["dog"] == (["more"], "loose ink")


def test_an_import_that_cannot_be_kept_leaves_no_collection(place, monkeypatch):
    imported("made", "--name", "first", "--pattern", PATTERN, "--references", "given")

    def fail(*_):
        raise StoreError("the disk is full")

    monkeypatch.setattr("lorarar.imports.keep.changes_of", fail)
    arguments = ("made", "--name", "mine", "--pattern", PATTERN)
    assert "the disk is full" in run("pictures", "import", *arguments, code=1).stderr
    with Store("own.db") as store:
        assert [row["name"] for row in store.rows("SELECT name FROM collections")] == ["first"]


def test_pictures_without_references_are_shown_and_said_to_count_in_no_figure(place):
    result = run("pictures", "import", "made", "--name", "mine", "--pattern", PATTERN)
    assert "none are in a folder that was never named: import the pictures again with --references" in result.stderr
    snapshot = Catalog(place / "own.db").snapshot()
    assert len(snapshot.pictures) == len(snapshot.uncounted) == 8
    assert import_made()["lacking_references"] == []
    assert not Catalog(place / "own.db").snapshot().uncounted


# judge run --generated


def test_a_folder_of_methods_is_judged_and_imported_in_one(place):
    judge = ("judge", "run", "--generated", "made", "--references", "given", "--critic", "pocket", "--metrics", "mars2")
    run(*judge)
    assert {cell[0] for cell in cells("made")} == {"our best 100%", "base line"}
    folders = ("--generated", "made", "--references", "given", "--json")
    both = [
        json.loads(run("judge", "report", *which).stdout) for which in (folders, ("--images", "import=made", "--json"))
    ]
    assert both[0] == both[1]
    assert [group["method"] for group in both[0]["groups"]] == ["base line", "our best 100%"]
    assert "Without worth" in both[0]["brands"][0]


def test_an_import_moves_with_its_database(place):
    (place / "given" / "styles.toml").write_text('ink-2 = "ink"\n')
    import_made()
    moved = place.rename(place.with_name(f"{place.name}-moved"))
    os.chdir(place.parent)
    with Store(moved / "own.db") as store:
        targets = from_store(store, "import=mine")
        assert all(
            target.image.exists() and target.subject_references and target.style_references for target in targets
        )
        assert len(targets) == 8


def test_a_picture_in_two_imports_that_changes_stays_in_both(place):
    import_made()
    args = ("made", "--name", "again", "--pattern", PATTERN)
    imported(*args)
    picture(place / "made" / "base line" / "dog" / "ink-2" / "0.png", (9, 9, 9))
    assert changes(imported(*args)) == {"changed": 1}
    assert cells("mine") == cells("again")
    assert changes(import_made()) == {}
