"""Modules that are several layers in one: their updates split into the layers', and put together again.

A module's rows are its layers', one below the other, so that B is cut into blocks of rows. A belongs to each of them
whole, unless B is zero but for blocks on its diagonal, as where a LoRA of split layers was made a fused one: then each
layer has its own columns of B and rows of A. Both ways are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from lorarar.families.module_names import ModulePlace
from lorarar.lora.adapter import Factors, widest
from lorarar.lora.roles import KeyRole, Roles, product_of
from lorarar.util.errors import AdapterError

_BY_ROW: frozenset[KeyRole] = frozenset(["up", "hada_w1_a", "hada_w2_a", "magnitude", "dora_scale"])


def split_roles(place: ModulePlace, roles: Roles) -> Iterator[tuple[str, Roles]]:
    """The tensors of each layer of a module, by its ``sound_tensors``; without layers that it leaves as they are.

    Raises:
        AdapterError: they cannot be split exactly; the message says why.
    """
    if place.is_plain:
        yield place.layers[0], roles
        return
    _check_splittable(place, roles)
    cut = {role: _split_rows(place, role, roles[role]) if role in _BY_ROW else None for role in roles}
    columns = _columns(cut["up"]) if cut.get("up") else None
    for index, layer in enumerate(place.layers):
        own = {role: tensor if (rows := cut[role]) is None else rows[index] for role, tensor in roles.items()}
        if columns:
            kept = columns[index]
            if not kept:
                continue
            own |= {"down": own["down"][kept], "up": own["up"][:, kept]}
        yield layer, own


def fused(place: ModulePlace, parts: Sequence[Factors | None]) -> Factors:
    """One update of a module from those of its layers, None for a layer without one.

    The rank is theirs where all have one A, and else the sum of theirs.
    """
    there = [part for part in parts if part]
    if place.is_plain:
        return there[0]
    dtype = widest([half.dtype for part in there for half in (part.down, part.up)])
    unit = next(part.up.shape[0] // share for part, share in zip(parts, place.shares, strict=True) if part)
    shared = all(torch.equal(part.down, there[0].down) for part in there)
    rank = there[0].rank if shared else sum(part.rank for part in there)
    up = torch.zeros(unit * sum(place.shares), rank, dtype=dtype)
    column = 0
    for part, rows in zip(parts, _blocks(place.shares, unit), strict=True):
        if part:
            up[rows, column : column + part.rank] = part.up.to(dtype)
            column += 0 if shared else part.rank
    down = there[0].down.to(dtype) if shared else torch.cat([part.down.to(dtype) for part in there])
    return Factors(down, _swapped(up) if place.swapped else up)


def _check_splittable(place: ModulePlace, roles: Roles) -> None:
    name, several = place.name, len(place.layers) > 1
    layers = ", ".join(layer.rpartition(".")[2] for layer in place.layers)
    if product_of(roles) == "LoKr":
        raise AdapterError(
            f"{name} is LoKr on {layers} in one matrix: a Kronecker product over all its rows is none over those of "
            "each, so it cannot be split exactly; accepted there are LoRA and LoHa"
        )
    scale = roles.get("dora_scale")
    if several and scale is not None and scale.dim() > 1 and scale.shape[0] == 1:
        raise AdapterError(
            f"{name} is DoRA with magnitudes of columns on {layers} in one matrix, whose norms go over the rows of all"
        )
    for role, tensor in roles.items():
        if role in _BY_ROW and _rows(role, tensor).shape[0] % (sum(place.shares) * (2 if place.swapped else 1)):
            raise AdapterError(f"{name} has {_rows(role, tensor).shape[0]} rows, which are not those of {layers}")


def _rows(role: KeyRole, tensor: Tensor) -> Tensor:
    """A tensor with the module's rows first: magnitudes may lie on their side."""
    return tensor.flatten() if role in ("magnitude", "dora_scale") else tensor


def _split_rows(place: ModulePlace, role: KeyRole, tensor: Tensor) -> list[Tensor]:
    if place.swapped and role == "dora_scale" and tensor.dim() > 1 and tensor.shape[0] == 1:
        return [tensor]  # magnitudes of columns
    rows = _rows(role, tensor)
    rows = _swapped(rows) if place.swapped else rows
    unit = rows.shape[0] // sum(place.shares)
    blocks = [rows[block] for block in _blocks(place.shares, unit)]
    return [block.unsqueeze(1) if role == "dora_scale" else block for block in blocks]


def _blocks(shares: Sequence[int], unit: int) -> list[slice]:
    """The rows of each layer."""
    ends = [unit * share for share in accumulate(shares)]
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _swapped(rows: Tensor) -> Tensor:
    """Rows whose lower half stands above their upper one."""
    return rows.roll(rows.shape[0] // 2, 0)


def _columns(blocks: Sequence[Tensor] | None) -> list[list[int]] | None:
    """For each block of B's rows the columns that are its own, none for a block of zeros; None where blocks share some.

    Of a B that is nothing but zeros too, whose layers are all kept.
    """
    if blocks is None or len(blocks) == 1:
        return None
    used = [torch.nonzero(block.flatten(1).any(0)).flatten().tolist() for block in blocks]
    every = [column for columns in used for column in columns]
    if not every:
        return None
    if len(set(every)) == len(every):
        return used
    whole = list(range(blocks[0].shape[1]))
    return [whole if columns else [] for columns in used] if not all(used) else None
