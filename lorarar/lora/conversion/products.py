"""From the tensors of a layer to the product that its update is.

The definitions are those of LyCORIS and PEFT: a core ``t`` (or ``lora_mid``) of r x r' and a kernel stands between the
halves of a convolution in Tucker form, and is put into the half on the side of the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import torch
from torch import Tensor

from lorarar.lora.conversion.update import HadamardProduct, KroneckerProduct, MatrixProduct, Update
from lorarar.lora.roles import SCALES, KeyRole, Product, Roles, product_of
from lorarar.util.errors import AdapterError

LARGEST = 2**27  # elements of an update that is made dense, four times SDXL's largest

_WHOLE: Mapping[KeyRole, tuple[KeyRole, KeyRole]] = {  # of LoKr: matrices that may be given by two halves
    "lokr_w1": ("lokr_w1_a", "lokr_w1_b"),
    "lokr_w2": ("lokr_w2_a", "lokr_w2_b"),
}
_LOHA: tuple[KeyRole, ...] = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
_CORES: Mapping[Product, tuple[KeyRole, ...]] = {
    "LoRA": ("mid",),
    "LoHa": ("hada_t1", "hada_t2"),
    "LoKr": ("lokr_t2",),
}


def needed_roles(roles: Collection[KeyRole]) -> tuple[KeyRole, ...]:
    """The tensors that the update of a layer is made of, as far as these tell, cores not counted."""
    product = product_of(roles)
    if product == "LoKr":
        return tuple(role for whole, halves in _WHOLE.items() for role in ((whole,) if whole in roles else halves))
    return _LOHA if product == "LoHa" else ("down", "up")


def foreign_roles(roles: Collection[KeyRole]) -> set[KeyRole]:
    """Tensors of a layer that have no place in its update."""
    return {*roles} - {*needed_roles(roles)} - {*_CORES[product_of(roles)]} - SCALES


def update_of(roles: Roles) -> Update:
    """The update of a layer, without its scale.

    Args:
        roles: its tensors, in float32; none of ``needed_roles`` is missing, none is foreign.

    Raises:
        AdapterError: a tensor does not fit the others, or the update is larger than any layer.
    """
    try:
        update = _BY_PRODUCT[product_of(roles)](roles)
        _check_size(update.shape)
    except (RuntimeError, ValueError, IndexError):
        shapes = ", ".join(f"{role} {tuple(tensor.shape)}" for role, tensor in roles.items() if role not in SCALES)
        raise AdapterError(f"its tensors do not fit each other: {shapes}") from None
    return update


def _low_rank(roles: Roles) -> MatrixProduct:
    up, down, core = roles["up"].flatten(1), roles["down"], roles.get("mid")
    return _fitting(up, down if core is None else _with_core(core, down.flatten(1)))


def _hadamard(roles: Roles) -> HadamardProduct:
    one = _half(roles["hada_w1_a"], roles["hada_w1_b"], roles.get("hada_t1"))
    two = _half(roles["hada_w2_a"], roles["hada_w2_b"], roles.get("hada_t2"))
    if one.shape != two.shape:
        raise ValueError("both have one shape")
    return HadamardProduct(one, two)


def _kronecker(roles: Roles) -> KroneckerProduct:
    small = roles["lokr_w1"] if "lokr_w1" in roles else _whole(_half(roles["lokr_w1_a"], roles["lokr_w1_b"], None))
    if "lokr_w2" in roles:
        return KroneckerProduct(small, roles["lokr_w2"])
    return KroneckerProduct(small, _whole(_half(roles["lokr_w2_a"], roles["lokr_w2_b"], roles.get("lokr_t2"))))


def _half(a: Tensor, b: Tensor, core: Tensor | None) -> MatrixProduct:
    """An update of two matrices; in Tucker form the first one lies on its side."""
    return _fitting(a, b) if core is None else _fitting(a.T, _with_core(core, b))


def _fitting(up: Tensor, down: Tensor) -> MatrixProduct:
    if up.dim() != 2 or up.shape[1] != down.shape[0]:
        raise ValueError("halves have one rank")
    return MatrixProduct(up, down)


def _whole(half: MatrixProduct) -> Tensor:
    _check_size(half.shape)
    return half.dense()


def _with_core(core: Tensor, down: Tensor) -> Tensor:
    """A core (r, r', kernel) put into a half (r', n)."""
    _check_size((core.shape[0], *core.shape[2:], down.shape[1]))
    return torch.einsum("ij...,jn->in...", core, down)


def _check_size(shape: Iterable[int]) -> None:
    """Refuse what no layer has before memory is taken for it: a small file can claim it.

    Raises:
        AdapterError: it has more elements than any layer.
    """
    if torch.Size(shape).numel() > LARGEST:
        raise AdapterError(f"it claims a matrix of {' x '.join(map(str, shape))}, larger than any layer's")


_BY_PRODUCT: Mapping[Product, Callable[[Roles], Update]] = {
    "LoRA": _low_rank,
    "LoHa": _hadamard,
    "LoKr": _kronecker,
}
