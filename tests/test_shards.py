"""Shares of a job are even and the same everywhere; what shards make is what one run makes, killed or not."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lorarar.bench.cells import pairs_of
from lorarar.bench.plan import read_plan
from lorarar.bench.share import cost_of, share_of, task_of
from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.store.union.gathering import gather, missing_shards
from lorarar.training.place import TrainingPlace
from lorarar.util.shard import Shard, ShardError, shard_of, shares

from .bench_plan import TRAINED, pictures, run, write_plan
from .canonical_rows import canonical_rows

RESHAPED = """
[[methods]]
method = "ziplora"
name = "reshaped"
steps = 2
strengths = [0.5, 1.0]
"""


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    """A plan of 3 rows x 2 contents x 1 style x 3 seeds on the tiny base."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    return write_plan(tmp_path, tiny_folder)


def random_costs(number):
    dice = random.Random(number)
    return {f"task {at}": dice.choice([0, 1, 1, 7, dice.randrange(10**6)]) for at in range(dice.randrange(40))}


@pytest.mark.parametrize("number", range(60))
def test_shares_hold_every_task_once_and_differ_by_no_more_than_the_dearest(number):
    costs, count = random_costs(number), random.Random(-number).randrange(1, 12)
    dealt = shares(costs, count)
    assert len(dealt) == count
    assert sorted(name for share in dealt for name in share) == sorted(costs)
    totals = [sum(costs[name] for name in share) for share in dealt]
    assert max(totals) - min(totals) <= max(costs.values(), default=0)
    shuffled = dict(random.Random(number).sample([*costs.items()], len(costs)))
    assert shares(shuffled, count) == dealt
    assert [Shard(at + 1, count).share(costs) for at in range(count)] == [frozenset(share) for share in dealt]


def test_tasks_of_one_cost_are_even_to_within_one():
    for tasks in range(30):
        sizes = [len(share) for share in shares({f"{at}": 5 for at in range(tasks)}, 7)]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.0/2", "01/2", "1/9999999"])
def test_what_is_no_shard_is_refused_with_what_is_accepted(text):
    with pytest.raises(ShardError, match="accepted is I/N, from 1/N to N/N"):
        Shard.parse(text)


def test_a_shard_has_a_database_of_its_own_beside_that_of_the_whole(tmp_path):
    shard, whole = Shard.parse(" 2/8 "), tmp_path / "a.db"
    assert (shard, str(shard)) == (Shard(2, 8), "2/8")
    assert shard.database(whole) == tmp_path / "a.db.2-of-8"
    assert (shard_of(shard.database(whole)), shard_of(whole)) == (shard, None)
    given = [Shard(number, 4).database(whole) for number in (1, 3)] + [tmp_path / "other.db"]
    assert missing_shards(given) == [Shard(number, 4).database(whole) for number in (2, 4)]


@pytest.fixture
def planned(plan_file):
    """The plan's pairs, its pictures and its base."""
    plan_file.write_text(plan_file.read_text() + TRAINED + RESHAPED)
    plan = read_plan(plan_file)
    base = plan.find_base()
    sides = [side.read(base, plan.needs) for side in (plan.contents, plan.styles)]
    accelerator = TrainingPlace("cpu").accelerator()
    chosen = plan.pairs.of(*sides)
    pairs = [pair for row in plan.methods for pair in pairs_of(row, base, chosen, accelerator)]
    return pairs, plan.pictures, base


def test_every_pair_is_one_shards_and_rows_of_one_training_are_together_on_any_machine(planned):
    pairs, settings, base = planned
    dealt = [share_of(pairs, Shard(number, 3), settings, base) for number in (1, 2, 3)]
    assert sorted(id(pair) for share in dealt for pair in share) == sorted(map(id, pairs))
    for share in dealt:
        names = {(pair.row.row_name, pair.name) for pair in share}
        assert all((("ziplora", name) in names) == (("reshaped", name) in names) for name in ("c0--s0", "c1--s0"))
    elsewhere = [replace(pair, training=pair.training and {**pair.training, "device": "another"}) for pair in pairs]
    assert list(map(task_of, elsewhere)) == list(map(task_of, pairs))


def test_trainings_and_pictures_cost(planned):
    pairs, settings, base = planned
    cost = {pair.row.row_name: cost_of([pair], settings, base) for pair in pairs if pair.name == "c0--s0"}
    drawn = 3 * 2 * 2  # seeds, steps, with guidance
    assert cost["direct"] == cost["lorarar"] == drawn
    assert cost["ziplora"] == drawn + 2 * 8
    assert cost["joint"] == drawn + 2 * 6
    both = [pair for pair in pairs if pair.name == "c0--s0" and pair.row.row_name in ("ziplora", "reshaped")]
    assert cost_of(both, settings, base) == 2 * drawn + 2 * 8


