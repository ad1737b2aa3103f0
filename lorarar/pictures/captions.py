"""Captions: what a text ``1.txt`` beside a picture ``1.png`` says of that picture, for a training alone.

Invariant: no text is two things. Beside a LoRA ``1.safetensors`` it is the LoRA's side file, which describes the LoRA,
and no picture's caption; and no LoRA is trained to where a caption would become its side file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lorarar.lora.folders import find_loras
from lorarar.pictures.folders import caption_file
from lorarar.pictures.references import side_file
from lorarar.pictures.short_text import short_text
from lorarar.util.errors import ImageError, OutputError

Captions = tuple[str | None, ...]  # one a picture, None where it has none; empty where none has


def read_captions(pictures: Sequence[Path]) -> Captions:
    """The captions of pictures, each on one line; empty where none has any.

    Raises:
        ImageError: a text cannot be read, or is none.
    """
    folders = dict.fromkeys(picture.parent for picture in pictures)
    taken = {side_file(lora) for folder in folders for lora in find_loras(folder)}
    captions = tuple(_caption(caption_file(picture), taken) for picture in pictures)
    return captions if any(captions) else ()


def check_beside_no_caption(lora: Path, pictures: Sequence[Path]) -> None:
    """Refuse a place for a LoRA that is trained on pictures, where the caption of one would describe the LoRA.

    Raises:
        OutputError: the text of its name beside it is such a caption.
    """
    beside = side_file(lora).absolute()
    if any(caption_file(picture).absolute() == beside for picture in pictures) and beside.is_file():
        raise OutputError(
            f"-o is {lora}, beside which {beside.name} is the caption of a picture and would be taken for what "
            f"describes the LoRA; name another place"
        )


def _caption(file: Path, taken: set[Path]) -> str | None:
    if file in taken:
        return None
    return " ".join(short_text(file, ImageError, "a picture's caption").split()) or None
