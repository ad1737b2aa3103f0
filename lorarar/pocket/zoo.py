"""The zoo: LoRAs of many subjects and styles for hypernetworks to learn from, in a folder outside the package.

They are made as Pocket's own are, but of fewer samples each and sixteen at once, which takes seconds a LoRA. Nothing of
them is shipped; ``contents`` and ``styles`` of the folder are what a hypernetwork is trained on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.lora.files import read_provenance, write_adapter
from lorarar.pictures.concept_table import Side
from lorarar.pictures.images import write_png
from lorarar.pictures.references import references_folder
from lorarar.pocket import shipped
from lorarar.pocket.art import Designs
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.ground_truth import style_reference, subject_references
from lorarar.pocket.stages.loras import CONTENT, STYLE
from lorarar.pocket.training_pictures import SIDE
from lorarar.pocket.zoo_concepts import zoo_styles, zoo_subjects
from lorarar.pocket.zoo_truth import write_design, write_look
from lorarar.training.lesson import Lesson
from lorarar.training.lora_group import train_lora_group
from lorarar.training.lora_training import WRITTEN, in_dtype
from lorarar.training.makings import Facts, lesson_facts, training_makings
from lorarar.training.options import LoraOptions
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import AdapterError
from lorarar.util.files import CHECKPOINT

if TYPE_CHECKING:
    from accelerate import Accelerator
    from diffusers import StableDiffusionXLPipeline
    from PIL.Image import Image

AT_ONCE = 16  # LoRAs that are trained together
# One sample of each LoRA a step: steps cost, samples hardly do.
CONTENT_OF_ZOO = replace(CONTENT, steps=300, rate=1.5e-3, batch=1)
STYLE_OF_ZOO = replace(STYLE, steps=225, rate=1.5e-3, batch=1)


@dataclass(frozen=True)
class ZooConcept:
    """A subject or a style of the zoo."""

    concept: Subject | Style
    design: Image  # that its pictures show
    pictures: tuple[Image, ...]  # its LoRA's lesson
    file: Path  # of its LoRA

    @classmethod
    def of(cls, concept: Subject | Style, designs: Designs, folder: Path) -> ZooConcept:
        """A concept with its pictures painted, whose LoRA goes below ``folder``."""
        design = designs[concept.design]
        if isinstance(concept, Subject):
            side, pictures = "contents", subject_references(design)
        else:
            side, pictures = "styles", [style_reference(concept, design)]
        return cls(concept, design, tuple(pictures), folder / side / f"{concept.slug}.safetensors")

    @property
    def references(self) -> list[Path]:
        """The files of its pictures."""
        folder = references_folder(self.file)
        return [folder / f"{number}.png" for number in range(1, len(self.pictures) + 1)]

    def paint(self) -> None:
        """Write its pictures, and what its truth is known by."""
        for picture, file in zip(self.pictures, self.references, strict=True):
            write_png(picture, file)
        if isinstance(self.concept, Subject):
            write_design(self.design, self.file)
        else:
            write_look(self.concept, self.file)

    def facts(self) -> Facts:
        """What its LoRA learns, once its pictures are painted."""
        return lesson_facts(self.references, self.concept.prompt)


@dataclass(frozen=True)
class ZooGroup:
    """Subjects, or styles, whose LoRAs are trained together."""

    concepts: tuple[ZooConcept, ...]
    options: LoraOptions
    checkpoint: Path

    def __len__(self) -> int:
        """The number of its LoRAs."""
        return len(self.concepts)

    @property
    def work(self) -> int:
        """How long it takes, in steps of one LoRA."""
        return len(self) * self.options.steps

    def paint(self) -> None:
        """Write its concepts' pictures."""
        for one in self.concepts:
            one.paint()

    def makings(self, accelerator: Accelerator) -> Facts:
        """All that decides the training of the group."""
        lessons = [one.facts() for one in self.concepts]
        return training_makings({"lessons": lessons}, self.options, shipped.PIPELINE, accelerator, SIDE)

    def header(self, one: ZooConcept, makings: Facts) -> Facts:
        """What the header of a LoRA of the group says: of the lessons its own, of the others a digest."""
        rest = {name: value for name, value in makings.items() if name != "lessons"}
        training = {**rest, "lesson": one.facts(), "group": digest_of_facts(makings)}
        return {
            "prompt": one.concept.prompt,
            **shipped.provenance(),
            "dtype": WRITTEN,
            "training": training,
            **asdict(self.options),
        }

    def is_there(self, accelerator: Accelerator) -> bool:
        """Whether all its LoRAs are there and of this training."""
        makings = self.makings(accelerator)
        return all(_training_of(one.file) == _as_read(self.header(one, makings)["training"]) for one in self.concepts)

    def run(self, pipeline: StableDiffusionXLPipeline, accelerator: Accelerator) -> None:
        """Train, or go on from the checkpoint, and write the LoRAs in half precision.

        Raises:
            TrainingError, AdapterError: it cannot be trained, or a file not written.
        """
        makings = self.makings(accelerator)
        lessons = [[Lesson.of_images(one.pictures, one.concept.prompt, SIDE)] for one in self.concepts]
        adapters = train_lora_group(
            pipeline,
            lessons,
            self.options,
            checkpoint=self.checkpoint,
            makings=makings,
            accelerator=accelerator,
            title=self.checkpoint.name.removesuffix(CHECKPOINT),
        )
        for one, adapter in zip(self.concepts, adapters, strict=True):
            write_adapter(in_dtype(adapter, WRITTEN), one.file, self.header(one, makings))
        self.checkpoint.unlink(missing_ok=True)


def zoo_groups(designs: Designs, folder: Path, subjects: int, styles: int, seed: int = 0) -> list[ZooGroup]:
    """The groups of a zoo, contents and styles in turn, so that the first of them are a small zoo already.

    Args:
        designs: those of Pocket's classes.
        folder: of the zoo.
        subjects, styles: how many of each.
        seed: of the trainings.
    """

    def groups(side: Side, concepts: Sequence[Subject] | Sequence[Style], options: LoraOptions) -> list[ZooGroup]:
        members = [ZooConcept.of(concept, designs, folder) for concept in concepts]
        parts = [tuple(members[start : start + AT_ONCE]) for start in range(0, len(members), AT_ONCE)]
        return [
            ZooGroup(part, replace(options, seed=seed), folder / f"{side}-{number}{CHECKPOINT}")
            for number, part in enumerate(parts, start=1)
        ]

    of_subjects = groups("contents", zoo_subjects(designs, subjects), CONTENT_OF_ZOO)
    of_styles = groups("styles", zoo_styles(designs, styles), STYLE_OF_ZOO)
    return [group for group in chain.from_iterable(zip_longest(of_subjects, of_styles)) if group is not None]


def _training_of(file: Path) -> object:
    """What the header of a LoRA says that made it; None where there is none."""
    try:
        return read_provenance(file).get("training")
    except AdapterError:
        return None


def _as_read(facts: object) -> object:
    """Facts as they come back from a header."""
    return json.loads(json.dumps(facts))
