"""LoRAs that make a base draw in few steps (Turbo, LCM, Lightning, Hyper, DMD): they hold no content and no style.

Such a LoRA changes the whole sampler. Merged with others it blurs them, so that a merge refuses it; in drawing it is
what its user wants. Its title in the header tells it, where no text encoder is changed, which none of them does. A
file's name is a hint alone, since styles are called turbo and lightning too: it tells only where the weights reach
the residual blocks and the times these are told, as all that were published do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lorarar.lora.adapter import Adapter
from lorarar.lora.foreign_bases import Shapes
from lorarar.util.errors import AdapterError
from lorarar.util.messages import message_once

#: Words by kind, as they stand in names whose separators are spaces.
_KINDS = {
    "LCM": r"\blcm\b|latent consistency",
    "Lightning": r"\b(?:sd)?xl ?lightning\b|\blightning (?:lora )?\d+ ?steps?\b|\b\d+ ?steps? lightning\b",
    "Turbo": r"\b(?:sd)?(?:xl)? ?turbo (?:lora|\d+ ?steps?)\b|\b(?:sd|sdxl|xl) ?turbo\b|\bturbo ?(?:sd)?xl\b",
    "Hyper": r"\bhyper ?(?:sd|sdxl|sd15|sd1 5)\b",
    "DMD": r"\bdmd2?\b",
    "TCD": r"\btcd\b",
    "PCM": r"\bpcm\b",
    "Flash": r"\bflash (?:sd|sdxl|diffusion)\b",
}
_FIELDS = ("modelspec.title", "ss_output_name")  # descriptions name what a LoRA goes well with, too
_GENERIC = re.compile(r"pytorch_lora_weights|adapter_model|lora|model")  # names of files that only their folder tells
_FOLDERS = 4  # above such a file: snapshots of the hub's cache lie three below their repository's name
_OF_SAMPLERS = ("resnets.", "time_emb_proj")


@dataclass(frozen=True)
class FewSteps:
    """What says that a LoRA is one for few steps."""

    kind: str  # LCM, Lightning …
    by: Literal["header", "name"]
    hint: bool  # the weights do not bear it out

    def __str__(self) -> str:
        """For people: ``LCM, for few steps, by its header``."""
        return f"{self.kind}, for few steps, by its {self.by}{' alone' if self.hint else ''}"


def few_steps(metadata: Mapping[str, str], path: Path, layers: Shapes) -> FewSteps | None:
    """Recognise a LoRA for few steps; None for one that nothing tells.

    Args:
        metadata: of its file's header.
        path: of its file or folder.
        layers: the shapes of its updates by layer.
    """
    plain = not any(layer.startswith("text_encoder") for layer in layers)
    if kind := _kind_of(" ".join(metadata.get(field, "") for field in _FIELDS)):
        return FewSteps(kind, "header", hint=not plain)
    folders = path.parts[-1 - _FOLDERS : -1] if _GENERIC.fullmatch(path.stem) else ()
    if kind := _kind_of(" ".join([path.stem, *folders])):
        reaching = all(any(part in layer for layer in layers) for part in _OF_SAMPLERS)
        return FewSteps(kind, "name", hint=not (plain and reaching))
    return None


def check_many_steps(adapter: Adapter, path: Path) -> None:
    """Refuse a LoRA for few steps, which is no content or style to merge; a mere hint at one is said on stderr.

    Raises:
        AdapterError: it is one.
    """
    kind = few_steps(adapter.metadata, path, adapter.shapes)
    if kind and kind.hint:
        message_once(f"{adapter.name} is {kind}; if it is one, leave it out of merges", "yellow")
    elif kind:
        raise AdapterError(
            f"{adapter.name} is {kind}: it changes how the base samples, and merges with it draw blurred pictures; "
            "give it beside the merge when drawing, or merge it with --anyway"
        )


def _kind_of(text: str) -> str | None:
    words = re.sub(r"[\W_]+", " ", text.lower())
    return next((kind for kind, pattern in _KINDS.items() if re.search(pattern, words)), None)
