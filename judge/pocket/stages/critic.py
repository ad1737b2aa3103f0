"""Stage ``critic``: the critic's projector and language model, on the vision tower that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast, SiglipVisionModel

from judge.pocket import shipped
from judge.pocket.bank import Bank
from judge.pocket.critic import new_tokenizer
from judge.pocket.critic_training import CriticObjective
from judge.pocket.held_out_trials import HeldOutTrial, auroc_summary, style_trials, subject_trials
from judge.pocket.pairs import EasyPairs, Pairs
from judge.pocket.stages.bank import bank_file
from judge.pocket.stages.vision_tower import bank_tokens, encode, read_critic, tower_folder
from lorarar.pocket.art import fetch_designs
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.training_pictures import STYLE_FAMILIES
from lorarar.training.loop import Schedule, TrainingRun

EASY_SCHEDULE = Schedule(steps=500, rate=1e-3, warmup=100, decay=0, save_every=100)
SCHEDULE = Schedule(steps=1800, rate=1e-3, warmup=50, ema=0.995, save_every=100)
SIZE = 48  # questions a step


def run_critic(context: BuildContext) -> None:
    """Train projector and language model, measure on held-out true cells, and ship the critic.

    The shipped critic goes on learning, with a new vision tower if there is one; afresh it learns from nothing but
    that, on easy pairs first.
    """
    anew = context.fresh or not shipped.CRITIC.is_dir()
    critic = _critic_to_train(context, anew)
    tokenizer = new_tokenizer(context.folder / "critic-tokenizer")
    objective, runs = _train(context, critic, tokenizer, anew)
    figures = {
        "subject": measure(objective, subject_trials(fetch_designs(context.art))),
        "style": measure(objective, style_trials()),
    }
    critic.half().save_pretrained(shipped.CRITIC)
    tokenizer.save_pretrained(shipped.CRITIC)
    context.checkpoint("easy").unlink(missing_ok=True)
    shipped.MANIFEST.record(
        "critic",
        steps=sum(run.step for run in runs),
        seconds=round(sum(run.seconds for run in runs)),
        seed=context.seed,
        **figures,
    )


def measure(objective: CriticObjective, trials: Sequence[HeldOutTrial]) -> dict[str, float]:
    """AUROC of the Yes-No logit, over all negatives and over the hard ones alone, and the share answered rightly."""
    logits = _yes_no_logits(objective, trials)
    right = [(logit > 0) == trial.same for logit, trial in zip(logits, trials, strict=True)]
    return auroc_summary(logits, trials) | {"right": round(float(np.mean(right)), 4)}


def _critic_to_train(context: BuildContext, anew: bool) -> LlavaOnevisionForConditionalGeneration:
    """The critic of the vision tower's stage, or the shipped one with that stage's tower, if there is one."""
    folder = tower_folder(context)
    critic = read_critic(folder if anew else shipped.CRITIC)
    if not anew and folder.is_dir():
        critic.model.vision_tower = read_critic(folder).model.vision_tower
    return critic


def _train(
    context: BuildContext,
    critic: LlavaOnevisionForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    anew: bool,
) -> tuple[CriticObjective, list[TrainingRun]]:
    """Train on easy pairs, if the critic is new, then on hard ones; the last objective, and all runs."""
    bank = Bank.load(bank_file(context))
    tokens = bank_tokens(context, critic.model.vision_tower, bank)
    runs = []
    if anew:
        easy = context.adjust(EASY_SCHEDULE)
        schedule = replace(easy, steps=min(easy.steps, EASY_SCHEDULE.steps))
        objective = CriticObjective(critic, tokenizer, EasyPairs(bank), tokens, SIZE)
        runs.append(context.train("easy", objective, schedule))
    objective = CriticObjective(critic, tokenizer, Pairs(bank), tokens, SIZE)
    runs.append(context.train("critic", objective, context.adjust(SCHEDULE)))
    return objective, runs


@torch.no_grad()
def _yes_no_logits(objective: CriticObjective, trials: Sequence[HeldOutTrial]) -> list[float]:
    """The logit of Yes less that of No for each trial, in the paper's wording."""
    tower = objective.critic.model.vision_tower
    references = _encode_images(tower, [trial.reference for trial in trials])
    tests = _encode_images(tower, [trial.test for trial in trials])
    differences = []
    for trial, reference, test in zip(trials, references, tests, strict=True):
        question = objective.questions[0, trial.aspect, STYLE_FAMILIES.index(trial.family)]
        no, yes = objective.logits(question, reference[None], test[None])[0, objective.answers]
        differences.append(float(yes - no))
    return differences


def _encode_images(tower: SiglipVisionModel, images: Sequence[Image.Image]) -> Tensor:
    """The tower's tokens (N, T, D) of pictures of one size."""
    return encode(tower, torch.from_numpy(np.stack([np.asarray(image) for image in images]))).float()
