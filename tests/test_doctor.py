"""What the doctor says of a sound machine, and of each thing that can be lacking."""

import json
import shutil
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lorarar.doctor import bases, packages
from lorarar.families import FAMILIES
from lorarar.pocket import shipped
from lorarar.store import Store
from lorarar.util.hub_cache import has_weights

from .test_contracts import loaded

HEADINGS = {"packages", "torch", "memory", "disks", "caches", "terminal", "bases", "database"}


@pytest.fixture
def examine(run):
    """The doctor's record and exit code, with what is said of a thing by its heading and name."""

    def examine(*arguments):
        done = run("doctor", "--json", *arguments)
        record = json.loads(done.stdout)
        seen = {(heading, one["name"]): one for heading, them in record["checkups"].items() for one in them}
        return done, record, seen

    return examine


def no_network(*_):
    raise AssertionError("the network was asked")


def test_a_sound_machine_runs_pocket_and_what_is_lacking_has_what_mends_it(examine, monkeypatch, tmp_path):
    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    done, record, seen = examine()
    assert done.exit_code == 0, done.output
    assert record["pocket"] is True and record["checkups"].keys() == HEADINGS
    assert {name for heading, name in seen if heading == "bases"} == set(FAMILIES)
    assert {one["state"] for one in seen.values()} <= {"ok", "lacking"}
    assert all(one["mend"] for one in seen.values() if one["state"] != "ok")
    assert seen["bases", "sdxl"]["state"] == "ok" or "hf download stabilityai/" in seen["bases", "sdxl"]["mend"]
    assert not list(tmp_path.iterdir()), "looking makes nothing"


def test_people_see_every_heading_and_how_each_thing_is(run):
    done = run("doctor")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0 and {line for line in lines if not line.startswith(" ")} == HEADINGS
    assert all(line.split()[0] in ("ok", "--", "!!", "mend:") for line in lines if line.startswith(" "))
    assert "Pocket can run" in done.stderr


@pytest.mark.parametrize(
    ("requirement", "name", "state", "code"),
    [
        ("nothing-of-this-name>=2", "lorarar", "fault", 1),
        ("torch>=900", "lorarar", "fault", 1),
        ('nothing-of-this-name>=2; extra == "charts"', "extra charts", "lacking", 0),
        ('nothing-of-this-name>=2; python_version < "3" and extra == "charts"', None, "ok", 0),
    ],
)
def test_a_package_that_is_not_there_is_a_fault_where_pocket_needs_it(
    examine, monkeypatch, requirement, name, state, code
):
    monkeypatch.setattr(packages, "requires", lambda _: ["numpy>=2", requirement])
    done, record, seen = examine()
    assert (done.exit_code, record["pocket"]) == (code, code == 0)
    if name is not None:
        one = seen["packages", name]
        assert one["state"] == state and requirement.split(";")[0] in one["mend"]
    assert ("packages", "extra charts") in seen or name != "extra charts"


def test_a_torch_that_cannot_be_imported_is_a_fault_in_one_line(examine, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    done, _, seen = examine()
    assert done.exit_code == 1 and seen["torch", "torch"]["state"] == "fault"
    assert done.stderr.startswith("Doctor: Pocket cannot run here as it is: torch;") and done.stderr.count("\n") == 1


def test_a_pocket_without_its_weights_is_a_fault_that_names_them(examine, monkeypatch, tmp_path):
    shutil.copytree(shipped.BASE, tmp_path / "base")
    next((tmp_path / "base/unet").glob("*.safetensors")).unlink()
    monkeypatch.setattr(shipped, "BASE", tmp_path / "base")
    monkeypatch.setattr(shipped, "HYPERNET", tmp_path / "gone.safetensors")
    done, _, seen = examine()
    assert done.exit_code == 1
    assert seen["bases", "pocket"]["words"].startswith("its unet, gone.safetensors are not at")


def test_a_base_is_here_with_all_its_models_alone(monkeypatch, tmp_path):
    family = FAMILIES["sdxl"]
    monkeypatch.setattr(
        bases, "cached_file", lambda repository, *_: tmp_path / "i.json" if "xl-base" in repository else None
    )

    def sdxl():
        return next(one for one in bases.bases() if one.name == "sdxl")

    for name in (*family.modules.adapted, bases.VAE):
        assert sdxl().state == "lacking" and name in sdxl().words and "hf download" in sdxl().mend
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.fp16.safetensors").write_bytes(b"x")
    assert sdxl().state == "ok"


def test_weights_in_parts_are_there_with_all_their_parts(tmp_path):
    names = [f"model-0000{part}-of-00002.safetensors" for part in (1, 2)]
    (tmp_path / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict(zip("ab", names, strict=True))})
    )
    for name in names:
        assert not has_weights(tmp_path)
        (tmp_path / name).write_bytes(b"x")
    assert has_weights(tmp_path) and not has_weights(tmp_path / "nowhere")


def test_the_database_is_said_to_be_what_it_is_and_stays_so(examine, tmp_path):
    old, foreign = tmp_path / "old.db", tmp_path / "foreign.db"
    Store(old).close()
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        database.execute("UPDATE extensions SET applied = applied - 1 WHERE owner = 'studies'")
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE mine (a)")
    before = {path: path.read_bytes() for path in (old, foreign)}

    def said(path: Path) -> dict:
        done, _, seen = examine("--db", str(path))
        assert done.exit_code == 0
        return seen["database", "database"]

    assert said(old)["pending"] == {"studies": 1} and "1 step" in said(old)["words"]
    assert said(foreign)["state"] == "lacking" and "another program's" in said(foreign)["words"]
    assert said(tmp_path)["state"] == "lacking" and "none yet" in said(tmp_path / "new.db")["words"]
    assert {path: path.read_bytes() for path in before} == before and len([*tmp_path.iterdir()]) == 2


def test_no_model_library_but_torch_is_loaded():
    code = """
from typer.testing import CliRunner
from lorarar.cli.main import app
assert CliRunner().invoke(app, ["doctor"]).exit_code == 0
"""
    assert not loaded(code) & {"diffusers", "transformers", "peft", "accelerate", "scipy", "sqlite_utils"}
