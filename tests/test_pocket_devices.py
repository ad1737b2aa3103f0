"""Pocket's trainings on a device other than the processor's, which the meta device stands for: no GPU is needed.

What a batch holds has to lie where the model does, and a loss to be computed from nothing that lies elsewhere. The
meta device computes shapes alone, so that whatever reads a value back, which makes a GPU wait, fails here too.
"""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from transformers import SiglipVisionModel

from judge.pocket.augmentations import BankPictures
from judge.pocket.bank import Bank
from judge.pocket.clip import ClipObjective, new_clip
from judge.pocket.critic import new_critic, new_tokenizer
from judge.pocket.critic_training import CriticObjective
from judge.pocket.dino import DinoObjective, new_dino
from judge.pocket.pairs import EasyPairs, Pairs
from judge.pocket.question_pool import QuestionPool
from judge.pocket.vision_tower import CONFIG as TOWER
from judge.pocket.vision_tower import VisionTowerObjective
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.stages.base import BaseObjective
from lorarar.pocket.stages.probe import ProbeObjective
from lorarar.pocket.stages.vae import CONFIG as VAE
from lorarar.pocket.stages.vae import VaeObjective
from lorarar.pocket.text_encoders import write_tokenizer
from lorarar.pocket.training_pictures import SIDE, STYLE_FAMILIES, TrainingPictures


def labels(count, size):
    return np.arange(size) % count


@pytest.fixture(scope="module")
def bank():
    """A plain picture and one in each of two looks of every family, of each of eight designs of four classes."""
    looks = 1 + 2 * (len(STYLE_FAMILIES) - 1)
    size = 8 * looks
    look = labels(looks, size)
    pixels = np.random.default_rng(0).integers(0, 256, (size, SIDE, SIDE, 3), np.uint8)
    design = np.arange(size) // looks
    knobs = np.linspace(0, 1, 5 * looks).reshape(looks, 5)
    return Bank(pixels, pixels, design, design // 2, (look + 1) // 2, look, knobs, np.array(CLASS_NAMES))


@pytest.fixture(scope="module")
def pictures():
    pixels = np.zeros((20, SIDE, SIDE, 3), np.uint8)
    return TrainingPictures(pixels, labels(4, 20), labels(3, 20))


def critic_objective(bank, pictures, folder):
    tokenizer = new_tokenizer(folder)
    return CriticObjective(
        new_critic(tokenizer), tokenizer, Pairs(bank), BankPictures(bank), QuestionPool(tokenizer, 1), 4
    )


def easy_objective(bank, pictures, folder):
    tokenizer = new_tokenizer(folder)
    return CriticObjective(
        new_critic(tokenizer), tokenizer, EasyPairs(bank), BankPictures(bank), QuestionPool(tokenizer, 1), 4
    )


def tower_objective(bank, pictures, folder):
    return VisionTowerObjective(new_critic(new_tokenizer(folder)), bank, BankPictures(bank))


def clip_objective(bank, pictures, folder):
    tokenizer = write_tokenizer(folder)
    return ClipObjective(new_clip(tokenizer), tokenizer, bank, BankPictures(bank), 6)


def dino_objective(bank, pictures, folder):
    return DinoObjective(new_dino(SiglipVisionModel(TOWER)), bank, BankPictures(bank), 4)


def base_objective(bank, pictures, folder):
    return BaseObjective(torch.zeros(2, 20, 4, 16, 16).half(), pictures, write_tokenizer(folder), 2)


def vae_objective(bank, pictures, folder):
    return VaeObjective(AutoencoderKL(**VAE), pictures, 2)


def probe_objective(bank, pictures, folder):
    return ProbeObjective(pictures)


@pytest.mark.parametrize(
    "make",
    [
        critic_objective,
        easy_objective,
        tower_objective,
        clip_objective,
        dino_objective,
        base_objective,
        vae_objective,
        probe_objective,
    ],
)
def test_batches_lie_where_the_model_does(bank, pictures, tmp_path, make):
    objective = make(bank, pictures, tmp_path).to("meta")
    batch = objective.batch(torch.Generator().manual_seed(0))
    assert {part.device.type for part in batch} == {"meta"}
    loss = objective(*batch)
    loss.backward()
    assert (loss.shape, loss.device.type) == ((), "meta")
