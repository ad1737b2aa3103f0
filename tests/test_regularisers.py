"""The terms of Eq. 3, by themselves and at the sizes of true bases."""

import pytest
import torch

from lorarar.families import find_base
from lorarar.lora.adapter import part_of
from lorarar.lora.base_layers import layers_of
from lorarar.training.fidelities import FIDELITIES
from lorarar.training.merging_loss import MergingLoss
from lorarar.training.options import HypernetOptions, ZipOptions
from lorarar.training.regularisers import REGULARISERS, Penalty

SIDES = {"pocket": 16, "sdxl": 128}  # of the latents, with four channels
APART = 0.05  # root of the mean squared difference between a merge and a teacher, of LoRAs that change little


def starting_pairs(family):
    """Coefficients of one, for every query and output of a base's UNet."""
    shapes = [shape for layer, shape in layers_of(find_base(family)).items() if part_of(layer) in ("query", "output")]
    return [(torch.ones(shape[1]), torch.ones(shape[1])) for shape in shapes]


def predictions(family):
    """A merge's predictions and the teachers', for a content and a style."""
    teachers = torch.randn((2, 4, SIDES[family], SIDES[family]), generator=torch.Generator().manual_seed(0))
    return teachers + APART, teachers


def terms(family, regulariser, strength=0.01):
    """What the fidelity terms and the regulariser of Eq. 3 are before the first step."""
    without, all_of_it = (
        float(
            MergingLoss("l2", Penalty(REGULARISERS[regulariser], weight))(*predictions(family), starting_pairs(family))
        )
        for weight in (0.0, strength)
    )
    return without, all_of_it - without


def test_sdxl_has_the_columns_that_docs_and_help_count_with():
    pairs = starting_pairs("sdxl")
    assert (len(pairs), sum(len(m_c) for m_c, _ in pairs)) == (280, 332_800)


@pytest.mark.parametrize("family", SIDES)
def test_the_default_starts_a_tenth_of_the_fidelity_terms_at_every_size(family):
    fidelity, regulariser = terms(family, HypernetOptions().regulariser)
    assert fidelity == pytest.approx(2 * APART * (4 * SIDES[family] ** 2) ** 0.5, rel=1e-4)
    assert regulariser / fidelity == pytest.approx(0.01 / (2 * APART), rel=1e-3)


def test_eq_3_as_printed_starts_far_above_them_at_sdxls_size_and_the_cosine_below():
    fidelity, dot = terms("sdxl", "dot")
    assert dot == pytest.approx(3328, rel=1e-3)
    assert dot > 100 * fidelity
    assert terms("sdxl", "cosine")[1] == pytest.approx(2.8, rel=1e-3)
    whole = 2 * 2.8  # ZipLoRA's, of keys and values too
    assert ZipOptions().regulariser == "cosine"
    assert whole < fidelity


def random_pairs(widths=(5, 9, 2)):
    generator = torch.Generator().manual_seed(3)
    return [(torch.randn(n, generator=generator), torch.randn(n, generator=generator)) for n in widths]


def test_every_regulariser_is_its_formula():
    pairs, unit = random_pairs(), torch.tensor(7.0)
    products = [abs(sum(float(a) * float(b) for a, b in zip(m_c, m_s, strict=True))) for m_c, m_s in pairs]
    norms = [float(m_c.norm()) * float(m_s.norm()) for m_c, m_s in pairs]
    widths = [len(m_c) for m_c, _ in pairs]
    truths = {
        "mean-dot": 7 * sum(dot / n for dot, n in zip(products, widths, strict=True)) / len(pairs),
        "dot": sum(products),
        "cosine": sum(dot / norm for dot, norm in zip(products, norms, strict=True)),
    }
    assert truths.keys() == REGULARISERS.keys()
    for name, truth in truths.items():
        assert float(REGULARISERS[name](pairs, unit)) == pytest.approx(truth, rel=1e-5)


def test_the_default_is_the_same_for_twice_the_layers_and_twice_the_columns():
    pairs, unit = random_pairs(), torch.tensor(1.0)
    wider = [(torch.cat([m_c, m_c]), torch.cat([m_s, m_s])) for m_c, m_s in pairs]
    once = float(REGULARISERS["mean-dot"](pairs, unit))
    assert float(REGULARISERS["mean-dot"](pairs + pairs, unit)) == pytest.approx(once, rel=1e-5)
    assert float(REGULARISERS["mean-dot"](wider, unit)) == pytest.approx(once, rel=1e-5)
    assert float(REGULARISERS["dot"](wider + wider, unit)) == pytest.approx(4 * float(REGULARISERS["dot"](pairs, unit)))


@pytest.mark.parametrize("fidelity", FIDELITIES)
def test_the_default_is_in_the_unit_of_the_fidelity_terms(fidelity):
    """With predictions one apart in every value and coefficients of one, both grow alike with the latents' size."""
    ratios = []
    for side in (4, 64):
        zeros = torch.zeros((2, 4, side, side))
        without, all_of_it = (
            float(
                MergingLoss(fidelity, Penalty(REGULARISERS["mean-dot"], strength))(
                    zeros + 1, zeros, [(torch.ones(6), torch.ones(6))]
                )
            )
            for strength in (0.0, 1.0)
        )
        ratios.append((all_of_it - without) / without)
    assert ratios == pytest.approx([0.5, 0.5])
