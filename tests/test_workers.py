"""Work by workers, without an engine: the same results as by one process, whoever dies meanwhile."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from types import SimpleNamespace
from weakref import finalize

import pytest
from PIL import Image

from judge import from_folders
from judge.critics.crew.crew_critic import CrewCritic
from judge.critics.critic import CriticError
from judge.judges import name_judges
from judge.pocket.critic import new_tokenizer
from judge.questions import PAPER
from judge.runner import judge
from judge.verdicts import VerdictStore
from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.families import find_base
from lorarar.generation import picture_parcel
from lorarar.lora.adapter import Adapter
from lorarar.lora.files import write_adapter
from lorarar.pictures.concept_table import TableConcept
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.claims import Claims
from lorarar.training.lora_training import LoraTraining
from lorarar.training.many_loras import TableTraining, train_table
from lorarar.training.many_loras_by_crew import train_table_by
from lorarar.training.options import LoraOptions
from lorarar.training.place import TrainingPlace
from lorarar.training.setup import load_for_training
from lorarar.util.errors import ImageError, UsageError
from lorarar.util.interrupts import press
from lorarar.workers.errors import DeadlyJobError, WorkersError
from lorarar.workers.hand import Hand
from lorarar.workers.hiring import hired
from lorarar.workers.job import Job
from lorarar.workers.ray_cluster import Room, cluster, room_in
from lorarar.workers.request import WorkersRequest
from lorarar.workers.shift import ask, reports

from .bench_plan import TRAINED, pictures, run, write_plan
from .conftest import random_adapter
from .crews import CrewHere
from .random_critic import answering_critic

ROWS = """
    SELECT c.row, c.content, c.style, c.seed, i.key, i.sha256, i.makings, i.prompt, i.steps, m.method, m.options,
        m.discarded, a.sha256 AS merged, a.ranks, a.layers
    FROM cells c JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge JOIN adapters a ON a.id = i.adapter
    ORDER BY 1, 2, 3, 4"""
COEFFICIENTS = """
    SELECT m.method, a.sha256 AS of, c.layer, c.content AS ours, c.style AS theirs FROM coefficients c
    JOIN merges m ON m.id = c.merge JOIN adapters a ON a.id = m.content ORDER BY 1, 2, 3"""
VERDICTS = """
    SELECT key, aspect, image, reference, prompt, words, status, verdict, probability, mass, answer, reason
    FROM verdicts ORDER BY key"""


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    return write_plan(tmp_path, tiny_folder)


def rows_of(database):
    """All that a grid's database says, but times and paths."""
    with Store(database) as store:
        adapters = store.rows("SELECT sha256, name, kind, ranks, layers FROM adapters ORDER BY sha256")
        return store.rows(ROWS), store.rows(COEFFICIENTS), adapters, store.rows("SELECT count(*) FROM images")


def run_by(crew, plan_file, out, db):
    with Store(plan_file.parent / db) as store:
        return run_plan(read_plan(plan_file), store, out, crew=crew)


def only(plan_file, methods, seeds=3):
    """The plan with other methods."""
    text = plan_file.read_text()
    plan_file.write_text(text[: text.index("[[methods]]")].replace("seeds = 3", f"seeds = {seeds}") + methods)
    return plan_file


