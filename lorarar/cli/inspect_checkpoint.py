"""What ``lorarar inspect`` says of a checkpoint file: which base it is, by its header alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorarar.families import Base, architecture_family
from lorarar.families.architecture import ORIGINAL_DENOISER
from lorarar.families.checkpoint import read_checkpoint
from lorarar.util.errors import BaseError


def checkpoint_facts(file: Path) -> dict[str, Any] | None:
    """The facts of a checkpoint file, the keys of ``lorarar inspect --json``; None of a file that is none."""
    try:
        checkpoint = read_checkpoint(file)
    except BaseError:
        return None  # whatever it is, it is described as a LoRA that cannot be read
    shapes = checkpoint.header.shapes
    if not any(name.startswith(ORIGINAL_DENOISER) for name in shapes):
        return None
    family = architecture_family(Base(str(file), str(file)))
    architecture = family.architecture if family else None
    refusal = checkpoint.refusal(architecture, own_vae=False)
    return {
        "path": str(file),
        "checkpoint": architecture.title if architecture else None,
        "family": family.name if family else None,
        "prediction": checkpoint.prediction or "epsilon",
        "zero_snr": checkpoint.zero_snr,
        "vae": architecture is not None and "vae" not in checkpoint.missing(architecture),
        "tensors": len(shapes),
        "bytes": file.stat().st_size,
        "metadata": checkpoint.header.metadata,
        "unusable": f"it is {refusal}" if refusal else None,
    }


def checkpoint_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """The short facts of a checkpoint file, in words."""
    base = f"--base {facts['path']}{'' if facts['vae'] else ' --vae VAE'}"
    noise = ", zero terminal SNR" if facts["zero_snr"] else ""
    return {
        "checkpoint of": facts["checkpoint"] or "no architecture that is known here",
        "predicts": f"{facts['prediction']}{noise}",
        "VAE": "its own" if facts["vae"] else "none; name one with --vae",
        "tensors": f"{facts['tensors']:,}",
        "bytes": f"{facts['bytes']:,}",
        "usable": "no" if facts["unusable"] else f"as a base: {base}",
    }
