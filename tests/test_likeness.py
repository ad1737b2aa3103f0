"""How alike LoRAs and concepts are, and rank correlations of it."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from judge.paper.items.check_1 import beyond
from judge.paper.likeness import Likeness
from judge.paper.rank_correlations import correlation, correlation_beyond, success_by_concept
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.similarity import cosines, gram


def _adapter(seed, rank, layers=("a", "b")):
    generator = torch.Generator().manual_seed(seed)
    return Adapter(
        {
            name: Factors(torch.randn(rank, 6, generator=generator), torch.randn(5, rank, generator=generator))
            for name in layers
        }
    )


def test_inner_products_are_those_of_the_dense_updates():
    adapters = [_adapter(0, 2), _adapter(1, 3), _adapter(2, 1, ("b",))]
    dense = [{name: factors.dense().double() for name, factors in one.layers.items()} for one in adapters]
    expected = [[sum(float((a[n] * b[n]).sum()) for n in a if n in b) for b in dense] for a in dense]
    assert gram(adapters).numpy() == pytest.approx(np.array(expected), rel=1e-5, abs=1e-5)


def test_an_update_is_like_itself_however_its_factors_are_turned():
    one = _adapter(0, 3)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(9)))[0]
    turned = Adapter({name: Factors(turn.T @ of.down * 2, of.up @ turn) for name, of in one.layers.items()})
    nothing = Adapter({name: Factors(of.down * 0, of.up) for name, of in one.layers.items()})
    table = cosines([one, turned, nothing])
    assert float(table[0, 1]) == pytest.approx(1, abs=1e-5)
    assert table[2].tolist() == [0, 0, 0]


def test_convolutions_are_compared_too():
    factors = Factors(torch.ones(1, 2, 3, 3), torch.ones(4, 1, 1, 1))
    assert float(gram([Adapter({"conv": factors})])[0, 0]) == pytest.approx(factors.energy)


def test_diversity_counts_what_has_nothing_in_common():
    blocks = np.kron(np.eye(3), np.ones((2, 2)))  # three kinds, two of each
    alike = Likeness(list("abcdef"), blocks, np.eye(6))
    assert alike.diversity(alike.names, "by_lora") == pytest.approx(3)
    assert alike.diversity(alike.names, "by_pictures") == pytest.approx(6)
    assert alike.nearest("a", alike.names, "by_lora") == ("b", 0.0)
    assert alike.mean_distance("a", ["a", "b", "c"], "by_lora") == pytest.approx(0.5)


def test_a_sample_that_lies_farther_is_told_and_an_equal_one_is_not():
    near, far = [0.1, 0.12, 0.11, 0.09], [0.5, 0.55, 0.6, 0.52]
    assert beyond(far, near).low > 0.3
    same = beyond(near, near)
    assert same.low < 0 < same.high


def _grid(effect, noise):
    """Values of a grid of ten and six whose rows follow ``effect`` times a distance, with noise."""
    rng = np.random.default_rng(0)
    distances = {f"c{number}": float(number) for number in range(10)}
    values = {
        (content, f"s{style}"): effect * distance + noise * float(rng.normal())
        for content, distance in distances.items()
        for style in range(6)
    }
    return distances, values


def test_rho_is_spearmans_with_an_interval_around_it():
    distances, values = _grid(-0.3, 1.0)
    rho, means = correlation(distances, values, 0), success_by_concept(values, 0)
    assert rho.value == pytest.approx(spearmanr([distances[name] for name in means], list(means.values())).statistic)
    assert rho.low < rho.value < 0 and rho.high < 0


def test_what_is_noise_alone_is_not_told_from_none_and_less_than_what_is_not():
    distances, noise = _grid(0, 1.0)
    rho = correlation(distances, noise, 0)
    assert rho.low < 0 < rho.high
    _, strong = _grid(1.0, 0.1)
    assert correlation_beyond(distances, strong, noise, 0).low > 0


def test_the_other_side_is_read_the_other_way_round():
    distances, values = _grid(-0.3, 0.5)
    turned = {(b, a): value for (a, b), value in values.items()}
    assert correlation(distances, turned, 1).value == correlation(distances, values, 0).value


def test_what_comes_out_alike_everywhere_has_no_rho():
    distances, values = _grid(0, 0)
    assert correlation(distances, values, 0) is None
    assert correlation_beyond(distances, _grid(1, 0)[1], values, 0) is None
