"""The parts of its questions that a run has claimed and not finished.

Invariant: a part's claims are let go when all of its replies are on the disk, so that no other run asks them again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic

from judge.pair_questions import AnyQuestion
from judge.reply_keeper import ReplyKeeper
from judge.reply_store import K, ReplyStore
from lorarar.store.claims import Claims
from lorarar.util.interrupts import HeldInterrupt
from lorarar.util.messages import message

LEAST, MOST = 32, 256  # questions in a part
PARTS = 8  # of what is left: parts become smaller, so that runs end together
LOOK_SECONDS = 0.25  # between two looks at whether others are done

OpenQuestions = dict[str, tuple[AnyQuestion, K]]  # by digest


@dataclass
class _Part:
    """A part of the questions."""

    digests: frozenset[str]
    unanswered: int  # how many


@dataclass
class ClaimedParts(Generic[K]):
    """Questions of a run on their way from free to answered."""

    left: OpenQuestions[K]  # neither clear nor claimed by this run, in the order to ask them
    claims: Claims
    keeper: ReplyKeeper[K]
    replies: ReplyStore[K]
    skip: Callable[[int], None]  # is told how many questions others made clear
    interrupt: HeldInterrupt
    digests: list[str] = field(default_factory=list)  # of all that was taken, in its order
    unanswered: dict[str, _Part] = field(default_factory=dict)  # each with its part
    _look: float = 0.0  # when to look again, after others had all

    def take(self) -> Sequence[AnyQuestion]:
        """Claim the next part; empty where nothing is left, or where others have all of it while some is in hand.

        Raises:
            KeyboardInterrupt: Ctrl-C, while others are waited for.
        """
        with self.interrupt.held():
            while self.left and (part := self._claim()):
                self.skip(drop_clear(self.left, part, self.replies))
                chosen = {digest: self.left.pop(digest)[0] for digest in list(self.left) if digest in part}
                self.claims.release(part - chosen.keys())
                if chosen:
                    self.digests += chosen
                    self.unanswered |= dict.fromkeys(chosen, _Part(frozenset(chosen), len(chosen)))
                    return list(chosen.values())
        return ()

    def finish(self, digest: str) -> None:
        """Take note of a reply that is kept; with its last one a part is over."""
        part = self.unanswered.pop(digest)
        part.unanswered -= 1
        if not part.unanswered:
            self.keeper.flush()
            self.claims.release(part.digests)

    def _claim(self) -> set[str]:
        """Claim some of what is left; where others have all of it, wait until it is free if nothing is in hand."""
        if self.unanswered and time.monotonic() < self._look:
            return set()
        size, waiting = min(MOST, max(LEAST, len(self.left) // PARTS)), False
        while not (part := self.claims.claim(self.left, size)):
            self._look = time.monotonic() + LOOK_SECONDS
            if self.unanswered:
                break
            if not waiting:
                message(f"waiting for another run, which is asking the other {len(self.left)} questions")
                waiting = True
            if self.interrupt():
                raise KeyboardInterrupt
            time.sleep(LOOK_SECONDS)
        return part


def drop_clear(left: OpenQuestions[K], part: set[str], replies: ReplyStore[K]) -> int:
    """Drop the questions of a part that have a clear reply by now; return how many."""
    clear = replies.clear_digests(part)
    clear |= replies.promote({digest: left[digest][1] for digest in part if digest not in clear})
    for digest in clear:
        del left[digest]
    return len(clear)
