"""What a run is asked for: which pictures, by whom, by which metrics and protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.judges import Judges
from judge.metrics.table import MARS2, METRICS, MetricError
from judge.patience import STOP_AFTER
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from judge.questions import Prompts

PROTOCOLS = ("singles", "pairwise")  # each picture by itself, or two methods' pictures of a cell


@dataclass(frozen=True)
class RunRequest:
    """What is to be judged, by whom and how."""

    pictures: PictureChoice
    judges: Judges
    prompts: Prompts | None = None  # None: each critic's own
    metrics: Sequence[str] | None = None  # MARS2 and metrics by name; None: those by default
    stop_after: int = STOP_AFTER  # like failures in a row, after which a critic is given up; 0: never

    def prompts_of(self, critic: str) -> Prompts:
        """How a critic of that name is asked; raises as ``Judges.singles_prompts``."""
        return self.judges.singles_prompts(critic, self.prompts)

    @property
    def names(self) -> Sequence[str]:
        """The metrics by name, MARS2 among them."""
        return default_metrics() if self.metrics is None else self.metrics


def check_protocol(protocol: str, metrics: object, methods: object) -> str:
    """The protocol of that name, with what is named for it.

    Raises:
        JudgeError: there is none, or metrics or methods are another's.
    """
    if protocol not in PROTOCOLS:
        near = did_you_mean(protocol, PROTOCOLS)
        raise JudgeError(f"--protocol is {protocol[:40]!r}; accepted are {', '.join(PROTOCOLS)}{near}")
    if protocol == "pairwise" and metrics is not None:
        raise JudgeError("--metrics are of single pictures; use it without --protocol pairwise")
    if protocol == "singles" and methods:
        raise JudgeError("--methods goes with --protocol pairwise; single pictures are chosen by --images row=METHOD")
    return protocol


def default_metrics() -> list[str]:
    """MARS2 and the metrics that are measured where none is named."""
    return [MARS2, *(metric.name for metric in METRICS.values() if metric.default)]


def parse_metrics(named: str | Sequence[str] | None) -> list[str] | None:
    """The metrics of a list such as ``mars2,dino``, each once, in the order of the table; None where none is named.

    Raises:
        MetricError: an unknown name, or an empty list.
    """
    if named is None:
        return None
    accepted, names = (MARS2, *METRICS), _parts(named)
    if not names or set(names) - set(accepted):
        strange = next((name for name in names if name not in accepted), "")
        near = did_you_mean(strange, accepted)
        raise MetricError(f"--metrics is {named!r}; accepted is a list of {', '.join(accepted)}{near}")
    return [name for name in accepted if name in names]


def parse_methods(named: str | Sequence[str]) -> tuple[str, ...]:
    """The methods of a list such as ``direct,lorarar``, each once."""
    return tuple(dict.fromkeys(_parts(named)))


def _parts(named: str | Sequence[str]) -> list[str]:
    """The parts of a list, or of a text with commas between them."""
    return [part.strip() for part in (named.split(",") if isinstance(named, str) else named) if part.strip()]
