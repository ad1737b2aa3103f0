"""TSV-M, Iso-C and KnOTS against their definitions on dense matrices in double precision, and what holds of them."""

import numpy as np
import pytest
import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.truncation import Energy
from lorarar.merging.methods import METHODS, MergeInputs

LAYER = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
NAMES = ("tsv", "iso", "knots")
RANKS, WEIGHTS = (3, 2, 4), (0.7, -0.4, 1.3)
SHAPES = [
    (30, 20, ()),
    (20, 30, ()),
    (12, 5, (3, 3)),
    (4, 25, ()),
    (25, 4, ()),
]  # the last two have less than the ranks


def updates(count=2, rows=30, columns=20, kernel=(), dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    return [Factors(random(rank, columns, *kernel), random(rows, rank, *[1] * len(kernel))) for rank in RANKS[:count]]


def merged(name, factors, *, rank=None, weights=None, density=0.5):
    adapters = [Adapter({LAYER: one}, f"lora-{place}") for place, one in enumerate(factors)]
    given = {"weights": weights or (1.0,) * len(factors), "density": density}
    own = {option.name: given[option.name] for option in METHODS[name].options}
    result = METHODS[name].run(adapters, MergeInputs(rank=rank), own)
    return result.layers[LAYER], result.energy


def matrix(factors):
    """The dense update (m, n) in double precision."""
    return factors.up.flatten(1).double().numpy() @ factors.down.flatten(1).double().numpy()


def svd(dense):
    """The singular value decomposition, without what is zero but for rounding."""
    left, values, right = np.linalg.svd(dense, full_matrices=False)
    rank = int((values > 1e-10 * values.max()).sum())
    return left[:, :rank], values[:rank], right[:rank]


def dense_tsv(dense, weights, density):
    """P(U) S P(V)', by polar factors X (X'X)^-1/2, of which the root is a pseudo-inverse where X'X has none."""

    def polar(stacked):
        values, vectors = np.linalg.eigh(stacked.T @ stacked)
        roots = np.array([value**-0.5 if value > 1e-10 else 0.0 for value in values])
        return stacked @ vectors @ np.diag(roots) @ vectors.T

    parts = [svd(weight * one) for weight, one in zip(weights, dense, strict=True)]
    left, right = np.hstack([part[0] for part in parts]), np.vstack([part[2] for part in parts])
    return polar(left) @ np.diag(np.concatenate([part[1] for part in parts])) @ polar(right.T).T


def dense_iso(dense, weights, density):
    left, values, right = svd(sum(weight * one for weight, one in zip(weights, dense, strict=True)))
    return left @ np.diag(np.full_like(values, values.sum() / len(values))) @ right


def dense_knots(dense, weights, density):
    """TIES of S V', an element at a time."""
    left, values, right = svd(np.hstack(dense))
    parts = np.split(values[:, None] * right, len(dense), axis=1)
    for part in parts:
        smallest = np.sort(np.abs(part), axis=None)[::-1][int(density * part.size) - 1]
        part[np.abs(part) < smallest] = 0
    both = np.zeros_like(parts[0])
    for place in np.ndindex(both.shape):
        sign = 1 if sum(part[place] for part in parts) >= 0 else -1
        agreeing = [w * part[place] for w, part in zip(weights, parts, strict=True) if part[place] * sign > 0]
        both[place] = sum(agreeing) / max(len(agreeing), 1)
    return left @ both


DEFINITIONS = {"tsv": dense_tsv, "iso": dense_iso, "knots": dense_knots}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(("rows", "columns", "kernel"), SHAPES)
def test_a_merge_is_its_definition_on_dense_updates(name, count, rows, columns, kernel):
    factors = updates(count, rows, columns, kernel)
    blend, energy = merged(name, factors, weights=WEIGHTS[:count])
    wanted = DEFINITIONS[name]([matrix(one) for one in factors], WEIGHTS[:count], 0.5)
    assert blend.shape == (rows, columns, *kernel)
    np.testing.assert_allclose(matrix(blend), wanted, atol=1e-9)
    assert blend.rank == min(sum(RANKS[:count]), *wanted.shape)
    assert energy == Energy()


@pytest.mark.parametrize("name", NAMES)
def test_loras_in_half_precision_are_merged_in_single(name):
    factors = updates(3, dtype=torch.float16)
    wanted = DEFINITIONS[name]([matrix(one) for one in factors], WEIGHTS, 1.0)
    blend, _ = merged(name, factors, weights=WEIGHTS, density=1.0)
    assert blend.down.dtype == torch.float32
    np.testing.assert_allclose(matrix(blend), wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_loras_does_not_count_and_their_strength_is_the_merges(name):
    factors = updates(3)
    blend, _ = merged(name, factors, weights=WEIGHTS)
    turned, _ = merged(name, factors[::-1], weights=WEIGHTS[::-1])
    np.testing.assert_allclose(matrix(turned), matrix(blend), atol=1e-9)
    strong, _ = merged(name, [Factors(8 * one.down, one.up) for one in factors], weights=WEIGHTS)
    np.testing.assert_allclose(matrix(strong), 8 * matrix(blend), atol=1e-8)
    weak, _ = merged(name, factors, weights=tuple(-0.25 * weight for weight in WEIGHTS))
    np.testing.assert_allclose(matrix(weak), -0.25 * matrix(blend), atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_another_spelling_of_a_lora_is_the_same_merge(name):
    """B R, R^-1 A is the same update, and so is one with empty ranks."""
    factors = updates()
    turn = torch.linalg.qr(torch.arange(9.0, dtype=torch.float64).reshape(3, 3).cos())[0] * 5
    one = Factors(torch.linalg.inv(turn) @ factors[0].down, factors[0].up @ turn)
    two = factors[1]
    padded = Factors(torch.cat([two.down, 0 * two.down]), torch.cat([two.up, two.up], dim=1))
    spelt, _ = merged(name, [one, padded], weights=(0.7, 1.3))
    plain, _ = merged(name, factors, weights=(0.7, 1.3))
    np.testing.assert_allclose(matrix(spelt), matrix(plain), atol=1e-9)
    assert spelt.rank == plain.rank


def test_tsv_has_the_singular_values_of_all_updates_and_sums_those_that_share_no_direction():
    factors = updates(3)
    blend, _ = merged("tsv", factors, weights=WEIGHTS)
    each = np.concatenate([abs(w) * svd(matrix(one))[1] for w, one in zip(WEIGHTS, factors, strict=True)])
    np.testing.assert_allclose(svd(matrix(blend))[1], np.sort(each)[::-1])
    left, right = (torch.linalg.qr(torch.randn(side, 9, dtype=torch.float64))[0] for side in (30, 20))
    apart = [
        Factors((torch.rand(3, 1) + 0.1) * right[:, some].T, left[:, some])
        for some in (slice(0, 3), slice(3, 6), slice(6, 9))
    ]
    blend, _ = merged("tsv", apart, weights=WEIGHTS)
    np.testing.assert_allclose(matrix(blend), sum(w * matrix(one) for w, one in zip(WEIGHTS, apart, strict=True)))


def test_iso_keeps_the_sum_of_singular_values_and_has_them_all_alike():
    factors = updates(3)
    blend, _ = merged("iso", factors, weights=WEIGHTS)
    left, values, _ = svd(matrix(blend))
    of_sum, wanted, _ = svd(sum(w * matrix(one) for w, one in zip(WEIGHTS, factors, strict=True)))
    assert len(values) == sum(RANKS)
    np.testing.assert_allclose(values, wanted.mean())
    np.testing.assert_allclose(left @ left.T, of_sum @ of_sum.T, atol=1e-9)


def test_the_same_lora_twice():
    """By tsv and knots it is the LoRA itself; by iso the rank is that of the sum."""
    one = updates()[0]
    for name in ("tsv", "knots"):
        blend, _ = merged(name, [one, one], density=1.0)
        np.testing.assert_allclose(matrix(blend), matrix(one), atol=1e-9)
    blend, _ = merged("iso", [one, one])
    assert blend.rank == 3
    np.testing.assert_allclose(svd(matrix(blend))[1], 2 * svd(matrix(one))[1].mean())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_updates_of_zero_and_those_that_cancel_each_other(name, dtype):
    one, two = updates(2, dtype=dtype)
    nothing = Factors(0 * two.down, two.up)
    blend, _ = merged(name, [one, nothing], density=1.0)
    alone = matrix(one) if name != "iso" else dense_iso([matrix(one)], (1.0,), 1.0)
    np.testing.assert_allclose(matrix(blend), alone, rtol=1e-3, atol=1e-5)
    for pair, weights in (([nothing, nothing], (1.0, 1.0)), ([one, two], (0.0, 0.0))):
        blend, energy = merged(name, pair, weights=weights)
        assert blend.shape == one.shape
        assert not matrix(blend).any()
        assert energy.share == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_rounding_leaves_of_loras_that_cancel_each_other_is_no_rank_of_an_iso_merge(dtype):
    one, two = updates(2, dtype=dtype)
    both = Factors(torch.cat([one.down, two.down]), torch.cat([one.up, two.up], dim=1))
    blend, _ = merged("iso", [one, one], weights=(1.0, -1.0))
    assert (blend.rank, matrix(blend).any()) == (1, False)
    blend, _ = merged("iso", [both, one], weights=(0.5, -0.5))
    assert blend.rank == two.rank
    np.testing.assert_allclose(matrix(blend), dense_iso([matrix(two)], (0.5,), 1.0), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_rank_cuts_the_merge_to_its_best_approximation(name):
    (whole, _), (cut, energy) = merged(name, updates()), merged(name, updates(), rank=2)
    values = svd(matrix(whole))[1]
    assert cut.rank == 2
    assert ((matrix(whole) - matrix(cut)) ** 2).sum() == pytest.approx((values[2:] ** 2).sum())
    assert energy.share == pytest.approx((values[2:] ** 2).sum() / (values**2).sum())
