"""Ask a critic the questions that have no clear verdict yet, and keep every reply.

Invariant: nothing clear is ever asked twice under the same digest, and replies are on disk a few at a time as
they come, so a killed run goes on where it was. Where all is known the critic's weights are never loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from judge.critics import Critic
from judge.pictures import JudgedPicture, JudgedTargets
from judge.questions import ASPECTS, PAPER, Prompts, Question, Reply
from judge.targets import Target
from judge.verdicts import Judge, VerdictKey, VerdictStore
from lorarar.store import Store
from lorarar.util.errors import ImageError
from lorarar.util.files import sha256_of, sha256_or
from lorarar.util.interrupts import held_interrupt
from lorarar.util.progress import Ticker

KEPT_TOGETHER = 32  # replies in one transaction


@dataclass
class JudgeOutcome:
    """How many questions a run had, and what came of them."""

    questions: int = 0  # different ones
    existing: int = 0  # with a clear verdict from an earlier run
    replies: int = 0  # to the questions that this run asked
    failed: int = 0
    unparsed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)  # how often each reason was given

    def count(self, reply: Reply) -> None:
        """Count a reply."""
        self.replies += 1
        self.failed += reply.status == "failed"
        self.unparsed += reply.status == "unparsed"
        if reply.reason:
            self.reasons[reply.reason] = self.reasons.get(reply.reason, 0) + 1

    def record(self) -> dict[str, Any]:
        """The outcome under the keys of ``lorarar judge run --json``."""
        return {
            "cases": self.questions,
            "found": self.existing,
            "asked": self.replies,
            "failed": self.failed,
            "unparsed": self.unparsed,
            "reasons": self.reasons,
        }


@dataclass
class _Worklist:
    """Questions by what is to be done about them."""

    keys: list[tuple[str, VerdictKey]] = field(default_factory=list)  # of all, in their order, with their digests
    unclear: dict[str, tuple[Question, VerdictKey]] = field(default_factory=dict)  # to be asked, by digest
    unreadable: dict[str, tuple[VerdictKey, Reply]] = field(default_factory=dict)  # cannot be shown, by digest


def judge(targets: Sequence[Target], critic: Critic, prompts: Prompts, verdicts: VerdictStore) -> JudgeOutcome:
    """Ask the questions about targets that have no clear verdict yet: each aspect against each of its references.

    Raises:
        CriticError: the critic cannot work at all.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    return ask([(question, prompts) for question in questions_about(targets, prompts)], critic, verdicts)[0]


def judge_pictures(
    store: Store, targets: Sequence[Target], critic: Critic, prompts: Prompts = PAPER
) -> list[JudgedPicture]:
    """Judge targets, of ``from_folders`` or ``from_store``, and return them with their verdicts.

    What the store has clear verdicts on is not asked again; raises as ``judge`` does.
    """
    verdicts = VerdictStore(store)
    judge(targets, critic, prompts, verdicts)
    name = str(critic.identity["critic"])
    chosen = Judge(verdicts.judge_id(name, critic.identity), name, prompts.version, critic.identity)
    return JudgedTargets(targets, verdicts).pictures(chosen)


def ask(
    questions: Iterable[tuple[Question, Prompts]], critic: Critic, verdicts: VerdictStore, title: str = "judge"
) -> tuple[JudgeOutcome, list[str]]:
    """Ask those of some questions that have no clear verdict yet.

    Returns:
        The counts, and for each question the digest under which its verdict is kept.

    Raises:
        CriticError, StoreError, KeyboardInterrupt: as ``judge``.
    """
    clear = verdicts.clear_digests()
    work = _worklist(questions, critic, clear)
    promoted = verdicts.promote({digest: key for digest, (_, key) in work.unclear.items()})
    unclear = {digest: question for digest, question in work.unclear.items() if digest not in promoted}
    digests = [digest for digest, _ in work.keys]
    outcome = JudgeOutcome(questions=len(set(digests)), existing=len(set(digests) & (clear | promoted)))
    judge_id = verdicts.judge_id(str(critic.identity["critic"]), critic.identity)
    verdicts.add(judge_id, [(digest, *rest) for digest, rest in work.unreadable.items()])
    for _, reply in work.unreadable.values():
        outcome.count(reply)
    if unclear:
        _ask(unclear, critic, judge_id, verdicts, outcome, title)
    verdicts.copy_to_equal(judge_id, work.keys)
    return outcome, digests


def _worklist(questions: Iterable[tuple[Question, Prompts]], critic: Critic, clear: Collection[str]) -> _Worklist:
    work = _Worklist()
    for question, prompts in questions:
        try:
            key = key_of(question, prompts, critic)
        except ImageError as error:
            key = _unreadable_key(question, prompts)
            work.unreadable[key.digest(critic.identity)] = key, Reply.failure(str(error))
        digest = key.digest(critic.identity)
        work.keys.append((digest, key))
        if digest not in clear and digest not in work.unreadable:
            work.unclear[digest] = question, key
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
                )


def key_of(question: Question, prompts: Prompts, critic: Critic) -> VerdictKey:
    """The key of a critic's verdict on a question.

    Raises:
        ImageError: a picture cannot be read.
    """
    pixels = critic.preparation(question.reference).digest, critic.preparation(question.test).digest
    try:
        image, reference = sha256_of(question.test), sha256_of(question.reference)
    except OSError as error:
        raise ImageError(f"{error.filename} cannot be read: {error.strerror or error}") from None
    return _key(question, prompts, image, reference, pixels)


def _unreadable_key(question: Question, prompts: Prompts) -> VerdictKey:
    """The key of a picture that cannot be read: of its file's bytes, or of its path where there are none."""
    image, reference = (sha256_or(path, str(path)) for path in (question.test, question.reference))
    return _key(question, prompts, image, reference, (reference, image))


def _key(question: Question, prompts: Prompts, image: str, reference: str, pixels: tuple[str, str]) -> VerdictKey:
    return VerdictKey(
        aspect=question.aspect,
        prompts=prompts.version,
        prompt=f"{question.system}\n{question.rendered.text()}",
        image=image,
        reference=reference,
        pixels=pixels,
    )


def _ask(
    unclear: dict[str, tuple[Question, VerdictKey]],
    critic: Critic,
    judge_id: int,
    verdicts: VerdictStore,
    outcome: JudgeOutcome,
    title: str,
) -> None:
    digests = list(unclear)
    waiting: list[tuple[str, VerdictKey, Reply]] = []
    with Ticker(title, len(digests)) as ticker, held_interrupt() as stop:
        try:
            for index, reply in critic.ask([question for question, _ in unclear.values()]):
                digest = digests[index]
                waiting.append((digest, unclear[digest][1], reply))
                outcome.count(reply)
                ticker.advance()
                if len(waiting) >= KEPT_TOGETHER:
                    verdicts.add(judge_id, waiting)
                    waiting = []
                if stop():
                    raise KeyboardInterrupt
        finally:
            verdicts.add(judge_id, waiting)
