"""How a critic is run; what is not accepted is refused here, before anything is loaded or sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from judge.critics.critic import CriticError
from judge.critics.preparation import SIDE

ImageMode = Literal["anyres", "pad"]
DType = Literal["float32", "bfloat16", "float16"]
Quantisation = Literal["8bit", "4bit"]


@dataclass(frozen=True)
class LocalSettings:
    """Of a critic on this machine."""

    image_mode: ImageMode = "anyres"  # crops beside the whole, or one padded square
    device: str | None = None  # by default a GPU if there is one
    dtype: DType | None = None  # by default bfloat16 on a GPU and float32 elsewhere
    batch: int = 8  # questions at a time
    side: int = SIDE  # of a picture, at most, in pixels
    quantisation: Quantisation | None = None
    reuse: bool = True  # compute what questions share once; off only to measure what that saves
    generate: bool = False  # let it write its answer, as the authors do, in place of reading Yes against No

    def __post_init__(self) -> None:
        _one_of("image mode", self.image_mode, get_args(ImageMode))
        if self.dtype is not None:
            _one_of("dtype", self.dtype, get_args(DType))
        if self.quantisation is not None:
            _one_of("quantisation", self.quantisation, get_args(Quantisation))
        _at_least_one("batch", self.batch)
        _at_least_one("side", self.side)


@dataclass(frozen=True)
class ServedSettings:
    """Of a critic behind a server."""

    model: str | None = None  # by default the first one the server names
    concurrency: int = 8  # questions in flight
    timeout: float = 120.0  # seconds a server may be silent
    retries: int = 4  # after the first attempt
    backoff: float = 1.0  # seconds before the first retry, then twice as long each time
    side: int = SIDE  # of a picture, at most, in pixels
    key_variable: str = "LORARAR_API_KEY"  # the environment variable with the key, if the server asks for one

    def __post_init__(self) -> None:
        _at_least_one("concurrency", self.concurrency)
        _at_least_one("side", self.side)
        if self.timeout <= 0 or self.retries < 0 or self.backoff < 0:
            raise CriticError("the time-out must be above 0, retries and backoff not below it")


def _one_of(what: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise CriticError(f"no {what} {value}; accepted are {', '.join(accepted)}")


def _at_least_one(what: str, value: int) -> None:
    if value < 1:
        raise CriticError(f"{what} is {value}; accepted is 1 and above")
