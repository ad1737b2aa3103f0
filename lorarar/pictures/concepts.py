"""Concepts: a LoRA with the pictures and the prompt it was trained on.

A folder of concepts holds LoRAs of any kind that is read (``NAME.safetensors``, say), and for each ``NAME/`` with its
pictures; what is said of it elsewhere, and in which order, is for ``lorarar.pictures.description`` to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lorarar.families import Base
from lorarar.lora.adapter import Adapter
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.folders import find_loras
from lorarar.lora.header import read_metadata
from lorarar.lora.names import distinct_names, lora_name
from lorarar.pictures.description import FOLDER, NOTHING, Description, describe
from lorarar.pictures.folders import find_images
from lorarar.pictures.references import references_folder
from lorarar.util.errors import AdapterError, ImageError
from lorarar.util.suggestion import as_there, did_you_mean


@dataclass(frozen=True)
class ConceptNeeds:
    """What a LoRA has to have beside its tensors; what is not needed may be there all the same."""

    prompt: bool = True
    images: bool = True


ALL = ConceptNeeds()


@dataclass(frozen=True)
class Concept:
    """One content or style: its LoRA, its pictures, its prompt; without what nothing needs of it."""

    name: str
    adapter: Adapter
    images: tuple[Path, ...]
    prompt: str
    path: Path = Path()  # the LoRA's file
    description: Description = field(default=NOTHING)  # all that is said of it


def read_concept(
    lora: Path, given: Description = NOTHING, name: str = "", base: Base | None = None, needs: ConceptNeeds = ALL
) -> Concept:
    """The concept of a LoRA file, for a base, which is needed where it is DoRA.

    Raises:
        AdapterError, ImageError: as of ``concept_of``; or the LoRA cannot be read.
    """
    return concept_of(read_adapter_for(base, lora), lora, given, name, needs)


def concept_of(
    adapter: Adapter, lora: Path, given: Description = NOTHING, name: str = "", needs: ConceptNeeds = ALL
) -> Concept:
    """The concept of an adapter that was read from the file ``lora``.

    Args:
        adapter: the LoRA.
        lora: where it was read from.
        given: what flags or a plan say of it.
        name: of the concept; by default the LoRA's.
        needs: what has to be known of it.

    Raises:
        AdapterError: nothing says its prompt, or what is said of it is unsound.
        ImageError: there are no pictures.
    """
    name, description = name or lora_name(lora), describe(lora, adapter.metadata, given)
    prompt = prompt_of(description, lora, name) if needs.prompt else (description.prompt or "").strip()
    images = _images(description, lora, name, needs)
    token = description.token or ""
    if token not in prompt and prompt:
        raise AdapterError(f"{name}: its token {token!r} ({description.sources['token']}) is not in {prompt!r}")
    return Concept(name, adapter, images, prompt, lora, description)


def lesson_of(lora: Path) -> tuple[tuple[Path, ...], str]:
    """The pictures and the prompt of a LoRA whose tensors are not read.

    Raises:
        AdapterError, ImageError: as of ``concept_of``.
    """
    description = describe(lora, read_metadata(lora, AdapterError))
    return images_of(description, lora, lora_name(lora)), prompt_of(description, lora, lora_name(lora))


def prompt_of_file(lora: Path) -> str:
    """The prompt of a LoRA whose tensors are not read.

    Raises:
        AdapterError: nothing says it, or what is said is unsound.
    """
    return prompt_of(describe(lora, read_metadata(lora, AdapterError)), lora, lora_name(lora))


def prompt_of(description: Description, lora: Path, name: str) -> str:
    """The prompt of a LoRA.

    Raises:
        AdapterError: nothing says it; the message lists all that could.
    """
    if description.prompt and description.prompt.strip():
        return description.prompt
    raise AdapterError(
        f'{lora} does not say its prompt; say it in a plan ([contents.concepts.{name}] prompt = "a ohwx dog", or '
        f"[styles.concepts.…]), for one pair with --content-prompt or --style-prompt, or in one line of "
        f"{name}.txt beside it; lorarar train lora notes it in the file"
    )


def images_of(description: Description, lora: Path, name: str) -> tuple[Path, ...]:
    """The pictures of a LoRA.

    Raises:
        ImageError: there are none; the message lists where they may be named.
    """
    folder = description.images or references_folder(lora)
    try:
        return tuple(find_images(folder))
    except ImageError as error:
        raise ImageError(
            f"{name} has no pictures: {error}; put them there, or name them in a plan "
            f'([contents.concepts.{name}] images = "FOLDER"), with --content-images or --style-images, or in {name}.txt'
        ) from None


def _images(description: Description, lora: Path, name: str, needs: ConceptNeeds) -> tuple[Path, ...]:
    """The pictures of a LoRA; none where none are needed, none are named, and there is no folder of pictures."""
    is_named = description.images is not None and description.sources.get("images") != FOLDER
    try:
        return images_of(description, lora, name)
    except ImageError:
        if needs.images or is_named:
            raise
        return ()


def read_concepts(
    folder: Path | None,
    names: Collection[str] | None = None,
    *,
    given: Mapping[str, Description] | None = None,
    loras: Mapping[str, Path] | None = None,
    base: Base | None = None,
    needs: ConceptNeeds = ALL,
) -> list[Concept]:
    """All concepts of a folder and those of single files by name, or those of ``names`` alone.

    Args:
        folder: of LoRAs; None reads single files alone.
        names: which of them.
        given: what a plan says of some, by name.
        loras: single files by name, before which one of the folder that has the name gives way.
        base: for which they are read, which DoRAs need.
        needs: what has to be known of each.

    Raises:
        AdapterError: there are none, a name is unknown (the message lists those there are), or one cannot be read.
        ImageError: one has no pictures.
    """
    of_folder = find_loras(folder) if folder else []
    files = dict(zip(distinct_names(of_folder), of_folder, strict=True)) | dict(loras or {})
    given = given or {}
    names = None if names is None else as_there(names, files)
    unknown = sorted({*(names or ()), *given} - set(files))
    if unknown or not files:
        place = folder or "the plan"
        there = ", ".join(files) or "none (sub-folders are not looked into)"
        near = did_you_mean(unknown[0], files) if unknown else ""
        raise AdapterError(f"{place} has no LoRA {', '.join(unknown)}; it has: {there}{near}")
    return [
        read_concept(path, given.get(name, NOTHING), name, base, needs)
        for name, path in files.items()
        if names is None or name in names
    ]
