"""How many trainings of a pair fit into one: many of a small base, one alone of a large one."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from lorarar.training.options import LoraOptions, PairOptions

if TYPE_CHECKING:
    from accelerate import Accelerator

MOST = 16  # beyond which a step is hardly less for each
#: Bytes that a step of all may keep for its backward pass, counted as the denoiser's weights for each sample: of Pocket
#: (42 MB) it is less, and a base of whose weights not two fit, like Stable Diffusion's, trains one pair at a time.
ROOM = 5 * 2**29


def group_size(
    denoiser: Any, accelerator: Accelerator, options: LoraOptions | PairOptions, wanted: int | Literal["auto"] = "auto"
) -> int:
    """How many pairs are trained at once.

    Args:
        denoiser: of the base.
        accelerator: device, precision and processes.
        options: of each pair's training.
        wanted: what is asked for; auto: as many as fit, by the size of the base.

    Returns:
        One, whatever is asked for, where pairs would not learn as alone: where gradients have a scale in common (fp16),
        an optimiser keeps numbers of several weights as one, or several processes share each step.
    """
    if accelerator.scaler is not None or accelerator.num_processes > 1 or options.optimiser != "adamw":
        return 1
    if wanted != "auto":
        return wanted
    samples = options.batch * (1 if isinstance(options, LoraOptions) else 2)  # those of coefficients are of each side
    each: int = samples * sum(weight.nbytes for weight in denoiser.parameters())
    return max(1, min(MOST, ROOM // each))


def even_size(number: int, most: int, processes: int) -> int:
    """How large groups of so many pairs are that processes share out evenly: as few as there have to be, all alike.

    Args:
        number: of pairs.
        most: in a group.
        processes: that take a group each, again and again.
    """
    rounds = ceil(number / (most * processes))
    return ceil(number / (rounds * processes))
