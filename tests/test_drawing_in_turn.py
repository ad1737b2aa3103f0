"""Drawing pair by pair, beside other processes: what is held, what is looked at again, what is removed."""

import gc
import weakref
from contextlib import contextmanager

import pytest
import torch

from lorarar.bench import pair_pictures
from lorarar.bench.adapters import merged_file
from lorarar.bench.drawing import draw
from lorarar.bench.grid import PlannedGrid, Task
from lorarar.bench.plan import read_plan
from lorarar.store import Store
from lorarar.store.claims import Claims
from lorarar.util.messages import message_once

from .bench_plan import pictures, write_plan


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    """A plan of 3 rows x 2 contents x 1 style x 3 seeds on the tiny base."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    return write_plan(tmp_path, tiny_folder)


@contextmanager
def planned(plan_file):
    """The grid of a plan on a database beside it, and the claims of another process."""
    plan, database = read_plan(plan_file), plan_file.parent / "a.db"
    with Store(database) as store, Store(database) as again, Claims(store) as ours, Claims(again) as theirs:
        yield PlannedGrid(plan, plan.find_base(), store, plan_file.parent / "out", ours), theirs


def test_of_all_merges_one_is_held_at_a_time(plan_file, monkeypatch):
    made, alive = [], []

    def merge(*arguments, real=pair_pictures.merge_for_pair):
        gc.collect()
        alive.append(sum(one() is not None for one in made))
        merged = real(*arguments)
        made.append(weakref.ref(merged.adapter))
        return merged

    monkeypatch.setattr(pair_pictures, "merge_for_pair", merge)
    with planned(plan_file) as (grid, _):
        draw(grid, grid.tasks())
    assert len(alive) == 6 and max(alive) <= 1  # that the studio draws with


def test_what_others_let_go_of_is_looked_at_after_the_next_pair_and_not_at_the_end(plan_file, monkeypatch):
    with planned(plan_file) as (grid, others):
        tasks = grid.tasks()
        held = {cell.key for cell in tasks[0].chunks[1]}
        assert others.claim(held) == held
        pairs, order = [task.pair.stem for task in tasks], []

        def let_go(pair, *arguments, real=pair_pictures.PairPictures.draw):
            order.append(pairs.index(pair.pair.stem))
            if len(order) == 3:  # the first of the second pair
                others.release(held)
            return real(pair, *arguments)

        monkeypatch.setattr(pair_pictures.PairPictures, "draw", let_go)
        draw(grid, tasks)
        assert order == [0, 0, 1, 1, 1, 0, *(number for number in (2, 3, 4, 5) for _ in range(3))]
        assert (grid.outcome.generated, grid.outcome.shared) == (18, 0)
    assert len(pictures(plan_file.parent / "out")) == 18


def test_who_finds_a_pair_finished_removes_its_merge_whichever_process_wrote_it(plan_file, monkeypatch):
    plan_file.write_text("keep_loras = false\n" + plan_file.read_text())
    out = plan_file.parent / "out"
    with planned(plan_file) as (grid, others), Store(plan_file.parent / "a.db") as store:
        first, second, *_ = tasks = grid.tasks()
        held = {cell.key for cell in first.chunks[2]}
        others.claim(held)
        theirs = PlannedGrid(grid.plan, grid.named_base, store, out, others)
        real = pair_pictures.PairPictures.draw

        def finish(pair, *arguments):
            if pair.pair is second.pair and held:
                assert list((out / "loras").rglob(f"{first.pair.stem}*"))
                monkeypatch.setattr(pair_pictures.PairPictures, "draw", real)
                others.release(held)
                draw(theirs, [Task(first.pair, first.chunks[2:])])
                merged_file(first.pair, out).touch()  # as if they had written it once more
            return real(pair, *arguments)

        monkeypatch.setattr(pair_pictures.PairPictures, "draw", finish)
        draw(grid, tasks)
        assert (grid.outcome.generated, grid.outcome.shared, theirs.outcome.generated) == (17, 1, 1)
    assert not list((out / "loras").rglob("*.safetensors"))


@pytest.fixture
def threads_of():
    """Sets the threads of this process, which are then what they were."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(("threads", "told"), [(2, 1), (1, 0)])
def test_who_draws_beside_another_on_all_cores_is_told_once_how_to_share_them(
    plan_file, monkeypatch, capsys, threads_of, threads, told
):
    message_once.cache_clear()
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    threads_of(threads)
    with planned(plan_file) as (grid, others):
        tasks = grid.tasks()
        held = {cell.key for cell in tasks[0].chunks[1]}
        others.claim(held)

        def let_go(pair, *arguments, real=pair_pictures.PairPictures.draw):
            if pair.pair is tasks[3].pair:
                others.release(held)
            return real(pair, *arguments)

        monkeypatch.setattr(pair_pictures.PairPictures, "draw", let_go)
        draw(grid, tasks)
    assert capsys.readouterr().err.count("with OMP_NUM_THREADS=1 before their commands") == told
