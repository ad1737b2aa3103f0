"""The singular form of updates: B = U, A = S V', of which there is one for all spellings (B R, R^-1 A) of an update.

Row i of A and column i of B are the update's component u_i s_i v_i', the largest first; signs aside, they are unique
where the singular values differ. All is computed from thin QR decompositions of the factors and a singular value
decomposition of r x r, never dense, and exact at the same rank: what an update lacks of it is filled with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from lorarar.lora.adapter import Factors, widest
from lorarar.lora.alike import alike


def singular_form(factors: Factors) -> Factors:
    """One update in its singular form, in float32 or wider."""
    return singular_forms({"": factors})[""]


def singular_forms(layers: Mapping[str, Factors]) -> dict[str, Factors]:
    """Updates in their singular form, in float32 or wider; those of one shape are decomposed together."""
    forms: dict[str, Factors] = {}
    for names in alike({name: [factors] for name, factors in layers.items()}):
        forms.update(zip(names, _decomposed([layers[name] for name in names]), strict=True))
    return {name: forms[name] for name in layers}


def _decomposed(group: Sequence[Factors]) -> Iterator[Factors]:
    """The singular forms of updates of one shape and rank r."""
    first = group[0]
    dtype = widest((first.down.dtype, first.up.dtype, torch.float32))
    q_up, r_up = _thin([one.up.flatten(1) for one in group], dtype)
    q_down, r_down = _thin([one.down.flatten(1).T for one in group], dtype)
    left, values, right = torch.linalg.svd(r_up @ r_down.mT, full_matrices=False)
    missing = first.rank - values.shape[-1]
    up = pad(q_up @ left, (0, missing))
    down = pad(values.unsqueeze(-1) * (right @ q_down.mT), (0, 0, 0, missing))
    for one, of_up, of_down in zip(group, up, down, strict=True):
        yield Factors(of_down.reshape(one.down.shape), of_up.reshape(one.up.shape))


def _thin(sides: Sequence[Tensor], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Q and R of matrices (m, r) of one shape."""
    q, r = torch.linalg.qr(torch.stack([side.to(dtype) for side in sides]))
    return q, r
