"""The layers that a head predicts, in singular form."""

from __future__ import annotations

from dataclasses import replace

from lorarar.lora.adapter import Adapter
from lorarar.lora.singular_form import singular_forms
from lorarar.merging.head import Head


def in_singular_form(head: Head, adapter: Adapter) -> Adapter:
    """An adapter with the layers that a head predicts in singular form; the others stay as they are."""
    predicted = {name: factors for name, factors in adapter.layers.items() if head.predicts(name)}
    return replace(adapter, layers={**adapter.layers, **singular_forms(predicted)}, stored=adapter.dtype)


def shared_layers(head: Head, content: Adapter, style: Adapter) -> list[str]:
    """The layers that a head predicts of two adapters, in content's order."""
    return [name for name in content.layers if name in style.layers and head.predicts(name)]
