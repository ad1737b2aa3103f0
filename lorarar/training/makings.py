"""All that decides a training, as its checkpoint and its result's header have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar import __version__
from lorarar.families import Base
from lorarar.generation.base_digest import base_digest
from lorarar.generation.drawing_facts import device_name
from lorarar.lora.locations import digest_of
from lorarar.pictures.captions import Captions
from lorarar.pictures.concepts import Concept, lesson_of
from lorarar.pictures.images import digest_as_read
from lorarar.training.options import HypernetOptions, LoraOptions, PairOptions, options_facts
from lorarar.training.place import Surroundings, surroundings
from lorarar.util.libraries import full_versions

if TYPE_CHECKING:
    from accelerate import Accelerator

Facts = dict[str, object]


def lesson_facts(images: Sequence[Path], prompt: str, captions: Captions = ()) -> Facts:
    """What is learnt: pictures by their digests, in order, and what they are bound to: the prompt, or their captions.

    Captions are left out where no picture has any, as lorarar 0.1 had none.
    """
    facts: Facts = {"prompt": prompt, "pictures": [digest_as_read(image) for image in images]}
    return facts | ({"captions": list(captions)} if captions else {})


def concept_facts(concept: Concept) -> Facts:
    """A LoRA by its digest, with what it was trained on."""
    return {"lora": concept.adapter.sha256, **lesson_facts(concept.images, concept.prompt)}


def facts_of_file(lora: Path) -> Facts:
    """The facts of the concept of a LoRA file, whose tensors are not read.

    Raises:
        AdapterError, ImageError: as of ``read_concept``.
    """
    return {"lora": digest_of(lora), **lesson_facts(*lesson_of(lora))}


def training_makings(
    inputs: Mapping[str, object],
    options: LoraOptions | HypernetOptions | PairOptions,
    base: Base,
    accelerator: Accelerator | Surroundings,
    side: int | None = None,
) -> Facts:
    """All facts that decide a training.

    Args:
        inputs: of ``lesson_facts`` or ``concept_facts``, under names of their own.
        options: the training's.
        base: by the digest of its weights.
        accelerator: mixed precision and kind of device; or the ``surroundings`` of a training on another machine.
        side: pixels a side, where the caller says another number than the base's own.
    """
    return {
        **inputs,
        "options": settings_of(options),
        "base": base_digest(base),
        "side": side,
        **(accelerator if isinstance(accelerator, Mapping) else surroundings(accelerator)),
    }


def settings_of(options: LoraOptions | HypernetOptions | PairOptions) -> Facts:
    """A training's options as its makings have them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in options_facts(options).items()}


def made_by(makings: Mapping[str, object] | None, base: Base, accelerator: Accelerator) -> Facts:
    """What the header of every training's result says of it: what decided it, and what is only recorded."""
    return {
        "base": base.name,
        "revision": base.revision,
        "version": __version__,
        "training": makings,
        "recorded": {"device": device_name(str(accelerator.device)), "versions": full_versions()},
    }
