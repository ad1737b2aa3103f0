"""Whatever lies where a command looks for a file, it ends in one line, with no traceback and nothing said twice."""

import errno
import os
import shlex
import sqlite3
import zipfile

import pytest
from PIL import Image
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store

LINES = [  # each refuses before a model is loaded, whatever is wrong with BAD
    "merge BAD BAD -o m.safetensors",
    "merge BAD BAD -o m --all",
    "convert BAD -o m.safetensors",
    "inspect BAD",
    "coefficients BAD BAD -o c.safetensors",
    "generate --prompt x --lora BAD",
    "bench run BAD",
    "bench plan BAD",
    "pictures import BAD --name mine",
    "judge run --generated BAD --references BAD",
    "judge report --db BAD",
    "judge check --db BAD",
    "study report x --db BAD",
    "study run BAD.zip --rater A",
    "study import BAD",
    "train loras BAD --images . -o loras",
    "train means BAD --contents . --styles .",
    "db check --db BAD",
    "db forget plan x --db BAD",
    "backup -o b.db --db BAD",
]


def no_file(place):
    pass


def empty(place):
    place.write_bytes(b"")


def noise(place):
    place.write_bytes(bytes(range(256)) * 8)


def picture(place):
    Image.new("RGB", (8, 8)).save(place, "PNG")


def cut(place):
    place.write_bytes((2**20).to_bytes(8, "little") + b'{"a.lora_A.weight": {"dtype": "F32"')


def text(place):
    place.write_text("title = [\n")


def other_encoding(place):
    place.write_bytes("title = 'x'".encode("utf-16"))


def folder(place):
    place.mkdir()


def dead_link(place):
    place.symlink_to("nowhere")


def ring(place):
    place.symlink_to(place.name)


def archive(place):
    with zipfile.ZipFile(place, "w") as file:
        file.writestr("a.txt", "x")


def foreign_database(place):
    database = sqlite3.connect(place)
    database.execute("CREATE TABLE mine (a)")
    database.commit()
    database.close()


KINDS = [no_file, empty, noise, picture, cut, text, other_encoding, folder, dead_link, ring, archive, foreign_database]
SOUND = {("db check", empty), ("backup", empty)}  # an empty file is an empty database


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("line", LINES)
def test_a_wrong_file_is_one_line(line, kind, run, tmp_path):
    ending = ".zip" if ".zip" in line else ""
    kind(tmp_path / f"bad{ending}")
    done = run(*shlex.split(line.replace("BAD", "bad")))
    assert not isinstance(done.exception, Exception), done.exception
    if not any(line.startswith(words) and kind is its for words, its in SOUND):
        assert done.exit_code in (1, 2), done.output
        assert done.stderr.count("\n") == 1 and done.stderr.strip() and done.stdout == ""


@pytest.mark.parametrize("line", LINES)
def test_a_name_that_is_too_long_is_one_line(line, run):
    done = run(*shlex.split(line.replace("BAD", "x" * 300)))
    assert done.exit_code == 1 and done.stderr.count("\n") == 1


def test_a_pipe_is_no_lora_and_is_not_waited_for(run, tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    done = run("inspect", "pipe.safetensors")
    assert done.exit_code == 1 and "pipe.safetensors is not a file" in done.stderr


def test_a_link_that_leads_nowhere_is_said_to_be_one(run, tmp_path):
    (tmp_path / "dog.safetensors").symlink_to("gone.safetensors")
    (tmp_path / "dogs.safetensors").symlink_to("gone.safetensors")
    assert "dog.safetensors is a link to gone.safetensors, where" in run("inspect", "dog.safetensors").stderr
    assert "did you mean" not in run("inspect", "dogg.safetensors").stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "System: No space left on device\n"),
        (PermissionError(errno.EACCES, "Permission denied", "out/a.png"), "System: out/a.png: Permission denied\n"),
        (OSError(errno.EIO, "Input/output error", 7), "System: Input/output error\n"),
        (OSError(errno.EIO, "Input/output error", b"caf\xe9"), "System: caf\\xe9: Input/output error\n"),
    ],
)
def test_what_the_system_refuses_is_one_line(error, words, run, monkeypatch):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("lorarar.store.backup.write_backup", fail)
    Store("lorarar.db").close()
    done = run("backup", "-o", "b.db")
    assert (done.exit_code, done.stderr) == (1, words)


def test_an_option_that_is_missing_is_said_without_a_guess():
    done = CliRunner().invoke(app, ["backup"])
    assert "-o/--out is missing" in done.stderr and "did you mean" not in done.stderr
