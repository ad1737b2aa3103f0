"""One layer of a file: its tensors checked, its scale folded in, and what is no plain LoRA made one.

Invariants: the scale is folded in float32 at least, and stays there unless the file's own dtype holds the result to the
bit; both halves of a layer have one dtype; what comes out is finite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lorarar.lora.adapter import Factors, all_finite, widest
from lorarar.lora.conversion.dora import dora_update
from lorarar.lora.conversion.products import foreign_roles, needed_roles, update_of
from lorarar.lora.roles import SCALES, KeyRole, Roles, is_dora, kinds_of
from lorarar.lora.truncation import Energy, factorise
from lorarar.util.errors import AdapterError

RANK = 64  # of a conversion, at most
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_EIGHT_BITS = (torch.float8_e4m3fn, torch.float8_e5m2)  # every value of theirs is one of float16's
_NAMES: dict[KeyRole, str] = {"down": "lora_A.weight", "up": "lora_B.weight"}
_KERNELS = {r"\.conv_shortcut$": (1, 1), r"\.(conv|conv1|conv2|conv_in|conv_out)$": (3, 3)}

WeightOf = Callable[[str], "Tensor | None"]  # the base's weight of a layer; None where it has none


@dataclass(frozen=True)
class Conversion:
    """How what is no plain LoRA is made one."""

    rank: int = RANK  # at most
    weight_of: WeightOf | None = None  # where the base is at hand, which DoRA needs


def sound_tensors(layer: str, roles: Roles) -> dict[KeyRole, Tensor]:
    """The tensors of a layer, none missing and none foreign, each of finite floats; 8 bits become 16.

    Raises:
        AdapterError: they are not; the message names the tensor.
    """
    for role in needed_roles(roles):
        if role not in roles:
            raise AdapterError(f"{layer}.{_name(role)} is missing; there is only its {' and '.join(roles)}")
    if foreign := foreign_roles(roles):
        raise AdapterError(f"{layer} has {' and '.join(sorted(foreign))} besides {' and '.join(needed_roles(roles))}")
    return {
        role: tensor if role in ("alpha", "scalar") else _sound(layer, role, tensor) for role, tensor in roles.items()
    }


def update_shape(layer: str, roles: Roles) -> tuple[int, ...]:
    """The shape of a layer's weight, by its ``sound_tensors``.

    Raises:
        AdapterError: they do not fit each other.
    """
    if not kinds_of(roles):
        return _halves(layer, roles).shape
    try:
        rows, *columns = update_of({role: tensor.float() for role, tensor in roles.items()}).shape
        return (rows, *_with_kernel(layer, columns))
    except AdapterError as error:
        raise AdapterError(f"{layer} cannot be made LoRA: {error}") from None


def stored_dtype(roles: Roles) -> torch.dtype:
    """The narrowest dtype that holds every number of a layer's factors as they are stored."""
    return widest(tensor.dtype for role, tensor in roles.items() if role not in SCALES)


def plain_factors(layer: str, roles: Roles, scale: float, conversion: Conversion) -> tuple[Factors, Energy]:
    """The update of a layer as plain LoRA, its scale folded in, and what that discards of it.

    Args:
        layer: its name.
        roles: its ``sound_tensors``.
        scale: of the update.
        conversion: of what is no plain LoRA.

    Raises:
        AdapterError: its tensors do not fit, the base's weight is needed and not at hand, or the result is not finite.
    """
    if kinds_of(roles):
        try:
            factors, energy = _converted(
                layer, {role: tensor.float() for role, tensor in roles.items()}, scale, conversion
            )
        except AdapterError as error:
            raise AdapterError(f"{layer} cannot be made LoRA: {error}") from None
    elif scale == 1.0:
        return _halves(layer, roles), Energy()  # as finite as its sound tensors
    else:
        factors, energy = _folded(_halves(layer, roles), scale), Energy()
    if not (all_finite(factors.down) and all_finite(factors.up)):
        raise AdapterError(f"{layer} is not finite once its scale of {scale:g} is folded in")
    return factors, energy


def _sound(layer: str, role: KeyRole, tensor: Tensor) -> Tensor:
    if tensor.dtype in _EIGHT_BITS:
        tensor = tensor.to(torch.float16)
    is_matrix = tensor.dim() in (2, 4) or role in SCALES
    if tensor.dtype not in _FLOATS or not is_matrix or not tensor.numel():
        raise AdapterError(
            f"{layer}.{_name(role)} is no matrix of floats (of 8, 16, 32 or 64 bits): it is "
            f"{str(tensor.dtype).removeprefix('torch.')} of {tuple(tensor.shape)}"
        )
    if not all_finite(tensor):
        raise AdapterError(f"{layer}.{_name(role)} holds NaN or infinite values")
    return tensor


def _name(role: KeyRole) -> str:
    return _NAMES.get(role, role)


def _halves(layer: str, roles: Roles) -> Factors:
    down, up = roles["down"], roles["up"]
    if down.shape[0] != up.shape[1] or down.dim() != up.dim() or set(up.shape[2:]) - {1}:
        raise AdapterError(f"the halves of {layer} do not fit: {tuple(up.shape)} and {tuple(down.shape)}")
    dtype = widest((down.dtype, up.dtype))
    return Factors(down.to(dtype), up.to(dtype))


def _folded(factors: Factors, scale: float) -> Factors:
    """The update times its scale: narrow as it was where nothing is lost by that, else wide."""
    narrow, wide = factors.down.dtype, torch.promote_types(factors.down.dtype, torch.float32)
    down = factors.down.to(wide) * scale
    if torch.equal(down.to(narrow).to(wide), down):
        return Factors(down.to(narrow), factors.up)
    return Factors(down, factors.up.to(wide))


def _converted(layer: str, roles: Roles, scale: float, conversion: Conversion) -> tuple[Factors, Energy]:
    update = update_of(roles)
    if is_dora(roles):
        weight = conversion.weight_of(layer) if conversion.weight_of else None
        if weight is None:
            raise AdapterError(
                "it is DoRA, whose update depends on the base's weight; name its base with --base FOLDER"
            )
        return _formed(layer, *factorise(dora_update(update.dense() * scale, weight, roles), conversion.rank))
    factors, energy = update.cut(conversion.rank)
    energy = Energy(energy.whole * scale**2, energy.lost * scale**2)
    return _formed(layer, Factors(factors.down * scale, factors.up), energy)


def _formed(layer: str, factors: Factors, energy: Energy) -> tuple[Factors, Energy]:
    """Factors in the form of the layer's weight."""
    down, up = factors.down, factors.up.flatten(1)
    down = down.reshape(down.shape[0], *_with_kernel(layer, down.shape[1:]))
    return Factors(down.contiguous(), up.reshape(*up.shape, *[1] * (down.dim() - 2)).contiguous()), energy


def _with_kernel(layer: str, columns: Sequence[int]) -> tuple[int, ...]:
    """The columns of a layer, with the kernel that LyCORIS and PEFT flatten into them."""
    kernel = next((kernel for pattern, kernel in _KERNELS.items() if re.search(pattern, layer)), None)
    if len(columns) > 1 or kernel is None:
        return tuple(columns)
    number, rest = divmod(columns[0], torch.Size(kernel).numel())
    if rest:
        raise AdapterError(f"its {columns[0]} columns are not those of a kernel of {' x '.join(map(str, kernel))}")
    return (number, *kernel)
