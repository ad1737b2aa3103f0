"""Packets and votes that travel: what is honest comes through whole, what is hostile is refused before a write."""

import json
import signal
import stat
import subprocess
import sys
import time
import warnings
import zipfile
from dataclasses import asdict, replace

import pytest
from PIL import Image

from studies.creation.create import StudyRequest, new_study
from studies.errors import PacketError, StudyError
from studies.importing import import_vote_file
from studies.rater.packet import MANIFEST, read_packet, write_packet
from studies.rater.trials import trials_of
from studies.rater.votes import Screen
from studies.sessions import open_packet, open_study
from studies.store import RaterStore, StudyStore, VoteStore

from .studies_database import make_packet

SCREEN = Screen("kitty", columns=200, rows=50, cell_width=9, cell_height=18, picture_width=512, picture_height=512)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make_packet(tmp_path_factory.mktemp("grid"))


def answer(session, count=10**6, what="left"):
    session.consent()
    while count and session.current():
        session.vote(what, 0.5, SCREEN)
        count -= 1


def count(store, table="study_votes"):
    return store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]


def test_a_packet_holds_no_method_no_name_and_no_time(packet):
    data = packet.read_bytes()
    for word in (b"alpha", b"beta", b"glowing", b"first", b"owl", b"tEXt", b"iTXt"):
        assert word not in data
    with zipfile.ZipFile(packet) as archive:
        names = archive.namelist()
        assert names == [MANIFEST, *sorted(names[1:])]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_equal_studies_are_equal_packets(packet, store, tmp_path):
    studies = StudyStore(store)
    study = studies.get("first")
    again = write_packet(study.design, {d: studies.picture(d) for d in study.design.pictures}, tmp_path / "again.zip")
    assert again.read_bytes() == packet.read_bytes()
    assert read_packet(packet)[0] == study.design


def test_votes_come_home_and_do_so_once(packet, store):
    session = open_packet(packet, "far-1")
    answer(session, 3)
    session.undo()
    session.vote("right", 1, SCREEN)
    again = open_packet(packet, "FAR-1")
    assert again.progress.done == 3
    answer(again)
    file = packet.with_name("p-FAR-1.jsonl")
    first = import_vote_file(store, file)
    assert (first.votes, first.known, first.raters, first.studies) == (session.progress.total + 1, 0, 1, ("first",))
    second = import_vote_file(store, file)
    assert (second.votes, second.known) == (0, first.votes)
    at_home = open_study(store, "first", "FAR-1")
    assert at_home.finished
    at_home_study = StudyStore(store).get("first")
    assert VoteStore(store, at_home_study).of("FAR-1")[2].answer == "left"
    trials = trials_of(at_home.design, "FAR-1")
    for row in store.rows("SELECT * FROM study_votes"):
        trial = trials[row["trial"]]
        # what a packet does not tell, which items are checks, the study knows
        purpose = "attention" if trial.item.number in at_home_study.checks else trial.purpose
        assert (row["item"], row["purpose"], row["mirrored"]) == (trial.item.number, purpose, trial.mirrored)


def test_colours_come_home_with_a_vote_and_are_unknown_where_it_does_not_say_them(packet, store):
    session = open_packet(packet, "HUES")
    session.consent()
    session.vote("left", 1, replace(SCREEN, colours=256))
    session.vote("left", 1, SCREEN)
    file = packet.with_name("p-HUES.jsonl")
    consent, first, second = file.read_text().splitlines(keepends=True)
    assert '"colours":256' in first
    file.write_text(consent + first + second.replace(',"colours":0', ""))  # as older versions wrote it
    assert import_vote_file(store, file).votes == import_vote_file(store, file).known == 2
    with store.writing():
        store.db.execute("UPDATE study_votes SET screen = json_remove(screen, '$.colours') WHERE trial = 1")
    assert [vote.screen.colours for vote in VoteStore(store, StudyStore(store).get("first")).of("HUES")] == [256, 0]


