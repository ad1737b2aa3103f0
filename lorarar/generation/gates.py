"""Two adapters on one denoiser, gated by columns, rank components or layers, while it runs.

In a forward pass the merge is a gate on the input of each branch,
``y = W0 x + B_c A_c (m_c * x) + B_s A_s (m_s * x)``: the merged weight is never formed, and the result
is differentiable in m_c and m_s. Gates of rank components and of layers are inside the branch, ``B_c (m_c * A_c x)``.
Coefficients that are optimised for a pair and the hypernetwork's training both use this form.

Invariant: hooks are on the denoiser only while it runs, be it forward or, of a checkpointed block, once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lorarar.generation.checkpointing import checkpointed
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.axis import Axis
from lorarar.lora.stack import is_stack
from lorarar.util.errors import AdapterError

#: Gates of one layer for content and style: (n,) for all samples, or (samples, 1, 1) or (samples, 1, n); beside stacks
#: of P adapters (P, 1, n), (n,) or one number. Along ranks r stands for n, and 1 along layers.
Gates = Mapping[str, tuple[Tensor, Tensor]]

Branch = tuple[Factors, Tensor]  # an adapter's factors of one layer, and their gate
Update = Callable[[nn.Module, Tensor, Factors, Tensor], Tensor]  # a branch's, of a layer, its input, factors and gate
Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]


@contextmanager
def gated(
    denoiser: nn.Module,
    content: Adapter,
    style: Adapter,
    gates: Gates,
    *,
    axis: Axis = "column",
    checkpointing: bool = False,
) -> Iterator[None]:
    """Run the denoiser inside with both adapters attached, each behind its gate; what ``is_gated`` denies is left out.

    Args:
        denoiser: whose hooks are gone afterwards, also where ``backward`` follows later.
        content, style: on the denoiser's device.
        gates: of every layer of either.
        axis: what the gates are of: columns, rank components, or layers.
        checkpointing: whether the denoiser's blocks run again in ``backward``, with their gates, to save memory.

    Raises:
        AdapterError: a layer of an adapter is no linear layer or convolution of the denoiser.
    """
    hooks = _hooks(denoiser, content, style, gates, _BRANCHES[axis])
    with ExitStack() as stack:
        stack.enter_context(hooked(denoiser, hooks))
        if checkpointing:
            stack.enter_context(checkpointed(denoiser, lambda block: hooked(block, hooks)))
        yield


def is_gated(layer: str) -> bool:
    """Whether a layer is behind a gate: all are that run with the denoiser and tell its samples apart.

    Text encoders' do not run with it, and Z-Image's embedding of prompts sees the tokens of all samples in one row, of
    some more than of others.
    """
    return not layer.startswith(("text_encoder.", "text_encoder_2.", "transformer.cap_embedder."))


def _hooks(
    denoiser: nn.Module, content: Adapter, style: Adapter, gates: Gates, update: Update
) -> dict[nn.Module, Hook]:
    """The hook of each layer that either adapter changes."""
    hooks: dict[nn.Module, Hook] = {}
    for name in sorted({*content.layers, *style.layers}):
        if not is_gated(name):
            continue
        both = zip((content, style), gates[name], strict=True)
        branches = [(adapter.layers[name], gate) for adapter, gate in both if name in adapter.layers]
        hooks[gated_module(denoiser, name)] = _hook(branches, update)
    return hooks


def gated_module(denoiser: nn.Module, layer: str) -> nn.Linear | nn.Conv2d:
    """The module of the denoiser that a layer is.

    Raises:
        AdapterError: it is no linear layer or convolution of it.
    """
    module: nn.Module | None = None
    with suppress(AttributeError):
        module = denoiser.get_submodule(layer.partition(".")[2])
    if not isinstance(module, nn.Linear | nn.Conv2d):
        raise AdapterError(f"{layer} is no linear layer or convolution of the base, and cannot be gated")
    return module


@contextmanager
def hooked(model: nn.Module, hooks: Mapping[nn.Module, Hook]) -> Iterator[None]:
    """Have the hooks of a model's layers on them inside: of the denoiser, or of one of its blocks."""
    handles = [module.register_forward_hook(hooks[module]) for module in model.modules() if module in hooks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(branches: Sequence[Branch], update: Update) -> Hook:
    def add_branches(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        for factors, gate in branches:
            output = output + update(module, inputs[0], factors, gate)
        return output

    return add_branches


def _by_columns(module: nn.Module, x: Tensor, factors: Factors, gate: Tensor) -> Tensor:
    """A branch behind a gate on the columns of its input."""
    if isinstance(module, nn.Conv2d):
        return F.conv2d(_down(module, _of_channels(gate) * x, factors), factors.up)
    if is_stack(factors):  # a gate scales the few rows of A rather than the many of x, which is the same
        return _joined(_each_its_own(x, factors) @ (gate * factors.down).mT @ factors.up.mT, x)
    return ((_of_rows(gate, x) * x) @ factors.down.T) @ factors.up.T


def _by_ranks(module: nn.Module, x: Tensor, factors: Factors, gate: Tensor) -> Tensor:
    """A branch with a gate on its rank components inside, or one gate for all of them."""
    if isinstance(module, nn.Conv2d):
        return F.conv2d(_of_channels(gate) * _down(module, x, factors), factors.up)
    if is_stack(factors):
        return _joined(_each_its_own(x, factors) @ factors.down.mT @ (gate * factors.up).mT, x)
    return (_of_rows(gate, x) * (x @ factors.down.T)) @ factors.up.T


_BRANCHES: Mapping[Axis, Update] = {"column": _by_columns, "rank": _by_ranks, "layer": _by_ranks}


def added(module: nn.Module, x: Tensor, factors: Factors) -> Tensor:
    """What a LoRA adds to a layer's output for an input, without a gate."""
    return _by_ranks(module, x, factors, torch.ones((), dtype=x.dtype, device=x.device))


def _of_rows(gate: Tensor, x: Tensor) -> Tensor:
    """A gate beside what a linear layer sees: where that is rows (R, n) of S samples in turn, with each row's own."""
    if x.dim() > 2 or gate.dim() < 3:
        return gate
    return gate.flatten(0, 1).repeat_interleave(len(x) // len(gate), dim=0)


def _each_its_own(x: Tensor, factors: Factors) -> Tensor:
    """Samples (S, T, n) as (P, S / P T, n), beside a stack of P adapters: S / P in a row are each adapter's."""
    return x.reshape(len(factors.down), -1, x.shape[-1])


def _joined(update: Tensor, x: Tensor) -> Tensor:
    """An update of such rows as one of the samples."""
    return update.view(*x.shape[:-1], -1)


def _down(module: nn.Conv2d, x: Tensor, factors: Factors) -> Tensor:
    """A convolution by A, as the layer's own goes over its input."""
    return F.conv2d(x, factors.down, None, module.stride, module.padding, module.dilation)


def _of_channels(gate: Tensor) -> Tensor:
    """A gate beside what a convolution sees or makes: along dimension 1 lie its columns, and A's rows."""
    return gate.view(1, -1, 1, 1) if gate.dim() < 2 else gate.view(gate.shape[0], -1, 1, 1)
