"""The judges' part of Pocket's recipe; the command line appends it to the engine's."""

from __future__ import annotations

from lorarar.pocket.build import stage

_IN = "judge.pocket.stages"

STAGES = (
    stage("bank", "the judges' labelled pictures", f"{_IN}.bank"),
    stage("eyes", "the critic's vision tower", f"{_IN}.critic"),
    stage("critic", "the critic, and how well it tells held-out subjects and styles apart", f"{_IN}.critic"),
    stage("clip", "CLIP, by contrast with captions", f"{_IN}.clip"),
    stage("dino", "DINO, by self-distillation", f"{_IN}.dino"),
)
