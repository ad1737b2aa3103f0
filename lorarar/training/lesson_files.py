"""What a LoRA learns from, as it lies on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lorarar.pictures.captions import Captions, read_captions
from lorarar.pictures.folders import find_images
from lorarar.training.lesson import Lesson
from lorarar.training.makings import Facts, lesson_facts
from lorarar.util.errors import ImageError


@dataclass(frozen=True)
class LessonFiles:
    """Pictures of one subject or style in order, their prompt, and what takes its place for some of them."""

    pictures: tuple[Path, ...]
    prompt: str
    captions: Captions = ()

    @classmethod
    def find(cls, place: Path, prompt: str) -> LessonFiles:
        """The pictures of a folder, or one picture, with their captions.

        Raises:
            ImageError: there is no picture, or a caption cannot be read.
        """
        pictures = tuple(find_images(place))
        return cls(pictures, prompt, read_captions(pictures))

    def facts(self) -> Facts:
        """What of it decides a training.

        Raises:
            ImageError: a picture is gone, or may not be read.
        """
        try:
            return lesson_facts(self.pictures, self.prompt, self.captions)
        except OSError as error:
            raise ImageError(f"a picture cannot be read: {error}") from None

    def read(self, side: int) -> Lesson:
        """The lesson, its pictures cropped and resized to squares of ``side`` pixels.

        Raises:
            ImageError: a picture cannot be read.
        """
        return Lesson.read(self.pictures, self.prompt, side, self.captions)