def loras(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.safetensors"))}


def test_workers_that_see_no_file_of_ours_make_the_same_bytes_and_rows(plan_file, tmp_path):
    plan_file.write_text(plan_file.read_text().replace("seeds = 3", "seeds = 2") + TRAINED)
    run(plan_file, tmp_path / "alone", "alone.db")
    crew = CrewHere(2)
    outcome = run_by(crew, plan_file, tmp_path / "by", "by.db")
    crew.close()
    assert (outcome.generated, outcome.trained, outcome.failures) == (20, 4, [])
    assert pictures(tmp_path / "by") == pictures(tmp_path / "alone")
    assert loras(tmp_path / "by") == loras(tmp_path / "alone")
    assert rows_of(tmp_path / "by.db") == rows_of(tmp_path / "alone.db")
    assert not any(hand.bench.folder.exists() for hand in crew.hands.values())


def test_workers_merge_further_loras_too(plan_file, tmp_path):
    write_adapter(random_adapter(2, 30), tmp_path / "elsewhere" / "detail.safetensors", {"prompt": "a house"})
    only(plan_file, '[[methods]]\nmethod = "ties"\n', seeds=1)
    plan_file.write_text('more = ["elsewhere/detail.safetensors"]\n' + plan_file.read_text())
    run(plan_file, tmp_path / "alone", "alone.db")
    crew = CrewHere(2)
    outcome = run_by(crew, plan_file, tmp_path / "by", "by.db")
    assert (outcome.generated, outcome.failures) == (2, [])
    assert pictures(tmp_path / "by") == pictures(tmp_path / "alone")
    assert loras(tmp_path / "by") == loras(tmp_path / "alone")
    assert rows_of(tmp_path / "by.db") == rows_of(tmp_path / "alone.db")
    inputs = "SELECT m.place, a.sha256 FROM merge_inputs m JOIN adapters a ON a.id = m.adapter"
    with Store(tmp_path / "by.db") as by, Store(tmp_path / "alone.db") as alone:
        assert by.rows(inputs) == alone.rows(inputs) != []


def test_workers_may_die_and_nothing_is_lost_and_nothing_drawn_twice(plan_file, tmp_path):
    only(plan_file, '[[methods]]\nmethod = "direct"\n', seeds=5)
    run(plan_file, tmp_path / "alone", "alone.db")
    crew = CrewHere(3, dies={0: 1, 1: 3}, elsewhere=False)
    outcome = run_by(crew, plan_file, tmp_path / "by", "by.db")
    assert (crew.size, outcome.generated, outcome.failures) == (1, 10, [])
    assert not crew.sent  # a file system that both see
    assert pictures(tmp_path / "by") == pictures(tmp_path / "alone")
    assert rows_of(tmp_path / "by.db") == rows_of(tmp_path / "alone.db")
    with Store(tmp_path / "by.db") as store:
        assert store.rows("SELECT * FROM claims") == []


def test_a_pair_that_cannot_be_merged_stops_no_other(plan_file, tmp_path):
    whole = random_adapter(2, 1)
    some = {name: layer for name, layer in whole.layers.items() if "down_blocks" in name}
    others = {name: layer for name, layer in whole.layers.items() if "up_blocks" in name}
    write_adapter(Adapter(some), tmp_path / "contents" / "c1.safetensors", {"prompt": "a sks dog"})
    write_adapter(Adapter(others), tmp_path / "styles" / "s0.safetensors", {"prompt": "a house in glowing style"})
    only(plan_file, '[[methods]]\nmethod = "lorarar"\nhypernet = "hypernet.safetensors"\n', seeds=1)
    alone = run(plan_file, tmp_path / "alone", "alone.db")
    by = run_by(CrewHere(2), plan_file, tmp_path / "by", "by.db")
    assert by.failures == alone.failures
    assert len(by.failures) == 1
    assert by.generated == alone.generated == 1


def test_ctrl_c_ends_after_the_batches_in_progress_and_the_next_run_goes_on(plan_file, tmp_path):
    class Pressed(CrewHere):
        def wait(self, seconds=0.0):
            coming = super().wait(seconds)
            self.heard = getattr(self, "heard", 0) + sum(one.result is not None for one in coming)
            if self.heard > 2:
                press()
            return coming

    only(plan_file, '[[methods]]\nmethod = "direct"\n', seeds=6)
    with pytest.raises(KeyboardInterrupt):
        run_by(Pressed(2), plan_file, tmp_path / "by", "by.db")
    drawn = pictures(tmp_path / "by")
    assert 2 <= len(drawn) < 12
    again = run_by(CrewHere(2), plan_file, tmp_path / "by", "by.db")
    assert (again.existing, again.generated) == (len(drawn), 12 - len(drawn))
    run(plan_file, tmp_path / "alone", "alone.db")
    assert rows_of(tmp_path / "by.db") == rows_of(tmp_path / "alone.db")


def test_what_another_process_draws_is_left_to_it_and_taken_over_when_it_lets_go(plan_file, tmp_path, monkeypatch):
    only(plan_file, '[[methods]]\nmethod = "direct"\n', seeds=2)
    first = run_by(CrewHere(1), plan_file, tmp_path / "by", "by.db")
    with Store(tmp_path / "by.db") as store:
        keys = [row["key"] for row in store.rows("SELECT key FROM images")]
    for path in (tmp_path / "by" / "images").rglob("*.png"):
        path.unlink()
    other_store = Store(tmp_path / "by.db")
    other = Claims(other_store)
    other.claim(keys[:3])
    waits = []

    def let_go(claims, wanted, is_stopped=None):
        waits.append(sorted(wanted))
        other.close()

    monkeypatch.setattr(Claims, "wait", let_go)
    again = run_by(CrewHere(2), plan_file, tmp_path / "by", "by.db")
    other_store.close()
    assert first.generated == again.generated == 4
    assert waits == [sorted(keys[:3])]


def test_two_rows_that_are_alike_are_drawn_once(plan_file, tmp_path):
    only(plan_file, '[[methods]]\nmethod = "direct"\n[[methods]]\nmethod = "direct"\nname = "again"\n', seeds=2)
    outcome = run_by(CrewHere(4), plan_file, tmp_path / "by", "by.db")
    assert (outcome.cells, outcome.generated, outcome.shared) == (8, 4, 4)


def test_a_worker_that_draws_otherwise_ends_the_run(plan_file, tmp_path, monkeypatch):
    from lorarar.bench.crew import run as by_crew

    def found(crew, job, real=ask):
        found = real(crew, job)
        return replace(found, drawing=replace(found.drawing, dtype="float16"))

    monkeypatch.setattr(by_crew, "ask", found)
    with pytest.raises(WorkersError, match="draws with another dtype float32 than the first"):
        run_by(CrewHere(1), only(plan_file, '[[methods]]\nmethod = "direct"\n'), tmp_path / "by", "by.db")


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A critic on disk, and pictures with their references."""
    folder = tmp_path_factory.mktemp("judged")
    answering_critic(new_tokenizer(folder / "critic")).save_pretrained(folder / "critic")
    for number in range(9):
        write_png(Image.new("RGB", (16, 16), (25 * number, 90, 20)), folder / "G" / "dog" / "oil" / f"{number}.png")
    for number in range(2):
        for side in ("subjects/dog", "styles/oil"):
            write_png(Image.new("RGB", (16, 16), (90, 60 * number, len(side))), folder / "R" / side / f"{number}.png")
    return folder


def verdicts_by(folder, database, crew=None):
    targets = from_folders(folder / "G", folder / "R")
    judges = name_judges({"critic": str(folder / "critic"), "batch": 8})
    with Store(database) as store, replace(judges, crew=crew).open(judges.critics[0]) as critic:
        outcome = judge(targets, critic, PAPER, VerdictStore(store))
        return outcome, store.rows(VERDICTS), store.rows("SELECT critic, identity FROM judges")


def test_verdicts_by_workers_are_those_of_one_process_row_for_row(judged, tmp_path, monkeypatch):
    monkeypatch.setattr("judge.claimed_parts.LEAST", 8)
    alone, *theirs = verdicts_by(judged, tmp_path / "alone.db")
    by, *ours = verdicts_by(judged, tmp_path / "by.db", CrewHere(2))
    assert ours == theirs
    assert by == alone
    assert by.replies == 36
    lossy, *rows = verdicts_by(judged, tmp_path / "dies.db", CrewHere(3, dies={1: 0}))
    assert (lossy.replies, lossy.failed) == (36, 0)
    assert [row["key"] for row in rows[0]] == [row["key"] for row in theirs[0]]


def test_a_served_critic_is_held_by_no_worker():
    with pytest.raises(CriticError, match="servers share the questions by themselves"):
        CrewCritic(CrewHere(1), "http://localhost:8000/v1", {})


def table(folder, out, base, steps=2):
    like = LoraTraining(out, {}, LoraOptions(rank=2, steps=steps, rate=1e-2), find_base(str(base)), side=16)
    rows = [
        TableConcept(name=name, side="contents", split="train", prompt=f"a sks {name}", images=name)
        for name in ("a", "b")
    ]
    return [TableTraining.of(row, folder / row.name, out, like) for row in rows]


def test_loras_of_a_table_are_the_same_by_workers_and_one_that_fails_stops_no_other(tmp_path, tiny_folder):
    for name in "ab":
        write_png(Image.new("RGB", (16, 16), (90, 40, ord(name))), tmp_path / name / "1.png")
    accelerator = TrainingPlace("cpu").accelerator()
    rows = table(tmp_path, tmp_path / "alone", tiny_folder)
    list(train_table(rows, accelerator, lambda: load_for_training(rows[0].training.base, accelerator)))
    rows = table(tmp_path, tmp_path / "by", tiny_folder)
    crew = CrewHere(2)
    outcomes = list(train_table_by(crew, rows, TrainingPlace("cpu")))
    assert sorted((one.concept.name, one.new, one.error) for one in outcomes) == [("a", True, None), ("b", True, None)]
    assert loras(tmp_path / "by") == loras(tmp_path / "alone")
    assert pictures(tmp_path / "by") == pictures(tmp_path / "alone")
    given = crew.given
    assert [one.new for one in train_table_by(crew, rows, TrainingPlace("cpu"))] == [False, False]
    assert crew.given == given + 1  # what they train with was asked, and nothing trained
    (tmp_path / "by" / "contents" / "a.safetensors").write_bytes(b"foreign")
    failed, sound = train_table_by(crew, rows, TrainingPlace("cpu"))
    assert (failed.concept.name, sound.error) == ("a", None)
    assert "a.safetensors" in str(failed.error)


class Count(Job):
    """Says numbers; it travels."""

    def __init__(self, name, numbers):
        self.name, self.numbers = name, tuple(numbers)

    def run(self, bench):
        yield from self.numbers

    def without(self, result):
        left = [number for number in self.numbers if number != result]
        return Count(self.name, left) if left else None


class Failing(Count):
    """Says numbers, and then cannot go on."""

    def run(self, bench):
        yield from self.numbers
        raise UsageError("enough")


def letters(job, pause):
    hand = Hand(str(Path.cwd()), None)
    finalize(hand, rmtree, hand.bench.folder, ignore_errors=True)
    return list(hand.work(pickle.dumps(job), 0, pause, []))


def test_results_of_a_moment_travel_together_and_none_stays_behind():
    assert [one.body for one in letters(Count("a", range(5)), 0.0)] == [[number] for number in range(5)]
    assert [one.body for one in letters(Count("a", range(5)), 60.0)] == [[0, 1, 2, 3, 4]]


def test_what_came_of_a_job_before_its_fault_is_sent_before_that():
    some, fault = letters(Failing("a", range(2)), 60.0)
    assert (some.kind, some.body) == ("results", [0, 1])
    assert (fault.kind, str(fault.body)) == ("fault", "enough")


class Listening(CrewHere):
    """Workers whose results are noted."""

    def wait(self, seconds=0.0):
        coming = super().wait(seconds)
        self.heard = [*getattr(self, "heard", []), *(one.result for one in coming if one.result is not None)]
        return coming


def test_a_merged_lora_is_asked_of_one_worker_however_many_share_its_pair(plan_file, tmp_path):
    only(plan_file, '[[methods]]\nmethod = "direct"\n', seeds=4)
    crew = Listening(4)
    run_by(crew, plan_file, tmp_path / "by", "by.db")
    merges = [one.merge for one in crew.heard if hasattr(one, "merge") and one.merge is not None]
    assert len(merges) > 2  # more than one worker has merged a pair
    assert sum(merge.file is not None for merge in merges) == 2 == len(loras(tmp_path / "by"))
    with Store(tmp_path / "by.db") as store:
        kept = [row["path"] for row in store.rows("SELECT path FROM adapters WHERE kind = 'merged'")]
    assert sorted(kept) == sorted(f"by/{path}" for path in loras(tmp_path / "by"))


def test_a_picture_that_cannot_be_written_ends_the_run_and_takes_no_other_with_it(plan_file, tmp_path, monkeypatch):
    only(plan_file, '[[methods]]\nmethod = "direct"\n', seeds=2)
    real = picture_parcel.write_picture

    def write(data, path):
        if path.parent.name == "c0--s0" and path.name.startswith("1-"):
            raise ImageError(f"cannot write {path}: no space left on device")
        return real(data, path)

    monkeypatch.setattr(picture_parcel, "write_picture", write)
    with pytest.raises(ImageError, match="no space left"):
        run_by(CrewHere(2), plan_file, tmp_path / "by", "by.db")
    written = pictures(tmp_path / "by")
    with Store(tmp_path / "by.db") as store:
        assert [row["n"] for row in store.rows("SELECT count(*) AS n FROM cells")] == [len(written)]
        assert store.rows("SELECT * FROM claims") == []
    assert 2 <= len(written) < 4  # also that which had come beside it
    monkeypatch.setattr(picture_parcel, "write_picture", real)
    outcome = run_by(CrewHere(2), plan_file, tmp_path / "by", "by.db")
    assert (outcome.existing, outcome.generated) == (len(written), 4 - len(written))


def test_a_job_at_which_worker_after_worker_dies_is_given_up_and_the_others_are_done():
    crew = CrewHere(5, deadly=lambda job, result: job.name == "deadly" and result == 2)
    jobs = [Count("deadly", range(4)), *(Count(f"job {number}", range(3)) for number in range(4))]
    coming = [one for batch in reports(crew, lambda worker: jobs.pop(0) if jobs else None) for one in batch]
    results = [(one.job.name, one.result) for one in coming if one.result is not None]
    assert sorted(results) == [("deadly", 0), ("deadly", 1), *((f"job {n}", k) for n in range(4) for k in range(3))]
    (error,) = [one.error for one in coming if one.error]
    assert isinstance(error, DeadlyJobError)
    assert "3 workers have died at it" in str(error)
    assert crew.size == 2


def test_without_a_worker_left_the_run_ends_in_a_line():
    crew = CrewHere(2, dies={0: 0, 1: 0})
    jobs = [Count("a", range(4)), Count("b", range(4))]
    with pytest.raises(WorkersError, match="no worker is left"):
        list(reports(crew, lambda worker: jobs.pop() if jobs else None))


@pytest.mark.parametrize(
    ("processors", "gpus", "request_", "room"),
    [
        ([8], 0, WorkersRequest(), Room(1, 0, 8)),
        ([8, 8], 0, WorkersRequest(), Room(2, 0, 8)),
        ([0, 8], 0, WorkersRequest(), Room(1, 0, 8)),
        ([8], 0, WorkersRequest(cpus=2), Room(4, 0, 2)),
        ([8], 0, WorkersRequest(count=3), Room(3, 0, 2)),
        ([4, 7], 0, WorkersRequest(count=3), Room(3, 0, 3)),
        ([64, 64], 16, WorkersRequest(), Room(16, 1, 1)),
        ([64], 8, WorkersRequest(count=3, cpus=4), Room(3, 1, 4)),
    ],
)
def test_workers_are_as_many_as_there_is_room_for(processors, gpus, request_, room):
    assert room_in(processors, gpus, request_) == room


@pytest.mark.parametrize(
    ("processors", "gpus", "request_", "message"),
    [
        ([8], 2, WorkersRequest(count=3), "3 workers need a GPU each, and there are 2; accepted is up to 2"),
        ([2], 0, WorkersRequest(count=3), "3 workers of 1 processors each have no room: .* accepted is up to 2"),
        ([2], 0, WorkersRequest(cpus=4), "1 workers of 4 processors each have no room: there are 2 on 1 machine"),
    ],
)
def test_workers_without_room_are_refused(processors, gpus, request_, message):
    with pytest.raises(WorkersError, match=message):
        room_in(processors, gpus, request_)


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "10.0.0.5", "ray://head:10001", "a b:1"])
def test_what_says_no_workers_is_refused_with_what_is_accepted(text):
    with pytest.raises(UsageError, match=r"--workers is .*; accepted is auto, a number from 1, or the address"):
        WorkersRequest.parse(text)


def test_what_says_workers_is_read():
    assert WorkersRequest.parse("auto", 2) == WorkersRequest(cpus=2)
    assert WorkersRequest.parse(4) == WorkersRequest(count=4)
    assert WorkersRequest.parse("head:6379") == WorkersRequest(address="head:6379")


def test_processors_of_workers_that_nobody_asks_for_are_a_line():
    with pytest.raises(UsageError, match="--cpus-per-worker goes with --workers"), hired(None, 2):
        pass


def test_a_cluster_that_cannot_be_reached_is_a_line_that_says_how_it_gets_a_token(monkeypatch):
    def init(**options):
        raise ConnectionError("Failed to connect to Ray cluster at 10.0.0.5:6379")

    ray = SimpleNamespace(is_initialized=lambda: False, init=init)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(WorkersError, match=r"at 10.0.0.5:6379 can be used: .*set RAY_AUTH_MODE=token"):
        cluster(ray, "10.0.0.5:6379").__enter__()
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    with pytest.raises(WorkersError, match=r"6379$"):
        cluster(ray, "10.0.0.5:6379").__enter__()


def test_where_ray_is_not_installed_a_line_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(WorkersError, match=r"pip install 'lorarar\[ray\]'"), hired("auto"):
        pass
