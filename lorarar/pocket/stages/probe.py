"""Stage ``probe``: train the probe, and measure the shipped base with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Unpack

import torch
import torch.nn.functional as F
from torch import Tensor

from lorarar.generation.settings import DrawingOptions
from lorarar.generation.studio import Studio
from lorarar.lora.tensors import save_tensors
from lorarar.pocket import shipped
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.image_tensors import image_to_tensor, mirror_some, to_tensor
from lorarar.pocket.probe import Accuracy, Probe, accuracy, load_probe
from lorarar.pocket.training_pictures import STYLE_FAMILIES, TrainingPictures, caption
from lorarar.training.loop import Objective, Schedule, pick
from lorarar.util.progress import Ticker

SCHEDULE = Schedule(steps=2500, rate=2e-3, warmup=50, ema=0.99)
BATCH = 64
HELD_OUT = 10  # every tenth picture is kept for testing the probe itself


class ProbeObjective(Objective):
    """Cross-entropy of both heads over slightly shifted, mirrored and noisy pictures."""

    def __init__(self, pictures: TrainingPictures) -> None:
        super().__init__()
        self.probe = Probe()
        training = torch.arange(len(pictures.classes)) % HELD_OUT != 0
        self.pixels = torch.from_numpy(pictures.pixels)[training]
        self.labels = torch.from_numpy(pictures.classes)[training], torch.from_numpy(pictures.families)[training]

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Pictures (N, 3, 64, 64), their classes and style families."""
        rows = pick(generator, len(self.pixels), BATCH)
        images = mirror_some(to_tensor(self.pixels[rows]), 0.5, generator)
        dx, dy = (int(pick(generator, 7, 1)) - 3 for _ in range(2))
        images = images.roll((dx, dy), (2, 3)) + 0.1 * torch.randn(images.shape, generator=generator)
        device = next(self.probe.parameters()).device
        return images.to(device), *(labels[rows].to(device) for labels in self.labels)

    def forward(self, images: Tensor, classes: Tensor, families: Tensor) -> Tensor:
        """The loss of one batch."""
        class_logits, family_logits = self.probe(images)
        class_loss = F.cross_entropy(class_logits, classes, label_smoothing=0.05)
        return class_loss + 0.5 * F.cross_entropy(family_logits, families)


def run_probe(context: BuildContext) -> None:
    """Train the probe, test it on true pictures it was not trained on, and measure the shipped base with it."""
    pictures = TrainingPictures.load(context.pictures)
    torch.manual_seed(context.seed)
    objective = ProbeObjective(pictures)
    run = context.train("probe", objective, context.adjust(SCHEDULE))
    save_tensors(objective.probe.cpu().half().state_dict(), shipped.PROBE, {"kind": "lorarar-pocket-probe"})
    probe = load_probe()
    shipped.MANIFEST.record(
        "probe",
        steps=run.step,
        seconds=round(run.seconds),
        true=asdict(measure_held_out(probe, pictures)),
        generated=asdict(measure_base(probe)),
    )


def measure_held_out(probe: Probe, pictures: TrainingPictures) -> Accuracy:
    """The probe's accuracy on the training pictures that were kept from it."""
    pixels, classes, families = (
        torch.from_numpy(part[::HELD_OUT]) for part in (pictures.pixels, pictures.classes, pictures.families)
    )
    return accuracy(probe, to_tensor(pixels), classes, families)


def measure_base(probe: Probe, seeds: Sequence[int] = (0,), **options: Unpack[DrawingOptions]) -> Accuracy:
    """The base's accuracy over every class in every style family, one picture for each seed."""
    images, classes, families = [], [], []
    cells = [(c, f) for c in range(len(CLASS_NAMES)) for f in range(1, len(STYLE_FAMILIES))]
    with Studio(shipped.PIPELINE) as studio, Ticker("measure", len(cells) * len(seeds)) as ticker:
        for number, (class_index, family) in enumerate(cells):
            prompt = caption(CLASS_NAMES[class_index], STYLE_FAMILIES[family])
            cell_seeds = [seed * len(cells) + number for seed in seeds]
            for picture in studio.generate(prompt, cell_seeds, batch=10, **options):
                images.append(image_to_tensor(picture.image))
                classes.append(class_index)
                families.append(family)
                ticker.advance()
    return accuracy(probe, torch.stack(images), torch.tensor(classes), torch.tensor(families))
