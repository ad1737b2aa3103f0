"""Stage ``dino``: Pocket's DINO, trained on the bank's designs."""

from __future__ import annotations

import torch
from transformers import ViTModel

from judge.pocket import shipped
from judge.pocket.augmentations import BankPictures
from judge.pocket.bank import Bank
from judge.pocket.dino import CONFIG, DinoObjective, new_dino
from judge.pocket.stages.bank import bank_file
from judge.pocket.stages.vision_tower import trained_tower
from lorarar.pocket.build_context import BuildContext
from lorarar.training.loop import Schedule

SCHEDULE = Schedule(steps=200, rate=7e-4, warmup=20, ema=0.97, save_every=50)
GROUPS = 32  # designs a step, two pictures of each


def run_dino(context: BuildContext) -> None:
    """Train DINO, from what is shipped if it is of this size, and ship it in half precision."""
    torch.manual_seed(context.seed)
    vit = _dino_to_train(context)
    bank = Bank.load(bank_file(context))
    pictures = BankPictures(bank, context.accelerator().device)
    run = context.train("dino", DinoObjective(vit, bank, pictures, GROUPS), context.adjust(SCHEDULE))
    vit.cpu().half().save_pretrained(shipped.DINO)
    shipped.MANIFEST.record(
        "dino",
        steps=run.step,
        batch=2 * GROUPS,
        seconds=round(run.seconds),
        seed=context.seed,
    )


def _dino_to_train(context: BuildContext) -> ViTModel:
    """The shipped one if it is of this size and none is wanted afresh, else a new one with the critic's tower."""
    if shipped.DINO.is_dir() and not context.fresh:
        vit = ViTModel.from_pretrained(shipped.DINO, dtype=torch.float32, add_pooling_layer=False)
        if vit.config.hidden_size == CONFIG.hidden_size:
            return vit
    return new_dino(trained_tower(context))
