"""What the tensors of one layer are to each other, and which kind of adapter they make."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, get_args

from torch import Tensor

KeyRole = Literal[
    "down",
    "up",
    "mid",
    "alpha",
    "scalar",
    "magnitude",
    "dora_scale",
    "hada_w1_a",
    "hada_w1_b",
    "hada_w2_a",
    "hada_w2_b",
    "hada_t1",
    "hada_t2",
    "lokr_w1",
    "lokr_w1_a",
    "lokr_w1_b",
    "lokr_w2",
    "lokr_w2_a",
    "lokr_w2_b",
    "lokr_t2",
]
Roles = Mapping[KeyRole, Tensor]  # the tensors of one layer
#: The roles by their names, which are those of LyCORIS for its own.
ROLES: Mapping[str, KeyRole] = {role: role for role in get_args(KeyRole)}

Product = Literal["LoRA", "LoHa", "LoKr"]  # how its update is made of them

#: No factor of an update: each is one number, or one for each row or column of a weight.
SCALES: frozenset[KeyRole] = frozenset({"alpha", "scalar", "magnitude", "dora_scale"})


def product_of(roles: Collection[KeyRole]) -> Product:
    """How the update of a layer with these tensors is made: by a matrix, a Hadamard or a Kronecker product."""
    if any(role.startswith("hada_") for role in roles):
        return "LoHa"
    return "LoKr" if any(role.startswith("lokr_") for role in roles) else "LoRA"


def is_dora(roles: Collection[KeyRole]) -> bool:
    """Whether a layer has a magnitude, so that its update depends on the base's weight."""
    return "magnitude" in roles or "dora_scale" in roles


def kinds_of(roles: Collection[KeyRole]) -> list[str]:
    """What a layer is besides plain LoRA, for people; empty for plain LoRA."""
    product = product_of(roles)
    kinds: list[str] = [] if product == "LoRA" else [product]
    if "mid" in roles:
        kinds.append("LoCon in Tucker form")
    return [*kinds, "DoRA"] if is_dora(roles) else kinds
