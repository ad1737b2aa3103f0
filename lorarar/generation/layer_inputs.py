"""What a LoRA's layers get as input while a base draws: collected by hooks, on any denoiser and text encoder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from lorarar.families.family import Modules
from lorarar.families.layer_table import modules_of_model
from lorarar.generation.input_moments import InputMoment
from lorarar.lora.adapter import Adapter, Factors, all_finite
from lorarar.util.errors import MethodError

_Window = tuple[Any, ...]  # how a convolution goes over its input; empty for a linear layer


class _OneStepError(Exception):
    """The denoiser has run once, which is enough."""


def observe(pipeline: Any, modules: Modules, adapter: Adapter, draw: Callable[[], object]) -> dict[str, InputMoment]:
    """The moments of what an adapter's layers get, until the denoiser has run once.

    Each layer's inputs are those of its first call: a text encoder's are the prompt's, whatever is encoded after it.
    Layers that are not called have no moment.

    Args:
        pipeline: the base, with the adapter on it.
        modules: its models' names.
        adapter: whose layers are looked at.
        draw: begins a picture; it is left after the denoiser's first call.

    Raises:
        MethodError: a layer's inputs are no finite numbers, or it is of a kind that no inputs can be told of.
    """
    places = {
        layer: module
        for name in modules.adapted
        for layer, module in modules_of_model(name, getattr(pipeline, name)).items()
    }
    watch = _Watch()
    with ExitStack() as stack:
        for layer, factors in adapter.layers.items():
            if layer in places:
                stack.callback(places[layer].register_forward_pre_hook(watch.hook(layer, factors)).remove)
        stack.callback(getattr(pipeline, modules.denoiser).register_forward_hook(_stop).remove)
        stack.enter_context(suppress(_OneStepError))
        draw()
    return watch.moments


def _stop(*_: object) -> None:
    raise _OneStepError


class _Watch:
    """Moments by layer, made once for all layers that read one tensor: query, key and value, say."""

    def __init__(self) -> None:
        self.moments: dict[str, InputMoment] = {}
        self._made: Any = WeakTensorKeyDictionary()  # of each tensor that lives the moments by window

    def hook(self, layer: str, factors: Factors) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        """What looks at a layer's inputs before it runs."""

        def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            if layer not in self.moments:
                window = _window(getattr(module, "base_layer", module), layer, factors)
                made = self._made.setdefault(inputs[0], {})
                if window not in made:
                    made[window] = _moment(inputs[0].detach(), layer, factors, window)
                self.moments[layer] = made[window]

        return look


def _window(module: Any, layer: str, factors: Factors) -> _Window:
    """How a layer goes over its input.

    Raises:
        MethodError: it is a convolution in groups, or of another kind.
    """
    if factors.down.dim() == 2:
        return ()
    if not isinstance(module, nn.Conv2d) or module.groups != 1 or isinstance(module.padding, str):
        raise MethodError(
            f"{layer} cannot be calibrated; accepted are linear layers and two-dimensional convolutions without groups"
        )
    return module.kernel_size, module.dilation, module.padding, module.stride


def _moment(inputs: Tensor, layer: str, factors: Factors, window: _Window) -> InputMoment:
    """The moment of one tensor as a layer reads it: of a convolution every place that its kernel lies on.

    Raises:
        MethodError: as of ``observe``.
    """
    rows = F.unfold(inputs.float(), *window).mT if window else inputs
    rows = rows.reshape(-1, rows.shape[-1])
    if rows.shape[1] != factors.down.flatten(1).shape[1]:
        raise MethodError(f"{layer} gets inputs of {rows.shape[1]} numbers; its LoRA reads {factors.down.shape[1]}")
    if not all_finite(rows):
        name = str(inputs.dtype).removeprefix("torch.")
        raise MethodError(
            f"{layer} gets inputs that are no finite numbers in {name}; --device cpu calibrates in float32"
        )
    return InputMoment.of(rows)
