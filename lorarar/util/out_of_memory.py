"""Which errors mean that a device has no memory left, and how they become one line."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import clear_frames

from lorarar.util.errors import LorarError

#: As CUDA, MPS, the CPU, C++, and cuBLAS and its sisters say it.
_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "bad_alloc",
    "_status_alloc_failed",
)
_AMOUNT = re.compile(r"tried to allocate ([\d.]+) (\w+)", re.IGNORECASE)
_GRAPHICS = re.compile(r"cuda|cublas|cudnn|cusolver|hip|mps|xpu", re.IGNORECASE)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a device has no memory left."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
    )


def what_was_missing(error: BaseException) -> str:
    """Where there was too little memory, and for how much, as far as the error says it."""
    text = str(error)
    place = "the GPU" if _GRAPHICS.search(text) else "this machine"
    amount = _AMOUNT.search(text)
    return f"{place} has not enough memory" + (f" (for another {_in_words(*amount.groups())})" if amount else "")


@contextmanager
def out_of_memory_as(explain: Callable[[BaseException], LorarError]) -> Iterator[None]:
    """Within, running out of memory is the error that ``explain`` makes of it.

    What the failed work still held is let go: whoever goes on with something else has that memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        clear_frames(error.__traceback__)
        raise explain(error) from None


def _in_words(amount: str, unit: str) -> str:
    return f"{float(amount) / 2**30:.3g} GiB" if unit == "bytes" else f"{amount} {unit}"
