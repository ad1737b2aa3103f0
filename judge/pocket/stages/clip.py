"""Stage ``clip``: Pocket's CLIP, trained on the bank and measured on held-out true cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from transformers import CLIPModel

from judge.metrics.backbone import Backbone
from judge.metrics.registry import find_backbone
from judge.pocket import shipped, trials
from judge.pocket.bank import Bank
from judge.pocket.clip import CAPTIONS, Matching, new_clip, new_processor
from judge.pocket.retrieval import tell_apart
from judge.pocket.stages.bank import bank_file
from lorarar.pocket.build_context import Workshop
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.ground_truth import truth
from lorarar.pocket.text_encoders import write_tokenizer
from lorarar.pocket.training_pictures import FAMILIES
from lorarar.training.loop import Schedule, train

CLIP = Schedule(1200, 1e-3, warmup=100, ema=0.99, save_every=100)
SIZE = 128  # pictures a step


def run_clip(workshop: Workshop) -> None:
    """Train it, from what is shipped if anything is, ship it in half precision, and measure what was shipped."""
    torch.manual_seed(workshop.seed)
    tokenizer = write_tokenizer(workshop.folder / "clip-tokenizer")
    clip = new_clip(tokenizer)
    if shipped.CLIP.is_dir() and not workshop.fresh:
        clip.load_state_dict(CLIPModel.from_pretrained(shipped.CLIP, dtype=torch.float32).state_dict())
    objective = Matching(clip, tokenizer, Bank.load(bank_file(workshop)), SIZE)
    plan = replace(CLIP, steps=workshop.steps or CLIP.steps, seed=workshop.seed)
    run = train(objective, plan, workshop.checkpoint("clip"), title="clip", accelerator=workshop.accelerator())
    objective.model.half().save_pretrained(shipped.CLIP)
    tokenizer.save_pretrained(shipped.CLIP)
    new_processor().save_pretrained(shipped.CLIP)
    backbone = find_backbone("clip", "pocket")
    figures = {
        "words": zero_shot(backbone, trials.HELD_SUBJECTS, trials.HELD_STYLES),
        "style": tell_apart(backbone, trials.style_trials()),
    }
    shipped.record("clip", steps=run.step, batch=SIZE, seconds=round(run.seconds), seed=workshop.seed, **figures)


def zero_shot(backbone: Backbone, subjects: Sequence[Subject], styles: Sequence[Style]) -> dict[str, float]:
    """Shares of true cells whose nearest caption, of all classes in all families, has the right class and family."""
    cells = [(subject, style) for subject in subjects for style in styles]
    cosines = backbone.images([truth(*cell) for cell in cells]) @ backbone.texts(CAPTIONS).T
    cosines = cosines.reshape(len(cells), len(CLASS_NAMES), len(FAMILIES))[:, :, 1:]  # none of them is plain
    said = [np.unravel_index(row.argmax(), row.shape) for row in cosines]
    classes = [CLASS_NAMES[k] == subject.class_name for (k, _), (subject, _) in zip(said, cells, strict=True)]
    families = [FAMILIES[k + 1] == style.family for (_, k), (_, style) in zip(said, cells, strict=True)]
    return {
        "class_right": round(float(np.mean(classes)), 4),
        "family_right": round(float(np.mean(families)), 4),
        "cells": len(cells),
    }
