"""A tryout's LoRAs: files of one's own, or the base's own concepts by name, like ``dog-8`` or ``dog #8`` of Pocket."""

from __future__ import annotations

from pathlib import Path

from lorarar.families import Base
from lorarar.generation.picture_names import safe_words
from lorarar.lora.folders import find_loras
from lorarar.lora.names import lora_name
from lorarar.merging.methods.method import SIDES
from lorarar.util.errors import AdapterError
from lorarar.util.files import is_bare, missing
from lorarar.util.suggestion import did_you_mean


def find_pair(content: str, style: str, base: Base) -> tuple[Path, Path]:
    """The files or folders of a content and a style LoRA, by their names or their own.

    Raises:
        AdapterError: as ``find_lora``.
    """
    return find_lora(content, base, "content"), find_lora(style, base, "style")


def find_lora(text: str, base: Base, side: str) -> Path:
    """The file or folder of the LoRA that a text names, of content or of style.

    Raises:
        AdapterError: there is none; the message says which names are like it, or that it is one of the other side.
    """
    if Path(text).exists() or not is_bare(text):
        return find_file(text)
    ours, theirs = ({lora_name(file): file for file in _own(base, one)} for one in (side, _other(side)))
    name = safe_words(text)
    if name in ours:
        return ours[name]
    if name in theirs:
        raise AdapterError(f"{text} is a {_other(side)} of base {base.name}; the content comes first, then the style")
    hint = did_you_mean(name, [*ours, *theirs])
    there = f", nor has base {base.name} one of this name: {', '.join(ours)}" if ours else ""
    raise AdapterError(f"{missing(Path(text))}{there}{hint}")


def find_file(text: str) -> Path:
    """The file or folder of a LoRA that has no side.

    Raises:
        AdapterError: it is not there.
    """
    path = Path(text)
    if not path.is_file() and not path.is_dir():
        raise AdapterError(missing(path))
    return path


def _own(base: Base, side: str) -> list[Path]:
    folder = base.contents if side == "content" else base.styles
    return find_loras(folder) if folder is not None else []


def _other(side: str) -> str:
    return next(one for one in SIDES if one != side)
