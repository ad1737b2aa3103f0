"""Asking questions in parts, so that several runs on one database share them out among themselves.

Invariant: a question that a living run is asking is asked by no other, and one that another run made clear in the
meantime is not asked at all. What a dead run claimed is taken over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass

from judge.critics import Critic
from judge.critics.batching import in_order
from judge.critics.critic import GivenUpError
from judge.pair_questions import AnyQuestion
from judge.patience import STOP_AFTER, Patience
from judge.questions import Reply
from judge.reply_keeper import ReplyKeeper
from judge.reply_store import K, ReplyStore
from lorarar.store.claims import Claims
from lorarar.util.interrupts import HeldInterrupt, held_interrupt
from lorarar.util.messages import message
from lorarar.util.progress import Ticker

LEAST, MOST = 32, 256  # questions in a part
PARTS = 8  # of what is left: parts become smaller, so that runs end together
LOOK_SECONDS = 0.25  # between two looks at whether others are done

OpenQuestions = dict[str, tuple[AnyQuestion, K]]  # by digest


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
    work = SharedWork(existing=_drop_clear(left, left, replies))
    if not left:
        return work
    if cost := critic.cost(len(left)):
        message(cost, "yellow")
    left = _in_order(left)
    patience = Patience(stop_after)
    with Ticker(title, len(left)) as ticker, held_interrupt() as interrupt, Claims(replies.store) as claims:

        def tell(reply: Reply) -> None:
            count(reply)
            ticker.advance()
            patience.see(reply)

        try:
            while left:
                part = _claim_part(left, claims, interrupt)
                clear = _drop_clear(left, part, replies)
                work.existing += clear
                if clear:
                    ticker.advance(clear)
                open_part = {digest: left[digest] for digest in part if digest in left}
                _ask(open_part, critic, judge, replies, tell, interrupt)
                claims.release(part)
                for digest in part & left.keys():
                    del left[digest]
        except GivenUpError as error:
            work.given_up = str(error)
    return work


def _in_order(questions: OpenQuestions[K]) -> OpenQuestions[K]:
    """The questions in the order that critics like, so that those of a part have much in common."""
    digests = list(questions)
    return {digests[at]: questions[digests[at]] for at in in_order([question for question, _ in questions.values()])}


def _drop_clear(left: OpenQuestions[K], part: Collection[str], replies: ReplyStore[K]) -> int:
    """Drop the questions of a part that have a clear reply by now; return how many."""
    clear = replies.clear_digests(part)
    clear |= replies.promote({digest: left[digest][1] for digest in part if digest not in clear})
    for digest in clear:
        del left[digest]
    return len(clear)


def _claim_part(left: OpenQuestions[K], claims: Claims, stop: Callable[[], bool]) -> set[str]:
    """Claim some of the questions that are left; where others have them all, wait until one of these is free."""
    size = min(MOST, max(LEAST, len(left) // PARTS))
    waiting = False
    while True:
        if part := claims.claim(left, size):
            return part
        if not waiting:
            message(f"waiting for another run, which is asking the other {len(left)} questions")
            waiting = True
        if stop():
            raise KeyboardInterrupt
        time.sleep(LOOK_SECONDS)


def _ask(
    part: OpenQuestions[K],
    critic: Critic,
    judge: int,
    replies: ReplyStore[K],
    tell: Callable[[Reply], None],
    interrupt: HeldInterrupt,
) -> None:
    """Ask a part; its replies are on the disk at the end, whatever ends it."""
    if not part:
        return
    unanswered = dict(enumerate(part))
    with ReplyKeeper(judge, replies) as keeper:

        def keep(digest: str, reply: Reply) -> None:
            keeper.add(digest, part[digest][1], reply)
            tell(reply)

        coming = critic.ask([question for question, _ in part.values()])
        try:
            while (reply := _next(coming, interrupt)) is not None:
                keep(unanswered.pop(reply[0]), reply[1])
        finally:
            if isinstance(coming, Generator):
                coming.close()  # at once, so that nothing more is asked
        for digest in unanswered.values():
            keep(digest, Reply.failure("the critic did not reply"))


def _next(replies: Iterator[tuple[int, Reply]], interrupt: HeldInterrupt) -> tuple[int, Reply] | None:
    """The next reply, None after the last; Ctrl-C is heard while it is waited for, which may be long."""
    with interrupt.let_through():
        return next(replies, None)
