"""The options of trainings: one row each, for flags, plans and the list of methods."""

from dataclasses import asdict, fields

import pytest
from typer.testing import CliRunner

from lorarar.bench.plan import MethodRow
from lorarar.cli.main import app
from lorarar.training.options import HYPERNET, LORA, ZIPLORA, options_facts


@pytest.mark.parametrize("training", [LORA, ZIPLORA, HYPERNET])
def test_every_option_has_a_row_that_accepts_its_default(training):
    assert {*training.options} == {field.name for field in fields(training.values)}
    assert training.read("it", {}) == training.values()
    defaults = {name: option.default for name, option in training.options.items() if option.default is not None}
    assert training.read("it", defaults) == training.values()


def test_the_values_of_a_plans_row_are_those_of_old_cells():
    row = MethodRow(method="joint", rank=2, rate=1, mirrored=True)
    values = {"rank": 2, "steps": 1000, "rate": 1.0, "batch": 1, "seed": 0, "mirrored": True}
    assert options_facts(row.options) == values
    assert isinstance(row.options.rate, float)
    for wrong in ({"steps": 0}, {"rate": float("nan")}, {"mirrored": "yes"}, {"seed": 2**64}):
        with pytest.raises(ValueError, match="accepted"):
            MethodRow(method="joint", **wrong)


def test_an_option_that_came_later_is_a_fact_only_where_it_changes_something():
    assert not {"decay", "feed_forward"} & options_facts(LORA.read("it", {"decay": 0, "feed_forward": False})).keys()
    assert options_facts(LORA.read("it", {"decay": 0.5}))["decay"] == 0.5
    assert options_facts(ZIPLORA.values()) == {
        name: value for name, value in asdict(ZIPLORA.values()).items() if name != "optimiser"
    }


@pytest.mark.parametrize("rate", ["nan", "-1", "0", "inf", "1e38", "quick"])
def test_a_rate_that_trains_nothing_is_one_line(rate, tmp_path):
    (tmp_path / "p").mkdir()
    place = ["-o", str(tmp_path / "x.safetensors")]
    done = CliRunner().invoke(app, ["train", "lora", str(tmp_path / "p"), "--prompt", "x", f"--rate={rate}", *place])
    assert done.exit_code == 2
    assert "accepted is a number above 0 and up to 1000" in done.stderr


def test_joint_and_the_options_of_ziploras_training_are_listed():
    listed = CliRunner().invoke(app, ["methods"]).stdout
    assert "joint, in plans alone" in listed
    assert "ziplora, in a plan that gives no coefficients:\n  steps INTEGER" in listed
