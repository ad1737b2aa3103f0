"""What a pipeline folder holds: the folders of its models, and the variant of their weights."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lorarar.families.table import INDEX

HALF = "fp16"  # the variant of weights in half precision
_VARIANT = re.compile(r"\.([a-z0-9_-]+)(?:-\d{5}-of-\d{5})?\.safetensors$")  # unet.fp16.safetensors, also in parts


def component_folders(folder: Path) -> list[Path]:
    """The folders of the components that a pipeline's index names, those beside the index alone.

    Raises:
        OSError: the index cannot be read.
    """
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except ValueError:
        index = {}
    parts = [name for name, value in index.items() if isinstance(value, list)] if isinstance(index, dict) else []
    return [folder / name for name in parts if Path(name).name == name not in ("", "..")]


def variant_in(folder: Path) -> str | None:
    """The variant of a folder's weights, where a model in it has none without a variant's name.

    Raises:
        OSError: the index cannot be read.
    """
    for part in component_folders(folder):
        names = [file.name for file in part.glob("*.safetensors")]
        variants = {match[1] for name in names if (match := _VARIANT.search(name))}
        if variants and all(_VARIANT.search(name) for name in names):
            return HALF if HALF in variants else min(variants)
    return None
