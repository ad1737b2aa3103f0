"""Pocket, the embedded family: everything it has lies in the two folders of that name."""

from __future__ import annotations

from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Family
from lorarar.families.sdxl import SDXL

POCKET = Family(
    name="pocket",
    base="lorarar.pocket.shipped:base",
    pipeline=SDXL.pipeline,  # a tiny SDXL
    modules=SDXL.modules,
    pipeline_options=SDXL.pipeline_options,
    defaults=DrawingDefaults(steps=25, guidance=2.5, side=64),
    critic="judge.pocket.shipped:critic",
    backbones={"clip": "judge.pocket.shipped:CLIP", "dino": "judge.pocket.shipped:DINO"},
    ground_truth="judge.pocket.ground_truth",
    constants=(0.8, 0.8),  # of the plan ``constants``; the rows of the other plans have the same
    judges_own_alone=True,  # trained on its pictures of 64 pixels
)
