"""The truth losses of networks: measured once for all items, by one process or several."""

import operator

import pytest

from judge.paper import network_losses
from judge.paper.network_losses import BESIDE, losses
from judge.paper.processes import in_processes
from judge.paper.request import PaperRequest
from judge.paper.work import PaperWork
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.util.errors import LorarError

CALLS = [(1, 2), (3, 4), (5, 6)]


@pytest.fixture
def measured(monkeypatch):
    """The rows that are measured, each with a loss of its own."""
    rows = []

    def measure(request, row):
        rows.append(row)
        return [("dog", "oil", 0.1 * len(rows))]

    monkeypatch.setattr(network_losses, "_measure", measure)
    return rows


def test_what_one_item_measured_is_not_measured_for_another(tmp_path, measured):
    files = [write_hypernet(Hypernetwork((16,), hidden=size), tmp_path / f"{size}.safetensors") for size in (2, 3)]
    request = PaperRequest(tmp_path / "out")
    first = losses(PaperWork("question-1", request), {"a": files[0]})
    assert list(first) == [*BESIDE, "a"] and len(measured) == 4
    assert first["a"] == {("dog", "oil"): pytest.approx(0.4)}
    other = losses(PaperWork("check-3", request), {"b": files[1]})
    assert len(measured) == 5 and {name: other[name] for name in BESIDE} == {name: first[name] for name in BESIDE}
    again = losses(PaperWork("question-1", request), {"a": files[0]})
    assert again == first and len(measured) == 5
    changed = losses(PaperWork("question-1", request), {"a": files[1]})
    assert len(measured) == 6 and changed["a"] != first["a"]  # another network of the same name
    kept = sorted(path.name.rsplit("-", 1)[0] for path in (tmp_path / "out" / "kept").glob("*/*.json"))
    assert kept == ["loss-a", "loss-a", "loss-b", "loss-direct", "loss-shipped", "loss-ties"]


def test_a_run_that_ends_early_keeps_the_rows_that_were_measured(tmp_path, measured, monkeypatch):
    measure = network_losses._measure

    def break_off(request, row):
        if len(measured) == 2:
            raise KeyboardInterrupt
        return measure(request, row)

    monkeypatch.setattr(network_losses, "_measure", break_off)
    work = PaperWork("question-1", PaperRequest(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        losses(work, {})
    monkeypatch.setattr(network_losses, "_measure", measure)
    assert set(losses(work, {})) == set(BESIDE) and len(measured) == 3


def test_a_damaged_file_is_measured_again(tmp_path, measured, capsys):
    work = PaperWork("question-1", PaperRequest(tmp_path))
    losses(work, {})
    next((tmp_path / "kept" / "question-1").glob("loss-ties-*")).write_text("{")
    losses(work, {})
    assert len(measured) == 4 and measured[3]["method"] == "ties" and "is damaged" in capsys.readouterr().err


def test_calls_in_one_process_are_made_in_order():
    assert list(in_processes(operator.mul, CALLS, 1, "calls")) == [(0, 2), (1, 12), (2, 30)]
    assert list(in_processes(operator.mul, CALLS[:1], 8, "calls")) == [(0, 2)]
    assert list(in_processes(operator.mul, [], 2, "calls")) == []


@pytest.mark.slow
def test_calls_in_several_processes_come_to_the_same(capsys):
    assert sorted(in_processes(operator.mul, CALLS, 2, "calls")) == [(0, 2), (1, 12), (2, 30)]
    assert "calls 3/3" in capsys.readouterr().err
    with pytest.raises(LorarError, match="calls: a process ended early"):
        list(in_processes(_end, [(3,), (3,)], 2, "calls"))
    with pytest.raises(ZeroDivisionError):
        list(in_processes(operator.truediv, [(1, 0), (1, 0)], 2, "calls"))


def _end(code):
    import os

    os._exit(code)
