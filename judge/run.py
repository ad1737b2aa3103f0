"""Ask a critic what is not known yet, and keep every reply.

Invariant: nothing clear is ever asked twice under the same key, and replies are on disk a few at a time as
they come, so a killed run goes on where it was. Where all is known the critic's weights are never loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from judge.critics import Critic
from judge.digests import digest_of, digest_or
from judge.prompts import Aspect, Prompts
from judge.question import Question, Reply, failed
from judge.targets import Target
from judge.verdicts import Case, VerdictStore
from lorarar.util.errors import ImageError
from lorarar.util.interrupts import held_interrupt
from lorarar.util.progress import Ticker

KEPT_TOGETHER = 32  # replies in one transaction


@dataclass
class Outcome:
    """What a run did."""

    cases: int = 0  # different questions
    found: int = 0  # with a clear verdict from an earlier run
    asked: int = 0
    failed: int = 0
    unparsed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)  # how often each reason was given

    def count(self, reply: Reply) -> None:
        """Count a reply."""
        self.asked += 1
        self.failed += reply.status == "failed"
        self.unparsed += reply.status == "unparsed"
        if reply.reason:
            self.reasons[reply.reason] = self.reasons.get(reply.reason, 0) + 1


def judge(targets: Sequence[Target], critic: Critic, prompts: Prompts, verdicts: VerdictStore) -> Outcome:
    """Ask about every target's subject and style, against each of their references, what is not known yet.

    Raises:
        CriticError: the critic cannot work at all.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    return ask([(question, prompts) for question in questions(targets, prompts)], critic, verdicts)[0]


def ask(
    asked: Iterable[tuple[Question, Prompts]], critic: Critic, verdicts: VerdictStore, title: str = "judge"
) -> tuple[Outcome, list[str]]:
    """Ask what is not known yet of any questions, and say under which key each one's verdict is kept.

    Raises:
        CriticError, StoreError, KeyboardInterrupt: as ``judge``.
    """
    outcome, known = Outcome(), verdicts.clear_keys()
    open_cases: dict[str, tuple[Question, Case]] = {}
    unseen: dict[str, tuple[Case, Reply]] = {}  # what cannot even be shown
    cases: list[tuple[str, Case]] = []
    for question, prompts in asked:
        try:
            case = case_of(question, prompts, critic)
        except ImageError as error:
            case = _unreadable(question, prompts)
            unseen[case.key(critic.identity)] = case, failed(str(error))
        cases.append((key := case.key(critic.identity), case))
        if key not in known and key not in unseen:
            open_cases[key] = question, case
    keys = [key for key, _ in cases]
    known |= (adopted := verdicts.adopt({key: case for key, (_, case) in open_cases.items()}))
    for key in adopted:
        del open_cases[key]
    outcome.cases, outcome.found = len(set(keys)), len(set(keys) & known)
    judge_id = verdicts.judge(str(critic.identity["critic"]), critic.identity)
    verdicts.add(judge_id, [(key, *rest) for key, rest in unseen.items()])
    for _, reply in unseen.values():
        outcome.count(reply)
    if open_cases:
        _ask(open_cases, critic, judge_id, verdicts, outcome, title)
    verdicts.share(judge_id, cases)
    return outcome, keys


def questions(targets: Sequence[Target], prompts: Prompts) -> Iterator[Question]:
    """Every target against every reference of its subject, then of its style."""
    for target in targets:
        sides: tuple[tuple[Aspect, tuple[Path, ...]], ...] = (
            ("subject", target.subject_references),
            ("style", target.style_references),
        )
        for aspect, references in sides:
            rendered = prompts.render(aspect, target.style_words)
            for reference in references:
                yield Question(aspect, rendered, prompts.system, reference, target.image)


def case_of(question: Question, prompts: Prompts, critic: Critic) -> Case:
    """What decides the answer to a question.

    Raises:
        ImageError: a picture cannot be read.
    """
    shown = tuple(critic.preparation(path).digest for path in (question.reference, question.test))
    try:
        image, reference = digest_of(question.test), digest_of(question.reference)
    except OSError as error:
        raise ImageError(f"{error.filename} cannot be read: {error.strerror or error}") from None
    return Case(question.aspect, prompts.version, _words(question), image, reference, (shown[0], shown[1]))


def _unreadable(question: Question, prompts: Prompts) -> Case:
    """The case of a picture that cannot be read: known by its file's bytes, or by its path where there are none."""
    digests = [digest_or(path, str(path)) for path in (question.test, question.reference)]
    return Case(question.aspect, prompts.version, _words(question), digests[0], digests[1], (digests[1], digests[0]))


def _words(question: Question) -> str:
    return f"{question.system}\n{question.rendered.text()}"


def _ask(
    cases: dict[str, tuple[Question, Case]],
    critic: Critic,
    judge_id: int,
    verdicts: VerdictStore,
    outcome: Outcome,
    title: str,
) -> None:
    keys = list(cases)
    waiting: list[tuple[str, Case, Reply]] = []
    with Ticker(title, len(keys)) as ticker, held_interrupt() as stop:
        try:
            for index, reply in critic.ask([cases[key][0] for key in keys]):
                waiting.append((keys[index], cases[keys[index]][1], reply))
                outcome.count(reply)
                ticker.advance()
                if len(waiting) >= KEPT_TOGETHER:
                    verdicts.add(judge_id, waiting)
                    waiting = []
                if stop():
                    raise KeyboardInterrupt
        finally:
            verdicts.add(judge_id, waiting)
