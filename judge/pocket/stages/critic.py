"""Stages ``eyes`` and ``critic``: the critic's vision tower, then its projector and language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration, SiglipVisionModel

from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.critic import Judging, new_critic, new_tokenizer
from judge.pocket.eyes import Seeing, normalised
from judge.pocket.stages.bank import bank_file
from judge.pocket.trials import Trial, auroc, style_trials, subject_trials
from lorarar.pocket.art import draw_all
from lorarar.pocket.pictures import FAMILIES
from lorarar.pocket.workshop import Workshop
from lorarar.training.loop import Plan, train

EYES = Plan(2400, 1e-3, warmup=100, ema=0.995, save_every=200)
CRITIC = Plan(3600, 1e-3, warmup=200, ema=0.998, save_every=200)
SIZE = 48  # questions a step


def run_eyes(workshop: Workshop) -> None:
    """Train the tower, from the shipped critic's if there is one, and keep it in the workshop."""
    torch.manual_seed(workshop.seed)
    objective = Seeing(Bank.load(bank_file(workshop)))
    if known := _shipped(workshop):
        objective.tower.load_state_dict(known.model.vision_tower.state_dict())
    plan = replace(EYES, steps=workshop.steps or EYES.steps, seed=workshop.seed)
    run = train(objective, plan, workshop.checkpoint("eyes"), title="eyes", accelerator=workshop.accelerator())
    objective.tower.save_pretrained(workshop.folder / "eyes")
    shipped.record("eyes", steps=run.step, seconds=round(run.seconds), seed=workshop.seed)


def run_critic(workshop: Workshop) -> None:
    """Train projector and language model, measure on held-out true cells, and ship the critic."""
    bank = Bank.load(bank_file(workshop))
    tower = SiglipVisionModel.from_pretrained(workshop.folder / "eyes")
    tokens = torch.stack([see(tower, torch.from_numpy(part)) for part in (bank.pixels, bank.decoded)])
    torch.manual_seed(workshop.seed)
    tokenizer = new_tokenizer(workshop.folder / "critic-tokenizer")
    critic = _shipped(workshop) or new_critic(tokenizer)
    critic.model.vision_tower.load_state_dict(tower.state_dict())
    objective = Judging(critic, tokenizer, bank, tokens, SIZE)
    plan = replace(CRITIC, steps=workshop.steps or CRITIC.steps, seed=workshop.seed)
    run = train(objective, plan, workshop.checkpoint("critic"), title="critic", accelerator=workshop.accelerator())
    designs = draw_all(workshop.folder / "art")
    figures = {
        name: measure(objective, tower, trials)
        for name, trials in (("subject", subject_trials(designs)), ("style", style_trials()))
    }
    critic.half().save_pretrained(shipped.CRITIC)
    tokenizer.save_pretrained(shipped.CRITIC)
    shipped.record("critic", steps=run.step, seconds=round(run.seconds), seed=workshop.seed, **figures)


def _shipped(workshop: Workshop) -> LlavaOnevisionForConditionalGeneration | None:
    """The shipped critic, from which training goes on unless it is to start from nothing."""
    if workshop.fresh or not shipped.CRITIC.is_dir():
        return None
    return LlavaOnevisionForConditionalGeneration.from_pretrained(shipped.CRITIC, dtype=torch.float32)


@torch.no_grad()
def see(tower: SiglipVisionModel, pixels: Tensor) -> Tensor:
    """The tower's tokens (N, T, D) of uint8 pictures (N, H, W, 3), as the critic takes them, half precision."""
    parts = torch.split(pixels, 128)
    return torch.cat([tower(normalised(part), output_hidden_states=True).hidden_states[-1].half() for part in parts])


@torch.no_grad()
def measure(objective: Judging, tower: SiglipVisionModel, trials: Sequence[Trial]) -> dict[str, float]:
    """AUROC of the Yes-No logit, over all negatives and over the hard ones alone, and the share answered rightly."""
    shown = [
        see(tower, torch.from_numpy(np.stack([np.asarray(getattr(trial, side)) for trial in trials]))).float()
        for side in ("reference", "test")
    ]
    leaning = []
    for number, trial in enumerate(trials):
        asked = objective.asked[0, trial.aspect, FAMILIES.index(trial.family)]
        logits = objective.logits(asked, *(side[number : number + 1] for side in shown))[0, objective.answers]
        leaning.append(float(logits[1] - logits[0]))
    same = [trial.same for trial in trials]
    hard = [k for k, trial in enumerate(trials) if trial.same or trial.hard]
    return {
        "auroc": round(auroc(leaning, same), 4),
        "auroc_hard": round(auroc([leaning[k] for k in hard], [same[k] for k in hard]), 4),
        "right": round(float(np.mean([(lean > 0) == yes for lean, yes in zip(leaning, same, strict=True)])), 4),
        "trials": len(trials),
    }
