"""Stage ``critic``: the critic's projector and language model, on the vision tower that is there."""

from __future__ import annotations

from dataclasses import replace

from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast

from judge.pocket import shipped
from judge.pocket.augmentations import BankPictures
from judge.pocket.bank import Bank
from judge.pocket.critic import adopt_tokenizer, new_tokenizer
from judge.pocket.critic_training import CriticObjective
from judge.pocket.pairs import EasyPairs, Pairs
from judge.pocket.question_pool import QuestionPool
from judge.pocket.stages.bank import bank_file
from judge.pocket.stages.vision_tower import read_critic, tower_folder
from lorarar.pocket.build_context import BuildContext
from lorarar.training.loop import Schedule, TrainingRun

EASY_SCHEDULE = Schedule(steps=500, rate=1e-3, warmup=100, decay=0, save_every=100)
SCHEDULE = Schedule(steps=3000, rate=5e-4, warmup=100, decay=0.6, ema=0.998, save_every=100)
QUESTIONS = 1000  # about each style family, and 14 times as many about the subject
SIZE = 4  # pairs a step, each asked about twice: few, so that there are many wordings for the time


def run_critic(context: BuildContext) -> None:
    """Train projector and language model, and ship the critic.

    The shipped critic goes on learning, with a new vision tower if there is one; afresh it learns from nothing but
    that, on easy pairs first.
    """
    anew = context.fresh or not shipped.CRITIC.is_dir()
    tokenizer = new_tokenizer(context.folder / "critic-tokenizer")
    critic = read_critic(tower_folder(context)) if anew else _shipped_critic(context, tokenizer)
    runs = _train(context, critic, tokenizer, anew)
    critic.cpu().half().save_pretrained(shipped.CRITIC)
    tokenizer.save_pretrained(shipped.CRITIC)
    context.checkpoint("easy").unlink(missing_ok=True)
    shipped.MANIFEST.record(
        "critic",
        steps=sum(run.step for run in runs),
        seconds=round(sum(run.seconds for run in runs)),
        seed=context.seed,
    )


def _shipped_critic(
    context: BuildContext, tokenizer: PreTrainedTokenizerFast
) -> LlavaOnevisionForConditionalGeneration:
    """The shipped critic with a tokenizer of today's words and the vision tower's stage's tower, if there is one."""
    critic = read_critic(shipped.CRITIC)
    adopt_tokenizer(critic, PreTrainedTokenizerFast.from_pretrained(shipped.CRITIC), tokenizer)
    if (folder := tower_folder(context)).is_dir():
        critic.model.vision_tower = read_critic(folder).model.vision_tower
    return critic


def _train(
    context: BuildContext,
    critic: LlavaOnevisionForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    anew: bool,
) -> list[TrainingRun]:
    """Train on easy pairs, if the critic is new, then on hard ones; all runs."""
    bank = Bank.load(bank_file(context))
    pictures = BankPictures(bank, context.accelerator().device)
    questions = QuestionPool(tokenizer, QUESTIONS, context.seed)
    runs = []
    if anew:
        easy = context.adjust(EASY_SCHEDULE)
        schedule = replace(easy, steps=min(easy.steps, EASY_SCHEDULE.steps))
        objective = CriticObjective(critic, tokenizer, EasyPairs(bank), pictures, questions, SIZE)
        runs.append(context.train("easy", objective, schedule))
    objective = CriticObjective(critic, tokenizer, Pairs(bank), pictures, questions, SIZE)
    runs.append(context.train("critic", objective, context.adjust(SCHEDULE)))
    return runs