@pytest.fixture
def killed(plan_file, tmp_path):
    """A plan of which the first of three shards was begun, by a process that was killed in the middle of it."""
    plan_file.write_text(plan_file.read_text().replace("seeds = 3", "seeds = 2") + TRAINED)
    process = start(plan_file, Shard(1, 3))
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "out").rglob("*.png"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 2 <= len(list((tmp_path / "out").rglob("*.png"))) < 7
    return plan_file


def start(plan_file, shard):
    out, db = plan_file.parent / "out", plan_file.parent / "shards.db"
    command = [sys.executable, "-m", "lorarar", "bench", "run", str(plan_file), "-o", str(out), "--db", str(db)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*command, "--shard", str(shard)], env=environment, stderr=subprocess.DEVNULL)


def check_gathered(plan_file):
    """Whether the plan's three shards together are what one run makes."""
    folder = plan_file.parent
    out, db = folder / "out", folder / "shards.db"
    run(plan_file, folder / "whole", "whole.db")
    assert pictures(out) == pictures(folder / "whole")
    gathered = gather([Shard(number, 3).database(db) for number in (1, 2, 3)], db)
    assert (gathered.pictures, gathered.new["cells"], gathered.missing) == (20, 20, 0)
    assert canonical_rows(db) == canonical_rows(folder / "whole.db")
    with Store(db) as store:
        assert {row["path"].split("/")[0] for row in store.rows("SELECT path FROM images")} == {"out"}
    again = run(plan_file, out, "shards.db")
    assert (again.existing, again.generated, again.trained, again.failures) == (20, 0, 0, [])


def test_three_shards_of_which_one_was_killed_and_begun_again_make_what_one_run_makes(killed, tmp_path, note):
    outcomes = [run(killed, tmp_path / "out", f"shards.db.{number}-of-3", Shard(number, 3)) for number in (1, 2, 3)]
    assert outcomes[0].existing >= 1
    assert sum(outcome.cells for outcome in outcomes) == 20
    assert sum(outcome.trained for outcome in outcomes) in (3, 4)  # one may have been trained before the end
    check_gathered(killed)
    note(f"killed with {outcomes[0].existing} of 20 cells finished; 20 of 20 byte-identical, all rows equal")


def test_what_was_gathered_is_not_drawn_again_by_another_number_of_shards(plan_file, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "all.db"
    first = run(plan_file, out, "all.db.1-of-3", Shard(1, 3))
    gather([tmp_path / "all.db.1-of-3"], whole)
    before = whole.read_bytes()
    outcomes = [run(plan_file, out, f"all.db.{number}-of-2", Shard(number, 2), whole) for number in (1, 2)]
    assert sum(outcome.shared for outcome in outcomes) == first.generated == 6
    assert sum(outcome.generated for outcome in outcomes) == 12
    assert whole.read_bytes() == before
    gather([Shard(number, 2).database(whole) for number in (1, 2)], whole)
    run(plan_file, tmp_path / "one", "one.db")
    assert pictures(out) == pictures(tmp_path / "one")
    assert canonical_rows(whole) == canonical_rows(tmp_path / "one.db")


@pytest.mark.slow
def test_three_processes_at_once_of_which_one_was_killed_make_what_one_run_makes(killed):
    processes = [start(killed, Shard(number, 3)) for number in (1, 2, 3)]
    assert [process.wait(timeout=240) for process in processes] == [0, 0, 0]
    check_gathered(killed)


def test_a_shard_without_a_pair_ends_well(plan_file, tmp_path):
    plan_file.write_text(plan_file.read_text().split("[[methods]]")[0] + '[[methods]]\nmethod = "direct"\n')
    arguments = ["bench", "run", str(plan_file), "-o", str(tmp_path / "out"), "--db", str(tmp_path / "a.db")]
    result = CliRunner().invoke(app, [*arguments, "--shard", "3/3"])
    assert (result.exit_code, "shard 3/3: 0 of 2 pairs" in result.stderr) == (0, True), result.output
    assert gather([tmp_path / "a.db.3-of-3"], tmp_path / "all.db").pictures == 0


def test_what_is_no_shard_is_said_before_anything_is_loaded(plan_file):
    result = CliRunner().invoke(app, ["bench", "run", str(plan_file), "--shard", "4/3"])
    assert (result.exit_code, "from 1/N to N/N" in result.stderr) == (2, True)
