"""A run from what a command or a call names to what came of it: the same for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.judges import Judges
from judge.pair_questions import PairPrompts, find_pair_prompts
from judge.pairwise.full_run import PairRequest, PairRun, judge_all_pairs
from judge.patience import STOP_AFTER
from judge.questions import Prompts, find_prompts
from judge.run_request import RunRequest, check_protocol, parse_methods, parse_metrics

if TYPE_CHECKING:
    from judge.run_result import FullRun

P = TypeVar("P", Prompts, PairPrompts)
AnyPrompts = str | Prompts | PairPrompts  # by a name, or as they are


def run_protocol(
    pictures: PictureChoice,
    judges: Judges,
    *,
    protocol: str,
    prompts: AnyPrompts | None = None,
    metrics: str | Sequence[str] | None = None,
    methods: str | Sequence[str] = (),
    stop_after: int = STOP_AFTER,
) -> FullRun | PairRun:
    """Judge pictures by one of the protocols.

    Args:
        pictures: which.
        judges: by whom.
        protocol: ``singles`` or ``pairwise``.
        prompts: how critics are asked; None: each in its own words.
        metrics: of ``singles``; None: those by default.
        methods: that ``pairwise`` compares; none: all.
        stop_after: like failures in a row, after which a critic is given up; 0: never.

    Raises:
        LorarError: a value is not accepted; or as ``judge_all`` and ``judge_all_pairs``.
    """
    if check_protocol(protocol, metrics, methods) == "pairwise":
        of_pairs = find_wording(prompts, PairPrompts, find_pair_prompts)
        return judge_all_pairs(PairRequest(pictures, judges, of_pairs, parse_methods(methods), stop_after))
    from judge.full_run import judge_all

    wording = find_wording(prompts, Prompts, find_prompts)
    return judge_all(RunRequest(pictures, judges, wording, parse_metrics(metrics), stop_after))


def find_wording(prompts: AnyPrompts | None, kind: type[P], find: Callable[[str], P]) -> P | None:
    """The prompts that a value names or is.

    Raises:
        PromptError: there are none of its name.
        JudgeError: they are of another kind of questions.
    """
    if isinstance(prompts, str):
        return find(prompts)
    if prompts is None or isinstance(prompts, kind):
        return prompts
    raise JudgeError(f"prompts are {type(prompts).__name__}; accepted are {kind.__name__}, a name or a TOML file")
