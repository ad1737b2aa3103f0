"""The places of Pocket's shipped judges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.pocket.build_manifest import BuildManifest

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint

WEIGHTS = Path(__file__).parent / "weights"
CRITIC = WEIGHTS / "critic"
CLIP, DINO = WEIGHTS / "clip", WEIGHTS / "dino"
MANIFEST = BuildManifest(WEIGHTS / "judges.json")


def critic() -> Checkpoint:
    """Pocket's critic, in the image mode it was trained in: each picture padded to a square."""
    from judge.critics.local.checkpoint import checkpoint_in

    return checkpoint_in(CRITIC, "pocket", image_mode="pad")
