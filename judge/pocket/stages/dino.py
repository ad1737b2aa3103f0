"""Stage ``dino``: Pocket's DINO, trained on the bank without labels and measured on held-out true cells."""

from __future__ import annotations

import torch
from transformers import ViTModel

from judge.metrics.registry import find_backbone
from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.dino import DinoObjective
from judge.pocket.held_out_trials import cosine_auroc, subject_trials
from judge.pocket.stages.bank import bank_file
from lorarar.pocket.art import fetch_designs
from lorarar.pocket.build_context import BuildContext
from lorarar.training.loop import Schedule

SCHEDULE = Schedule(steps=1300, rate=1e-3, warmup=100, weight_decay=0.04, save_every=100)
SIZE = 64  # pictures a step


def run_dino(context: BuildContext) -> None:
    """Train DINO, from what is shipped if anything is, ship the teacher in half precision, and measure that."""
    torch.manual_seed(context.seed)
    objective = DinoObjective(Bank.load(bank_file(context)), SIZE)
    if shipped.DINO.is_dir() and not context.fresh:  # its head is not shipped, and is learnt anew
        weights = ViTModel.from_pretrained(shipped.DINO, dtype=torch.float32, add_pooling_layer=False).state_dict()
        for model in (objective.student, objective.teacher):
            model.vit.load_state_dict(weights)
    run = context.train("dino", objective, context.adjust(SCHEDULE))
    objective.teacher.vit.half().save_pretrained(shipped.DINO)
    shipped.MANIFEST.record(
        "dino",
        steps=run.step,
        batch=SIZE,
        seconds=round(run.seconds),
        seed=context.seed,
        subject=cosine_auroc(find_backbone("dino", "pocket"), subject_trials(fetch_designs(context.art))),
    )
