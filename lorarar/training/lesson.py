"""What a LoRA learns: a few pictures, and the prompt or the captions that they are bound to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from lorarar.generation.latents import images_to_tensor, read_images
from lorarar.pictures.captions import Captions
from lorarar.training.encoding import NamedPicture

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Lesson:
    """Pictures (N, 3, H, W) in -1..1, and the prompt that they are bound to but for those that have a caption."""

    images: Tensor
    prompt: str
    captions: Captions = ()  # one a picture, None where it has none; empty where none has
    files: tuple[Path, ...] = ()  # the pictures' own, where they come from files

    @classmethod
    def read(cls, files: Sequence[Path], prompt: str, side: int, captions: Captions = ()) -> Lesson:
        """A lesson from picture files, cropped and resized to squares of ``side`` pixels."""
        return cls(read_images(files, side), prompt, captions, tuple(files))

    @classmethod
    def of_images(cls, images: Sequence[Image], prompt: str, side: int) -> Lesson:
        """A lesson from pictures, cropped and resized as ``read`` does it."""
        return cls(images_to_tensor(images, side), prompt)

    @property
    def prompts(self) -> list[str]:
        """What each picture is bound to: its caption, else the prompt."""
        return [caption or self.prompt for caption in self.captions or [None] * len(self.images)]

    def pictures(self, mirrored: bool) -> list[list[NamedPicture]]:
        """The pictures, and as a second group their mirror images if those are wanted."""
        numbered = (f"picture {number} of {self.prompt!r}" for number in range(1, len(self.images) + 1))
        named = list(zip(map(str, self.files) if self.files else numbered, self.images, strict=True))
        return [named, [(name, image.flip(2)) for name, image in named]] if mirrored else [named]


def distinct_prompts(lessons: Sequence[Lesson]) -> tuple[list[str], list[list[int]]]:
    """The prompts of all lessons, each once a lesson, and of every lesson's pictures the numbers of theirs."""
    prompts: list[str] = []
    numbers: list[list[int]] = []
    for lesson in lessons:
        own = list(dict.fromkeys(lesson.prompts))
        numbers.append([len(prompts) + own.index(prompt) for prompt in lesson.prompts])
        prompts += own
    return prompts, numbers
