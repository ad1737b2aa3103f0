"""What pruning methods do with tensors of one shape: keep some elements of each, then make one tensor of them.

The numbers are those of peft's merge functions to the bit, of the same elements; only the way to them is shorter:
the smallest element that is kept is found by partition, where peft sorts, and random masks are drawn in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lorarar.merging.threads import threads_for

BLOCK = 2**17  # elements that are elected at a time, so that all that is made of them stays in a processor's cache


def keep_largest(update: Tensor, density: float) -> Tensor:
    """The update with only the share ``density`` of its elements, the largest ones, left; the others are zero.

    Of elements of one size, where not all of them have a place, those are kept that ``torch.topk`` keeps, as in peft.
    """
    count = int(density * update.numel())
    if density >= 1:
        return update
    if not count:
        return torch.zeros_like(update)
    sizes = update.abs()
    smallest = _largest(sizes, count)
    mask = sizes >= smallest
    if smallest > 0 and int(torch.count_nonzero(mask)) > count:  # of equal elements some have to go
        mask = torch.zeros_like(mask).view(-1)
        mask[torch.topk(sizes.view(-1), count).indices] = True
    return update * mask.view(update.shape)


def keep_at_random(update: Tensor, density: float, generator: torch.Generator) -> Tensor:
    """The update with each element kept with probability ``density``, over which it is divided; the others are zero.

    The mask is drawn on the CPU, so that it is the same wherever the update lies.
    """
    if density >= 1:
        return update
    mask = torch.rand(update.shape, generator=generator) < density  # torch.bernoulli's, in a quarter of its time
    return (update * mask.to(update.device)).div_(density)


def add(kept: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The weighted sum."""
    total = torch.zeros_like(kept[0])
    for update, weight in zip(kept, weights, strict=True):
        total += update * weight
    return total


def elect(kept: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The weighted mean of those elements that have the sign of their sum; a sum of zero counts as positive."""
    count = max(1, -(-kept[0].numel() // BLOCK))
    with threads_for(BLOCK):
        blocks = [_elect(block, weights) for block in zip(*(one.chunk(count) for one in kept), strict=True)]
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks)


def _elect(kept: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    signs = (add(kept, [1.0] * len(kept)) >= 0).to(kept[0].dtype).mul_(2).sub_(1)
    mean, voters = torch.zeros_like(signs), torch.zeros_like(signs)
    for update, weight in zip(kept, weights, strict=True):
        agreeing = (update * signs).relu_()  # the size of what agrees, else zero
        voters += agreeing.sign()
        mean += agreeing.mul_(weight)
    return mean.mul_(signs).div_(voters.clamp_(min=1))


def _largest(sizes: Tensor, count: int) -> float:
    """The smallest of the ``count`` largest elements."""
    place = sizes.numel() - count
    if sizes.device.type == "cpu":  # numpy's partition takes a third of the time of torch's
        numbers = sizes.flatten().clone().numpy()
        numbers.partition(place)
        return float(numbers[place])
    return float(torch.kthvalue(sizes.flatten(), place + 1).values)
