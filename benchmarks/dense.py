"""The dense way that everything is compared with: updates B A formed, as the paper defines them.

Written here from the paper's equations, as fast and lean as it goes in plain PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lorarar.lora.adapter import Adapter
from lorarar.merging.coefficients import Coefficients
from lorarar.merging.hypernet import Hypernetwork

Weights = Mapping[str, Tensor]  # dense updates, or weights (m, n), by layer


def updates(adapter: Adapter, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Every update (m, n) of an adapter, all held at once."""
    return {name: factors.dense().to(dtype) for name, factors in adapter.layers.items()}


def coefficients(network: Hypernetwork, content: Tensor, style: Tensor) -> Coefficients:
    """m_c and m_s (n,) by Eq. 1: a row [dW_c[:, i], dW_s[:, i]] for each column, through the perceptron."""
    rows = torch.cat([content.T, style.T], dim=1).to(network.output.weight.dtype)
    both = network.output(torch.relu(network.inputs[str(content.shape[0])](rows)))
    return both[:, 0], both[:, 1]


def column_weights(network: Hypernetwork, name: str, content: Tensor, style: Tensor) -> Coefficients:
    """The factors of a layer's columns: predicted, or the constant of parts that are not."""
    if network.predicts(name):
        return coefficients(network, content, style)
    constant = content.new_full((content.shape[1],), network.constant(name))
    return constant, constant


@contextmanager
def dense_weights(unet: nn.Module, added: Mapping[str, Callable[[Tensor], Tensor]]) -> Iterator[None]:
    """Run the UNet inside with other weights: a function by layer makes each from the layer's own, when it is due.

    So without gradients one dense weight at a time is held; with them autograd keeps all for the way back.
    """
    modules = dict(unet.named_modules())
    changed = [modules[name.removeprefix("unet.")] for name in added]
    for module, change in zip(changed, added.values(), strict=True):
        module.forward = partial(_linear, module, change)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _linear(module: nn.Linear, change: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return F.linear(x, change(module.weight), module.bias)
