"""A pair on its way to a worker: its LoRAs, its pictures and its row's files as parcels, no tensor of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lorarar.bench.adapters import trained_file
from lorarar.bench.cells import Pair
from lorarar.families import Base
from lorarar.lora.admission import Admission
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.locations import locate
from lorarar.merging.methods import METHODS
from lorarar.pictures.concepts import Concept
from lorarar.util.errors import AdapterError
from lorarar.workers.parcel import Parcel
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class ConceptParcel:
    """A concept without its tensors and pictures, and the files that have them."""

    concept: Concept
    lora: Parcel
    below: str  # where in that the LoRA is; empty: it is all of it
    images: tuple[Parcel, ...]

    @classmethod
    def of(cls, concept: Concept, *, images: bool) -> ConceptParcel:
        """The parcel of a concept, with its pictures or without.

        Raises:
            AdapterError: the LoRA cannot be read.
            OSError: a picture cannot.
        """
        files = sorted(part for file in locate(concept.path) for part in (file.weights, file.config) if part)
        folder = concept.path if concept.path.is_dir() else concept.path.parent
        alone = files == [concept.path]
        try:
            lora = Parcel.of(concept.path) if alone else Parcel.of_folder(folder, files)
        except OSError as error:
            raise AdapterError(f"{concept.path} cannot be read: {error}") from None
        return cls(
            concept=replace(concept, adapter=replace(concept.adapter, layers={}, metadata={}), images=()),
            lora=lora,
            below="" if alone or folder == concept.path else concept.path.name,
            images=tuple(map(Parcel.of, concept.images)) if images else (),
        )

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        """All of its files."""
        return self.lora, *self.images

    def unpack(self, bench: Workbench, base: Base, admission: Admission, *, tensors: bool) -> Concept:
        """The concept on a worker, with its tensors or without.

        Raises:
            AdapterError: the LoRA cannot be read.
        """
        path = bench.place(self.lora) / self.below if self.below else bench.place(self.lora)
        adapter = self.concept.adapter
        if tensors:
            adapter = admission.admit(read_adapter_for(base, path), path, base)
        return replace(self.concept, adapter=adapter, path=path, images=tuple(map(bench.place, self.images)))


@dataclass(frozen=True)
class PairParcel:
    """A pair whose concepts are parcels."""

    pair: Pair
    concepts: tuple[ConceptParcel, ...]  # in the order of the merge
    files: Mapping[str, Parcel]  # that the row's options name, by option
    trained: Parcel | None  # the result of its training, where it is needed

    @classmethod
    def of(cls, pair: Pair, out: Path, *, to_train: bool = False) -> PairParcel:
        """The parcel of a pair of a grid in a folder, to be trained or to be drawn.

        Raises:
            AdapterError: a LoRA cannot be read.
            OSError: another file cannot.
        """
        concepts = tuple(ConceptParcel.of(one, images=to_train) for one in pair.concepts)
        return cls(
            pair=_with(pair, [one.concept for one in concepts]),
            concepts=concepts,
            files=_files_of(pair),
            trained=Parcel.of(trained_file(pair, out)) if pair.training and not to_train else None,
        )

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        """All of its files."""
        trained = (self.trained,) if self.trained else ()
        of_concepts = (parcel for concept in self.concepts for parcel in concept.parcels)
        return *of_concepts, *self.files.values(), *trained

    def unpack(self, bench: Workbench, base: Base, admission: Admission, out: Path) -> Pair:
        """The pair on a worker whose own results go to a folder.

        Raises:
            AdapterError: a LoRA cannot be read.
        """
        row = self.pair.row
        tensors = row.drawn_by is not None or (self.pair.training is not None and self.trained is None)
        concepts = [one.unpack(bench, base, admission, tensors=tensors) for one in self.concepts]
        here = {name: str(bench.place(parcel)) for name, parcel in self.files.items()}
        pair = replace(_with(self.pair, concepts), row=row.model_copy(update=here))
        if self.trained:
            bench.copy(self.trained, trained_file(pair, out))
        return pair


def _with(pair: Pair, concepts: Sequence[Concept]) -> Pair:
    """A pair of other concepts, those of the merge in its order."""
    content, style, *more = concepts
    return replace(pair, content=content, style=style, more=tuple(more))


def _files_of(pair: Pair) -> dict[str, Parcel]:
    """The files that a row names, but those of the base's own, which are known by their names."""
    row = pair.row
    options = METHODS[row.method].all_options if row.merges else {}
    named = {key: Path(value) for key, value in (row.model_extra or {}).items() if _is_file(options, key)}
    return {key: Parcel.of(file) for key, file in named.items() if file.is_file()}


def _is_file(options: Mapping[str, object], key: str) -> bool:
    return getattr(options.get(key), "type", "") == "file"
