"""Charts: what is drawn where, in both forms; one line where matplotlib is not installed."""

import re
import xml.etree.ElementTree as ET

import pytest
from PIL import Image
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.pictures import dot_chart
from lorarar.pictures.dot_chart import MOST, ChartError, DotChart, Mark, Panel, look

MARKS = [Mark(0, 0, 0.25, 0.1, 0.4), Mark(1, 0, 0.75, 0.75, 0.75)]
CHART = DotChart("Title", ["direct", "$x$\x1b\u202e</text>"], ["measured"], [Panel("average", MARKS)], "A note.")


def test_a_chart_is_written_whole_as_its_name_says_and_the_same_again(tmp_path):
    pytest.importorskip("matplotlib")
    first, again = (CHART.write(tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert first == again
    texts = {"".join(node.itertext()).strip() for node in ET.fromstring(first).iter("{http://www.w3.org/2000/svg}text")}
    assert {"Title", "direct", "average", "0.25", "0.75", "A note."} <= texts
    assert "$x$\ufffd\ufffd</text>" in texts
    with Image.open(CHART.write(tmp_path / "c.png")) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200


def test_marks_stand_in_the_order_of_their_figures_with_their_intervals(tmp_path):
    pytest.importorskip("matplotlib")
    text = CHART.write(tmp_path / "a.svg").read_text()
    lines = re.findall(
        r"M ([\d.]+) ([\d.]+) \nL ([\d.]+) \2 \n\" clip-path=\"[^\"]+\" style=\"fill: none; stroke: #0072b2", text
    )
    (low, _, high), (same, _, end) = [tuple(map(float, line)) for line in lines]
    assert low < high < same == end
    assert (high - low) / (same - low) == pytest.approx((0.4 - 0.1) / (0.75 - 0.1), rel=1e-3)


def test_a_chart_that_nobody_could_read_is_refused(tmp_path):
    pytest.importorskip("matplotlib")
    rows = [str(number) for number in range(MOST + 1)]
    with pytest.raises(ChartError, match="201 rows are more than can be read; accepted are 200"):
        DotChart("", rows, ["a"], [Panel("", [])]).write(tmp_path / "a.svg")


@pytest.mark.parametrize(
    ("file", "words"), [("a.jpg", "ending in .svg or .png"), ("a.svg", "pip install 'lorarar[charts]'")]
)
def test_what_cannot_be_drawn_is_one_line_before_any_work(tmp_path, monkeypatch, file, words):
    monkeypatch.setattr(dot_chart, "find_spec", lambda name: None)
    result = CliRunner().invoke(
        app, ["judge", "report", "--db", str(tmp_path / "no.db"), "--chart", str(tmp_path / file)]
    )
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in " ".join(result.stderr.split())
    assert not list(tmp_path.iterdir())


def test_no_two_series_look_the_same():
    assert len({look(number) for number in range(64)}) == 64
