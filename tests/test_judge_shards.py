"""Judging in shards: each reads one database and writes its own, and together they say what one run says."""

import json
import random
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judge.share import cost_of, share_of, task_names
from judge.targets import Target
from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.store.union.gathering import gather
from lorarar.util.shard import Shard

from .canonical_rows import canonical_rows
from .judged_plan import draw_pool

JUDGED = ["judge", "run", "--critic", "pocket", "--dino", "pocket", "--metrics", "mars2,dino", "--device", "cpu"]


def target(number, subject="a", style="b", references=1, sha256=""):
    paths = tuple(Path(f"{at}.png") for at in range(references))
    return Target(
        Path(f"{number}.png"), "row", subject, style, paths, paths[:1], "", "", sha256=sha256 or f"{number:064}"
    )


def random_targets(number):
    dice = random.Random(number)
    return [
        target(at, dice.choice("abcde"), dice.choice("xyz"), dice.randrange(1, 6), dice.choice(["", "", "", "same"]))
        for at in range(dice.randrange(1, 60))
    ]


@pytest.mark.parametrize("number", range(30))
def test_every_picture_is_one_shards_and_shares_are_even_to_within_one_task(number):
    targets, count = random_targets(number), 1 + number % 5
    dealt = [share_of(targets, Shard(at + 1, count)) for at in range(count)]
    assert sorted(id(one) for share in dealt for one in share) == sorted(map(id, targets))
    of_tasks = {}
    for name, one in zip(task_names(targets), targets, strict=True):
        of_tasks[name] = of_tasks.get(name, 0) + cost_of(one)
    totals = [sum(map(cost_of, share)) for share in dealt]
    assert max(totals) - min(totals) <= max(of_tasks.values())
    for share in dealt:
        others = [one for one in targets if all(one is not mine for mine in share)]
        assert not {(one.subject, one.style) for one in share} & {(one.subject, one.style) for one in others}
        assert not {one.digest for one in share} & {one.digest for one in others}
    order = random.Random(number).sample(targets, len(targets))
    assert [{*map(id, share_of(order, Shard(at + 1, count)))} for at in range(count)] == [
        {*map(id, share)} for share in dealt
    ]


@pytest.fixture(scope="module")
def judged(tmp_path_factory, tiny_folder):
    """Two folders with one plan's pictures: judged by one run, and by three shards that were gathered."""
    folder = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LORARAR_CACHE", str(folder / "cache"))
        draw_pool(folder / "one", tiny_folder)
        shutil.copytree(folder / "one", folder / "three")
        call([*JUDGED, "--db", str(folder / "one" / "pool.db")])
        whole = folder / "three" / "pool.db"
        before = whole.read_bytes()
        asked = [call([*JUDGED, "--db", str(whole), "--shard", f"{at}/3", "--json"])["mars2"] for at in (1, 2, 3)]
        assert whole.read_bytes() == before
        gather([Shard(at, 3).database(whole) for at in (1, 2, 3)], whole)
        yield folder, asked


def call(arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def test_verdicts_and_scores_of_shards_are_those_of_one_run(judged):
    folder, asked = judged
    one, three = (canonical_rows(folder / name / "pool.db") for name in ("one", "three"))
    assert len(one["verdicts"]) == sum(counts["asked"] for counts in asked) == 32
    assert min(counts["asked"] for counts in asked) >= 8
    assert len(one["scores"]) == 16
    assert one == three


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json"])
def test_the_report_is_the_same_to_the_byte(judged, form, monkeypatch):
    reports = []
    for name in ("one", "three"):
        monkeypatch.chdir(judged[0] / name)  # a report says the commands that go on from it, with their database
        reports.append(call(["judge", "report", "--db", "pool.db", "--format", form]))
    assert reports[0] == reports[1] != ""


def test_what_is_known_is_brought_along_and_not_asked_again(judged, tmp_path):
    copy = shutil.copytree(judged[0] / "three", tmp_path / "copy")
    counts = call([*JUDGED, "--db", str(copy / "pool.db"), "--shard", "1/2", "--json"])
    assert (counts["mars2"]["asked"], counts["mars2"]["found"], counts["dino"]["measured"]) == (0, 16, 0)
    with Store(copy / "pool.db.1-of-2") as store:
        assert store.rows("SELECT count(*) AS n FROM verdicts") == [{"n": 16}]
        assert store.rows("SELECT count(*) AS n FROM images") == [{"n": 0}]


def test_a_shard_without_a_picture_ends_well(judged, tmp_path):
    whole = shutil.copytree(judged[0] / "one", tmp_path / "copy") / "pool.db"
    result = CliRunner().invoke(app, [*JUDGED, "--db", str(whole), "--shard", "5/5"])
    assert (result.exit_code, "5/5 has none of 16 pictures" in result.stderr) == (0, True), result.output
    assert sum(gather([Shard(5, 5).database(whole)], whole).new.values()) == 0
