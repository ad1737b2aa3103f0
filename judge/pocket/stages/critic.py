"""Stages ``eyes`` and ``critic``: the critic's vision tower, then its projector and language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LlavaOnevisionForConditionalGeneration, SiglipVisionModel

from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.critic import Judging, new_critic, new_tokenizer
from judge.pocket.stages.bank import bank_file
from judge.pocket.trials import Trial, style_trials, subject_trials, telling
from judge.pocket.vision_tower import Seeing, look_at, normalised, standardise
from lorarar.pocket.art import draw_all
from lorarar.pocket.build_context import Workshop
from lorarar.pocket.training_pictures import FAMILIES
from lorarar.training.loop import Schedule, pick, train
from lorarar.util.files import replacing

EYES = Schedule(2400, 1e-3, warmup=100, ema=0.995, save_every=200)
EASY = Schedule(500, 1e-3, warmup=100, decay=False, save_every=100)
CRITIC = Schedule(1800, 1e-3, warmup=50, ema=0.995, save_every=100)
SIZE = 48  # questions a step
TOKENS_FILE = "tokens.pt"
SEEN = 4000  # pictures by which the eyes' tokens are standardised


def run_eyes(workshop: Workshop) -> None:
    """Train tower and projector: those of the workshop go on, else the shipped critic's tower does, else new ones."""
    bank = Bank.load(bank_file(workshop))
    torch.manual_seed(workshop.seed)
    critic = new_critic(new_tokenizer(workshop.folder / "critic-tokenizer"))
    eyes = workshop.folder / "eyes"
    if eyes.is_dir() and not workshop.fresh:
        critic = _critic(eyes)
    elif shipped.CRITIC.is_dir() and not workshop.fresh:
        critic.model.vision_tower.load_state_dict(_critic(shipped.CRITIC).model.vision_tower.state_dict())
    objective = Seeing(critic, bank)
    plan = replace(EYES, steps=workshop.steps or EYES.steps, seed=workshop.seed)
    run = train(objective, plan, workshop.checkpoint("eyes"), title="eyes", accelerator=workshop.accelerator())
    rows = pick(torch.Generator().manual_seed(workshop.seed), len(bank.pixels), SEEN)
    standardise(objective.projector, see(objective.tower, torch.from_numpy(bank.pixels)[rows]).float())
    critic.save_pretrained(eyes)
    (workshop.folder / TOKENS_FILE).unlink(missing_ok=True)
    shipped.record("eyes", steps=run.step, seconds=round(run.seconds), seed=workshop.seed)


def run_critic(workshop: Workshop) -> None:
    """Train projector and language model, measure on held-out true cells, and ship the critic.

    The shipped critic goes on learning, with new eyes if there are any; afresh it learns from nothing but them, on
    easy pairs first.
    """
    eyes = workshop.folder / "eyes"
    anew = workshop.fresh or not shipped.CRITIC.is_dir()
    critic = _critic(eyes if anew else shipped.CRITIC)
    if not anew and eyes.is_dir():
        critic.model.vision_tower = _critic(eyes).model.vision_tower
    bank = Bank.load(bank_file(workshop))
    tokenizer = new_tokenizer(workshop.folder / "critic-tokenizer")
    tower = critic.model.vision_tower
    tokens = _tokens(workshop, tower, bank)
    steps, seconds = 0, 0.0
    for name, objective, usual in (
        ("easy", Judging(critic, tokenizer, bank, tokens, SIZE, easy=True), EASY),
        ("critic", Judging(critic, tokenizer, bank, tokens, SIZE), CRITIC),
    ):
        if name == "easy" and not anew:
            continue
        asked = workshop.steps or usual.steps
        plan = replace(usual, steps=min(asked, usual.steps) if name == "easy" else asked, seed=workshop.seed)
        run = train(objective, plan, workshop.checkpoint(name), title=name, accelerator=workshop.accelerator())
        steps, seconds = steps + run.step, seconds + run.seconds
    designs = draw_all(workshop.folder / "art")
    figures = {
        name: measure(objective, tower, trials)
        for name, trials in (("subject", subject_trials(designs)), ("style", style_trials()))
    }
    critic.half().save_pretrained(shipped.CRITIC)
    tokenizer.save_pretrained(shipped.CRITIC)
    workshop.checkpoint("easy").unlink(missing_ok=True)
    shipped.record("critic", steps=steps, seconds=round(seconds), seed=workshop.seed, **figures)


def _tokens(workshop: Workshop, tower: nn.Module, bank: Bank) -> Tensor:
    """The tower's tokens (2, N, T, D) of painted and decoded pictures, kept in the workshop: they take minutes."""
    path = workshop.folder / TOKENS_FILE
    if not path.exists():
        with replacing(path) as partial:
            parts = [see(tower, torch.from_numpy(pixels)) for pixels in (bank.pixels, bank.decoded)]
            torch.save(torch.stack(parts), partial)
    tokens: Tensor = torch.load(path, mmap=True, weights_only=True)
    return tokens


def _critic(folder: Path) -> LlavaOnevisionForConditionalGeneration:
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    return LlavaOnevisionForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)


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
        reference, test = (side[number : number + 1] for side in shown)
        logits = objective.logits(asked, reference, test)[0, objective.answers]
        leaning.append(float(logits[1] - logits[0]))
    right = [(lean > 0) == trial.same for lean, trial in zip(leaning, trials, strict=True)]
    return telling(leaning, trials) | {"right": round(float(np.mean(right)), 4)}
