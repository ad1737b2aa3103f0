"""A copy of what a LoRA learnt from, beside its file, where whoever reads concepts looks for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from lorarar.pictures.folders import caption_file, look_into
from lorarar.training.lesson_files import LessonFiles
from lorarar.util.errors import ImageError, OutputError, reason
from lorarar.util.files import replacing, sha256_of
from lorarar.util.outputs import same_place


def check_copy(lesson: LessonFiles, folder: Path) -> None:
    """Refuse a folder that holds other pictures than a lesson's, or other captions; nothing is ever taken away.

    Raises:
        OutputError: it does, or cannot be read.
    """
    if _is_home(lesson, folder):
        return
    files = _files_of(lesson)
    try:
        for name in _files_there(folder):
            if name not in files or sha256_of(folder / name) != sha256_of(files[name]):
                raise OutputError(
                    f"{folder} holds {name}, which is not what is trained on from {lesson.pictures[0].parent}; remove "
                    "the folder, or name another -o"
                )
    except OSError as error:
        raise OutputError(f"{folder} cannot be read: {reason(error)}") from None


def copy_lesson(lesson: LessonFiles, folder: Path) -> None:
    """Have a folder, which ``check_copy`` has let pass, hold the pictures of a lesson with their captions.

    Raises:
        OutputError: it cannot be written.
    """
    if _is_home(lesson, folder):
        return
    try:
        for name, file in _files_of(lesson).items():
            if not (folder / name).exists():
                with replacing(folder / name) as partial:
                    shutil.copyfile(file, partial)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {reason(error)}") from None


def _is_home(lesson: LessonFiles, folder: Path) -> bool:
    """Whether a lesson lies in a folder already."""
    return all(same_place(picture.parent, folder) for picture in lesson.pictures)


def _files_of(lesson: LessonFiles) -> dict[str, Path]:
    """The pictures, and the texts of those that have captions, by name."""
    captions = lesson.captions or [None] * len(lesson.pictures)
    texts = [caption_file(picture) for picture, own in zip(lesson.pictures, captions, strict=True) if own]
    return {file.name: file for file in (*lesson.pictures, *texts)}


def _files_there(folder: Path) -> list[str]:
    """The names of a folder's pictures and of the texts that would caption them."""
    if not folder.is_dir():
        return []
    try:
        pictures = look_into(folder).pictures
    except ImageError as error:
        raise OutputError(str(error)) from None
    texts = dict.fromkeys(caption_file(picture).name for picture in pictures if caption_file(picture).is_file())
    return [*(picture.name for picture in pictures), *texts]
