"""LoRAs that make a base draw in few steps (Turbo, LCM, Lightning, Hyper, DMD), and those that let it edit pictures.

They hold no content and no style.

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
    "Lightning": r"\b(?:(?:sd)?xl ?|qwen ?image (?:edit )?(?:\d+ )?)lightning\b"
    r"|\blightning (?:lora )?\d+ ?steps?\b|\b\d+ ?steps? lightning\b",
    "Turbo": r"\b(?:sd)?(?:xl)? ?turbo (?:lora|\d+ ?steps?)\b|\b(?:sd|sdxl|xl) ?turbo\b|\bturbo ?(?:sd)?xl\b"
    r"|\bflux ?(?:[12] )?(?:dev )?turbo\b",
    "Hyper": r"\bhyper ?(?:sd|sdxl|sd15|sd1 5|flux)\b",
    "DMD": r"\bdmd2?\b",
    "TCD": r"\btcd\b",
    "PCM": r"\bpcm\b",
    "Flash": r"\bflash (?:sd|sdxl|diffusion)\b",
}
#: The same of LoRAs that change a picture that is given, for bases that take one.
_EDITS = {
    "Kontext": r"\bkontext\b",
    "Edit": r"\b(?:qwen|z) ?image edit\b|\bimage edit(?:ing)?\b|\binstruct ?pix2pix\b|\bedit lora\b",
    "Fill": r"\bflux ?(?:1 )?(?:dev )?fill\b",
    "Control": r"\bflux ?(?:1 )?(?:dev )?(?:canny|depth) ?(?:dev )?lora\b|\bcontrol lora\b",
}
_BASE_FIELDS = ("modelspec.architecture", "ss_base_model_version")  # these name the base that edits
_FIELDS = ("modelspec.title", "ss_output_name")  # descriptions name what a LoRA goes well with, too
_GENERIC = re.compile(r"pytorch_lora_weights|adapter_model|lora|model")  # names of files that only their folder tells
_FOLDERS = 4  # above such a file: snapshots of the hub's cache lie three below their repository's name
_OF_SAMPLERS = ("resnets.", "time_emb_proj")


@dataclass(frozen=True)
class FewSteps:
    """What says that a LoRA is one for few steps, or one that edits pictures."""

    kind: str  # LCM, Lightning …, or Kontext, Edit …
    by: Literal["header", "name"]
    hint: bool  # the weights do not bear it out
    use: Literal["for few steps", "to edit pictures"] = "for few steps"

    def __str__(self) -> str:
        """For people: ``LCM, for few steps, by its header``."""
        return f"{self.kind}, {self.use}, by its {self.by}{' alone' if self.hint else ''}"


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
    if kind := _kind_of(" ".join(metadata.get(field, "") for field in (*_FIELDS, *_BASE_FIELDS)), _EDITS):
        return FewSteps(kind, "header", hint=False, use="to edit pictures")
    if kind := _kind_of(path.stem, _EDITS):
        return FewSteps(kind, "name", hint=True, use="to edit pictures")
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
        effect = {
            "for few steps": "it changes how the base samples, and merges with it draw blurred pictures",
            "to edit pictures": "it changes what the base makes of a given picture, and holds no content or style",
        }[kind.use]
        raise AdapterError(
            f"{adapter.name} is {kind}: {effect}; give it beside the merge when drawing, or merge it with --anyway"
        )


def _kind_of(text: str, kinds: Mapping[str, str] = _KINDS) -> str | None:
    words = re.sub(r"[\W_]+", " ", text.lower())
    return next((kind for kind, pattern in kinds.items() if re.search(pattern, words)), None)
