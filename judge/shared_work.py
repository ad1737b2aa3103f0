"""Asking questions in parts, so that several runs on one database share them out among themselves.

Invariant: a question that a living run is asking is asked by no other, and one that another run made clear in the
meantime is not asked at all. What a dead run claimed is taken over.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from judge.claimed_parts import ClaimedParts, OpenQuestions, drop_clear
from judge.critics import Critic
from judge.critics.batching import in_order
from judge.critics.critic import GivenUpError
from judge.patience import STOP_AFTER, Patience
from judge.questions import Reply
from judge.reply_keeper import ReplyKeeper
from judge.reply_store import K, ReplyStore
from lorarar.store.claims import Claims
from lorarar.util.interrupts import HeldInterrupt, held_interrupt
from lorarar.util.messages import message
from lorarar.util.progress import Ticker


@dataclass
class SharedWork:
    """What came of questions beside the replies."""

    existing: int  # questions that were clear already, or were made so by others in the meantime
    given_up: str = ""  # why the critic is asked no more; empty where all was asked


def share_work(
    questions: OpenQuestions[K],
    critic: Critic,
    judge: int,
    replies: ReplyStore[K],
    count: Callable[[Reply], None],
    title: str,
    stop_after: int = STOP_AFTER,
) -> SharedWork:
    """Ask those of some questions that have no clear reply, together with other runs; keep and count the replies.

    A critic that refuses whoever asks, or ``stop_after`` like failures in a row, ends the asking.

    Raises:
        CriticError: the critic cannot work at all.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    left = dict(questions)
    work = SharedWork(existing=drop_clear(left, set(left), replies))
    if not left:
        return work
    if cost := critic.cost(len(left)):
        message(cost, "yellow")
    patience = Patience(stop_after)
    with (
        Ticker(title, len(left)) as ticker,
        held_interrupt() as interrupt,
        Claims(replies.store) as claims,
        ReplyKeeper(judge, replies) as keeper,
    ):

        def skip(clear: int) -> None:
            work.existing += clear
            if clear:
                ticker.advance(clear)

        def keep(digest: str, reply: Reply) -> None:
            keeper.add(digest, questions[digest][1], reply)
            count(reply)
            ticker.advance()
            patience.see(reply)

        parts = ClaimedParts(
            left=_in_order(left), claims=claims, keeper=keeper, replies=replies, skip=skip, interrupt=interrupt
        )
        try:
            _ask(parts, critic, keep, interrupt)
        except GivenUpError as error:
            work.given_up = str(error)
    return work


def _in_order(questions: OpenQuestions[K]) -> OpenQuestions[K]:
    """The questions in the order that critics like, so that those of a part have much in common."""
    digests = list(questions)
    return {digests[at]: questions[digests[at]] for at in in_order([question for question, _ in questions.values()])}


def _ask(parts: ClaimedParts[K], critic: Critic, keep: Callable[[str, Reply], None], interrupt: HeldInterrupt) -> None:
    """Ask part after part, as the critic takes them, and keep what it replies."""
    coming = critic.ask_parts(parts.take)
    try:
        while (reply := _next(coming, interrupt)) is not None:
            digest = parts.digests[reply[0]]
            keep(digest, reply[1])
            parts.finish(digest)
    finally:
        if isinstance(coming, Generator):
            coming.close()  # at once, so that nothing more is asked
    for digest in list(parts.unanswered):
        keep(digest, Reply.failure("the critic did not reply"))


def _next(replies: Iterator[tuple[int, Reply]], interrupt: HeldInterrupt) -> tuple[int, Reply] | None:
    """The next reply, None after the last; Ctrl-C is heard while it is waited for, which may be long."""
    with interrupt.let_through():
        return next(replies, None)
