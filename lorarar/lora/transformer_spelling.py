"""How trainers and programs spell the keys of LoRAs for diffusion transformers: what stands around a module's path.

As for UNets (``lorarar.lora.spelling``) wrappers, prefix, path and ending are read one by one, so that any path may
have any ending. What a path means its base's ``ModuleNames`` say.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from lorarar.families.module_names import ModuleNames, ModulePlace
from lorarar.lora.roles import KeyRole
from lorarar.lora.spelling import DOTTED_DIALECTS, PEFT, Ending, ending_of, unwrapped

_COMFY = ("model.diffusion_model.", "diffusion_model.")
_FLAT = re.compile(r"(lora_unet|lora_transformer|lycoris)_(?:_orig_mod_)?([\w-]+)")
_FLAT_DIALECTS = {"lora_unet": "kohya", "lora_transformer": "onetrainer", "lycoris": "lycoris"}
TRANSFORMER_DIALECTS = ("onetrainer", "lycoris", "comfy", "xlabs", "bare")  # beside those that UNets have too


class PlacedKey(NamedTuple):
    """A key that was read: its dialect, its tensor's role, and what its path stands for."""

    dialect: str
    role: KeyRole
    place: ModulePlace


@lru_cache(maxsize=65536)
def placed_key(key: str, names: ModuleNames) -> PlacedKey | None:
    """Read a key of a LoRA for a transformer with these names; None where it is none, or is of another component."""
    if not (ending := ending_of(key)):
        return None
    if flat := _FLAT.fullmatch(ending.path):
        place = names.place(flat[2])
        return PlacedKey(_FLAT_DIALECTS[flat[1]], ending.role, place) if place else None
    bare = unwrapped(ending.path)
    prefix = next((prefix for prefix in _COMFY if bare.startswith(prefix)), "")
    module = bare.removeprefix(prefix)
    while not prefix and module.startswith(f"{names.component}."):
        module = module.removeprefix(f"{names.component}.")
    place = place_of(module, names)
    return PlacedKey(_dialect(ending, bool(prefix), module, names), ending.role, place) if place else None


def _dialect(ending: Ending, of_comfy: bool, module: str, names: ModuleNames) -> str:
    """The dialect of a dotted path, behind ComfyUI's prefix or another."""
    if PEFT in ending.path:
        return "peft"
    if ".processor." in module and names.is_original(module):
        return "xlabs"
    if of_comfy:
        return "comfy"
    return "bare" if names.is_original(module) else DOTTED_DIALECTS[ending.style]


def place_of(module: str, names: ModuleNames) -> ModulePlace | None:
    """What a path stands for, also as diffusers spelt it formerly; None where it names no module."""
    spellings = (module, module.replace(".processor.", "."), f"{module}.0", f"{module.replace('.processor.', '.')}.0")
    return next((place for one in spellings if (place := names.place(one))), None)
