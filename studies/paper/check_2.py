"""The row of next check 2 in the table of items; what it does is in ``studies.paper.validation``."""

from __future__ import annotations

from judge.paper.item import PaperItem

ITEM = PaperItem(
    "check-2",
    "people against MARS2: the study that anybody can run, tried with SIMULATED raters",
    "Next check 2",
    "the test grid; raters are simulated and marked so",
    minutes=29,
    module="studies.paper.validation",
    order=52,
    any_base=True,
    seconds=30,
)
