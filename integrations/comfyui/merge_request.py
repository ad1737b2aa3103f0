"""What a merge node is asked for: LoRAs by name, how much of each, method, base and options; and its answer."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from lorarar.families import FAMILIES, find_base
from lorarar.lora.admission import Admission
from lorarar.lora.locations import digest_of
from lorarar.lora.names import lora_name, pair_stem
from lorarar.merge_files import check_place, merge_loras
from lorarar.merge_files.expectation import expected_facts, is_made_so
from lorarar.merging.methods import METHODS, method_named
from lorarar.merging.methods.method import Method
from lorarar.merging.recipe import Recipe
from lorarar.util.errors import MethodError, OutputError
from lorarar.util.messages import to_log

from .loras_folder import listed_name, lora_path, new_place

FOLDER = "lorarar"  # where merges go that nobody named


def methods() -> list[str]:
    """The methods that merge files alone: none that trains for a pair, or has to draw first."""
    return [name for name, method in METHODS.items() if not method.calibrated and not method.per_pair]


def layout_for(base: str) -> str:
    """The layout of which ComfyUI reads every layer; of a UNet that which most other programs read too."""
    architecture = FAMILIES[base].architecture
    return "comfy" if architecture and architecture.names else "kohya"


@dataclass(frozen=True)
class MergeRequest:
    """A merge as a node asks for it."""

    names: tuple[tuple[str, float], ...]  # of the LoRAs as ComfyUI lists them, with how much of each
    method: str
    base: str
    options: str = ""  # TOML, as the rows of plans have it: ``density = 0.3``
    save_as: str = ""  # "": a name of what it is made of
    admission: Admission = field(default_factory=Admission)

    @cached_property
    def loras(self) -> list[Path]:
        """The LoRAs' files.

        Raises:
            AdapterError: ComfyUI has no such.
        """
        return [lora_path(name) for name, _ in self.names]

    @cached_property
    def recipe(self) -> Recipe:
        """All that decides the merge beside the LoRAs.

        Raises:
            MethodError, HypernetError, BaseError: the message says what is accepted.
        """
        if self.method not in methods():
            raise MethodError(f"method is {self.method!r}; accepted here are {', '.join(methods())}")
        method = method_named(self.method)
        own = {**_strengths(method, tuple(strength for _, strength in self.names)), **_options(self.options)}
        return Recipe(method, find_base(self.base), own, loras=len(self.names))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the merge's file says of how it was made."""
        return expected_facts(self.recipe, layout_for(self.base))

    @property
    def digest(self) -> str:
        """Of all that decides the merge, what is in the LoRAs included."""
        text = json.dumps([self.facts, [digest_of(lora) for lora in self.loras]], sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()

    @property
    def place(self) -> Path:
        """Where the merge goes.

        Raises:
            OutputError: its name is none.
        """
        if self.save_as.strip():
            return new_place(self.save_as)
        first, *others = (lora_name(lora) for lora in self.loras)
        return new_place(f"{FOLDER}/{pair_stem(first, '--'.join(others))}-{self.method}-{self.digest[:8]}")

    def answered(self) -> str:
        """The name of the merge as ComfyUI lists it; it is made unless it is there already.

        Raises:
            OutputError: something else has that name.
            LorarError: the merge cannot be made; the message says why.
        """
        with to_log():
            place = self.place
            if not is_made_so(place, self.facts, self.loras):
                if place.exists():
                    raise OutputError(
                        f"{listed_name(place)} is there already, made of something else; name another in save_as, "
                        "leave it empty, or delete that file"
                    )
                check_place(place, layout_for(self.base), self.loras)
                merged = merge_loras(self.recipe, *self.loras, admission=self.admission)
                place.parent.mkdir(parents=True, exist_ok=True)
                merged.written(place, layout_for(self.base))
            return listed_name(place)


def _strengths(method: Method, strengths: tuple[float, ...]) -> dict[str, Any]:
    """How much of each LoRA, as the method takes it: its weights, or strengths of its result."""
    if method.takes("weights"):
        return {"weights": strengths}
    return {"strengths": strengths} if set(strengths) != {1.0} else {}


def _options(text: str) -> dict[str, Any]:
    """The options in a text.

    Raises:
        MethodError: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MethodError(f"options are no TOML ({error}); accepted are lines like density = 0.3") from None
