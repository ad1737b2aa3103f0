"""Fields of a header by which other programs know what a LoRA is for, and list it with the bases it fits.

The names are those of kohya's trainer (``ss_…``) and of Stability AI's ModelSpec (``modelspec.…``). Only what is true
of the file is said, and no date, so that equal files are equal bytes.
"""

from __future__ import annotations

from lorarar.lora.adapter import Adapter
from lorarar.lora.carried import LONGEST, PROMPTS, SOURCES, carried_fields
from lorarar.lora.layout_names import has_original_names
from lorarar.lora.made_for import family_of_adapter
from lorarar.util.text import clean

# whose names the layers have, as ModelSpec wants it said
_STABILITY, _COMFYUI, _DIFFUSERS = (
    "https://github.com/Stability-AI/generative-models",
    "https://github.com/comfyanonymous/ComfyUI",
    "diffusers",
)


def comfy_fields(adapter: Adapter) -> dict[str, str]:
    """What ComfyUI's managers of LoRAs show."""
    return _listing(adapter) | {"modelspec.implementation": _COMFYUI}


def kohya_fields(adapter: Adapter) -> dict[str, str]:
    """What A1111 lists by, and what kohya's own tools ask of a network: its kind, rank and alpha."""
    ranks = {factors.rank for factors in adapter.layers.values()}
    rank = str(ranks.pop()) if len(ranks) == 1 else "Dynamic"  # kohya's word for ranks that differ
    return _listing(adapter) | {
        "modelspec.implementation": _STABILITY if has_original_names(family_of_adapter(adapter)) else _DIFFUSERS,
        "ss_network_module": "networks.lora",
        "ss_network_dim": rank,
        "ss_network_alpha": rank,
    }


def _listing(adapter: Adapter) -> dict[str, str]:
    """The base by its names there, and the title; nothing of a base that others do not know."""
    header, family = carried_fields(adapter.metadata), family_of_adapter(adapter)  # bounded, as a stranger's has to be
    sources, prompts = (clean(adapter.metadata.get(name, "")[:LONGEST]) for name in (SOURCES, PROMPTS))
    fields = {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.title": header.get("modelspec.title") or sources.replace(", ", " + ") or "LoRA",
        "modelspec.merged_from": header.get("modelspec.merged_from") or (sources if ", " in sources else ""),
        "modelspec.usage_hint": header.get("modelspec.usage_hint") or prompts,
    }
    if family and family.architecture and (listing := family.architecture.listing):
        fields |= {
            "ss_base_model_version": listing.base_version,
            "modelspec.architecture": f"{listing.architecture}/lora",
            "modelspec.resolution": header.get("modelspec.resolution") or listing.resolution,
        }
    return {name: text for name, text in fields.items() if text}
