"""Stage ``probe``: a small classifier of class and style family, trained on true pictures.

It measures the base: how often the class and the family of a generated picture are what the prompt
asked for. It is no judge of merges beyond that; its accuracy on true pictures it has not seen is
recorded beside everything it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from lorarar.families import Base
from lorarar.generation.studio import Studio
from lorarar.lora.tensors import save_tensors
from lorarar.pocket import shipped
from lorarar.pocket.build_context import Workshop
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.stages.vae import to_tensor
from lorarar.pocket.training_pictures import FAMILIES, Pictures, caption
from lorarar.training.loop import Objective, Schedule, pick, train

STEPS, BATCH, RATE = 2500, 64, 2e-3
HELD_OUT = 10  # every tenth picture is kept for testing the probe itself


class Probe(nn.Module):
    """Four convolutions and two heads: logits over ``CLASS_NAMES`` and over ``FAMILIES``."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width, 6 * width)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.SiLU()]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(16 * widths[-1], 128), nn.SiLU())
        self.classes = nn.Linear(128, len(CLASS_NAMES))
        self.families = nn.Linear(128, len(FAMILIES))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, classes) and (N, families) of pictures (N, 3, 64, 64) in -1..1."""
        features = self.body(images)
        return self.classes(features), self.families(features)


class Classifying(Objective):
    """Cross-entropy of both heads over slightly shifted, mirrored and noisy pictures."""

    def __init__(self, pictures: Pictures) -> None:
        super().__init__()
        self.probe = Probe()
        kept = torch.arange(len(pictures.classes)) % HELD_OUT != 0
        self.pixels = torch.from_numpy(pictures.pixels)[kept]
        self.labels = torch.from_numpy(pictures.classes)[kept], torch.from_numpy(pictures.families)[kept]

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        chosen = pick(generator, len(self.pixels), BATCH)
        images = to_tensor(self.pixels[chosen])
        mirrored = torch.rand(BATCH, generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        dx, dy = (int(pick(generator, 7, 1)) - 3 for _ in range(2))
        images = images.roll((dx, dy), (2, 3)) + 0.1 * torch.randn(images.shape, generator=generator)
        device = next(self.probe.parameters()).device
        return images.to(device), *(labels[chosen].to(device) for labels in self.labels)

    def forward(self, images: Tensor, classes: Tensor, families: Tensor) -> Tensor:
        of_class, of_family = self.probe(images)
        return F.cross_entropy(of_class, classes, label_smoothing=0.05) + 0.5 * F.cross_entropy(of_family, families)


@dataclass(frozen=True)
class Accuracy:
    """Shares of pictures whose class and family the probe names."""

    class_top1: float
    family_top1: float
    count: int


def run_probe(workshop: Workshop) -> None:
    """Train the probe, test it on unseen true pictures, and measure the shipped base with it."""
    pictures = Pictures.load(workshop.pictures)
    torch.manual_seed(workshop.seed)
    objective = Classifying(pictures)
    plan = Schedule(workshop.steps or STEPS, RATE, workshop.seed, warmup=50, ema=0.99)
    run = train(objective, plan, workshop.checkpoint("probe"), title="probe", accelerator=workshop.accelerator())
    save_tensors(objective.probe.cpu().state_dict(), shipped.PROBE, {"kind": "lorarar-pocket-probe"})
    probe, held = load_probe(), slice(None, None, HELD_OUT)
    labels = torch.from_numpy(pictures.classes[held]), torch.from_numpy(pictures.families[held])
    true = accuracy(probe, to_tensor(torch.from_numpy(pictures.pixels[held])), *labels)
    generated = measure_base(probe)
    shipped.record("probe", steps=run.step, seconds=round(run.seconds), true=vars(true), generated=vars(generated))


def load_probe() -> Probe:
    """The shipped probe."""
    probe = Probe()
    probe.load_state_dict(load_file(shipped.PROBE))
    return probe.eval()


@torch.no_grad()
def accuracy(probe: Probe, images: Tensor, classes: Tensor, families: Tensor) -> Accuracy:
    """How often the probe names the class and the family of pictures (N, 3, 64, 64) in -1..1."""
    of_class, of_family = (torch.cat(part) for part in zip(*map(probe, torch.split(images, 256)), strict=True))
    right_class = (of_class.argmax(1) == classes).float().mean()
    right_family = (of_family.argmax(1) == families).float().mean()
    return Accuracy(round(float(right_class), 4), round(float(right_family), 4), len(images))


def measure_base(probe: Probe, seeds: Sequence[int] = (0,), steps: int = 25, guidance: float = 4.0) -> Accuracy:
    """The base's accuracy over every class in every family, one picture for each seed."""
    from lorarar.util.progress import Ticker

    images, classes, families = [], [], []
    cells = [(c, f) for c in range(len(CLASS_NAMES)) for f in range(1, len(FAMILIES))]
    with Studio(Base("pocket", str(shipped.BASE))) as studio, Ticker("measure", len(cells) * len(seeds)) as ticker:
        for number, (class_index, family) in enumerate(cells):
            prompt = caption(CLASS_NAMES[class_index], FAMILIES[family])
            own = [seed * len(cells) + number for seed in seeds]
            for picture in studio.generate(prompt, own, steps=steps, guidance=guidance, batch=10):
                images.append(as_tensor(picture.image))
                classes.append(class_index)
                families.append(family)
                ticker.advance()
    return accuracy(probe, torch.stack(images), torch.tensor(classes), torch.tensor(families))


def as_tensor(image: object) -> Tensor:
    """A PIL picture as (3, H, W) in -1..1."""
    import numpy as np

    return to_tensor(torch.from_numpy(np.array(image))[None])[0]
