"""Ask a critic the questions that have no clear verdict yet, and keep every reply.

Invariant: nothing clear is ever asked twice under the same digest, also by several runs at once, which share the
questions out among themselves (``judge.shared_work``). Where all is known the critic's weights are never loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from judge.answer_words import YES_NO
from judge.critics import Critic
from judge.critics.critic import GivenUpError
from judge.identity import Identity
from judge.patience import STOP_AFTER
from judge.pictures import JudgedPicture, JudgedTargets
from judge.questions import ASPECTS, PAPER, Prompts, Question, Reply
from judge.shared_work import OpenQuestions, share_work
from judge.sights import Sight, Sights, look_at
from judge.targets import Target, present_targets
from judge.verdicts import Judge, VerdictKey, VerdictStore
from lorarar.store import Store
from lorarar.util.files import sha256_or


@dataclass
class JudgeOutcome:
    """How many questions a run had, and what came of them."""

    questions: int = 0  # different ones
    existing: int = 0  # with a clear verdict from an earlier run
    replies: int = 0  # to the questions that this run asked
    failed: int = 0
    unparsed: int = 0
    missing: int = 0  # pictures and references that are not there; nothing was asked about them
    reasons: dict[str, int] = field(default_factory=dict)  # how often each reason was given
    given_up: str = ""  # why the critic was asked no more; empty where all was asked

    def count(self, reply: Reply) -> None:
        """Count a reply."""
        self.replies += 1
        self.failed += reply.status == "failed"
        self.unparsed += reply.status == "unparsed"
        if reply.reason:
            self.reasons[reply.reason] = self.reasons.get(reply.reason, 0) + 1

    def add(self, other: JudgeOutcome) -> None:
        """Count another critic's questions too."""
        self.questions += other.questions
        self.existing += other.existing
        self.replies += other.replies
        self.failed += other.failed
        self.unparsed += other.unparsed
        self.missing += other.missing
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        self.given_up = self.given_up or other.given_up

    @property
    def clear(self) -> int:
        """How many questions have a clear verdict now."""
        return self.existing + self.replies - self.failed - self.unparsed

    @property
    def shortfall(self) -> str:
        """What is missing of a clear verdict on every question, and why; empty where nothing is."""
        unclear = self.questions - self.clear
        if self.questions and not unclear:
            return ""
        counts = {"failed": self.failed, "unparsed": self.unparsed, "not asked": unclear - self.failed - self.unparsed}
        parts = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing was asked"
        of = f"of {self.questions} questions"
        share = f"{self.clear} {of} have" if self.clear else f"none {of} has"
        why = f"the critic was given up: {self.given_up}" if self.given_up else f"mostly: {self.main_reason}"
        return f"{share} a clear verdict ({parts}); {why}; run again to ask the others"

    @property
    def main_reason(self) -> str:
        """Why most of the questions without a clear answer have none."""
        return main_reason(self.reasons)

    def record(self) -> dict[str, Any]:
        """The outcome under the keys of ``lorarar judge run --json``."""
        return {
            "cases": self.questions,
            "found": self.existing,
            "asked": self.replies,
            "failed": self.failed,
            "unparsed": self.unparsed,
            "missing": self.missing,
            "reasons": self.reasons,
            "given_up": self.given_up or None,
        }


def main_reason(reasons: Mapping[str, int]) -> str:
    """The reason that was given most often."""
    return max(reasons, key=lambda reason: reasons[reason], default="nothing was asked")


@dataclass
class _Worklist:
    """Questions by what is to be done about them."""

    digests: list[str] = field(default_factory=list)  # of all, in their order; empty where a file is missing
    keys: list[tuple[str, VerdictKey]] = field(default_factory=list)  # with their digests
    readable: OpenQuestions = field(default_factory=dict)
    unreadable: dict[str, tuple[VerdictKey, Reply]] = field(default_factory=dict)  # cannot be shown, by digest
    missing: set[Path] = field(default_factory=set)


