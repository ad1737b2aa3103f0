"""DoRA: the update of a weight whose magnitude was trained apart from its direction.

The weight becomes magnitude x (W + dW) / |W + dW|, with a norm for each row (PEFT, and LyCORIS where it says so) or for
each column (LyCORIS otherwise). What that adds to W depends on W, so the base's weight is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lorarar.lora.roles import Roles
from lorarar.util.errors import AdapterError


def dora_update(update: Tensor, weight: Tensor, roles: Roles) -> Tensor:
    """The update of the base's weight by a DoRA.

    Args:
        update: what its tensors alone make, scaled, with as many numbers as the weight.
        weight: the base's, (m, n) or (m, n, kh, kw).
        roles: the layer's tensors.

    Raises:
        AdapterError: they do not fit the weight.
    """
    if update.numel() != weight.numel() or update.shape[0] != weight.shape[0]:
        raise AdapterError(f"it is an update of {tuple(update.shape)}, the base's weight is {tuple(weight.shape)}")
    weight = weight.float()
    changed = weight + update.reshape(weight.shape)
    magnitude, by_column = _magnitude(roles)
    axis = 1 if by_column else 0
    if magnitude.numel() != weight.shape[axis]:
        raise AdapterError(f"it has {magnitude.numel()} magnitudes for a weight of {tuple(weight.shape)}")
    others = [dimension for dimension in range(weight.dim()) if dimension != axis]
    norms = torch.linalg.vector_norm(changed, dim=others, keepdim=True)
    along = [-1 if dimension == axis else 1 for dimension in range(weight.dim())]
    updated: Tensor = changed * (magnitude.reshape(along) / norms) - weight
    return updated


def _magnitude(roles: Roles) -> tuple[Tensor, bool]:
    """The magnitudes of a layer, and whether they are of columns: LyCORIS lays those on their side."""
    if "magnitude" in roles:
        return roles["magnitude"].flatten(), False
    scale = roles["dora_scale"]
    return scale.flatten(), scale.dim() > 1 and scale.shape[0] == 1
