"""The true pictures of the zoo's pairs, and of pairs with Pocket's own: from what lies beside the LoRAs."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from lorarar.lora.names import lora_name
from lorarar.pictures.images import read_layer, write_png
from lorarar.pocket.canvas import place
from lorarar.pocket.concepts import STYLES_BY_SLUG, SUBJECTS_BY_SLUG, Style
from lorarar.pocket.shipped import CONTENTS, STYLES, design_file
from lorarar.pocket.styles import StyleParams, apply_style
from lorarar.util.errors import PocketError, reason
from lorarar.util.files import replacing
from lorarar.util.outputs import same_place


def write_design(design: Image.Image, lora: Path) -> None:
    """Put a subject's design where the truth of its content LoRA is looked for."""
    write_png(design, _beside(lora, "designs", ".png"))


def write_look(style: Style, lora: Path) -> None:
    """Put a style's family and parameters where the truth of its LoRA is looked for."""
    with replacing(_beside(lora, "looks", ".json")) as partial:
        partial.write_text(json.dumps({"family": style.family, "knobs": style.params.knobs()}) + "\n")


def true_picture_of_loras(content: Path, style: Path, side: int = 64) -> Image.Image | None:
    """What a perfect merge of two LoRAs would draw, ``side`` pixels a side; None where either is neither's.

    Raises:
        PocketError: what lies beside a LoRA cannot be read.
    """
    design, look = _design_of(content), _look_of(style)
    return apply_style(look[0], place(design), look[1], side) if design and look else None


def _beside(lora: Path, kind: str, ending: str) -> Path:
    return lora.parent.parent / kind / f"{lora_name(lora)}{ending}"


def _design_of(lora: Path) -> Image.Image | None:
    """The design of Pocket's own subject, or of one of the zoo's."""
    own = SUBJECTS_BY_SLUG.get(lora_name(lora)) if same_place(lora.parent, CONTENTS) else None
    file = design_file(own.slug) if own else _beside(lora, "designs", ".png")
    return read_layer(file) if file.is_file() else None


def _look_of(lora: Path) -> tuple[str, StyleParams] | None:
    """Family and parameters of Pocket's own style, or of one of the zoo's.

    Raises:
        PocketError: the file that says them is unsound.
    """
    if same_place(lora.parent, STYLES) and (own := STYLES_BY_SLUG.get(lora_name(lora))):
        return own.family, own.params
    file = _beside(lora, "looks", ".json")
    if not file.is_file():
        return None
    try:
        look = json.loads(file.read_text())
        return str(look["family"]), StyleParams.from_knobs(look["knobs"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PocketError(
            f"{file} is no look of the zoo: {reason(error)}; make it anew with lorarar pocket zoo"
        ) from None
