"""Stage ``pictures``: the base's training pictures."""

from __future__ import annotations

from lorarar.pocket import shipped
from lorarar.pocket.art import fetch_designs
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.training_pictures import make_training_pictures


def run_pictures(context: BuildContext) -> None:
    """Make the pictures and keep them in the build folder."""
    pictures = make_training_pictures(fetch_designs(context.art), context.seed)
    pictures.save(context.pictures)
    shipped.MANIFEST.record("pictures", count=len(pictures.classes), seed=context.seed)
