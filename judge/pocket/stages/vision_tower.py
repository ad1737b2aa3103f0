"""Stage ``eyes``: the critic's vision tower and projector."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlavaOnevisionForConditionalGeneration, SiglipVisionModel

from judge.pocket import shipped
from judge.pocket.augmentations import BankPictures
from judge.pocket.bank import Bank
from judge.pocket.critic import new_critic, new_tokenizer
from judge.pocket.stages.bank import bank_file
from judge.pocket.vision_tower import VisionTowerObjective, encode, standardise
from lorarar.pocket.build_context import BuildContext
from lorarar.training.loop import Schedule, pick

SCHEDULE = Schedule(steps=2400, rate=1e-3, warmup=100, ema=0.995, save_every=200)
STANDARDISED = 4000  # pictures by which the tower's tokens are standardised


def tower_folder(context: BuildContext) -> Path:
    """Where a build keeps a critic whose vision tower and projector are trained."""
    return context.folder / "eyes"


def run_vision_tower(context: BuildContext) -> None:
    """Train tower and projector: those of this build go on, else the shipped critic's tower does, else new ones."""
    bank = Bank.load(bank_file(context))
    torch.manual_seed(context.seed)
    critic = _critic_to_train(context)
    objective = VisionTowerObjective(critic, bank, BankPictures(bank, context.accelerator().device))
    run = context.train("eyes", objective, context.adjust(SCHEDULE))
    critic.cpu()
    rows = pick(torch.Generator().manual_seed(context.seed), len(bank.pixels), STANDARDISED)
    standardise(objective.projector, encode(objective.tower, torch.from_numpy(bank.pixels)[rows]).float())
    critic.save_pretrained(tower_folder(context))
    shipped.MANIFEST.record("eyes", steps=run.step, seconds=round(run.seconds), seed=context.seed)


def read_critic(folder: Path) -> LlavaOnevisionForConditionalGeneration:
    """The critic saved in a folder, in single precision.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    return LlavaOnevisionForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)


def trained_tower(context: BuildContext) -> SiglipVisionModel:
    """The vision tower of this build, or else the shipped critic's.

    Raises:
        FileNotFoundError: there is neither.
    """
    folder = tower_folder(context)
    return read_critic(folder if folder.is_dir() else shipped.CRITIC).model.vision_tower


def _critic_to_train(context: BuildContext) -> LlavaOnevisionForConditionalGeneration:
    critic = new_critic(new_tokenizer(context.folder / "critic-tokenizer"))
    if context.fresh:
        return critic
    if tower_folder(context).is_dir():
        return read_critic(tower_folder(context))
    if shipped.CRITIC.is_dir():
        tower = read_critic(shipped.CRITIC).model.vision_tower
        critic.model.vision_tower.load_state_dict(tower.state_dict())
    return critic
