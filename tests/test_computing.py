"""Where and with how many threads merges are computed, and what they say meanwhile."""

import threading
import time
from contextlib import closing

import pytest
import torch
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.families import Base
from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging import computing
from lorarar.merging.methods import MergeInputs, MergeResult, method_named
from lorarar.merging.recipe import Recipe
from lorarar.merging.threads import MOST, SMALL, side_by_side, threads_for
from lorarar.util.errors import MethodError
from lorarar.util.progress import Ticker

from .conftest import random_adapter
from .test_methods import MANY

PAIR = (random_adapter(2, 0), random_adapter(3, 1))
HERE = ["cuda"] if torch.cuda.is_available() else []


def test_small_work_has_one_thread_and_large_work_all_and_afterwards_there_are_as_many_as_before():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads_for(SMALL):
            assert torch.get_num_threads() == 2
        with pytest.raises(KeyError), threads_for(SMALL - 1):
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_pieces_side_by_side_come_in_order_each_by_one_thread_and_the_first_error_ends_them():
    def work(piece):
        counts.add(torch.get_num_threads())
        return 1 / piece

    before, counts = torch.get_num_threads(), set()
    torch.set_num_threads(3)
    try:
        assert list(side_by_side(work, range(1, 9))) == [1 / piece for piece in range(1, 9)]
        assert counts == {1}
        with pytest.raises(ZeroDivisionError):
            list(side_by_side(work, range(3, -3, -1)))
        assert torch.get_num_threads() == 3
        assert list(side_by_side(work, [2], alone=True)) == [0.5]
        assert counts == {1, 3}
    finally:
        torch.set_num_threads(before)


def test_however_many_threads_there_are_few_pieces_take_memory_at_once_and_none_is_begun_that_nobody_wants():
    def work(piece):
        begun.append(piece)
        workers.add(threading.get_ident())
        time.sleep(0.002)
        return piece

    before, begun, workers = torch.get_num_threads(), [], set()
    torch.set_num_threads(4 * MOST)
    try:
        with closing(side_by_side(work, range(1000))) as results:
            assert next(results) == 0
        assert torch.get_num_threads() == 4 * MOST
    finally:
        torch.set_num_threads(before)
    assert len(workers) <= MOST
    assert len(begun) < 500


@pytest.mark.parametrize("name", ["ties", "dare"])
def test_layers_side_by_side_are_the_bits_of_one_after_the_other(name):
    before = torch.get_num_threads()
    pair = [random_adapter(2, seed) for seed in (0, 1)]
    given = {"weights": (1.0, 1.0), "density": 0.5, "form": "delta", "space": "update"}
    results = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(method_named(name).run(pair, MergeInputs(), given).layers)
    finally:
        torch.set_num_threads(before)
    for layer, factors in results[0].items():
        assert torch.equal(factors.down, results[1][layer].down)
        assert torch.equal(factors.up, results[1][layer].up)


@pytest.mark.parametrize(("side", "threads"), [(16, 1), (600, 2)])
def test_a_merge_of_small_layers_works_with_one_thread(side, threads):
    before, counts = torch.get_num_threads(), []

    def run(adapters, inputs, options):
        counts.append(torch.get_num_threads())
        return MergeResult({})

    torch.set_num_threads(2)
    try:
        computing.compute(run, [Adapter({"a": Factors(torch.ones(1, side), torch.ones(side, 1))})], MergeInputs(), {})
    finally:
        torch.set_num_threads(before)
    assert counts == [threads]


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't allocate memory: you tried to allocate 2147483648 bytes")]
)
def test_too_little_memory_is_one_line(error):
    def run(adapters, inputs, options):
        raise error

    said = r"^this machine has not enough memory( \(for another 2 GiB\))? for this merge; close what else is running$"
    with pytest.raises(MethodError, match=said):
        computing.compute(run, PAIR, MergeInputs(), {})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotImplementedError("no linalg_qr"), r"^meta cannot compute this merge \(no linalg_qr\); --device cpu can$"),
        (
            torch.OutOfMemoryError("CUDA out of memory"),
            "^the GPU has not enough memory for this merge; --device cpu takes",
        ),
        (
            RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED"),
            "^the GPU has not enough memory for this merge; ",
        ),
    ],
)
def test_a_device_that_lacks_an_operation_or_memory_is_one_line_that_names_the_cpu(error, said):
    def run(adapters, inputs, options):
        raise error

    with pytest.raises(MethodError, match=said):
        computing.compute(run, PAIR, MergeInputs(), {}, "meta")


def test_inputs_of_a_merge_are_put_on_its_device_all_of_them():
    def run(adapters, inputs, options):
        given.append([options, *(factors.down for one in adapters for factors in one.layers.values())])
        return MergeResult({})

    given, pair = [], (torch.ones(2), torch.ones(2))
    network = torch.nn.Linear(2, 2)
    computing.compute(run, PAIR, MergeInputs(), {"coefficients": {"a": pair}, "net": network, "mu": 1.0}, "meta")
    [[options, *downs]] = given
    assert {down.device.type for down in downs} == {"meta"}
    assert {one.device.type for one in (*options["coefficients"]["a"], network.weight)} == {"meta"}
    assert options["mu"] == 1.0


@pytest.mark.parametrize("device", HERE)
@pytest.mark.parametrize("options", [{}, {"space": "core"}])
@pytest.mark.parametrize("name", MANY)
def test_a_gpu_computes_the_same_merge_and_it_lies_where_the_loras_lie(name, options, device):
    method = method_named(name)
    if not all(map(method.takes, options)):
        pytest.skip("the method has no such option")
    one, other = (Recipe(method, Base("x", "x"), options, device=where).merge(PAIR) for where in ("cpu", device))
    for layer, factors in one.layers.items():
        assert other.layers[layer].down.device.type == "cpu"
        torch.testing.assert_close(other.layers[layer].dense(), factors.dense(), rtol=1e-3, atol=1e-4)


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(tmp_path):
    unread = tmp_path / "a.safetensors"
    unread.write_text("no LoRA")
    result = CliRunner().invoke(
        app,
        [
            "merge",
            str(unread),
            str(unread),
            "-o",
            str(tmp_path / "m.safetensors"),
            "--method",
            "ties",
            "--device",
            "abacus",
        ],
    )
    assert result.exit_code == 1
    assert "--device is 'abacus'" in result.output


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("seconds", [0.0, 1000.0])
def test_every_merge_that_takes_long_shows_its_progress_and_no_other(name, seconds, monkeypatch, capsys):
    monkeypatch.setattr("lorarar.merging.recipe.PATIENCE", seconds)
    Recipe(method_named(name), Base("x", "x")).merge(PAIR)
    said = capsys.readouterr().err
    layers = len(PAIR[0].layers)
    assert (f"{name} 1/{layers}" in said) == (f"{name} {layers}/{layers}" in said) == (not seconds)


def test_work_that_has_patience_says_nothing_before_it_is_over(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr("lorarar.util.progress.time.monotonic", lambda: now[0])
    with Ticker("work", 4, patience=1.0) as ticker:
        for moment in (0.5, 1.5, 2.0, 2.5):
            now[0] = moment
            ticker.advance()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["work 2/4", "work 4/4"]
