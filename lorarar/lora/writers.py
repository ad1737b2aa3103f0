"""Which program wrote a LoRA: its header says it, or else its spelling leaves a few."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lorarar.lora.dialects import DIALECTS
from lorarar.lora.header import PROVENANCE


class HeaderMark(NamedTuple):
    """A field of a header that tells the program."""

    program: str
    field: str
    text: str  # a regular expression that is found in it


#: The first that a header has tells it.
MARKS = (
    HeaderMark("LoRA.rar", re.escape(PROVENANCE), ""),
    HeaderMark("ai-toolkit", "software", "ai-toolkit"),
    HeaderMark("OneTrainer", r"ot_\w+", ""),
    HeaderMark("LyCORIS", "ss_network_module", r"^lycoris"),
    HeaderMark(
        "musubi-tuner", "ss_network_module", r"^networks\.lora_(qwen|z_?image|flux_?2|wan|hunyuan|hv|fpack|kontext)"
    ),
    HeaderMark("kohya's sd-scripts", "ss_network_module", r"^networks\."),
    HeaderMark("kohya's sd-scripts", "modelspec.implementation", r"sd-scripts"),
    HeaderMark("diffusers", "lora_adapter_metadata", ""),
)


def writers_of(metadata: Mapping[str, str], dialects: Iterable[str]) -> list[str]:
    """The program that a header tells, else those that write these dialects; none where neither tells."""
    for mark in MARKS:
        if any(re.fullmatch(mark.field, name) and re.search(mark.text, text) for name, text in metadata.items()):
            return [mark.program]
    return [row.writers for name in dict.fromkeys(dialects) if (row := DIALECTS.get(name)) and row.writers]
