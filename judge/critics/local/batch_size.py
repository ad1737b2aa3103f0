"""How many questions a critic on this machine is asked at once: as many as have fitted into its memory before.

The cache remembers the largest size that worked and the smallest that did not, by all that decides what fits. A run
begins with what is wanted, or with what worked where that did not fit. Want of memory halves the size. It grows again
with care, since memory may have been another program's: after some batches in a row that fitted twice as many are
tried, up to what is wanted, and after one that did not fit no more are tried in that run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields

from lorarar.util.digest import digest_of_facts
from lorarar.util.files import cache_folder, replacing

DEFAULT, DEFAULT_ON_GPU = 32, 4  # questions; large critics run on a GPU, where 32 of theirs need 25 GB beside them
STEADY = 16  # batches in a row after which more are tried


@dataclass(frozen=True)
class Fit:
    """What is known of the sizes of batches; 0 where nothing is."""

    worked: int = 0  # the largest that did
    failed: int = 0  # the smallest that did not

    def with_worked(self, questions: int) -> Fit:
        """The same once so many worked."""
        return Fit(max(self.worked, questions), 0 if questions >= self.failed else self.failed)

    def with_failed(self, questions: int) -> Fit:
        """The same once so many did not fit."""
        return Fit(min(self.worked, questions // 2), questions)


class BatchSize:
    """The size of the batches of one run."""

    def __init__(self, wanted: int | None, default: int, facts: Mapping[str, object]) -> None:
        """Begin.

        Args:
            wanted: the size that was asked for; None: what worked before, at first ``default``.
            default: the size where nothing is known.
            facts: all that decides what fits.
        """
        self._place = cache_folder("batches") / f"{digest_of_facts(facts)[:24]}.json"
        self._fit = self._recall()
        self._most = wanted or max(default, self._fit.worked)
        too_many = 0 < self._fit.failed <= self._most
        self._now = max(1, self._fit.worked) if too_many else self._most
        self._steady = 0

    def __call__(self) -> int:
        """How many questions to ask at once."""
        return self._now

    def worked(self, questions: int) -> None:
        """Learn that so many fitted."""
        self._learn(self._fit.with_worked(questions))
        self._steady += questions >= self._now
        if self._steady >= STEADY and self._now < self._most:
            self._now, self._steady = min(2 * self._now, self._most), 0

    def failed(self, questions: int) -> None:
        """Learn that so many did not fit."""
        self._learn(self._fit.with_failed(questions))
        self._now = self._most = max(1, questions // 2)
        self._steady = 0

    def _learn(self, fit: Fit) -> None:
        """Remember what is new; where the cache cannot be written the next run learns it anew."""
        if fit != self._fit:
            self._fit = fit
            with suppress(OSError), replacing(self._place) as partial:
                partial.write_text(json.dumps(asdict(fit)))

    def _recall(self) -> Fit:
        try:
            kept = json.loads(self._place.read_text())
            fit = Fit(**{field.name: kept[field.name] for field in fields(Fit)})
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return Fit()
        sound = all(type(size) is int and size >= 0 for size in (fit.worked, fit.failed))
        return fit if sound and not 0 < fit.failed <= fit.worked else Fit()
