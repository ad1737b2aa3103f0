"""Whether the fields of a row hold what its class says: rows of other packages are checked by no type checker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from inspect import get_annotations
from types import UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin


def check_fields(row: object, kind: type) -> None:
    """Check that ``row`` is a ``kind``, and the fields that this declares, those of the rows within them too.

    Raises:
        TypeError: it is none, or a field holds something else; the message names it.
    """
    if not isinstance(row, kind):
        raise TypeError(f"it is a {type(row).__name__}; accepted is a {kind.__module__}.{kind.__name__}")
    for base in reversed(kind.__mro__):
        for name, wanted in get_annotations(base, eval_str=True).items():
            value = getattr(row, name, None)
            if not _fits(value, wanted):
                raise TypeError(f"its {name} is {value!r}; accepted is {base.__annotations__[name]}")


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value is what an annotation says; of an annotation that is not known here any value is."""
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin in (Union, UnionType):
        fits = any(_fits(value, part) for part in parts)
    elif origin is ClassVar:
        fits = _fits(value, parts[0])
    elif origin is Literal:
        fits = value in parts
    elif origin is tuple:
        fits = isinstance(value, tuple) and (parts[-1] is not ... or all(_fits(one, parts[0]) for one in value))
    elif origin is Mapping:
        pairs = value.items() if isinstance(value, Mapping) else [(None, None)]
        fits = all(_fits(name, parts[0]) and _fits(one, parts[1]) for name, one in pairs)
    elif origin is Callable:
        fits = callable(value)
    else:
        fits = wanted is Any or not isinstance(wanted, type) or _is_instance(value, wanted)
    return fits


def _is_instance(value: Any, wanted: type) -> bool:
    """Whether a value is of a class; whole numbers are numbers too, yes and no are none, rows hold what they should."""
    if wanted in (int, float) and isinstance(value, bool):
        return False
    if not isinstance(value, (int, float) if wanted is float else wanted):
        return False
    if is_dataclass(wanted):
        check_fields(value, wanted)
    return True
