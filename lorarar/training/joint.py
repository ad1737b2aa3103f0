"""Joint training, the paper's costliest baseline: one LoRA learns a subject and a style at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from accelerate import Accelerator

from lorarar.lora.adapter import Adapter
from lorarar.pictures.concepts import Concept
from lorarar.training.lora import Lesson, train_lora
from lorarar.training.options import LoraOptions

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


def train_joint(
    pipeline: StableDiffusionXLPipeline,
    content: Concept,
    style: Concept,
    options: LoraOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
    checkpointing: bool | None = None,
    side: int = 1024,
    title: str = "joint",
) -> Adapter:
    """Train one LoRA on the pictures and prompts of both concepts; their own LoRAs are not used.

    Args: as of ``train_lora``; pictures are resized to ``side`` pixels.
    """
    lessons = [Lesson.read(concept.images, concept.prompt, side) for concept in (content, style)]
    return train_lora(
        pipeline,
        lessons,
        options,
        checkpoint=checkpoint,
        makings=makings,
        accelerator=accelerator,
        checkpointing=checkpointing,
        title=title,
    )