def judge(
    targets: Sequence[Target],
    critic: Critic,
    prompts: Prompts,
    verdicts: VerdictStore,
    stop_after: int = STOP_AFTER,
) -> JudgeOutcome:
    """Ask the questions about targets that have no clear verdict yet: each aspect against each of its references.

    Pictures and references that are not there are asked nothing about, and nothing is written of them.

    Raises:
        CriticError: the critic cannot work at all.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    questions = [(question, prompts) for question in questions_about(targets, prompts)]
    digests = {target.image: target.digest for target in targets}
    return ask(questions, critic, verdicts, digests=digests, stop_after=stop_after)[0]


def judge_pictures(
    store: Store, targets: Sequence[Target], critic: Critic, prompts: Prompts = PAPER
) -> list[JudgedPicture]:
    """Judge targets, of ``from_folders`` or ``from_store``, and return them with their verdicts.

    What the store has clear verdicts on is not asked again; raises as ``judge`` does, and a TargetError where no
    picture is there.
    """
    verdicts, targets = VerdictStore(store), present_targets(store, targets)
    outcome = judge(targets, critic, prompts, verdicts)
    if outcome.given_up:
        raise GivenUpError(outcome.given_up)
    identity, name = verdicts.known_identity(critic.identity), str(critic.identity["critic"])
    chosen = Judge(verdicts.judge_id(name, identity), name, prompts.version)
    return JudgedTargets(targets, verdicts).pictures(chosen)


def ask(
    questions: Iterable[tuple[Question, Prompts]],
    critic: Critic,
    verdicts: VerdictStore,
    title: str = "judge",
    digests: Mapping[Path, str] | None = None,
    stop_after: int = STOP_AFTER,
) -> tuple[JudgeOutcome, list[str]]:
    """Ask those of some questions that have no clear verdict yet.

    Args:
        questions: each with the prompts that word it.
        critic: who is asked.
        verdicts: where replies are kept.
        title: of the progress.
        digests: by which pictures are known that may not be readable any more.
        stop_after: like failures in a row that end the asking; 0: none do.

    Returns:
        The counts, and for each question the digest under which its verdict is kept; empty where a file is missing.

    Raises:
        CriticError, StoreError, KeyboardInterrupt: as ``judge``.
    """
    identity, *former = verdicts.known_identities(critic.identity)
    questions = list(questions)
    sights = look_at(
        (path for question, _ in questions for path in (question.test, question.reference)),
        critic.preparation,
        verdicts.store,
    )
    work = _worklist(questions, sights, identity, digests or {})
    judge_id = verdicts.judge_id(str(critic.identity["critic"]), identity)
    verdicts.add(judge_id, [(digest, *rest) for digest, rest in work.unreadable.items()])
    for other in former:
        verdicts.adopt(judge_id, {key.digest(other): (digest, key) for digest, (_, key) in work.readable.items()})
    outcome = JudgeOutcome(questions=len(work.readable) + len(work.unreadable), missing=len(work.missing))
    for _, reply in work.unreadable.values():
        outcome.count(reply)
    shared = share_work(work.readable, critic, judge_id, verdicts, outcome.count, title, stop_after)
    outcome.existing, outcome.given_up = shared.existing, shared.given_up
    verdicts.copy_to_equal(judge_id, work.keys)
    return outcome, work.digests


def _worklist(
    questions: Iterable[tuple[Question, Prompts]], sights: Sights, identity: Identity, digests: Mapping[Path, str]
) -> _Worklist:
    work = _Worklist()
    for question, prompts in questions:
        test, reference = sights[question.test], sights[question.reference]
        if test is None or reference is None:
            work.missing |= {path for path in (question.test, question.reference) if sights[path] is None}
            work.digests.append("")
            continue
        if isinstance(test, Sight) and isinstance(reference, Sight):
            key = _key(question, prompts, test, reference)
            digest = key.digest(identity)
            work.readable[digest] = question, key
        else:
            error = next(sight for sight in (reference, test) if not isinstance(sight, Sight))
            key = _unreadable_key(question, prompts, digests)
            digest = key.digest(identity)
            work.unreadable[digest] = key, Reply.failure(str(error))
        work.digests.append(digest)
        work.keys.append((digest, key))
    return work


def questions_about(targets: Sequence[Target], prompts: Prompts) -> Iterator[Question]:
    """The questions about targets: each against every reference of its subject, then of its style."""
    for target in targets:
        for aspect in ASPECTS:
            rendered = prompts.render(aspect, target.style_words)
            for reference in target.references(aspect):
                yield Question(
                    aspect=aspect,
                    rendered=rendered,
                    system=prompts.system,
                    reference=reference,
                    test=target.image,
                    form=prompts.form,
                )


def _unreadable_key(question: Question, prompts: Prompts, digests: Mapping[Path, str]) -> VerdictKey:
    """The key of a picture that cannot be read: by the digest it is known by, its file's bytes, or else its path."""
    image, reference = (digests.get(path) or sha256_or(path, str(path)) for path in (question.test, question.reference))
    return _key(question, prompts, Sight(image, image), Sight(reference, reference))


def _key(question: Question, prompts: Prompts, test: Sight, reference: Sight) -> VerdictKey:
    return VerdictKey(
        aspect=question.aspect,
        prompts=prompts.version,
        prompt=f"{question.system}\n{question.rendered.text()}",
        image=test.sha256,
        reference=reference.sha256,
        pixels=(reference.pixels, test.pixels),
        words=question.rendered.words,
        reading="" if question.form == YES_NO else json.dumps(asdict(question.form)),
    )
