"""Two adapters on one UNet, gated column by column while it runs.

In a forward pass the merge is a gate on the input of each branch,
``y = W0 x + B_c A_c (m_c * x) + B_s A_s (m_s * x)``: the merged weight is never formed, and the result
is differentiable in m_c and m_s. ZipLoRA and the hypernetwork's training both use this form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from lorarar.lora.adapter import Adapter, Factors
from lorarar.util.errors import AdapterError

#: Gates of one layer for content and style: (n,) for all samples, or (samples, 1, 1) or (samples, 1, n).
Gates = Mapping[str, tuple[Tensor, Tensor]]


@contextmanager
def gated(unet: nn.Module, content: Adapter, style: Adapter, gates: Gates) -> Iterator[None]:
    """Run the UNet inside with both adapters attached, each behind its gate; text-encoder parts are left out.

    Raises:
        AdapterError: a layer of an adapter is no linear layer or convolution of the UNet.
    """
    modules = dict(unet.named_modules())
    handles = []
    try:
        for name in sorted({*content.layers, *style.layers}):
            module = modules.get(name.removeprefix("unet."))
            if name.startswith(("text_encoder.", "text_encoder_2.")):
                continue
            if not isinstance(module, nn.Linear | nn.Conv2d):
                raise AdapterError(f"{name} is no linear layer or convolution of the base, and cannot be gated")
            branches = [
                (adapter.layers[name], gate)
                for adapter, gate in zip((content, style), gates[name], strict=True)
                if name in adapter.layers
            ]
            handles.append(module.register_forward_hook(_hook(branches)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(branches: list[tuple[Factors, Tensor]]) -> Any:
    def add_branches(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        x = inputs[0]
        for factors, gate in branches:
            if isinstance(module, nn.Conv2d):
                output = output + _convolved(module, x, factors, gate)
            else:
                output = output + ((gate * x) @ factors.down.T) @ factors.up.T
        return output

    return add_branches


def _convolved(module: nn.Conv2d, x: Tensor, factors: Factors, gate: Tensor) -> Tensor:
    """A convolution's branch: channels are its columns, so a gate lies along dimension 1."""
    gate = gate.view(1, -1, 1, 1) if gate.dim() < 2 else gate.view(gate.shape[0], -1, 1, 1)
    hidden = F.conv2d(gate * x, factors.down, None, module.stride, module.padding, module.dilation)
    return F.conv2d(hidden, factors.up)
