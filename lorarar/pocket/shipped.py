"""Where Pocket's shipped parts lie, and what the manifest says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lorarar.families import Base
from lorarar.util.errors import PocketError
from lorarar.util.files import replacing

WEIGHTS = Path(__file__).parent / "weights"
BASE = WEIGHTS / "base"
HYPERNET = WEIGHTS / "hypernet.safetensors"
PROBE = WEIGHTS / "probe.safetensors"
CONTENTS, STYLES, DESIGNS = WEIGHTS / "contents", WEIGHTS / "styles", WEIGHTS / "designs"
MANIFEST = WEIGHTS / "pocket.json"


def content_lora(slug: str) -> Path:
    """The content LoRA of a subject; its reference pictures lie in the folder of the same stem beside it."""
    return CONTENTS / f"{slug}.safetensors"


def style_lora(slug: str) -> Path:
    """The style LoRA of a style; its reference picture lies in the folder of the same stem beside it."""
    return STYLES / f"{slug}.safetensors"


def design(slug: str) -> Path:
    """The drawing of a subject, or of what a style's reference shows, RGBA on transparent ground."""
    return DESIGNS / f"{slug}.png"


def references(lora: Path) -> list[Path]:
    """The reference pictures beside a LoRA, in order."""
    return sorted(lora.with_suffix("").glob("*.png"))


def manifest() -> dict[str, Any]:
    """What is shipped, from which art, trained how long and with which seed, stage by stage.

    Raises:
        PocketError: nothing is shipped yet.
    """
    if not MANIFEST.is_file():
        raise PocketError("Pocket's weights are missing; make them with: lorarar pocket build")
    parts: dict[str, Any] = json.loads(MANIFEST.read_text())
    return parts


def record(stage: str, **facts: object) -> None:
    """Note in the manifest how a stage was made."""
    parts = manifest() if MANIFEST.is_file() else {}
    parts.setdefault("stages", {})[stage] = facts
    with replacing(MANIFEST) as partial:
        partial.write_text(json.dumps(parts, indent=1, sort_keys=True) + "\n")


def forget_places(folder: Path) -> None:
    """Take out of a saved model's configurations where its parts were loaded from: a path of this machine."""
    for file in folder.rglob("config.json"):
        config = json.loads(file.read_text())
        if config.pop("_name_or_path", None) is not None:
            with replacing(file) as partial:
                partial.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def base() -> Base:
    """Pocket's base, with its hypernetwork and its concepts."""
    return Base("pocket", str(BASE), revision(), HYPERNET, CONTENTS, STYLES)


def revision() -> str | None:
    """The digest of the shipped base, as the manifest has it; None before the first build."""
    if not MANIFEST.is_file():
        return None
    return str(manifest()["stages"].get("base", {}).get("sha256", ""))[:12] or None
