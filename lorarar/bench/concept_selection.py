"""Which concepts a plan has on one side, and what it says of them: ``[contents]`` and ``[styles]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from lorarar.bench.plan_table import StrictTable
from lorarar.families import Base
from lorarar.lora.folders import find_loras
from lorarar.lora.names import distinct_names
from lorarar.pictures.concepts import ALL, Concept, ConceptNeeds, read_concepts
from lorarar.pictures.description import FIELDS, Description
from lorarar.util.errors import PlanError
from lorarar.util.files import missing
from lorarar.util.suggestion import as_there, did_you_mean_file

Side = Literal["contents", "styles"]


class ConceptEntry(StrictTable):
    """What a plan says of one concept, which nothing else of it outweighs."""

    place = "a concept"
    lora: Path | None = None  # its file or PEFT folder; None: the one of its name in the folder
    prompt: str | None = None
    images: Path | None = None  # a folder of pictures, or one
    token: str | None = None
    style: str | None = None

    @field_validator("prompt", "style")
    @classmethod
    def _has_words(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("it is empty; accepted are words")
        return value

    def placed(self, folder: Path) -> ConceptEntry:
        """The entry with its files looked for in a folder."""
        return self.model_copy(
            update={name: folder / path for name in ("lora", "images") if (path := getattr(self, name)) is not None}
        )

    @property
    def description(self) -> Description:
        """What it says."""
        return Description(**{name: getattr(self, name) for name in FIELDS}).known_from("the plan")


class ConceptSelection(StrictTable):
    """A folder of concepts, the base's own unless the plan names another or single LoRAs, and which of them."""

    place = "a folder of concepts"
    folder: Path | None = None
    names: tuple[str, ...] | None = None  # None: all
    concepts: Mapping[str, ConceptEntry] = {}

    @field_validator("concepts")
    @classmethod
    def _are_names(cls, value: Mapping[str, ConceptEntry]) -> Mapping[str, ConceptEntry]:
        """A concept's name is part of the names of files."""
        for name in value:
            if not name or name.startswith(".") or not name.isprintable() or {"/", "\\"} & set(name):
                raise ValueError(f"{name!r} is no name of a concept; accepted is one without / and \\ and leading dot")
        return value

    @property
    def loras(self) -> dict[str, Path]:
        """The LoRAs that are named one by one."""
        return {name: entry.lora for name, entry in self.concepts.items() if entry.lora is not None}

    @property
    def size(self) -> int:
        """How many concepts a placed selection has."""
        return len(self.all_names)

    @property
    def all_names(self) -> tuple[str, ...]:
        """The names of a placed selection's concepts."""
        if self.names is not None:
            return self.names
        return self.there

    @property
    def there(self) -> tuple[str, ...]:
        """The names of all concepts that a placed selection is made of."""
        of_folder = distinct_names(find_loras(self.folder)) if self.folder else []
        return tuple(dict.fromkeys([*of_folder, *self.loras]))

    def placed(self, plan: Path, own: Path | None, side: Side) -> ConceptSelection:
        """The selection with its files, which exist, looked for beside the plan's file.

        Args:
            plan: the plan's file.
            own: the folder of the base's own concepts, where it has some.
            side: the selection's key in the plan.

        Raises:
            PlanError: a folder, a LoRA or pictures are not there, or a content is said to have a style.
        """
        entries = {name: entry.placed(plan.parent) for name, entry in self.concepts.items()}
        for name, entry in entries.items():
            for key, file in (("lora", entry.lora), ("images", entry.images)):
                if file is not None and not file.exists():
                    raise PlanError(f"{plan}: {side}.concepts.{name}.{key}: {missing(file)}")
            if entry.style is not None and side == "contents":
                raise PlanError(f"{plan}: {side}.concepts.{name}.style: a content has no style; [styles.concepts] do")
        folder = plan.parent / self.folder if self.folder else None if self.loras else own
        if folder is None and not self.loras:
            raise PlanError(f"{plan}: {side}.folder: the base has none of its own; {_ACCEPTED}")
        if folder is not None and not folder.is_dir():
            near = did_you_mean_file(folder)
            raise PlanError(f"{plan}: {side}.folder: {folder} is no folder; {_ACCEPTED}{near}")
        placed = self.model_copy(update={"folder": folder, "concepts": entries})
        return (
            placed
            if self.names is None
            else placed.model_copy(update={"names": tuple(as_there(self.names, placed.there))})
        )

    def read(self, base: Base | None = None, needs: ConceptNeeds = ALL) -> list[Concept]:
        """The concepts of a placed selection, for a base, with what is needed of each.

        Raises:
            AdapterError, ImageError: as of ``read_concepts``.
        """
        given = {name: entry.description for name, entry in self.concepts.items()}
        return read_concepts(self.folder, self.names, given=given, loras=self.loras, base=base, needs=needs)


_ACCEPTED = "accepted is a folder of LoRAs with their pictures, or single ones: [contents.concepts.NAME] lora = …"
