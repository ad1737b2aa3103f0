"""Records of long trainings: kept of what was measured, and shown as recorded."""

import json

import pytest

from judge.paper import networks, records
from judge.paper.errors import PaperError
from judge.paper.items import check_1, check_3, question_1
from judge.paper.page import ResultsPage
from judge.paper.records import Record, keep, recorded
from judge.paper.request import PaperRequest
from judge.paper.section import PaperSection
from judge.paper.work import PaperWork
from lorarar.util.statistics.crossed import Difference, over_pairs

MADE = {"base": "pocket", "seeds": 1, "quick": False, "day": "d", "version": "v", "seconds": 9.0, "cores": 2}
PAIRS = [(content, style) for content in "abcdefg" for style in "uvwxyz"]


def _numbers(step):
    """Numbers of a curve of three networks whose loss goes by ``step`` with each doubling."""
    by_row = {
        str(16 * 2**place): {pair: 0.3 + step * place + 0.001 * number for number, pair in enumerate(PAIRS)}
        for place in range(3)
    }
    curve = [
        {
            "size": int(size),
            "head": "ranks",
            "objective": "truth",
            "steps": 10,
            "pairs": 2,
            "parts": ["query"],
            "diversity": None,
            "loss": vars(over_pairs(values)),
            "beyond": {"ties": vars(Difference(step, step - 0.001, step + 0.001, 0.01))},
        }
        for size, values in by_row.items()
    ]
    slope = question_1._slope(by_row, [int(size) for size in by_row])
    return {"networks": curve, "beside": {"ties": curve[0]["loss"]}, "doubling": vars(slope), "cells": [7, 6]}


def test_a_record_is_what_a_run_measured_with_what_made_it(tmp_path):
    ResultsPage(tmp_path).put("question-1", PaperSection("One", numbers={"n": 1}), MADE, ["question-1"])
    path = keep(tmp_path, "question-1", {"commit": "abc"}, tmp_path / "records")
    record = recorded("question-1", tmp_path / "records")
    assert path.is_file() and record.numbers == {"n": 1}
    assert record.made == {"commit": "abc", "day": "d", "version": "v", "cores": 2}
    assert "not measured in this run" in record.words and "commit abc" in record.words


@pytest.mark.parametrize(("numbers", "made"), [({"recorded": {}}, {}), ({"n": 1}, {"quick": True})])
def test_no_record_is_made_of_a_record_or_of_a_smoke_test(tmp_path, numbers, made):
    ResultsPage(tmp_path).put("question-1", PaperSection("One", numbers=numbers), MADE | made, ["question-1"])
    with pytest.raises(PaperError, match="measured"):
        keep(tmp_path, "question-1", {}, tmp_path / "records")


def test_what_is_no_record_is_said(tmp_path):
    assert recorded("question-1", tmp_path) is None
    (tmp_path / "question-1.json").write_text("[]")
    with pytest.raises(PaperError, match="no record of question-1"):
        recorded("question-1", tmp_path)


def test_a_recorded_curve_is_marked_and_says_what_its_interval_says(tmp_path):
    work = PaperWork("question-1", PaperRequest(tmp_path))
    section = question_1.section_of(_numbers(-0.01), Record({"commit": "abc"}, {}), work)
    assert section.paragraphs[0].startswith("RECORDED") and section.numbers["recorded"] == {"commit": "abc"}
    assert section.says[0].startswith("Each doubling of subjects and of styles lowers the loss: -0.0100")
    assert "those of 16, 32 and 64 are ahead of ties" in section.says[1]
    assert (tmp_path / section.figures[0].file).is_file()
    assert PaperSection.of_record(json.loads(json.dumps(section.record()))).markdown() == section.markdown()


def test_a_curve_that_is_flat_is_not_said_to_fall(tmp_path):
    section = question_1.section_of(_numbers(0.0), None, PaperWork("question-1", PaperRequest(tmp_path)))
    assert "is not told to change the loss" in section.says[0]
    assert not any("RECORDED" in text for text in section.paragraphs)


def test_without_networks_and_record_a_section_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(question_1, "recorded", lambda item: None)
    monkeypatch.setattr(networks, "SHIPPED", tmp_path / "none")
    section = question_1.section(PaperWork("question-1", PaperRequest(tmp_path)))
    assert "lorarar pocket zoo" in section.paragraphs[0] and "--train" in section.paragraphs[0] and not section.says


def test_the_records_that_are_shipped_are_sound():
    for path in sorted(records.FOLDER.glob("*.json")):
        record = recorded(path.stem)
        assert record is not None and record.numbers and "commit" in record.made


def _heads(**other):
    """Numbers of two heads, of which ``context`` has a loss that is lower by 0.01, told apart."""
    alike = {
        "objective": "truth",
        "steps": 10,
        "pairs": 2,
        "hidden": 8,
        "parts": ["query"],
        "contents": 20,
        "styles": 18,
    }
    loss, less = {"value": 0.3, "low": 0.29, "high": 0.31}, vars(Difference(-0.01, -0.012, -0.008, 0.001))
    of = {**alike, "weights": 1000, "loss": loss, "less": dict.fromkeys(("direct", "ties", "shipped"), less)}
    heads = {"columns": {**of, "less_columns": None}, "context": {**of, "less_columns": less, **other}}
    return {"heads": heads, "beside": {"ties": loss}, "cells": [5, 21]}


def test_heads_are_compared_and_a_record_of_them_is_marked(tmp_path):
    section = check_3.section_of(_heads(), Record({"commit": "abc"}, {}), PaperWork("check-3", PaperRequest(tmp_path)))
    assert section.paragraphs[0].startswith("RECORDED") and len(section.paragraphs) == 2
    assert section.says[0] == (
        "Head context is ahead of head columns: -0.0100 (-0.0120 to -0.0080) of truth loss, "
        "p 0.001 after Holm's correction."
    )
    assert (tmp_path / section.figures[0].file).is_file()


def test_heads_that_were_not_trained_alike_are_said_to_be(tmp_path):
    section = check_3.section_of(_heads(steps=99), None, PaperWork("check-3", PaperRequest(tmp_path)))
    assert section.paragraphs[-1].startswith("Not trained alike") and "context (steps 99)" in section.paragraphs[-1]


def test_without_two_heads_a_section_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(check_3, "recorded", lambda item: None)
    section = check_3.section(PaperWork("check-3", PaperRequest(tmp_path)))
    assert "lorarar paper check-3 --train" in section.paragraphs[0] and not section.says


def test_the_zoo_is_recorded_and_says_so():
    table = check_1._recorded_table(recorded("check-1"))
    assert table.title.startswith("RECORDED") and table.notes[0].startswith("RECORDED")
    assert [row[2] for row in table.rows] == ["training", "zoo"] * 4
