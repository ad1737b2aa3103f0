"""Keys of a file that change nothing, because a factor of their module's update, or the whole difference, is zero."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from lorarar.lora.roles import SCALES, KeyRole, is_dora
from lorarar.lora.spelling import ending_of

_DIFFERENCE = re.compile(r".+\.diff(?:_b)?")


def still_modules(tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """The keys by module, of modules that change nothing.

    Args:
        tensors: those that are not read, by key.
    """
    modules: dict[str, list[str]] = {}
    roles: dict[str, KeyRole] = {}
    for key in tensors:
        if ending := ending_of(key):
            modules.setdefault(ending.path, []).append(key)
            roles[key] = ending.role
        elif _DIFFERENCE.fullmatch(key):
            modules.setdefault(key, []).append(key)
    return {module: keys for module, keys in modules.items() if _is_still(keys, tensors, roles)}


def _is_still(keys: list[str], tensors: Mapping[str, Tensor], roles: Mapping[str, KeyRole]) -> bool:
    if is_dora({role for key in keys if (role := roles.get(key))}):
        return False  # what its magnitude does no factor tells
    return any(not tensors[key].any() for key in keys if roles.get(key) not in SCALES)
