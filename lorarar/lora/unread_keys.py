"""Keys that are not read: what they are of, and why."""

from __future__ import annotations

import re

from lorarar.families import FAMILIES
from lorarar.families.module_names import ModuleNames

_FOREIGN = {
    re.compile(pattern): kind
    for pattern, kind in {
        r"\.oft_": "OFT",
        r"\.diff(_b)?$": "a full difference of weights",
        r"\.[wb]_norm$": "a difference of norms",
        r"\.[ab][12]\.weight$": "GLoRA",
        r"\.(on_input|ia3_l)": "IA3",
        r"^(base_model\.model\.)?(lora_)?transformer[._]|(double|single)_(transformer_)?blocks|joint_blocks[._]"
        r"|transformer_blocks[._]\d+[._]attn[._]": "of a transformer that is not known here",
    }.items()
}
_OF_CHECKPOINTS = re.compile(
    r"(?!.*lora)(?:model\.diffusion_model|conditioner\.embedders|cond_stage_model|first_stage_model|model_ema)\."
    r"|(?:alphas_cumprod|betas)$"
)
_OF_TEXT_ENCODERS = re.compile(r"lora_te\d?_|text_encoders?(_\d)?\.|(t5\w*|clip_\w|qwen\w*)\.")


def refusal_of(key: str, names: ModuleNames | None) -> str | None:
    """Why a key is not read, for a reader who sees it before; None where nothing is known of it.

    Args:
        key: that no dialect understands.
        names: of the transformer's modules, where it is a LoRA's key in a file for one.
    """
    if _OF_CHECKPOINTS.match(key):
        return "is a weight of a whole checkpoint, which is no LoRA; name it with --base"
    if names:
        return not_named(key, names)
    kind = foreign_kind(key)
    return f"is {kind}, which is not read; accepted is LoRA for {titles()}" if kind else None


def foreign_kind(key: str) -> str | None:
    """The kind of adapter that a key belongs to, if it is one that is not LoRA for SDXL; else None."""
    return next((kind for pattern, kind in _FOREIGN.items() if pattern.search(key)), None)


def not_named(key: str, names: ModuleNames) -> str:
    """Why a key is not read in a file for a transformer with these names."""
    base = " or ".join(names.bases)
    if _OF_TEXT_ENCODERS.match(key):
        return f"is of a text encoder that LoRAs for {base} leave as it is here; accepted is one of zeros, or none"
    return f"names no layer of {base}; name the base that it was trained for with --base"


def titles() -> str:
    """The bases whose LoRAs are read, as people write them."""
    return ", ".join(family.architecture.title for family in FAMILIES.values() if family.architecture)
