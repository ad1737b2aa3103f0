"""Stage ``eyes``: the critic's vision tower and projector."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import LlavaOnevisionForConditionalGeneration

from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.critic import new_critic, new_tokenizer
from judge.pocket.stages.bank import bank_file
from judge.pocket.vision_tower import VisionTowerObjective, standardise, tower_tokens
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.image_tensors import to_tensor
from lorarar.training.loop import Schedule, pick
from lorarar.util.files import replacing

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
    objective = VisionTowerObjective(critic, bank)
    run = context.train("eyes", objective, context.adjust(SCHEDULE))
    rows = pick(torch.Generator().manual_seed(context.seed), len(bank.pixels), STANDARDISED)
    standardise(objective.projector, encode(objective.tower, torch.from_numpy(bank.pixels)[rows]).float())
    critic.save_pretrained(tower_folder(context))
    _tokens_file(context).unlink(missing_ok=True)
    shipped.MANIFEST.record("eyes", steps=run.step, seconds=round(run.seconds), seed=context.seed)


def read_critic(folder: Path) -> LlavaOnevisionForConditionalGeneration:
    """The critic saved in a folder, in single precision.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    return LlavaOnevisionForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)


@torch.no_grad()
def encode(tower: nn.Module, pixels: Tensor) -> Tensor:
    """The tower's tokens (N, T, D) of uint8 pictures (N, H, W, 3), as the critic takes them, half precision."""
    return torch.cat([tower_tokens(tower, to_tensor(part)).half() for part in torch.split(pixels, 128)])


def bank_tokens(context: BuildContext, tower: nn.Module, bank: Bank) -> Tensor:
    """The tower's tokens (2, N, T, D) of painted and decoded pictures, kept in the build folder: they take minutes."""
    file = _tokens_file(context)
    if not file.exists():
        with replacing(file) as partial:
            parts = [encode(tower, torch.from_numpy(pixels)) for pixels in (bank.pixels, bank.decoded)]
            torch.save(torch.stack(parts), partial)
    tokens: Tensor = torch.load(file, mmap=True, weights_only=True)
    return tokens


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


def _tokens_file(context: BuildContext) -> Path:
    return context.folder / "tokens.pt"
