"""What Blend offers: bases, and LoRAs: those of the pictures on show, of their base, and of any folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from judge.questions import ASPECTS
from lorarar.lora.names import lora_name
from lorarar.store.queries import PictureRow
from lorarar.util.errors import AdapterError, BaseError
from lorarar.util.files import is_there, sha256_or
from tui.text import home
from tui.views.pinned import PinnedReference, pin

KINDS = ("content", "style")
Files = Mapping[str, str]  # paths by name
CONFIG = "adapter_config.json"  # in a folder that is a LoRA


def lora_files(
    pictures: Sequence[PictureRow], find: Callable[[str], Path], folder: Path | None = None
) -> dict[str, dict[str, str]]:
    """Files of contents and styles by name: those of pictures that are there, their base's own, and a folder's.

    Args:
        pictures: Whose LoRAs are offered, with those that come with their base.
        find: Where a file of the database lies.
        folder: Of more LoRAs; each may be a content or a style, and is named with its folder.

    Raises:
        AdapterError: the folder is none, or holds no LoRA.
    """
    contents, styles = shipped_folders(bases_of(pictures)[0])
    loras = {"content": {row.content_lora for row in pictures}, "style": {row.style_lora for row in pictures}}
    more = {f"{home(path.parent)}/{lora_name(path)}": str(path) for path in (loras_in(folder) if folder else ())}
    files: dict[str, dict[str, str]] = {}
    for kind, shipped_in in zip(KINDS, (contents, styles), strict=True):
        shipped = {path.stem: str(path) for path in (shipped_in.glob("*.safetensors") if shipped_in else ())}
        there = [path for lora in sorted(filter(None, loras[kind])) if is_there(path := find(lora))]
        files[kind] = dict(sorted((shipped | {path.stem: str(path.absolute()) for path in there}).items())) | more
    return files


def bases_of(pictures: Sequence[PictureRow]) -> list[str]:
    """The bases that blends can be drawn on: those of pictures, of the most first, and the families' own."""
    from lorarar.families import DEFAULT_BASE, FAMILIES

    counted = Counter(picture.base for picture in pictures if picture.base)
    return list(dict.fromkeys((*(base for base, _ in counted.most_common()), DEFAULT_BASE, *FAMILIES)))


def shipped_folders(base: str) -> tuple[Path | None, Path | None]:
    """The folders of contents and of styles that come with a base; None where it has none or is not there."""
    from lorarar.families import find_base

    try:
        model = find_base(base)
    except BaseError:
        return None, None
    return model.contents, model.styles


def loras_in(folder: Path) -> list[Path]:
    """The LoRAs of a folder, by name: its files and PEFT folders; the folder itself where it is one.

    Raises:
        AdapterError: there is no such folder, or it holds no LoRA.
    """
    folder = folder.expanduser().absolute()
    if folder.is_file() and folder.suffix == ".safetensors":
        return [folder]
    if not folder.is_dir():
        raise AdapterError(f"{home(folder)} is no folder of LoRAs and no .safetensors file")
    if (folder / CONFIG).is_file():
        return [folder]
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise AdapterError(f"{home(folder)} cannot be read: {error.strerror}") from error
    loras = [path for path in inside if path.suffix == ".safetensors" or (path / CONFIG).is_file()]
    if not loras:
        raise AdapterError(f"{home(folder)} holds no LoRA: no .safetensors file, and no PEFT folder")
    return loras


def pinned_of(content: Path, style: Path) -> list[PinnedReference]:
    """The pictures that two LoRAs were trained on, as references."""
    from lorarar.store.picture_references import references_of

    paths = dict(zip(ASPECTS, (references_of(content), references_of(style)), strict=True))
    return pin(paths, {aspect: [sha256_or(path, "") for path in of] for aspect, of in paths.items()})
