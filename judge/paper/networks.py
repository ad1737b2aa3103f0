"""Small hypernetworks that items compare, each trained for the item alone: with ``--train``, else those that are there.

They are of the paper's form and objective, with a smaller hidden layer and fewer steps, all alike, so that they can be
compared with one another, and in half precision, so that all of them fit beside the rest of Pocket; none is what
``lorarar merge`` uses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.pocket.shipped import NETWORKS
from lorarar.training.options import HypernetOptions
from lorarar.util.formatting import count
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest

SHIPPED = NETWORKS
STEPS, QUICK_STEPS = 100, 2
SECONDS = 45.0  # that a training takes on two cores
RECIPE = HypernetOptions(hidden=8, steps=STEPS, rate=0.01, pairs=4, decay=0.5, average=0.95)


@dataclass(frozen=True)
class PaperNetwork:
    """A network with what it learns from, concepts by name: Pocket's own, or those of another folder."""

    name: str
    contents: tuple[str, ...]
    styles: tuple[str, ...]
    options: HypernetOptions = field(default=RECIPE)
    folder: Path | None = None  # that has them in ``contents`` and ``styles``, as a zoo has


def recipe_words(request: PaperRequest) -> str:
    """How these networks are trained, in words."""
    steps = QUICK_STEPS if request.quick else RECIPE.steps
    return f"{steps} steps of {RECIPE.pairs} pairs by Eq. 3, a hidden layer of {RECIPE.hidden}"


def ready(networks: Iterable[PaperNetwork], request: PaperRequest) -> dict[str, Path]:
    """The files of those networks that are there, by name; with ``--train`` of all, trained now where need be.

    A network that was trained into the folder of results comes before a shipped one.

    Raises:
        TrainingError, AdapterError, HypernetError: one cannot be trained or written.
    """
    networks = list(networks)
    folder = own_folder(request)
    if request.train:
        message(f"{count(len(networks), 'network')} to train or to find in {folder}, {_minutes(networks)} at most")
        for network in networks:
            _train(network, folder / f"{network.name}.safetensors", request)
    files = {}
    for network in networks:
        own, shipped = (place / f"{network.name}.safetensors" for place in (folder, SHIPPED))
        if own.is_file() and not _is_of(own, _options(network, request)):
            message(f"{own} was trained otherwise than {network.name} is now, and is left out", "yellow")
        elif own.is_file():
            files[network.name] = own
        if network.name not in files and shipped.is_file():
            files[network.name] = shipped
    return files


def _options(network: PaperNetwork, request: PaperRequest) -> HypernetOptions:
    """A network's options at the size that is asked for."""
    return replace(network.options, steps=QUICK_STEPS) if request.quick else network.options


def _is_of(file: Path, options: HypernetOptions) -> bool:
    """Whether a network was trained with these options; raises as ``_training_of``."""
    from lorarar.training.makings import settings_of

    training = _training_of(file)
    return isinstance(training, dict) and training.get("options") == as_written(settings_of(options))


def _training_of(file: Path) -> object:
    """What decided the training of a network, as its header has it; None where it says nothing.

    Raises:
        HypernetError: it has no header that can be read.
    """
    from lorarar.lora.header import provenance_of, read_header
    from lorarar.util.errors import HypernetError

    return provenance_of(read_header(file, HypernetError)).get("training")


def missing_words(networks: Sequence[PaperNetwork], files: Mapping[str, Path], item: str) -> str:
    """What is lacking, and how to have it; empty where nothing is."""
    lacking = [network.name for network in networks if network.name not in files]
    if not lacking:
        return ""
    minutes = _minutes([network for network in networks if network.name in lacking])
    return (
        f"{count(len(lacking), 'network')} of {len(networks)} are neither trained nor shipped ({', '.join(lacking)}): "
        f"`lorarar paper {item} --train` trains them in some {minutes}."
    )


def own_folder(request: PaperRequest) -> Path:
    """Where the networks are that a run trains, and where those are looked for that were trained elsewhere."""
    return request.out / f"networks{'-quick' if request.quick else ''}"


def trained(prefix: str, request: PaperRequest) -> dict[str, Path]:
    """The networks of a series that are there, by what follows ``PREFIX-`` in their names; shipped ones too."""
    files: dict[str, Path] = {}
    for place in (SHIPPED, own_folder(request)):
        files |= {file.stem.removeprefix(f"{prefix}-"): file for file in sorted(place.glob(f"{prefix}-*.safetensors"))}
    return files


def _minutes(networks: Sequence[PaperNetwork]) -> str:
    """How long networks take to train on two cores, in words."""
    usual = RECIPE.steps * RECIPE.pairs
    seconds = sum(SECONDS * network.options.steps * network.options.pairs / usual for network in networks)
    return count(max(1, round(seconds / 60)), "minute")


def _train(network: PaperNetwork, path: Path, request: PaperRequest) -> None:
    """Train a network, from its checkpoint if it was interrupted; one that is there of the same training stays."""
    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.merging.hypernet_file import write_hypernet
    from lorarar.merging.means import take_means
    from lorarar.pictures.concepts import read_concepts
    from lorarar.pictures.true_pictures import truth_of
    from lorarar.training.hypernet import train_hypernet
    from lorarar.training.makings import concept_facts, made_by, training_makings
    from lorarar.training.options import options_facts
    from lorarar.training.place import TrainingPlace
    from lorarar.training.setup import load_for_training, native_side
    from lorarar.util.files import training_checkpoint

    base = pinned(find_base(request.base))
    places = (base.contents, base.styles) if network.folder is None else _sides(network.folder)
    contents = read_concepts(places[0], network.contents, base=base)
    styles = read_concepts(places[1], network.styles, base=base)
    accelerator = TrainingPlace(request.device, None).accelerator()
    options = _options(network, request)
    inputs: dict[str, object] = {
        side: list(map(concept_facts, of)) for side, of in (("contents", contents), ("styles", styles))
    }
    makings = training_makings(inputs, options, base, accelerator)
    header = options_facts(options) | made_by(makings, base, accelerator)
    if path.is_file() and _training_of(path) == as_written(makings):
        return
    pipeline = load_for_training(base, accelerator)
    checkpoint = training_checkpoint(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    message(f"training {network.name}")
    trained = train_hypernet(
        pipeline,
        contents,
        styles,
        options,
        checkpoint=checkpoint,
        makings=makings,
        accelerator=accelerator,
        side=native_side(pipeline),
        truth=truth_of(base) if options.objective == "truth" else None,
    ).half()  # rounded first, so that its means are those of the weights in the file
    means = take_means(trained.float(), [one.adapter for one in contents], [one.adapter for one in styles])
    write_hypernet(trained.half(), path, header, means)
    checkpoint.unlink(missing_ok=True)


def _sides(folder: Path) -> tuple[Path, Path]:
    return folder / "contents", folder / "styles"


def as_written(facts: object) -> object:
    """Facts as they come back from a header."""
    return json.loads(json.dumps(facts))
