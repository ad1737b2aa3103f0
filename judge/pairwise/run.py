"""Ask a critic about pairs of pictures: both aspects of every cell, each in both orders."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from judge.asking import OpenItem, ask_all
from judge.critics import Critic, CriticError
from judge.outcome import JudgeOutcome
from judge.pair_questions import PairPrompts, PairQuestion
from judge.pairwise.cells import Matching
from judge.pairwise.store import PairKey, PairStore
from judge.patience import STOP_AFTER
from judge.questions import ASPECTS


def judge_pairs(
    matching: Matching, critic: Critic, prompts: PairPrompts, replies: PairStore, stop_after: int = STOP_AFTER
) -> JudgeOutcome:
    """Ask the questions about pairs that have no clear choice yet; of two pictures that are the same nothing is asked.

    Raises:
        CriticError: the critic takes no questions about two pictures, or cannot work at all.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    check_takes_pairs(critic)
    items = [
        OpenItem(question, partial(PairKey.of, question, prompts.version))
        for question in questions_about_pairs(matching, prompts)
    ]
    digests = {target.image: target.digest for cell in matching.cells for target in (cell.one, cell.two)}
    return ask_all(items, critic, replies, "judge pairs", digests, stop_after)[0]


def check_takes_pairs(critic: Critic) -> None:
    """Raise a CriticError for a critic that is asked about single pictures alone."""
    if not critic.takes_pairs:
        raise CriticError(
            f"{critic.identity['critic']} takes no questions about two pictures; use it without --protocol pairwise"
        )


def questions_about_pairs(matching: Matching, prompts: PairPrompts) -> Iterator[PairQuestion]:
    """The questions about cells: each aspect with either picture first."""
    for cell in matching.cells:
        for aspect in ASPECTS:
            for order in ((cell.one, cell.two), (cell.two, cell.one)):
                images = order[0].image, order[1].image
                yield prompts.ask(aspect, cell.one.references(aspect), images, cell.one.style_words)
