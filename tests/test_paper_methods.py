"""The neutral table of ``lorarar paper methods``: every method has a row, and what is known of it stands there."""

from pathlib import Path
from types import SimpleNamespace

from judge.paper.footprint import MergeFootprint
from judge.paper.items import methods
from judge.paper.request import PaperRequest
from judge.paper.table import ITEMS, items_named
from lorarar.lora.drawn_methods import DRAWN
from lorarar.merging.methods.table import METHODS
from lorarar.training.options import OF_PAIRS

REQUEST = PaperRequest(Path("results"))


def test_every_method_has_a_row_and_shares_the_test_grids_pictures():
    (plan,), test = methods.plans(REQUEST), methods.test_grid(REQUEST)
    assert {row.method for row in plan.methods} == {*METHODS.own, *DRAWN, "joint"}
    assert plan.methods[: len(test.methods)] == test.methods and plan.pictures == test.pictures
    assert plan.title != test.title
    batches = {row.row_name: row.options.batch for row in plan.methods if row.method in OF_PAIRS and row.merges}
    assert len(batches) > 1 and set(batches.values()) == {2}  # all as the test grid's ZipLoRA


def test_a_smoke_test_trains_two_steps_by_every_method_that_trains():
    (plan,) = methods.plans(PaperRequest(Path("results"), quick=True))
    assert {row.options.steps for row in plan.methods if row.trains} == {2}
    assert (plan.contents.size, plan.styles.size, len(plan.pictures.seeds)) == (2, 2, 1)


def test_it_is_made_where_it_is_named_alone():
    assert "methods" not in [item.name for item in items_named(["all"])]
    assert [item.name for item in items_named(["methods"])] == ["methods"]
    assert {*ITEMS} - {item.name for item in items_named(["all"])} == {"methods", "tuning"}


def test_what_has_no_footprint_has_an_empty_place():
    group = SimpleNamespace(average=None)
    drawn, merged = (SimpleNamespace(method=name, group=group) for name in ("k-lora", "ties"))
    one = MergeFootprint(1.5, None, None, 3_000_000, "a--b")
    table = methods._table([drawn, merged], None, {}, {"ties": one})
    assert table.rows == [["k-lora", *[""] * 6], ["ties", *[""] * 4, "1.500", "3"]]
