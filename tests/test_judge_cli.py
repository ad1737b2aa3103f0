"""``lorarar judge run`` as people run it: Pocket's own critic on true pictures, killed, repeated, misused."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image
from typer.testing import CliRunner

from judge.critics.local.critic import LocalCritic
from lorarar.cli.main import app
from lorarar.pictures.images import write_png
from lorarar.pocket import shipped
from lorarar.pocket.concepts import slug, style_named, subject_named
from lorarar.pocket.ground_truth import true_picture
from lorarar.store import Store
from tests.served_judge import served_judge

SUBJECTS = [subject_named("teapot"), subject_named("cat #2")]
STYLE = style_named("glowing")
CASES = 22  # 4 pictures x (5 + 1) references; two pictures are one file, asked about their style once


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The true teapot and cat, each once under its own name and once under the other's; with their references."""
    folder = tmp_path_factory.mktemp("pictures")
    for subject, other in (SUBJECTS, SUBJECTS[::-1]):
        place = folder / "made" / slug(subject.name) / STYLE.name
        write_png(true_picture(subject, STYLE), place / "right.png")
        write_png(true_picture(other, STYLE), place / "wrong.png")
        copy(shipped.content_lora(slug(subject.name)), folder / "given" / "subjects" / slug(subject.name))
    copy(shipped.style_lora(STYLE.name), folder / "given" / "styles" / STYLE.name)
    return folder


def copy(lora, folder):
    folder.mkdir(parents=True)
    for path in shipped.references(lora):
        (folder / path.name).write_bytes(path.read_bytes())


