"""How alike LoRAs are: cosines of their updates, from their factors alone.

<B A, B' A'> = sum((B^T B') * (A A'^T)), so that updates are compared as they are, whatever their rank and however their
factors are turned, and none is ever formed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter


def gram(adapters: Sequence[Adapter]) -> Tensor:
    """The inner products (K, K) of the updates of K adapters, summed over the layers that two of them have."""
    total = torch.zeros(len(adapters), len(adapters), dtype=torch.float64)
    for layer in dict.fromkeys(layer for adapter in adapters for layer in adapter.layers):
        of = [(place, one.layers[layer]) for place, one in enumerate(adapters) if layer in one.layers]
        down = torch.cat([factors.down.flatten(1).float() for _, factors in of])
        up = torch.cat([factors.up.flatten(1).float() for _, factors in of], dim=1)
        products = (up.T @ up) * (down @ down.T)  # (sum of ranks, sum of ranks)
        owners = torch.tensor([place for place, factors in of for _ in range(factors.rank)])
        rows = torch.zeros(len(adapters), len(owners), dtype=products.dtype).index_add_(0, owners, products)
        total += torch.zeros_like(total).index_add_(1, owners, rows.double())
    return total


def cosines(adapters: Sequence[Adapter]) -> Tensor:
    """The cosines (K, K) of the updates of K adapters; 0 beside one that changes nothing."""
    products = gram(adapters)
    norms = products.diagonal().clamp(min=0).sqrt()
    return products / torch.outer(norms, norms).clamp(min=torch.finfo(torch.float64).tiny)