def test_files_of_several_raters_can_be_joined_and_come_in_parts(packet, store):
    for code in ("ONE", "TWO"):
        answer(open_packet(packet, code), 4)
    joined = b"".join(packet.with_name(f"p-{code}.jsonl").read_bytes() for code in ("ONE", "TWO"))
    file = packet.with_name("all.jsonl")
    file.write_bytes(joined)
    assert import_vote_file(store, file).votes == 8
    answer(open_packet(packet, "ONE"), 2)
    assert import_vote_file(store, packet.with_name("p-ONE.jsonl")).votes == 2


def test_a_deleted_rater_does_not_come_back(packet, store):
    answer(open_packet(packet, "GONE"), 4)
    file = packet.with_name("p-GONE.jsonl")
    import_vote_file(store, file)
    studies = StudyStore(store)
    RaterStore(store, studies.get("first")).delete("GONE")
    done = import_vote_file(store, file)
    assert (done.votes, done.withdrawn) == (0, 4)
    assert count(store) == count(store, "study_raters") == 0


def test_a_torn_last_line_is_cut_off_and_the_vote_given_again(packet, store):
    answer(open_packet(packet, "TORN"), 3)
    file = packet.with_name("p-TORN.jsonl")
    file.write_bytes(file.read_bytes()[:-20])
    assert import_vote_file(store, file).votes == 2
    session = open_packet(packet, "TORN")
    assert session.progress.done == 2
    answer(session)
    assert file.read_bytes().count(b"\n") == session.progress.total + 1
    assert import_vote_file(store, file).votes == session.progress.total - 2


def lines_of(packet, code="LINE", votes=3):
    answer(open_packet(packet, code), votes)
    return [json.loads(line) for line in packet.with_name(f"p-{code}.jsonl").read_text().splitlines()]


def changed(number, **values):
    def change(lines):
        lines[number] = {k: v for k, v in (lines[number] | values).items() if v is not None}

    return change


HOSTILE_VOTES = {
    "another study": (changed(1, study="0" * 64), "not here"),
    "no digest": (changed(1, study="../x"), "line 2"),
    "a hostile code": (changed(1, rater="'; DROP TABLE study_votes; --"), "line 2"),
    "a simulated rater": (changed(1, rater="SIM-001"), "simulated"),
    "an unknown answer": (changed(2, answer="\x1b]52;c;x\x07"), "line 3"),
    "an answer of the other kind": (changed(2, answer="both"), "no trial 1 that can be answered by both"),
    "a trial that is not there": (changed(2, trial=999), "no trial 999"),
    "a negative trial": (changed(2, trial=-1), "line 3"),
    "text for a number": (changed(2, seconds="soon"), "line 3"),
    "an endless time": (changed(2, seconds=1e300), "line 3"),
    "a lying renderer": (changed(2, screen={"renderer": "\x1b[31m"}), "line 3"),
    "more colours than there are": (changed(2, screen={**asdict(SCREEN), "colours": 256**3 + 1}), "line 3"),
    "a field too many": (changed(2, method="alpha"), "line 3"),
    "half a vote": (changed(2, day=None), "line 3"),
    "two votes on one trial": (changed(2, trial=0), "another vote already"),
    "a vote that follows none": (changed(2, supersedes="0" * 32), "another vote already"),
    "one id twice": (lambda lines: changed(2, id=lines[1]["id"])(lines), "is another one here"),
    "no consent": (lambda lines: lines.pop(0), "no consent"),
}


@pytest.mark.parametrize("what", HOSTILE_VOTES)
def test_hostile_votes_are_refused_whole(packet, store, what):
    change, message = HOSTILE_VOTES[what]
    lines = lines_of(packet)
    change(lines)
    file = packet.with_name("bad.jsonl")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(PacketError, match=message) as caught:
        import_vote_file(store, file)
    assert "\x1b" not in str(caught.value)
    assert count(store) == count(store, "study_raters") == 0


@pytest.mark.parametrize("text", [b"", b"\x00\xff\n", b"[]\n", b"NaN\n", b"{" * 5000 + b"\n", b"[" * 3000 + b"\n"])
def test_what_is_no_file_of_votes_is_refused(packet, store, text):
    file = packet.with_name("bad.jsonl")
    file.write_bytes(text)
    with pytest.raises(PacketError):
        import_vote_file(store, file)
    with pytest.raises(PacketError, match="cannot read"):
        import_vote_file(store, packet.with_name("none.jsonl"))


