"""A family: a base model, and what was made to go with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal, cast

from lorarar.families.architecture import Architecture
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.util.errors import BaseError
from lorarar.util.guard import guarded
from lorarar.util.row_fields import check_fields

Prediction = Literal["epsilon", "v"]


@dataclass(frozen=True)
class Base:
    """A base model: what the user called it, where its weights are, and what of its own comes with it."""

    name: str
    location: str  # a pipeline folder, a hub id, or one checkpoint file
    revision: str | None = None  # of a hub id
    hypernet: Path | None = None
    networks: Path | None = None  # a folder of other hypernetworks of its own, each known by its name alone
    contents: Path | None = None  # folders of its own concepts
    styles: Path | None = None
    vae: str | None = None  # another than its own: a file, a folder or a hub id (OWNER/NAME or OWNER/NAME@REVISION)
    prediction: Prediction | None = None  # what the UNet predicts, where its files say something else or nothing
    variant: str | None = None  # of its weights' files, like fp16 in unet/diffusion_pytorch_model.fp16.safetensors

    @property
    def folder(self) -> Path | None:
        """The model's folder; None where it is a file or a hub id."""
        return Path(self.location) if Path(self.location).is_dir() else None

    def choices(self) -> dict[str, str]:
        """What was chosen of it beside its place, by name: VAE, prediction, variant; without those that were not."""
        chosen = {"vae": self.vae, "prediction": self.prediction, "variant": self.variant}
        return {name: value for name, value in chosen.items() if value}

    @property
    def file(self) -> Path | None:
        """The one checkpoint file that the model is; None where it is a folder or a hub id."""
        return Path(self.location) if Path(self.location).is_file() else None


@dataclass(frozen=True)
class Modules:
    """The names of a pipeline's models, which are its folders too, by what they do."""

    denoiser: str
    text_encoders: tuple[str, ...]  # that LoRAs change
    unchanged: tuple[str, ...] = ()  # text encoders that no LoRA changes

    @property
    def adapted(self) -> tuple[str, ...]:
        """Those that a LoRA can have layers of."""
        return (self.denoiser, *self.text_encoders)


@dataclass(frozen=True)
class Family:
    """A base model with its judges.

    Every part is named by the place ``module:attribute`` where it is found when it is first used: the rooms that
    hold the parts lie above this one, and most runs use few of them.
    """

    name: str
    base: str | Callable[[], Base]  # a function that returns the ``Base``, or its place
    pipeline: str  # the class that loads it, one of diffusers'
    modules: Modules
    pipeline_options: Mapping[str, Any] = field(default_factory=dict)  # with which the class loads it
    defaults: DrawingDefaults = field(default_factory=DrawingDefaults)
    architecture: Architecture | None = None  # how its models are built, where that is one thing
    critic: str | None = None  # a function that returns the ``judge.critics.local.checkpoint.Checkpoint``
    backbones: Mapping[str, str] = field(default_factory=dict)  # by kind (clip, dino …), the folder of the model
    ground_truth: str | None = None  # a module, or an object, that is a ``judge.ground_truth.GroundTruth``
    constants: tuple[float, float] | None = None  # the best (a, b) of direct merging, chosen on cells that no test has
    judges_own_alone: bool = False  # whether critic and backbones know the family's own pictures and no others

    @property
    def title(self) -> str:
        """The family as people write it: ``SD 1.5``."""
        return self.architecture.title if self.architecture else self.name

    @property
    def parts(self) -> dict[str, str]:
        """The places of the judges that the family has: ``critic``, ``ground_truth``, and its backbones by kind."""
        named = {"critic": self.critic, "ground_truth": self.ground_truth}
        return {part: place for part, place in {**self.backbones, **named}.items() if place is not None}

    def find_base(self) -> Base:
        """Find the base model.

        Raises:
            BaseError: its place cannot be loaded, or its function fails.
        """
        with self.guarded("base"):
            base = (self._load("base", self.base) if isinstance(self.base, str) else self.base)()
            check_fields(base, Base)
        return cast(Base, base)

    def pipeline_class(self) -> Any:
        """The class that loads the base, a ``DiffusionPipeline``.

        Raises:
            BaseError: its place cannot be loaded.
        """
        return self._load("pipeline", self.pipeline)

    def find(self, part: str) -> Any:
        """Find a part by its name, as ``parts`` has it.

        Raises:
            LookupError: the family has none.
            BaseError: its place cannot be loaded.
        """
        if part not in self.parts:
            raise LookupError(f"family {self.name} has no {part}")
        return self._load(part, self.parts[part])

    def guarded(self, part: str) -> AbstractContextManager[None]:
        """Within, whatever a part raises is a BaseError that names the part and the family."""
        return guarded(f"the {part.replace('_', ' ')} of family {self.name}", BaseError)

    def _load(self, part: str, place: str) -> Any:
        try:
            return resolve_name(place)
        except Exception as error:  # a module may raise anything when it is imported
            raise BaseError(f"the {part} of family {self.name} cannot be loaded from {place}: {error}") from None
