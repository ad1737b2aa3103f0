"""The terminal: how it shows pictures, its colours and its size."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from lorarar.doctor.observation import Observation
from lorarar.util.picture_protocol import picture_protocol

_SHOWN = {
    "kitty": "in full, by kitty's protocol",
    "sixel": "in full, by Sixel",
    "half": "in coarse half cells",
}
_BETTER = "a terminal with kitty's protocol or Sixel shows them in full: kitty, WezTerm, foot, iTerm2, xterm -ti vt340"
_COLOURS = {"truecolor": 256**3, "256": 256, "standard": 16, "windows": 16}


def terminal() -> Iterator[Observation]:
    """How commands show pictures here, which they do on stderr, and in how many colours."""
    from rich.console import Console

    if not sys.stderr.isatty():
        yield Observation("pictures", "ok", "stderr is no terminal: none are shown", facts={"protocol": "none"})
        return
    protocol = picture_protocol()
    words = f"shown {_SHOWN[protocol]}"
    mend = _BETTER if protocol == "half" else ""
    yield Observation("pictures", "lacking" if mend else "ok", words, mend, {"protocol": protocol})
    console = Console(stderr=True)
    colours = 0 if "NO_COLOR" in os.environ else _COLOURS.get(console.color_system or "", 0)
    facts = {"colours": colours, "columns": console.width, "lines": console.height}
    words = f"{f'{colours:,}' if colours else 'no'} colours, {console.width} x {console.height} cells"
    if colours >= 256:
        yield Observation("colours", "ok", words, facts=facts)
    else:
        why = "unset NO_COLOR" if "NO_COLOR" in os.environ else "set COLORTERM=truecolor where the terminal has them"
        yield Observation("colours", "lacking", f"{words}; voting on pictures needs 256 colours", why, facts)
