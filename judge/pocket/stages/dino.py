"""Stage ``dino``: Pocket's DINO, trained on the bank without labels and measured on held-out true cells."""

from __future__ import annotations

from dataclasses import replace

import torch
from transformers import ViTModel

from judge.metrics.registry import find_backbone
from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.dino import Distilling
from judge.pocket.retrieval import tell_apart
from judge.pocket.stages.bank import bank_file
from judge.pocket.trials import subject_trials
from lorarar.pocket.art import draw_all
from lorarar.pocket.build_context import Workshop
from lorarar.training.loop import Schedule, train

DINO = Schedule(1300, 1e-3, warmup=100, weight_decay=0.04, save_every=100)
SIZE = 64  # pictures a step


def run_dino(workshop: Workshop) -> None:
    """Train it, from what is shipped if anything is, ship the teacher in half precision, and measure that."""
    torch.manual_seed(workshop.seed)
    objective = Distilling(Bank.load(bank_file(workshop)), SIZE)
    if shipped.DINO.is_dir() and not workshop.fresh:  # its head is not shipped, and is learnt anew
        known = ViTModel.from_pretrained(shipped.DINO, dtype=torch.float32, add_pooling_layer=False).state_dict()
        for sorter in (objective.student, objective.teacher):
            sorter.vit.load_state_dict(known)
    plan = replace(DINO, steps=workshop.steps or DINO.steps, seed=workshop.seed)
    run = train(objective, plan, workshop.checkpoint("dino"), title="dino", accelerator=workshop.accelerator())
    objective.teacher.vit.half().save_pretrained(shipped.DINO)
    figures = tell_apart(find_backbone("dino", "pocket"), subject_trials(draw_all(workshop.folder / "art")))
    shipped.record("dino", steps=run.step, batch=SIZE, seconds=round(run.seconds), seed=workshop.seed, subject=figures)