def test_votes_of_another_rater_are_not_taken_for_ones_own(packet):
    answer(open_packet(packet, "ONE"), 2)
    with pytest.raises(PacketError, match="another study or rater"):
        open_packet(packet, "TWO", packet.with_name("p-ONE.jsonl"))


@pytest.mark.parametrize("text", [b'{"precious": 1}', b"precious", b'{"study":"x"}\nmore'])
def test_a_file_that_is_no_file_of_votes_keeps_what_it_holds(packet, text):
    file = packet.with_name("mine.json")
    file.write_bytes(text)
    with pytest.raises(PacketError):
        open_packet(packet, "ONE", file).consent()
    assert file.read_bytes() == text


def test_two_windows_on_one_file_lose_nothing(packet):
    one, two = (open_packet(packet, "BOTH") for _ in range(2))
    one.consent()
    two.reload()
    one.vote("left", 1, SCREEN)
    with pytest.raises(StudyError, match="another window"):
        two.vote("right", 1, SCREEN)


def rebuilt(packet, change):
    """The packet with its members passed through ``change``: a list of (ZipInfo, bytes)."""
    with zipfile.ZipFile(packet) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(packet, "w") as archive:
            for info, data in change(members):
                archive.writestr(info, data)


def with_manifest(**changes):
    def change(members):
        manifest = json.loads(members[0][1]) | changes
        return [(members[0][0], json.dumps(manifest).encode()), *members[1:]]

    return change


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def deflated(name, data):
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info, data


def renamed(members):
    info, data = members[1]
    return [members[0], (zipfile.ZipInfo(members[2][0].filename), data), *members[3:], (info, members[2][1])]


HOSTILE_PACKETS = {
    "a path upwards": (lambda m: [*m, (zipfile.ZipInfo("../../evil.png"), b"x")], "holds '../../evil.png'"),
    "an absolute path": (lambda m: [*m, (zipfile.ZipInfo("/etc/evil"), b"x")], "holds '/etc/evil'"),
    "a folder": (lambda m: [*m, (zipfile.ZipInfo("a/"), b"")], "holds 'a/'"),
    "a link": (lambda m: [*m, link("a" * 64 + ".png", b"/etc/passwd")], "too many"),
    "a link for a picture": (lambda m: [*m[:-1], link(m[-1][0].filename, b"/etc/passwd")], "was changed"),
    "a name twice": (lambda m: [*m, m[-1]], "a name twice"),
    "a bomb": (lambda m: [*m, deflated("b" * 64 + ".png", bytes(10**7))], "would grow"),
    "a bomb for a manifest": (lambda m: [deflated(MANIFEST, b" " * 10**6), *m[1:]], "would grow"),
    "a picture missing": (lambda m: m[:-1], "lacks 1 pictures"),
    "a picture too many": (lambda m: [*m, (zipfile.ZipInfo("c" * 64 + ".png"), b"x")], "1 too many"),
    "pictures exchanged": (renamed, "was changed"),
    "no manifest": (lambda m: m[1:], "no manifest.json"),
    "control codes in a name": (lambda m: [*m, (zipfile.ZipInfo("\x1b[31m.png"), b"x")], "holds"),
    "a manifest of nothing": (with_manifest(items=[]), "not that of a study"),
    "a manifest of more": (with_manifest(method="alpha"), "not that of a study"),
    "another format": (with_manifest(format="lorarar-study-9"), "format"),
    "an unknown kind": (with_manifest(kind="pairwise"), "kind"),
    "endless repeats": (with_manifest(repeats=99), "repeats"),
    "paths for digests": (with_manifest(items=[["plain", "../a", "../b", "../c", "../d"]]), "by digests"),
    "control codes in words": (
        with_manifest(wording={"instruction": "\x1b]52;c;aGk=\x07", "consent": "ok", "tie": "Similar"}),
        "control codes",
    ),
    "an overlong text": (with_manifest(wording={"instruction": "x" * 9999, "consent": "ok", "tie": "ok"}), "4000"),
}


