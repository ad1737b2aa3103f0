"""Stages ``eyes`` and ``critic``: the critic's vision tower, then its projector and language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LlavaOnevisionForConditionalGeneration, SiglipVisionModel

from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.critic import Judging, new_critic, new_tokenizer
from judge.pocket.eyes import Seeing, look_at, normalised, standardise
from judge.pocket.stages.bank import bank_file
from judge.pocket.trials import Trial, style_trials, subject_trials, telling
from lorarar.files import replacing
from lorarar.pocket.art import draw_all
from lorarar.pocket.pictures import FAMILIES
from lorarar.pocket.workshop import Workshop
from lorarar.training.loop import Plan, pick, train

EYES = Plan(2400, 1e-3, warmup=100, ema=0.995, save_every=200)
EASY = Plan(500, 1e-3, warmup=100, decay=False, save_every=100)
CRITIC = Plan(1800, 1e-3, warmup=50, ema=0.995, save_every=100)
SIZE = 48  # questions a step
TOKENS_FILE = "tokens.pt"
SEEN = 4000  # pictures by which the eyes' tokens are standardised


def run_eyes(workshop: Workshop) -> None:
    """Train tower and projector, from the shipped critic's if there is one, and keep them in the workshop."""
    bank = Bank.load(bank_file(workshop))
    torch.manual_seed(workshop.seed)
    critic = _shipped(workshop) or new_critic(new_tokenizer(workshop.folder / "critic-tokenizer"))
    objective = Seeing(critic, bank)
    plan = replace(EYES, steps=workshop.steps or EYES.steps, seed=workshop.seed)
    run = train(objective, plan, workshop.checkpoint("eyes"), title="eyes", accelerator=workshop.accelerator())
    rows = pick(torch.Generator().manual_seed(workshop.seed), len(bank.pixels), SEEN)
    standardise(objective.projector, see(objective.tower, torch.from_numpy(bank.pixels)[rows]).float())
    critic.save_pretrained(workshop.folder / "eyes")
    (workshop.folder / TOKENS_FILE).unlink(missing_ok=True)
    shipped.record("eyes", steps=run.step, seconds=round(run.seconds), seed=workshop.seed)


def run_critic(workshop: Workshop) -> None:
    """Train projector and language model, first on easy pairs, measure on held-out true cells, ship the critic."""
    bank = Bank.load(bank_file(workshop))
    tokenizer = new_tokenizer(workshop.folder / "critic-tokenizer")
    critic = LlavaOnevisionForConditionalGeneration.from_pretrained(workshop.folder / "eyes", dtype=torch.float32)
    tower = critic.model.vision_tower
    tokens = _tokens(workshop, tower, bank)
    easy = Judging(critic, tokenizer, bank, tokens, SIZE, easy=True)
    plan = replace(EASY, steps=min(EASY.steps, workshop.steps or EASY.steps), seed=workshop.seed)
    first = train(easy, plan, workshop.checkpoint("easy"), title="easy pairs", accelerator=workshop.accelerator())
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
    workshop.checkpoint("easy").unlink(missing_ok=True)
    seconds = round(first.seconds + run.seconds)
    shipped.record("critic", steps=first.step + run.step, seconds=seconds, seed=workshop.seed, **figures)


def _tokens(workshop: Workshop, tower: nn.Module, bank: Bank) -> Tensor:
    """The tower's tokens (2, N, T, D) of painted and decoded pictures, kept in the workshop: they take minutes."""
    path = workshop.folder / TOKENS_FILE
    if not path.exists():
        with replacing(path) as partial:
            parts = [see(tower, torch.from_numpy(pixels)) for pixels in (bank.pixels, bank.decoded)]
            torch.save(torch.stack(parts), partial)
    tokens: Tensor = torch.load(path, mmap=True, weights_only=True)
    return tokens


def _shipped(workshop: Workshop) -> LlavaOnevisionForConditionalGeneration | None:
    """The shipped critic, from which training goes on unless it is to start from nothing."""
    if workshop.fresh or not shipped.CRITIC.is_dir():
        return None
    return LlavaOnevisionForConditionalGeneration.from_pretrained(shipped.CRITIC, dtype=torch.float32)


@torch.no_grad()
def see(tower: nn.Module, pixels: Tensor) -> Tensor:
    """The tower's tokens (N, T, D) of uint8 pictures (N, H, W, 3), as the critic takes them, half precision."""
    return torch.cat([look_at(tower, normalised(part)).half() for part in torch.split(pixels, 128)])


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
    right = [(lean > 0) == trial.same for lean, trial in zip(leaning, trials, strict=True)]
    return telling(leaning, trials) | {"right": round(float(np.mean(right)), 4)}
