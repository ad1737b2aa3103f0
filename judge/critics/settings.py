"""Settings of critics; what is not accepted is refused here, before anything is loaded or sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from judge.critics.critic import CriticError
from judge.critics.preparation import SIDE
from lorarar.util.dtype import Dtype

ImageMode = Literal["anyres", "pad"]
Quantisation = Literal["8bit", "4bit"]


@dataclass(frozen=True)
class CriticSettings:
    """How a critic is run: ``side`` concerns every critic, the others one on this machine or one behind a server."""

    side: int = SIDE  # of a picture, at most, in pixels

    # on this machine
    image_mode: ImageMode | None = None  # crops beside the whole, or one padded square; by default the critic's own
    device: str | None = None  # by default a GPU if there is one
    dtype: Dtype | None = None  # by default bfloat16 on a GPU and float32 elsewhere
    batch: int = 8  # questions at a time
    quantisation: Quantisation | None = None
    reuse: bool = True  # compute what questions share once; off only to measure what that saves
    generate: bool = False  # let it write its answer, as the authors do, in place of reading Yes against No

    # behind a server
    model: str | None = None  # by default the first one the server names
    concurrency: int = 8  # questions in flight
    timeout: float = 120.0  # seconds a server may be silent
    retries: int = 4  # after the first attempt
    backoff: float = 1.0  # seconds before the first retry, then twice as long each time
    key_variable: str = "LORARAR_API_KEY"  # the environment variable with the key, if the server asks for one

    def __post_init__(self) -> None:
        _at_least_one("side", self.side)

    def check_local(self) -> None:
        """Refuse what a critic on this machine cannot be run with.

        Raises:
            CriticError: the message says what is accepted.
        """
        for what, value, accepted in (
            ("image mode", self.image_mode or None, get_args(ImageMode)),
            ("dtype", self.dtype, get_args(Dtype)),
            ("quantisation", self.quantisation, get_args(Quantisation)),
        ):
            if value is not None and value not in accepted:
                raise CriticError(f"no {what} {value}; accepted are {', '.join(accepted)}")
        _at_least_one("batch", self.batch)

    def check_served(self) -> None:
        """Refuse what a critic behind a server cannot be run with.

        Raises:
            CriticError: the message says what is accepted.
        """
        _at_least_one("concurrency", self.concurrency)
        if self.timeout <= 0 or self.retries < 0 or self.backoff < 0:
            raise CriticError("the time-out must be above 0, retries and backoff not below it")


def _at_least_one(what: str, number: int) -> None:
    if number < 1:
        raise CriticError(f"{what} is {number}; accepted is 1 and above")
