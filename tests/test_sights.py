"""What was seen of a file is kept by its bytes, and its bytes by the state it is in: known verdicts cost no reading."""

import os
from contextlib import suppress

import pytest
from PIL import Image

from judge import from_folders
from judge.critics import Critic
from judge.critics.preparation import Preparation
from judge.pictures import JudgedTargets
from judge.questions import PAPER, Reply
from judge.runner import judge
from judge.sights import look_at
from judge.targets import present_targets
from judge.verdicts import VerdictKey, VerdictStore
from lorarar.pictures import images
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.util import files
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import ImageError


class Yes(Critic):
    """Says yes; ``side`` is how large it sees pictures."""

    def __init__(self, side=512):
        self.identity, self.preparation = {"critic": "yes"}, Preparation(side)

    def ask(self, questions):
        return ((index, Reply.from_probability(0.9)) for index, _ in enumerate(questions))


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that are opened; changes of a moment ago count as old ones."""
    names, opening = [], files.open_regular

    def open_regular(path):
        names.append(path.name)
        return opening(path)

    for module in (files, images):
        monkeypatch.setattr(module, "open_regular", open_regular)
    monkeypatch.setattr(files, "_SETTLED", 0)
    monkeypatch.setattr(files, "_digests", {})
    return names


@pytest.fixture
def folders(tmp_path):
    for number in range(3):
        write_png(Image.new("RGB", (8, 8), (number, 1, 0)), tmp_path / "G" / "dog" / "oil" / f"{number}.png")
    for folder in ("subjects/dog", "styles/oil"):
        write_png(Image.new("RGB", (8, 8), (9, 2, len(folder))), tmp_path / "R" / folder / f"{folder[:4]}.png")
    return tmp_path / "G", tmp_path / "R"


def run(folders, database, critic=None):
    """Judge as the first command of a process does."""
    files._digests.clear()
    with Store(database) as store:
        return judge(present_targets(store, from_folders(*folders)), critic or Yes(), PAPER, VerdictStore(store))


def test_a_run_that_knows_all_verdicts_opens_no_file(folders, opened, tmp_path):
    assert run(folders, tmp_path / "a.db").replies == 6
    assert set(opened) == {"0.png", "1.png", "2.png", "subj.png", "styl.png"}
    opened.clear()
    again = run(folders, tmp_path / "a.db")
    assert (again.existing, again.replies, opened) == (6, 0, [])


def test_a_report_of_folders_reads_no_file_that_was_judged_and_keeps_nothing(folders, opened, tmp_path):
    run(folders, tmp_path / "a.db")
    (tmp_path / "R" / "styles" / "oil" / "styl.png").touch()
    files._digests.clear()
    opened.clear()
    before = (tmp_path / "a.db").read_bytes()
    with Store(tmp_path / "a.db", read_only=True) as store:
        (judge,) = VerdictStore(store).judges()
        pictures = JudgedTargets(from_folders(*folders), VerdictStore(store)).pictures(judge)
    assert [picture.correct for picture in pictures] == [True] * 3
    assert opened == ["styl.png"]
    assert (tmp_path / "a.db").read_bytes() == before


def test_a_file_of_other_bytes_is_another_also_where_its_size_and_date_are_the_same(folders, opened, tmp_path):
    run(folders, tmp_path / "a.db")
    file = folders[0] / "dog" / "oil" / "1.png"
    before = file.stat()
    write_png(Image.new("RGB", (8, 8), (201, 1, 0)), tmp_path / "other.png")
    data = (tmp_path / "other.png").read_bytes()
    assert len(data) == before.st_size
    file.write_bytes(data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    opened.clear()
    again = run(folders, tmp_path / "a.db")
    assert (again.existing, again.replies, set(opened)) == (4, 2, {"1.png"})


def test_a_file_that_has_just_changed_is_read_again(folders, opened, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_SETTLED", 60 * 10**9)
    run(folders, tmp_path / "a.db")
    opened.clear()
    assert run(folders, tmp_path / "a.db").replies == 0
    assert sorted(opened) == ["0.png", "1.png", "2.png", "styl.png", "subj.png"]  # its bytes; nothing is decoded


@pytest.mark.parametrize("change", ["side", "reader"])
def test_what_is_seen_in_another_way_is_looked_at_again(folders, opened, tmp_path, monkeypatch, change):
    run(folders, tmp_path / "a.db")
    if change == "reader":
        monkeypatch.setattr("judge.sights.READER", "another Pillow")
    opened.clear()
    outcome = run(folders, tmp_path / "a.db", Yes(4 if change == "side" else 512))
    assert len(opened) >= 5
    assert outcome.existing == (0 if change == "side" else 6)


def test_what_another_package_shows_is_not_kept(folders, opened, tmp_path):
    class Mirrored(Preparation):
        def __call__(self, path):
            return super().__call__(path)

    paths = [target.image for target in from_folders(*folders)]
    with Store(tmp_path / "a.db") as store:
        VerdictStore(store)
        look_at(paths, Mirrored(), store)
        assert store.rows("SELECT * FROM pixel_digests") == []
        look_at(paths, Preparation(), store)
        assert len(store.rows("SELECT * FROM pixel_digests")) == 3


def test_what_was_seen_before_an_interruption_is_kept(folders, opened, tmp_path):
    paths, preparation = [target.image for target in from_folders(*folders)], Preparation()
    kept = preparation._kept

    def stop(path, *state):
        if path == paths[2]:
            raise KeyboardInterrupt
        return kept(path, *state)

    preparation._kept = stop
    with Store(tmp_path / "a.db") as store:
        VerdictStore(store)
        with suppress(KeyboardInterrupt):
            look_at(paths, preparation, store)
        assert [
            store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in ("pixel_digests", "file_digests")
        ] == [2, 3]


def test_what_cannot_be_seen_is_said_and_looked_at_again(folders, opened, tmp_path):
    broken, gone = tmp_path / "broken.png", tmp_path / "gone.png"
    broken.write_bytes(b"no picture")
    with Store(tmp_path / "a.db") as store:
        VerdictStore(store)
        for _ in range(2):
            sights = look_at([broken, gone], Preparation(), store)
            assert isinstance(sights[broken], ImageError)
            assert sights[gone] is None
        assert opened.count("broken.png") >= 3  # its bytes once, its pixels each time


def test_rows_that_are_no_digests_are_none(folders, opened, tmp_path):
    run(folders, tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store, store.writing():
        store.db.execute("UPDATE file_digests SET sha256 = 'x', state = '1-2'")
    opened.clear()
    assert run(folders, tmp_path / "a.db").existing == 6
    assert len(opened) == 5


def test_a_key_is_the_digest_of_its_facts():
    identity, pixels = {"critic": "b", "backend": 'ü"}', "side": "512"}, ("1" * 64, "2" * 64)
    key = VerdictKey("style", "paper-1", 'Is it "oil"? }', "i", "r", pixels, "oil")
    facts = {"identity": identity, "prompt": key.prompt, "shown": pixels}
    assert key.digest(identity) == digest_of_facts(facts)
    assert key.digest(identity) == key.digest(dict(reversed(identity.items())))


def test_what_is_shown_of_files_is_what_reading_says(tmp_path):
    """Where one of these changes, raise ``images.READING``: databases hold digests of what was shown before."""
    turned = Image.Exif()
    turned[0x0112] = 6
    ramp = Image.frombytes("L", (6, 4), bytes(range(0, 240, 10)))
    pictures = {
        "turned": (ramp.convert("RGB"), {"exif": turned}),
        "clear": (Image.merge("RGBA", [ramp, ramp, ramp, ramp]), {}),
        "deep": (Image.frombytes("I;16", (6, 4), bytes(range(48))), {}),
        "plain": (ramp, {}),
    }
    digests = {}
    for name, (picture, options) in pictures.items():
        picture.save(tmp_path / f"{name}.png", **options)
        digests[name] = Preparation()(tmp_path / f"{name}.png").digest[:12]
    assert (images.READING, digests) == (
        1,
        {"turned": "1632cc269134", "clear": "40a1ac4fd58d", "deep": "15de34c5de37", "plain": "01521e86568e"},
    )
