"""How many questions are asked at once: what fitted before, half of what did not, and more only with care."""

import json

import pytest
import torch

from judge.critics.local.batch_size import STEADY, BatchSize
from judge.critics.local.last_used import LastUsed
from lorarar.util.files import cache_folder
from lorarar.util.out_of_memory import is_out_of_memory


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


def run(room, questions=10_000, wanted=None, default=4, facts=None):
    """The sizes that a run asks on a device with room for so many at once; a batch that fails is asked in halves."""
    size, tried, left = BatchSize(wanted, default, facts or {"critic": "a"}), [], questions

    def ask(count):
        tried.append(count)
        if count > room:
            size.failed(count)
            while count > 1:
                ask(min(count, size()))
                count -= size()
        else:
            size.worked(count)

    while left > 0:
        count = min(size(), left)
        ask(count)
        left -= count
    return tried


def failures(tried, room):
    return [count for count in tried if count > room]


def test_what_does_not_fit_fails_once_and_never_again():
    assert failures(run(room=4, wanted=32), 4) == [32, 16, 8]
    assert failures(run(room=4, wanted=32), 4) == [8]  # tried once a run, after many that fitted
    assert failures(run(room=4, wanted=32, questions=4 * STEADY), 4) == []
    assert failures(run(room=4), 4) == []
    assert set(run(room=4)) == {4}


def test_the_default_is_what_fitted_before():
    assert set(run(room=64, questions=64)) == {4}
    assert set(run(room=64, questions=64, wanted=16)) == {16}
    assert set(run(room=64, questions=64)) == {16}
    assert set(run(room=64, questions=64, wanted=2)) == {2}
    assert set(run(room=64, questions=64)) == {16}


def test_memory_that_another_program_held_is_used_again_once_it_is_free():
    assert set(run(room=1, questions=20)) == {4, 2, 1}
    tried = run(room=64, questions=200)
    assert tried[0] == 1 and tried[-1] == 4
    assert tried.count(1) == tried.count(2) == STEADY
    assert set(run(room=64, questions=200)) == {4}


def test_what_fits_is_remembered_by_all_that_decides_it():
    run(room=1, facts={"critic": "a", "device": "small"})
    assert set(run(room=8, facts={"critic": "a", "device": "large"})) == {4}


@pytest.mark.parametrize(
    "kept", ["", "[]", "{}", '{"worked": "x", "failed": 0}', '{"worked": 8, "failed": 2}', "[" * 9999]
)
def test_what_is_broken_in_the_cache_is_nothing(kept):
    run(room=2)
    (file,) = cache_folder("batches").iterdir()
    assert json.loads(file.read_text()) == {"worked": 2, "failed": 4}
    file.write_text(kept)
    assert run(room=2)[:2] == [4, 2]


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_memory(tmp_path):
    (tmp_path / "cache").write_text("in the way")
    assert failures(run(room=2), 2) == [4]
    assert failures(run(room=2), 2) == [4]


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.30 GiB"), True),
        (MemoryError(), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
            True,
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_want_of_memory_is_told_from_other_faults(error, is_full):
    assert is_out_of_memory(error) is is_full


def test_results_are_kept_up_to_so_many_bytes_and_the_newest_always():
    made = []

    def make(name, size):
        made.append(name)
        return "x" * size

    kept = LastUsed(make, len, most=10)
    for name, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4), ("a", 4), ("b", 4)):
        assert kept(name, size) == "x" * size
    assert made == ["a", "b", "c", "b"]  # c took the place of b, which was used before a
    assert len(kept("large", 99)) == len(kept("large", 99)) == 99
    assert kept("a", 4) and made[-2:] == ["large", "a"]
    kept.forget()
    assert kept("a", 4) and made[-1] == "a" and made.count("a") == 3