@pytest.fixture
def arguments(folders, tmp_path, monkeypatch):
    """Of a run on the folders with everything in a place of its own."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    where = ["--generated", str(folders / "made"), "--references", str(folders / "given")]
    named = [part for kind in ("critic", "clip", "dino") for part in (f"--{kind}", "pocket")]
    return ["judge", "run", *where, "--device", "cpu", "--db", str(tmp_path / "a.db"), *named]


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_folders_are_judged_and_nothing_twice(arguments, tmp_path, monkeypatch):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["pictures"] == 4
    assert (said["mars2"]["cases"], said["mars2"]["found"], said["mars2"]["failed"]) == (CASES, 0, 0)
    assert {said[name]["measured"] for name in ("clip-i", "dino")} == {4}
    assert said["clip-t"]["measured"] == 0  # folders say no prompt
    with Store(tmp_path / "a.db") as store:
        rows = store.rows("SELECT image, avg(probability) AS yes FROM verdicts WHERE aspect = 'subject' GROUP BY image")
        assert len(rows) == 2  # the true cat is the same file under both names
        (kept,) = store.rows("SELECT identity, version FROM judges")
    identity = json.loads(kept["identity"])
    assert (identity["critic"], identity["image mode"], identity["answer"]) == ("pocket", "pad", "logits")
    monkeypatch.setattr(LocalCritic, "reader", property(lambda _: pytest.fail("the critic is loaded")))
    monkeypatch.setattr(
        "transformers.PreTrainedModel.from_pretrained", lambda *_, **__: pytest.fail("a model is loaded")
    )
    again = json.loads(run(*arguments, "--json").stdout)
    assert (again["mars2"]["found"], again["mars2"]["asked"]) == (CASES, 0)
    assert (again["dino"]["found"], again["dino"]["measured"]) == (4, 0)
    report = json.loads(run("judge", "report", *arguments[2:6], *arguments[8:10], "--format", "json").stdout)
    assert report["groups"][0]["images"] == 4
    assert report["backbones"].keys() == {"clip-i", "dino"}


def test_other_prompts_and_another_image_mode_are_judged_anew(arguments):
    for options in ((), ("--prompts", "code"), ("--image-mode", "anyres")):
        said = json.loads(run(*arguments, "--metrics", "mars2", "--json", *options).stdout)["mars2"]
        assert (said["found"], said["asked"]) == (0, CASES)


def test_a_killed_run_goes_on_where_it_was(arguments, tmp_path, note):
    command = [sys.executable, "-m", "lorarar", *arguments, "--metrics", "mars2", "--batch", "1", "--json"]
    slow = "import runpy, sys, time, judge.critics.local.critic as l; old = l.LocalCritic._read\n"
    slow += "l.LocalCritic._read = lambda *a: (time.sleep(0.3), old(*a))[1]\n"
    slow += f"sys.argv = {['lorarar', *arguments, '--metrics', 'mars2', '--batch', '1']!r}\n"
    slow += "runpy.run_module('lorarar', run_name='__main__')"
    killed = 0
    for wanted in (4, 12):
        process = subprocess.Popen([sys.executable, "-c", slow], stderr=subprocess.DEVNULL, env=os.environ)
        deadline = time.monotonic() + 90
        while clear(tmp_path / "a.db") < wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = clear(tmp_path / "a.db")
        assert wanted <= killed < CASES
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)["mars2"]
    assert (said["cases"], said["found"], said["asked"]) == (CASES, killed, CASES - killed)
    assert clear(tmp_path / "a.db") == CASES
    with Store(tmp_path / "a.db") as store:
        assert store.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    note(f"judge run killed twice: {killed} of {CASES} verdicts kept, {CASES - killed} asked, none twice")


def clear(db):
    if not db.exists():
        return 0
    with Store(db) as store:
        if not store.rows("SELECT 1 FROM sqlite_master WHERE name = 'verdicts'"):
            return 0
        return store.rows("SELECT count(*) AS n FROM verdicts WHERE status = 'ok'")[0]["n"]


def test_an_unreadable_picture_fails_alone_and_is_tried_again(arguments, folders, tmp_path):
    broken = folders / "made" / "teapot" / "glowing" / "broken.png"
    whole = (folders / "made" / "teapot" / "glowing" / "right.png").read_bytes()
    broken.write_bytes(whole[:200])
    try:
        result = run(*arguments, "--json")
        assert result.exit_code == 1
        said = json.loads(result.stdout)
        assert (said["mars2"]["cases"], said["mars2"]["failed"]) == (CASES + 6, 6)
        assert f"{CASES} of {CASES + 6} questions have a clear verdict (6 failed); mostly:" in result.stderr
        assert "broken.png is not a sound" in result.stderr
        assert (said["dino"]["measured"], len(said["dino"]["faults"])) == (4, 1)
        Image.new("RGB", (64, 64), (9, 9, 9)).save(broken)
        again = json.loads(run(*arguments, "--json").stdout)
        assert (again["mars2"]["found"], again["mars2"]["asked"], again["mars2"]["failed"]) == (CASES, 6, 0)
        assert (again["dino"]["found"], again["dino"]["measured"]) == (4, 1)
    finally:
        broken.unlink()


def test_a_server_is_asked_by_its_address(arguments, tmp_path):
    with served_judge() as server:
        served = [*arguments[:6], *arguments[8:10], *arguments[12:]]  # without a device, and without Pocket's critic
        options = ("--critic", server.url, "--metrics", "mars2", "--json", "--concurrency", "3")
        said = json.loads(run(*served, *options, "--model", "logprobs").stdout)["mars2"]
        assert (said["asked"], said["failed"]) == (CASES, 0)
        result = run(*served, *options, "--model", "prose")
        said = json.loads(result.stdout)["mars2"]
        assert (said["asked"], said["unparsed"], result.exit_code) == (CASES, CASES, 1)
        assert (
            f"none of {CASES} questions has a clear verdict ({CASES} unparsed); mostly: prose: the answer is"
            in result.stderr
        )
    result = run(*served, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not answer" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--metrics", "mars3"), "--metrics is 'mars3'; accepted is a list of mars2, clip-i, dino, clip-t"),
        (("--prompts", "nobody"), "no prompts nobody; accepted are paper, code and a TOML file"),
        (("--image-mode", "square"), "--image-mode is 'square'; accepted are anyres, pad"),
        (("--critic", "nobody"), "none of pocket, llava-critic-7b, qwen3-vl-8b"),
        (("--images", "row=direct"), "--images filters the database's pictures"),
        (("--device", "nothing"), "no device nothing"),
    ],
)
def test_what_is_not_accepted_is_said_in_one_line(arguments, options, message):
    result = run(*arguments, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_empty_database_says_what_to_do(tmp_path):
    Store(tmp_path / "a.db").close()
    result = run("judge", "run", "--db", str(tmp_path / "a.db"))
    assert result.exit_code == 1
    assert "has no pictures of a grid" in result.stderr
    result = run("judge", "run", "--generated", str(tmp_path), "--db", str(tmp_path / "a.db"))
    assert "--generated and --references go together" in result.stderr
