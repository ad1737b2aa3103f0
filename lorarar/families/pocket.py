"""Pocket, the embedded family: everything it has lies in the two folders of that name."""

from __future__ import annotations

from lorarar.families.family import Family

POCKET = Family(
    name="pocket",
    base="lorarar.pocket.shipped:base",
    critic="judge.pocket.shipped:critic",
    clip="judge.pocket.shipped:CLIP",
    dino="judge.pocket.shipped:DINO",
    ground_truth="judge.pocket.ground_truth",
)
