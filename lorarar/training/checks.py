"""What is refused before a training begins: what a base cannot learn from, or cannot hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from lorarar.generation.denoisers.table import pipeline_kind
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from torch import nn


def check_prompts(pipeline: Any, prompts: Sequence[str]) -> None:
    """Refuse prompts, and captions, of which a text encoder would see the beginning alone.

    Raises:
        TrainingError: one is too long; the message has the words that would be cut off.
    """
    for prompt in prompts:
        if rest := words_beyond(pipeline, prompt):
            raise TrainingError(
                f"{_beginning(prompt)} is longer than this base's text encoders take; {rest!r} would be cut off: "
                "shorten it, and let what matters come first"
            )


def words_beyond(pipeline: Any, prompt: str) -> str:
    """The words of a prompt that one of a pipeline's text encoders would not see; empty where all see it whole."""
    kind, words = pipeline_kind(pipeline), prompt.split()
    fitting = len(words)
    while fitting and not kind.fits(pipeline, " ".join(words[:fitting])):
        fitting -= 1
    return " ".join(words[fitting:])


def _beginning(prompt: str, words: int = 6) -> str:
    """A prompt as it is known again in a message."""
    first = prompt.split()[:words]
    return f"the prompt or caption {' '.join(first) + ' …'!r}"


def check_rank(model: nn.Module, targets: Collection[str], rank: int) -> None:
    """Refuse a rank that no layer can have: its update would hold more numbers than the layer itself.

    Args:
        model: what is trained through LoRA layers.
        targets: the ends of its layers' names.
        rank: of the LoRA.

    Raises:
        TrainingError: every layer has fewer rows or columns.
    """
    ends = tuple(f".{target}" for target in targets)
    weights = [module.weight for name, module in model.named_modules() if name.endswith(ends)]
    most = max((min(len(weight), weight[0].numel()) for weight in weights), default=rank)
    if rank > most:
        raise TrainingError(f"--rank is {rank}; accepted is up to {most}, the full rank of this base's widest layer")
