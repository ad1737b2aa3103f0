"""The places of Pocket's shipped parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lorarar import __version__
from lorarar.families import Base
from lorarar.pictures.references import references_folder
from lorarar.pocket.build_manifest import BuildManifest
from lorarar.util.errors import PocketError
from lorarar.util.files import replacing

WEIGHTS = Path(__file__).parent / "weights"
BASE = WEIGHTS / "base"
HYPERNET = WEIGHTS / "hypernet.safetensors"
NETWORKS = WEIGHTS / "networks"  # others: of other heads, objectives and LoRAs (recipes/networks)
PROBE = WEIGHTS / "probe.safetensors"
CONTENTS, STYLES, DESIGNS = WEIGHTS / "contents", WEIGHTS / "styles", WEIGHTS / "designs"
MANIFEST = BuildManifest(WEIGHTS / "pocket.json", "stages")
PIPELINE = Base("pocket", str(BASE))  # the base as the recipe loads it, before anything is trained for it


def content_lora(slug: str) -> Path:
    """The file of a subject's content LoRA."""
    return CONTENTS / f"{slug}.safetensors"


def style_lora(slug: str) -> Path:
    """The file of a style's LoRA."""
    return STYLES / f"{slug}.safetensors"


def design_file(slug: str) -> Path:
    """A subject's design, RGBA on transparent ground."""
    return DESIGNS / f"{slug}.png"


def references(lora: Path) -> list[Path]:
    """The reference pictures beside a LoRA, in order."""
    return sorted(references_folder(lora).glob("*.png"))


def stages() -> dict[str, Any]:
    """How everything shipped was made, stage by stage: from which art, how long and with which seed.

    Raises:
        PocketError: nothing is shipped yet.
    """
    if not MANIFEST.file.is_file():
        raise PocketError("Pocket's weights are missing; make them with: lorarar pocket build")
    return MANIFEST.stages()


def remove_local_paths(folder: Path) -> None:
    """Take out of a saved model's configurations the paths of this machine that its parts were loaded from."""
    for file in folder.rglob("config.json"):
        config = json.loads(file.read_text())
        if config.pop("_name_or_path", None) is not None:
            with replacing(file) as partial:
                partial.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def base() -> Base:
    """Pocket's base, with its hypernetwork and its concepts."""
    return Base(
        name="pocket",
        location=str(BASE),
        revision=revision(),
        hypernet=HYPERNET,
        networks=NETWORKS,
        contents=CONTENTS,
        styles=STYLES,
    )


def provenance() -> dict[str, str | None]:
    """What a file that is trained for the shipped base records of it."""
    return {"base": "pocket", "revision": revision(), "version": __version__}


def revision() -> str | None:
    """The shortened digest of the shipped base, as the manifest has it; None before the first build."""
    return str(MANIFEST.stages().get("base", {}).get("sha256", ""))[:12] or None
