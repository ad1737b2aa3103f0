"""What a LoRA was trained on, with where each thing is said, for ``lorarar inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from lorarar.util.errors import AdapterError, ImageError


class Origin(TypedDict):
    """A thing that is said of a LoRA; a value of None is said nowhere."""

    value: str | None
    source: str


Account = dict[str, Origin]  # by field of ``Description``


def trained_on(lora: Path) -> tuple[Account, str]:
    """What is said of a LoRA, by field, and what is wrong with a text beside it; empty where nothing is."""
    from lorarar.lora.header import read_metadata
    from lorarar.pictures.description import describe, first_of, in_folder, in_header

    metadata, fault = read_metadata(lora, AdapterError), ""
    try:
        description = describe(lora, metadata)
    except AdapterError as error:
        fault = str(error)
        description = first_of([in_header(metadata), in_folder(lora)])
    by_rule = {"token": description.rare_token, "style": description.style_words} if description.prompt else {}
    account: Account = {}
    for name in ("prompt", "images", "token", "style"):
        value = getattr(description, name)
        text = by_rule.get(name) if value is None else str(value)
        source = description.sources.get(name, "its prompt" if text is not None else "said nowhere")
        account[name] = Origin(value=text, source=source)
    return account, fault


def in_words(account: Account) -> dict[str, str]:
    """The same for people."""
    names = {"prompt": "prompt", "images": "pictures", "token": "rare token", "style": "words, if it is a style"}
    return {names[name]: _line(name, one) for name, one in account.items()}


def _line(name: str, one: Origin) -> str:
    value = "none" if one["value"] in (None, "") else f"{one['value']}"
    if name == "images" and one["value"] is not None:
        value = f"{_count(Path(one['value']))} in {value}"
    return f"{value} ({one['source']})"


def _count(folder: Path) -> str:
    from lorarar.pictures.folders import find_images

    try:
        return str(len(find_images(folder)))
    except (ImageError, OSError):
        return "none"
