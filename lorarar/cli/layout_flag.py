"""``--layout``, with every layout of the table, for the commands that write LoRAs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorarar.cli.console import one_of
from lorarar.cli.flags import Flag
from lorarar.util.errors import MethodError
from lorarar.util.options import Option

LAYOUT = "diffusers"  # of a command that names none


def layout_flag() -> Flag:
    """The flag, with what each layout is."""
    from lorarar.lora.layouts import LAYOUTS

    forms = "; ".join(f"{name}: {layout.help}" for name, layout in LAYOUTS.items())
    return Flag(Option("layout", f"{forms}.", "text", default=LAYOUT, words="LAYOUT"))


def layout_of(given: Mapping[str, Any]) -> str:
    """The layout that flags name.

    Raises:
        MethodError: there is none of this name.
    """
    from lorarar.lora.layouts import LAYOUTS

    return one_of("--layout", given.get("layout", LAYOUT), list(LAYOUTS), MethodError)
