"""One of several processes that train together: ``python -m tests.together FOLDER``, as accelerate launches it.

The folder has ``base``, and ``contents`` and ``styles`` with their pictures; results go there, each by its kind.
"""

import sys
from pathlib import Path

import torch

from lorarar.families import find_base
from lorarar.pictures.concepts import read_concepts
from lorarar.training.hypernet import train_hypernet
from lorarar.training.lesson import Lesson
from lorarar.training.lora import train_lora
from lorarar.training.options import HypernetOptions, LoraOptions, ZipOptions
from lorarar.training.pair_coefficients import train_coefficients
from lorarar.training.place import TrainingPlace
from lorarar.training.setup import load_for_training

PARTS = ("query", "output", "feed-forward")
RATE = 1e-4  # a step moves a weight by up to so much, however small its gradient, of which much may be rounding


def train_all(folder, batch):
    """What each kind of training ends with, as tensors by name, at this many samples a step and process."""
    accelerator = TrainingPlace(device="cpu").accelerator()
    pipeline = load_for_training(find_base(str(folder / "base")), accelerator)
    contents, styles = (read_concepts(folder / side) for side in ("contents", "styles"))
    settings = {"accelerator": accelerator}
    options = HypernetOptions(hidden=8, parts=PARTS, others="sum", steps=6, rate=RATE, batch=batch)
    network = train_hypernet(pipeline, contents, styles, options, side=16, **settings)
    zipped = train_coefficients(
        pipeline, contents[0], styles[0], ZipOptions(steps=4, rate=RATE, batch=batch), side=16, **settings
    )
    lessons = [Lesson.read(one.images, one.prompt, 16) for one in (contents[0], styles[0])]
    lora = train_lora(pipeline, lessons, LoraOptions(rank=2, steps=4, rate=RATE, batch=batch), **settings)
    return accelerator, {
        "hypernet": {name: weight.detach() for name, weight in network.state_dict().items()},
        "ziplora": {f"{layer}.{side}": pair[side] for layer, pair in zipped.items() for side in (0, 1)},
        "lora": {layer: factors.dense() for layer, factors in lora.layers.items()},
    }


if __name__ == "__main__":
    place = Path(sys.argv[1])
    torch.set_num_threads(1)
    process, results = train_all(place, 1)
    torch.save(results, place / f"{process.process_index}-of-{process.num_processes}.pt")
