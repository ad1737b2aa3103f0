"""Reports of pictures without a verdict are of the metrics that there are, and one line where there is nothing."""

import csv
import io
import json

import pytest

import judge
from tests.studies_database import make_database
from tests.test_study_report import add_scores


@pytest.fixture
def measured(tmp_path):
    """A grid of which one method's pictures have a higher CLIP-I and nothing has a verdict."""
    path = make_database(tmp_path, side=8)
    add_scores(path, "clip-i", "tiny-clip", lambda method, *_: 0.75 if method == "alpha" else 0.5, revision="1")
    return path


def test_metrics_alone_are_reported_and_the_first_line_says_that_nothing_was_judged(measured, run):
    table = run("judge", "report", "--db", measured)
    assert table.exit_code == 0, table.stderr
    assert table.stdout.startswith("MARS2 has no figures: ") and "lorarar judge run" in table.stdout.splitlines()[0]
    assert "CLIP-I" in table.stdout and "MARS2 (Table 1)" not in table.stdout
    record = json.loads(run("judge", "report", "--db", measured, "--json").stdout)
    assert record["judge"] is None
    assert [(one["method"], one["clip-i"]) for one in record["groups"]] == [("alpha", 0.75), ("beta", 0.5)]
    assert not {"average", "attempts", "failed"} & set(record["groups"][0])
    rows = list(csv.DictReader(io.StringIO(run("judge", "report", "--db", measured, "--format", "csv").stdout)))
    assert [(row["method"], float(row["clip-i"])) for row in rows] == [("alpha", 0.75), ("beta", 0.5)]
    figures = judge.report(db=measured)
    assert {(row.name, row.by, row.method, row.value) for row in figures} == {
        ("clip-i", "tiny-clip (1)", "alpha", 0.75),
        ("clip-i", "tiny-clip (1)", "beta", 0.5),
    }


def test_metrics_alone_are_grouped_drawn_and_shown(measured, run):
    chart, page = measured.parent / "chart.svg", measured.parent / "page.html"
    result = run("judge", "report", "--db", measured, "--by", "subject", "--chart", chart, "--gallery", page)
    assert result.exit_code == 0, result.stderr
    assert "CLIP-I" in chart.read_text() and "Judged by" not in chart.read_text()
    assert 'class="picture' in page.read_text() and "S</b>" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--against", "beta"), "--against beta: no picture has a verdict"),
        (("--critic", "nobody"), "has no verdicts; judge first"),
    ],
)
def test_what_metrics_alone_cannot_say_is_one_line(measured, run, arguments, words):
    result = run("judge", "report", "--db", measured, *arguments)
    assert result.exit_code == 1 and words in result.stderr and len(result.stderr.splitlines()) == 1


def test_where_there_is_nothing_a_line_says_what_to_do(tmp_path, run):
    result = run("judge", "report", "--db", make_database(tmp_path, side=8))
    assert result.exit_code == 1 and "has no verdicts; judge first: lorarar judge run" in result.stderr
