"""Stage ``hypernet``: the hypernetwork, trained on the 20 x 18 training pairs alone."""

from __future__ import annotations

from dataclasses import asdict

import torch

from lorarar.generation.bases import load_pipeline
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.merging.means import take_means
from lorarar.merging.means_file import beside
from lorarar.pictures.concepts import read_concepts
from lorarar.pocket import shipped
from lorarar.pocket.build_context import BuildContext, Stopwatch
from lorarar.pocket.concepts import STYLES, SUBJECTS
from lorarar.pocket.training_pictures import SIDE
from lorarar.training.hypernet import train_hypernet
from lorarar.training.makings import concept_facts, training_makings
from lorarar.training.options import HypernetOptions

OPTIONS = HypernetOptions(steps=600, rate=0.01, batch=2, parts=("query", "output", "feed-forward"))


def run_hypernet(context: BuildContext) -> None:
    """Train the hypernetwork and ship it."""
    stopwatch, accelerator, options = Stopwatch(), context.accelerator(), context.adjust(OPTIONS)
    contents = read_concepts(shipped.CONTENTS, {subject.slug for subject in SUBJECTS if subject.split == "train"})
    styles = read_concepts(shipped.STYLES, {style.slug for style in STYLES if style.split == "train"})
    inputs = {
        name: list(map(concept_facts, concepts)) for name, concepts in (("contents", contents), ("styles", styles))
    }
    network = train_hypernet(
        load_pipeline(shipped.PIPELINE, str(accelerator.device), torch.float32),
        contents,
        styles,
        options,
        checkpoint=context.checkpoint("hypernet"),
        makings=training_makings(inputs, options, shipped.PIPELINE, accelerator, SIDE),
        accelerator=accelerator,
        side=SIDE,
    )
    of_content, of_style = ([concept.adapter for concept in side] for side in (contents, styles))
    means = take_means(network, of_content, of_style)
    write_hypernet(network, shipped.HYPERNET, asdict(options) | shipped.provenance(), means)
    beside(shipped.HYPERNET).unlink(missing_ok=True)  # of the network before
    facts = asdict(options) | {"base": shipped.revision(), "pairs": len(contents) * len(styles)}
    shipped.MANIFEST.record("hypernet", seconds=stopwatch.seconds(), **facts)
