"""The options of a merge, and which of them and which values a method accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, get_args

from typing_extensions import TypedDict  # pydantic reads it, and on Python 3.11 only this one

from lorarar.merging.hypernet import KeyValue
from lorarar.merging.methods import Form, Method
from lorarar.util.errors import HypernetError, MethodError


class Options(TypedDict, total=False):
    """Options of a merge: every method takes ``rank`` and ``seed``, and the others that its row of the table names."""

    weights: tuple[float, float]  # of content and style, default 1 and 1
    hypernet: str | Path  # a hypernetwork file, default the base's own
    key_value: KeyValue  # rule for parts that are not predicted, default the hypernetwork's own
    density: float  # share of elements kept, above 0 and up to 1, default 0.5
    form: Form  # prune the update or both factors, default "delta"
    mu: float  # strength of the projection, 0 to infinity, default 1
    coefficients: str | Path  # a file of m_c and m_s, default optimised for the pair
    rank: int  # of the merged layers, default the sum of both ranks
    seed: int  # for methods that draw at random, default 0


OF_EVERY_METHOD = ("rank", "seed")

#: By option: whether a value is accepted, and which values are.
_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "weights": (lambda pair: len(pair) == 2 and all(map(isfinite, pair)), "are two finite numbers"),
    "density": (lambda share: 0 < share <= 1, "is a share above 0 and up to 1"),
    "form": (lambda form: form in get_args(Form), "are delta and factors"),
    "key_value": (lambda rule: rule in get_args(KeyValue), "are mean and sum"),
    "mu": (lambda mu: mu >= 0, "is 0 to inf"),
    "rank": (lambda rank: rank >= 1, "is 1 or more"),
}
_FILES = {"hypernet": HypernetError, "coefficients": MethodError}


def check_options(method: Method, options: Options) -> None:
    """Check the options of a method before anything is read.

    Raises:
        MethodError: an option that the method does not take, a value out of its range, no file of coefficients.
        HypernetError: the hypernetwork's file does not exist.
    """
    accepted = (*method.takes, *OF_EVERY_METHOD)
    for option in options:
        if option not in accepted:
            raise MethodError(
                f"method {method.name} takes no {_flag(option)}; it takes {', '.join(map(_flag, accepted))}"
            )
    values: Mapping[str, Any] = options
    for option, (is_accepted, words) in _VALUES.items():
        if option in values and not is_accepted(values[option]):
            raise MethodError(f"{_flag(option)} is {values[option]!r}; accepted {words}")
    for option, error in _FILES.items():
        file = values.get(option)
        if file is not None and not Path(file).is_file():
            raise error(f"{file} does not exist")


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")
