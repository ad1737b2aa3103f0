"""Joint training, the paper's costliest baseline: one LoRA learns a subject and a style at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accelerate import Accelerator

from lorarar.lora.adapter import Adapter
from lorarar.pictures.concepts import Concept
from lorarar.training.lesson import Lesson
from lorarar.training.lora import train_lora
from lorarar.training.lora_group import train_lora_group
from lorarar.training.member_checkpoints import MemberState
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
    return train_lora(
        pipeline,
        _lessons(content, style, side),
        options,
        checkpoint=checkpoint,
        makings=makings,
        accelerator=accelerator,
        checkpointing=checkpointing,
        title=title,
    )


def train_joint_group(
    pipeline: StableDiffusionXLPipeline,
    pairs: Sequence[tuple[Concept, Concept]],
    options: LoraOptions,
    *,
    members: Sequence[MemberState] = (),
    accelerator: Accelerator | None = None,
    side: int = 1024,
    title: str = "joint",
) -> list[Adapter]:
    """Train a LoRA for each of several pairs at once, each as ``train_joint`` would; return them in order.

    Args:
        pipeline: the base; left as it was.
        pairs: contents with styles.
        options: of each LoRA.
        members: where each LoRA's own state is kept, as if it were trained alone.
        accelerator: device and precision; of one process alone.
        side: pixels a side of the pictures.
        title: name in the progress display.
    """
    lessons = [_lessons(*pair, side) for pair in pairs]
    return train_lora_group(pipeline, lessons, options, members=members, accelerator=accelerator, title=title)


def _lessons(content: Concept, style: Concept, side: int) -> list[Lesson]:
    return [Lesson.read(concept.images, concept.prompt, side) for concept in (content, style)]
