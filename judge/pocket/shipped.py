"""Where Pocket's judges lie, and what their manifest says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.util.files import replacing

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint

WEIGHTS = Path(__file__).parent / "weights"
CRITIC = WEIGHTS / "critic"
CLIP, DINO = WEIGHTS / "clip", WEIGHTS / "dino"
MANIFEST = WEIGHTS / "judges.json"


def critic() -> Checkpoint:
    """Pocket's critic, shown pictures as it was trained: each padded to a square."""
    from judge.critics.local.checkpoint import checkpoint_in

    return checkpoint_in(CRITIC, "pocket", image_mode="pad")


def manifest() -> dict[str, Any]:
    """How each judge was made, stage by stage; empty before the first build."""
    parts: dict[str, Any] = json.loads(MANIFEST.read_text()) if MANIFEST.is_file() else {}
    return parts


def record(stage: str, **facts: object) -> None:
    """Note in the manifest how a stage was made."""
    with replacing(MANIFEST) as partial:
        partial.write_text(json.dumps(manifest() | {stage: facts}, indent=1, sort_keys=True) + "\n")
