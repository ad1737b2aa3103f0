"""Contents and styles: random LoRAs on all of the UNet's attention, with pictures and prompts, and a hypernetwork."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from benchmarks.rehearsal.scale import CONTENTS, STYLES, Scale
from benchmarks.sdxl import new_adapter
from lorarar.families.meta_models import meta_model
from lorarar.lora.files import write_adapter
from lorarar.merging.coefficient_file import write_coefficients
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.pictures.images import write_png

PICTURES = 1  # of each concept: on a CPU the VAE takes most of a minute for one


def write_concepts(scale: Scale, folder: Path) -> Path:
    """The folders ``contents`` and ``styles``, as trainings and plans take them."""
    unet = meta_model(scale.architecture.components["unet"])
    named = [("contents", name, prompt) for name, prompt in CONTENTS.items()]
    named += [("styles", name, prompt) for name, prompt in STYLES.items()]
    for number, (side, name, prompt) in enumerate(named, 1):
        for picture in range(PICTURES):
            write_picture(folder / side / name / f"{picture}.png", scale.side, PICTURES * number + picture)
        if not (lora := folder / side / f"{name}.safetensors").exists():
            write_adapter(new_adapter(unet, scale.rank, number).to(torch.float16), lora, {"prompt": prompt})
    return folder


def write_network(scale: Scale, file: Path) -> Path:
    """A random hypernetwork of the paper's form for the attention of that UNet."""
    torch.manual_seed(0)
    return write_hypernet(Hypernetwork(scale.widths), file)


def write_even(scale: Scale, file: Path) -> Path:
    """Coefficients of a pair, one half each."""
    layers = new_adapter(meta_model(scale.architecture.components["unet"]), 1, 0).layers
    halves = {name: torch.full((factors.down.shape[1],), 0.5) for name, factors in layers.items()}
    return write_coefficients({name: (half, half) for name, half in halves.items()}, file)


def write_judged(scale: Scale, folder: Path) -> Path:
    """A generated picture with one reference of its subject and one of its style, in the folders that are judged."""
    subject, style = next(iter(CONTENTS)), next(iter(STYLES))
    places = (f"generated/{subject}/{style}", f"references/subjects/{subject}", f"references/styles/{style}")
    for number, place in enumerate(places):
        write_picture(folder / place / "0.png", scale.side, number)
    return folder


def write_picture(file: Path, side: int, seed: int) -> Path:
    """A picture of smooth noise."""
    coarse = torch.randint(0, 256, (8, 8, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    image = Image.fromarray(coarse.numpy()).resize((side, side), Image.Resampling.BICUBIC)
    return write_png(image, file)
