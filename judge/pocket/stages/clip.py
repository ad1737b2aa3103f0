"""Stage ``clip``: Pocket's CLIP, trained on the bank and measured on held-out true cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from transformers import CLIPModel

from judge.metrics.backbone import Backbone
from judge.metrics.registry import find_backbone
from judge.pocket import held_out_trials as trials
from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.clip import CAPTIONS, ClipObjective, new_clip, new_processor
from judge.pocket.stages.bank import bank_file
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.ground_truth import true_picture
from lorarar.pocket.text_encoders import write_tokenizer
from lorarar.pocket.training_pictures import STYLE_FAMILIES
from lorarar.training.loop import Schedule

SCHEDULE = Schedule(steps=1200, rate=1e-3, warmup=100, ema=0.99, save_every=100)
SIZE = 128  # pictures a step


def run_clip(context: BuildContext) -> None:
    """Train CLIP, from what is shipped if anything is, ship it in half precision, and measure what was shipped."""
    torch.manual_seed(context.seed)
    tokenizer = write_tokenizer(context.folder / "clip-tokenizer")
    clip = new_clip(tokenizer)
    if shipped.CLIP.is_dir() and not context.fresh:
        clip.load_state_dict(CLIPModel.from_pretrained(shipped.CLIP, dtype=torch.float32).state_dict())
    objective = ClipObjective(clip, tokenizer, Bank.load(bank_file(context)), SIZE)
    run = context.train("clip", objective, context.adjust(SCHEDULE))
    clip.half().save_pretrained(shipped.CLIP)
    tokenizer.save_pretrained(shipped.CLIP)
    new_processor().save_pretrained(shipped.CLIP)
    backbone = find_backbone("clip", "pocket")
    shipped.MANIFEST.record(
        "clip",
        steps=run.step,
        batch=SIZE,
        seconds=round(run.seconds),
        seed=context.seed,
        words=zero_shot(backbone, trials.HELD_SUBJECTS, trials.HELD_STYLES),
        style=trials.cosine_auroc(backbone, trials.style_trials()),
    )


def zero_shot(backbone: Backbone, subjects: Sequence[Subject], styles: Sequence[Style]) -> dict[str, float]:
    """Shares of true cells whose nearest caption, of all classes in all families, has the right class and family."""
    cells = [(subject, style) for subject in subjects for style in styles]
    cosines = backbone.images([true_picture(*cell) for cell in cells]) @ backbone.texts(CAPTIONS).T
    cosines = cosines.reshape(len(cells), len(CLASS_NAMES), len(STYLE_FAMILIES))[:, :, 1:]  # no cell is plain
    nearest = [np.unravel_index(row.argmax(), row.shape) for row in cosines]
    right_class = [CLASS_NAMES[k] == subject.class_name for (k, _), (subject, _) in zip(nearest, cells, strict=True)]
    right_family = [STYLE_FAMILIES[k + 1] == style.family for (_, k), (_, style) in zip(nearest, cells, strict=True)]
    return {
        "class_right": round(float(np.mean(right_class)), 4),
        "family_right": round(float(np.mean(right_family)), 4),
        "cells": len(cells),
    }
