"""Asking a critic those of some questions that have no clear reply yet, of whatever kind they are.

Files are looked at first, so that a question is known by what is shown; pictures that are not there are asked nothing
about, and what cannot be read is kept as ``failed`` without asking. Some answers need no critic, and are kept too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic

from judge.claimed_parts import OpenQuestions
from judge.critics import Critic
from judge.digest_count import DigestCount
from judge.identity import Identity
from judge.outcome import JudgeOutcome
from judge.pair_questions import AnyQuestion
from judge.patience import STOP_AFTER
from judge.questions import Reply
from judge.reply_store import K, ReplyStore
from judge.shared_work import share_work
from judge.sights import Sight, Sights, look_at
from lorarar.util.errors import ImageError
from lorarar.util.files import sha256_or


@dataclass(frozen=True)
class OpenItem(Generic[K]):
    """A question, and the key of its reply from how its pictures are seen, in the order they are shown."""

    question: AnyQuestion
    key: Callable[[Sequence[Sight]], K]


@dataclass
class _Worklist(Generic[K]):
    """Questions by what is to be done about them."""

    digests: list[str] = field(default_factory=list)  # of all, in their order; empty where a file is missing
    keys: list[tuple[str, K]] = field(default_factory=list)  # with their digests
    readable: OpenQuestions[K] = field(default_factory=dict)
    unreadable: dict[str, tuple[K, Reply]] = field(default_factory=dict)  # cannot be shown, by digest
    settled: dict[str, tuple[K, Reply]] = field(default_factory=dict)  # need not be asked, by digest
    missing: set[Path] = field(default_factory=set)


class Asking(Generic[K]):
    """What a critic is asked in one run: all at once, or part by part, so that no more than a part is held."""

    def __init__(self, critic: Critic, replies: ReplyStore[K], stop_after: int = STOP_AFTER) -> None:
        """Begin.

        Args:
            critic: who is asked.
            replies: where replies are kept.
            stop_after: like failures in a row that end the asking; 0: none do.
        """
        self.critic, self.replies, self._stop_after = critic, replies, stop_after
        self.identity, *self._former = replies.known_identities(critic.identity)
        self.judge = replies.judge_id(str(critic.identity["critic"]), self.identity)
        self._outcome, self._missing = JudgeOutcome(), set[Path]()
        self._digests = DigestCount()

    def ask(
        self, items: Iterable[OpenItem[K]], title: str = "judge", digests: Mapping[Path, str] | None = None
    ) -> list[str]:
        """Ask those of some questions that have no clear reply yet.

        Args:
            items: the questions.
            title: of the progress.
            digests: by which pictures are known that may not be readable any more.

        Returns:
            For each question the digest under which its reply is kept; empty where a file is missing.

        Raises:
            CriticError: the critic cannot work at all.
            StoreError: a reply cannot be kept.
            KeyboardInterrupt: Ctrl-C; the replies so far are kept.
        """
        items, outcome = list(items), self._outcome
        paths = (path for item in items for path in item.question.pictures)
        sights = look_at(paths, self.critic.preparation, self.replies.store)
        work = _worklist(items, sights, self.identity, digests or {})
        unasked = {**work.unreadable, **work.settled}
        new = unasked.keys() - self.replies.clear_digests(unasked)
        self.replies.add(self.judge, [(digest, *unasked[digest]) for digest in unasked if digest in new])
        for other in self._former:
            former = {key.digest(other): (digest, key) for digest, (_, key) in work.readable.items()}
            self.replies.adopt(self.judge, former)
        self._missing |= work.missing
        self._count([*work.readable, *unasked])
        outcome.settled += len(work.settled)
        for _, reply in work.unreadable.values():
            outcome.count(reply)
        shared = share_work(
            work.readable, self.critic, self.judge, self.replies, outcome.count, title, self._stop_after
        )
        outcome.existing += shared.existing
        outcome.given_up = outcome.given_up or shared.given_up
        self.replies.copy_to_equal(self.judge, work.keys)
        return work.digests

    def count_known(self, digests: Sequence[str]) -> None:
        """Count questions that need no asking: each has a clear reply under its digest, at its own place."""
        self._count(digests)
        self._outcome.existing += len(digests)

    def count_left(self, questions: int) -> None:
        """Count questions that are not looked at any more, since the critic was given up."""
        self._outcome.questions += questions

    @property
    def outcome(self) -> JudgeOutcome:
        """The counts of all parts; a question that stands in several is counted once, and was known in the later."""
        again = self._digests.repeated
        return replace(
            self._outcome,
            questions=self._outcome.questions - again,
            existing=self._outcome.existing - again,
            missing=len(self._missing),
        )

    @property
    def given_up(self) -> bool:
        """Whether the critic is asked no more."""
        return bool(self._outcome.given_up)

    def _count(self, digests: Sequence[str]) -> None:
        self._digests.add(digests)
        self._outcome.questions += len(digests)


def ask_all(
    items: Iterable[OpenItem[K]],
    critic: Critic,
    replies: ReplyStore[K],
    title: str = "judge",
    digests: Mapping[Path, str] | None = None,
    stop_after: int = STOP_AFTER,
) -> tuple[JudgeOutcome, list[str]]:
    """Ask those of some questions that have no clear reply yet, all at once: the counts, and what ``ask`` returns.

    The arguments, and what is raised, are those of ``Asking`` and of its ``ask``.
    """
    asking = Asking(critic, replies, stop_after)
    kept = asking.ask(items, title, digests)
    return asking.outcome, kept


def _worklist(
    items: Iterable[OpenItem[K]], sights: Sights, identity: Identity, digests: Mapping[Path, str]
) -> _Worklist[K]:
    work: _Worklist[K] = _Worklist()
    for item in items:
        paths = item.question.pictures
        missing = {path for path in paths if sights[path] is None}
        if missing:
            work.missing |= missing
            work.digests.append("")
            continue
        seen = [sights[path] for path in paths]
        error = next((sight for sight in seen if isinstance(sight, ImageError)), None)
        if error is None:
            key = item.key([sight for sight in seen if isinstance(sight, Sight)])
            digest = key.digest(identity)
            if key.settled is None:
                work.readable[digest] = item.question, key
            else:
                work.settled[digest] = key, key.settled
        else:
            key = item.key([_unreadable(path, digests) for path in paths])
            digest = key.digest(identity)
            work.unreadable[digest] = key, Reply.failure(str(error))
        work.digests.append(digest)
        work.keys.append((digest, key))
    return work


def _unreadable(path: Path, digests: Mapping[Path, str]) -> Sight:
    """A picture where one cannot be read: by the digest it is known by, its file's bytes, or else its path."""
    digest = digests.get(path) or sha256_or(path, str(path))
    return Sight(digest, digest)
