"""Bytes of tensors that have shapes alone, as a GPU would hold them while a training runs its own code on them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

_norms = {name: getattr(F, name) for name in ("layer_norm", "group_norm")}


class HeldBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that operations make inside, until nothing refers to them any more.

    What autograd saves for the backward pass is among them, with what operations need for a moment alone; what CUDA and
    its libraries take for themselves is not, nor are gaps between tensors.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._storages: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        tree_map_only(Tensor, self._note, result)
        return result

    def _note(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        place, size = storage._cdata, storage.nbytes()
        if place not in self._storages:
            self._storages.add(place)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._let_go, place, size)

    def _let_go(self, place: int, size: int) -> None:
        self._storages.discard(place)
        self.now -= size


@contextmanager
def shapes_alone() -> Iterator[HeldBytes]:
    """Within, tensors have shapes and no numbers; what is yielded counts their bytes.

    They lie on the processor, as no other device is sure to be there. Two things are as on a GPU: attention never has
    its whole matrix, and under autocast norms are in float32.
    """
    with ExitStack() as stack:
        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
        stack.enter_context(patch.object(F, "scaled_dot_product_attention", _attention))
        stack.enter_context(
            patch("weakref.getweakrefs", lambda _: [])
        )  # such tensors have some, which forbids conversion
        for name, norm in _norms.items():
            stack.enter_context(patch.object(F, name, _in_single(norm)))
        yield stack.enter_context(HeldBytes())


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: object, **__: object) -> Tensor:
    """Flash attention, under autocast in its numbers; neither masks nor dropout are used where this is."""
    if torch.is_autocast_enabled("cpu"):
        query, key, value = (part.to(torch.get_autocast_dtype("cpu")) for part in (query, key, value))
    output: Tensor = torch.ops.aten._scaled_dot_product_flash_attention(query, key, value, 0.0, False, False)[0]
    return output


def _in_single(norm: Any) -> Any:
    """A norm as autocast lets a GPU compute it: in float32, and its result is that too."""

    def run(x: Tensor, shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Any:
        if torch.is_autocast_enabled("cpu"):
            x = x.float()
            weight, bias = (part if part is None else part.float() for part in (weight, bias))
        return norm(x, shape, weight, bias, eps)

    return run
