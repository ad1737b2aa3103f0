"""Asking a critic those of some questions that have no clear reply yet, of whatever kind they are.

Files are looked at first, so that a question is known by what is shown; pictures that are not there are asked nothing
about, and what cannot be read is kept as ``failed`` without asking. Some answers need no critic, and are kept too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic

from judge.claimed_parts import OpenQuestions
from judge.critics import Critic
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


def ask_all(
    items: Sequence[OpenItem[K]],
    critic: Critic,
    replies: ReplyStore[K],
    title: str = "judge",
    digests: Mapping[Path, str] | None = None,
    stop_after: int = STOP_AFTER,
) -> tuple[JudgeOutcome, list[str]]:
    """Ask those of some questions that have no clear reply yet.

    Args:
        items: the questions.
        critic: who is asked.
        replies: where replies are kept.
        title: of the progress.
        digests: by which pictures are known that may not be readable any more.
        stop_after: like failures in a row that end the asking; 0: none do.

    Returns:
        The counts, and for each question the digest under which its reply is kept; empty where a file is missing.

    Raises:
        CriticError: the critic cannot work at all.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    identity, *former = replies.known_identities(critic.identity)
    paths = (path for item in items for path in item.question.pictures)
    sights = look_at(paths, critic.preparation, replies.store)
    work = _worklist(items, sights, identity, digests or {})
    judge = replies.judge_id(str(critic.identity["critic"]), identity)
    unasked = {**work.unreadable, **work.settled}
    replies.add(judge, [(digest, *unasked[digest]) for digest in unasked.keys() - replies.clear_digests(unasked)])
    for other in former:
        replies.adopt(judge, {key.digest(other): (digest, key) for digest, (_, key) in work.readable.items()})
    outcome = JudgeOutcome(
        questions=len(work.readable) + len(unasked), settled=len(work.settled), missing=len(work.missing)
    )
    for _, reply in work.unreadable.values():
        outcome.count(reply)
    shared = share_work(work.readable, critic, judge, replies, outcome.count, title, stop_after)
    outcome.existing, outcome.given_up = shared.existing, shared.given_up
    replies.copy_to_equal(judge, work.keys)
    return outcome, work.digests


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
