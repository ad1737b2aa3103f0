"""Ask a critic the questions that have no clear verdict yet, and keep every reply.

Invariant: nothing clear is ever asked twice under the same digest, also by several runs at once, which share the
questions out among themselves (``judge.shared_work``). Where all is known the critic's weights are never loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from judge.answer_words import YES_NO
from judge.asking import OpenItem, ask_all
from judge.critics import Critic
from judge.critics.critic import GivenUpError
from judge.outcome import JudgeOutcome
from judge.patience import STOP_AFTER
from judge.pictures import JudgedPicture, JudgedTargets
from judge.questions import ASPECTS, PAPER, Prompts, Question
from judge.sights import Sight
from judge.targets import Target, present_targets
from judge.verdicts import Judge, VerdictKey, VerdictStore
from lorarar.store import Store


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
    items = [OpenItem(question, partial(_key, question, prompts)) for question, prompts in questions]
    return ask_all(items, critic, verdicts, title, digests, stop_after)


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


def _key(question: Question, prompts: Prompts, sights: Sequence[Sight]) -> VerdictKey:
    reference, test = sights
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
