"""Settings to try next: optuna's tree-structured Parzen estimator, told of all that was tried so far.

What it proposes follows from the seed and from what it is told alone, so that a search which goes on after it was
interrupted proposes the same again, and nothing has to be kept of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from judge.tuning.errors import TuningError
from judge.tuning.settings import Setting
from judge.tuning.space import SearchSpace

if TYPE_CHECKING:
    from optuna import Study

RANDOM = 4  # settings that were tried, below which proposals are drawn at random
PATIENCE = 20  # proposals of settings that were tried already, after which there are taken to be no others


def propose(space: SearchSpace, tried: Mapping[Setting, float], count: int, seed: int) -> list[Setting]:
    """Settings that were not tried, fewer than ``count`` where the space has no more.

    Args:
        space: what may be tried.
        tried: settings with how good they are, higher is better.
        count: how many are wanted.
        seed: of the proposals.

    Raises:
        TuningError: optuna is not installed.
    """
    study = _study(seed)
    for setting, value in tried.items():
        study.enqueue_trial(space.parameters(setting))
        trial = study.ask()
        space.draw(trial)
        study.tell(trial, value)
    proposals: list[Setting] = []
    for _ in range(count * PATIENCE):
        if len(proposals) == count:
            break
        setting = space.draw(study.ask())
        if setting not in tried and setting not in proposals:
            proposals.append(setting)
    return proposals


def _study(seed: int) -> Study:
    try:
        import optuna
    except ImportError:
        raise TuningError("optuna is not installed, which proposes what to try: pip install 'lorarar[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=seed % 2**32, n_startup_trials=RANDOM, multivariate=True, group=True, constant_liar=True
        )
    return optuna.create_study(sampler=sampler, direction="maximize")
