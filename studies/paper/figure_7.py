"""The row of Figure 7 in the table of items; what it does is in ``studies.paper.preferences``."""

from __future__ import annotations

from judge.paper.item import PaperItem

ITEM = PaperItem(
    "figure-7",
    "which of two methods is preferred, by SIMULATED raters",
    "Figure 7",
    "the test grid; raters are simulated and marked so",
    minutes=29,
    module="studies.paper.preferences",
    order=17,
    any_base=True,
    seconds=30,
)
