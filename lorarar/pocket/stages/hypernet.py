"""Stage ``hypernet``: the hypernetwork, trained on the 20 x 18 training pairs alone."""

from __future__ import annotations

from dataclasses import asdict, replace

import torch

from lorarar import __version__
from lorarar.families import Base
from lorarar.generation.bases import load_pipeline
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.pictures.concepts import read_concepts
from lorarar.pocket import shipped
from lorarar.pocket.build_context import Clock, Workshop
from lorarar.pocket.concepts import STYLES, SUBJECTS, slug
from lorarar.pocket.training_pictures import SIDE
from lorarar.training.hypernet import train_hypernet
from lorarar.training.options import HypernetOptions

OPTIONS = HypernetOptions(steps=1200, rate=0.01, batch=2)


def run_hypernet(workshop: Workshop) -> None:
    """Train and ship it."""
    clock, accelerator = Clock(), workshop.accelerator()
    pipeline = load_pipeline(Base("pocket", str(shipped.BASE)), str(accelerator.device), torch.float32)
    contents = read_concepts(shipped.CONTENTS, {slug(s.name) for s in SUBJECTS if s.split == "train"})
    styles = read_concepts(shipped.STYLES, {slug(s.name) for s in STYLES if s.split == "train"})
    options = replace(OPTIONS, seed=workshop.seed, steps=workshop.steps or OPTIONS.steps)
    network = train_hypernet(
        pipeline,
        contents,
        styles,
        options,
        checkpoint=workshop.checkpoint("hypernet"),
        accelerator=accelerator,
        side=SIDE,
    )
    write_hypernet(
        network,
        shipped.HYPERNET,
        asdict(options) | {"base": "pocket", "revision": shipped.revision(), "version": __version__},
    )
    facts = asdict(options) | {"base": shipped.revision(), "pairs": len(contents) * len(styles)}
    shipped.record("hypernet", seconds=clock.seconds(), **facts)