@pytest.mark.parametrize("what", HOSTILE_PACKETS)
def test_hostile_packets_are_refused_and_nothing_is_written(packet, what):
    change, message = HOSTILE_PACKETS[what]
    rebuilt(packet, change)
    started = time.monotonic()
    with pytest.raises(PacketError, match=message):
        open_packet(packet, "ABC")
    assert time.monotonic() - started < 0.5
    assert [path.name for path in packet.parent.iterdir()] == ["p.zip"]


def with_picture(packet, picture, form):
    """The packet with another last picture, under its own digest."""
    import hashlib
    from io import BytesIO

    with zipfile.ZipFile(packet) as archive:
        old = archive.namelist()[-1].removesuffix(".png")
        manifest = archive.read(MANIFEST)
    buffer = BytesIO()
    picture.save(buffer, form)
    name = hashlib.sha256(buffer.getvalue()).hexdigest()
    text = manifest.replace(old.encode(), name.encode())
    rebuilt(packet, lambda m: [(m[0][0], text), *m[1:-1], (zipfile.ZipInfo(f"{name}.png"), buffer.getvalue())])


def test_a_picture_of_another_format_in_a_packet_is_refused(packet):
    with_picture(packet, Image.new("RGB", (16, 16)), "JPEG")
    with pytest.raises(PacketError, match="no sound picture"):
        open_packet(packet, "ABC")


def test_damage_in_a_packet_that_was_packed_again_is_refused(packet):
    rebuilt(packet, lambda m: [deflated(info if isinstance(info, str) else info.filename, data) for info, data in m])
    whole = packet.read_bytes()
    refused = 0
    for at in range(60, len(whole) - 400, 37):
        packet.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:  # a byte that says nothing may change
            read_packet(packet)
        except PacketError:
            refused += 1
    assert refused > 5


def test_an_image_bomb_in_a_packet_is_refused(packet):
    with_picture(packet, Image.new("1", (12000, 12000)), "PNG")
    started = time.monotonic()
    with pytest.raises(PacketError, match="no sound picture"):
        open_packet(packet, "ABC")
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"x" * 1000])
def test_what_is_no_zip_is_refused(tmp_path, data):
    (tmp_path / "p.zip").write_bytes(data)
    with pytest.raises(PacketError, match="sound zip"):
        read_packet(tmp_path / "p.zip")
    with pytest.raises(PacketError, match="does not exist"):
        read_packet(tmp_path / "none.zip")


def test_a_truncated_packet_is_refused(packet):
    packet.write_bytes(packet.read_bytes()[:-300])
    with pytest.raises(PacketError, match="sound zip"):
        read_packet(packet)


RATE = """
import sys
from studies.sessions import open_packet
from studies.rater.votes import Screen
screen = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)
session = open_packet(sys.argv[1], "KILL")
session.consent()
while session.current():
    session.vote("left", 0.1, screen)
    print(session.progress.done, flush=True)
"""


@pytest.mark.slow
def test_sigkill_loses_no_vote_on_a_packet(store, tmp_path, note):
    studies = StudyStore(store)
    design = new_study(store, StudyRequest("large", "ab", ("alpha", "beta"), "random", items=36)).design
    packet = write_packet(design, {d: studies.picture(d) for d in design.pictures}, tmp_path / "p.zip")
    done = 0
    for attempt in range(20):
        rater = subprocess.Popen([sys.executable, "-c", RATE, packet], stdout=subprocess.PIPE, text=True)
        rater.stdout.readline()
        time.sleep(0.0002 * attempt)
        rater.send_signal(signal.SIGKILL)
        rest = rater.communicate()[0].split()
        session = open_packet(packet, "KILL")
        done = max([done, *map(int, rest)])
        assert session.progress.done >= done
        if session.finished:
            break
    note(f"{attempt + 1} kills, {done} votes acknowledged, none lost")
    answer(open_packet(packet, "KILL"))
    assert import_vote_file(store, packet.with_name("p-KILL.jsonl")).votes == session.progress.total
