"""The training of Pocket's base: growing a UNet, and rare tokens that mean nothing by themselves."""

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from lorarar.generation.denoisers.conditioning import Conditioning, square_time_ids
from lorarar.generation.denoisers.table import predict
from lorarar.pictures.prompts import RARE_TOKEN
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.growth import grow
from lorarar.pocket.stages.base import LAYERS, RARE_TOKENS, BaseObjective, new_unet
from lorarar.pocket.text_encoders import write_tokenizer
from lorarar.pocket.training_pictures import TrainingPictures


def unet(seed, **changes):
    torch.manual_seed(seed)
    return UNet2DConditionModel.from_config({**new_unet().config, **changes}).eval()


@torch.no_grad()
def prediction(model):
    generator = torch.Generator().manual_seed(3)
    text, pooled = torch.randn(2, 24, 128, generator=generator), torch.randn(2, 128, generator=generator)
    latents = torch.randn(2, 4, 16, 16, generator=generator)
    return predict(model, latents, torch.tensor([5, 900]), Conditioning.of_sdxl(text, pooled, square_time_ids(64, 2)))


def test_a_grown_unet_computes_what_the_smaller_one_does_and_its_new_layers_learn():
    small, large = unet(1, layers_per_block=LAYERS - 1), unet(2)

    grow(small, large)

    torch.testing.assert_close(prediction(large), prediction(small), rtol=0, atol=1e-6)
    noisy = torch.randn(2, 4, 16, 16)
    predict(
        large,
        noisy,
        torch.tensor([5, 900]),
        Conditioning.of_sdxl(torch.randn(2, 24, 128), torch.randn(2, 128), square_time_ids(64, 2)),
    ).square().mean().backward()
    for name in ("down_blocks.1.resnets.1.conv2", "up_blocks.0.resnets.1.conv2", "up_blocks.1.attentions.1.proj_out"):
        assert large.get_submodule(name).weight.grad.abs().max() > 0


def test_a_unet_of_other_widths_does_not_grow_into_this_one():
    with pytest.raises(ValueError, match="has no place of its shape"):
        grow(unet(1, layers_per_block=LAYERS - 1, block_out_channels=(32, 96, 160)), unet(2))
    with pytest.raises(ValueError, match="from one layer per block to two"):
        grow(unet(1), unet(2))


def test_a_third_of_captions_has_a_rare_token_before_the_class_half_of_them_the_one_that_loras_use(tmp_path):
    tokenizer = write_tokenizer(tmp_path)
    count = 200
    pictures = TrainingPictures(
        pixels=np.zeros((count, 64, 64, 3), np.uint8),
        classes=np.arange(count) % len(CLASS_NAMES),
        families=np.zeros(count, np.int64),
    )
    objective = BaseObjective(torch.zeros(2, count, 4, 16, 16), pictures, tokenizer, 3000)

    captions = tokenizer.batch_decode(objective.batch(torch.Generator().manual_seed(0))[2], skip_special_tokens=True)

    told = [caption.split() for caption in captions if caption]  # the others are dropped for guidance
    rare = [words[1] for words in told if words[1] in RARE_TOKENS]
    assert {words[0] for words in told} == {"a"}
    assert len(rare) / len(told) == pytest.approx(1 / 3, abs=0.03)
    assert rare.count(RARE_TOKEN) / len(rare) == pytest.approx(1 / 2, abs=0.06)
    assert set(rare) == set(RARE_TOKENS)
    assert {" ".join(words[2:] if words[1] in RARE_TOKENS else words[1:]) for words in told} == set(CLASS_NAMES)
