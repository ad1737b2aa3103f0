"""What a base cannot learn from is refused before the first step, and leaves the base as it was."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from lorarar.lora.adapter import Adapter
from lorarar.pictures.concepts import Concept
from lorarar.pictures.images import write_png
from lorarar.training.checks import words_beyond
from lorarar.training.lesson import Lesson
from lorarar.training.lora import LoraDenoising, train_lora
from lorarar.training.merging_loss import prepare_concepts
from lorarar.training.options import LORA, LoraOptions
from lorarar.util.errors import TrainingError
from lorarar.util.seeds import LARGEST

from .conftest import random_adapter

WHOLE = "a dog " * 11  # 22 tokens and both ends: as many as the tiny base takes
OPTIONS = LoraOptions(rank=2, steps=2, rate=1e-2)


def lesson(prompt="a sks dog"):
    return Lesson(torch.zeros(1, 3, 16, 16), prompt)


def test_a_prompt_that_is_cut_off_is_refused_with_the_words(tiny):
    assert words_beyond(tiny, WHOLE) == ""
    assert words_beyond(tiny, WHOLE + "in watercolor style") == "in watercolor style"
    keys = tiny.unet.state_dict().keys()
    with pytest.raises(TrainingError, match="'in watercolor style' would be cut off"):
        LoraDenoising(tiny, [lesson(), lesson(WHOLE + "in watercolor style")], OPTIONS)
    assert tiny.unet.state_dict().keys() == keys


def test_a_concept_whose_prompt_is_cut_off_is_refused(tiny, tmp_path):
    picture = write_png(Image.new("RGB", (16, 16)), tmp_path / "1.png")
    concept = Concept("dog", Adapter(random_adapter(2, 0).layers), (picture,), WHOLE + "in oil")
    with pytest.raises(TrainingError, match="'in oil' would be cut off"):
        prepare_concepts(tiny, [concept], 16)
    prepare_concepts(tiny, [replace(concept, prompt=WHOLE)], 16)


def test_a_rank_above_every_layers_own_is_refused(tiny):
    with pytest.raises(TrainingError, match="--rank is 33; accepted is up to 32"):
        LoraDenoising(tiny, [lesson()], replace(OPTIONS, rank=33))
    LoraDenoising(tiny, [lesson()], replace(OPTIONS, rank=32)).close()


def test_the_largest_seed_trains(tiny):
    options = LORA.read("the training", {"seed": str(LARGEST), "rank": "2", "steps": "2"})
    assert options.seed == LARGEST
    one, other = (train_lora(tiny, [lesson()], replace(options, seed=seed)) for seed in (LARGEST, LARGEST - 1))
    layer = next(iter(one.layers))
    assert not torch.equal(one.layers[layer].down, other.layers[layer].down)
