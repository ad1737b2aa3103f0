"""Ask a critic the questions that have no clear verdict yet, and keep every reply.

Invariant: nothing clear is ever asked twice under the same digest, also by several runs at once, which share the
questions out among themselves (``judge.shared_work``). Where all is known the critic's weights are never loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from judge.asking import Asking, OpenItem, ask_all
from judge.critics import Critic
from judge.critics.critic import GivenUpError
from judge.known_verdicts import KnownVerdicts
from judge.outcome import JudgeOutcome
from judge.patience import STOP_AFTER
from judge.pictures import JudgedPicture, JudgedTargets
from judge.questions import PAPER, Prompts, Question
from judge.sights import Sight
from judge.target_questions import questions_about
from judge.targets import Target, present_targets
from judge.verdicts import Judge, VerdictKey, VerdictStore
from lorarar.store import Store
from lorarar.util.grouping import group_by, parts_of

AT_ONCE = 10_000  # pictures whose questions are held together


def judge(
    targets: Sequence[Target],
    critic: Critic,
    prompts: Prompts,
    verdicts: VerdictStore,
    stop_after: int = STOP_AFTER,
) -> JudgeOutcome:
    """Ask the questions about targets that have no clear verdict yet: each aspect against each of its references.

    What is known is looked up first, and only the rest is held, some pictures at a time.

    Pictures and references that are not there are asked nothing about, and nothing is written of them.

    Raises:
        CriticError: the critic cannot work at all.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    asking = Asking(critic, verdicts, stop_after)
    left = KnownVerdicts(asking, prompts, verdicts).open_among(targets)
    same = group_by(left, lambda target: target.digest or str(target.image))  # a question is asked in one part alone
    parts = list(parts_of((target for those in same.values() for target in those), AT_ONCE))
    for number, part in enumerate(parts, 1):
        questions = questions_about(part, prompts)
        if asking.given_up:
            asking.count_left(sum(1 for _ in questions))
            continue
        asking.ask(
            (OpenItem(question, partial(_key, question, prompts)) for question in questions),
            "judge" if len(parts) == 1 else f"judge, part {number} of {len(parts)}",
            {target.image: target.digest for target in part},
        )
    return asking.outcome


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


def _key(question: Question, prompts: Prompts, sights: Sequence[Sight]) -> VerdictKey:
    return VerdictKey.of(question, prompts, sights)
