import pytest
import torch

from lorarar.lora.adapter import Factors
from lorarar.lora.truncation import factorise, truncate


def factors(rows, columns, rank, kernel=(), seed=0):
    generator = torch.Generator().manual_seed(seed)
    down = torch.randn((rank, columns, *kernel), generator=generator)
    return Factors(down, torch.randn((rows, rank, *[1] * len(kernel)), generator=generator))


SHAPES = [(12, 20, ()), (20, 12, ()), (12, 10, (3, 3))]


@pytest.mark.parametrize(("rows", "columns", "kernel"), SHAPES)
@pytest.mark.parametrize("rank", [1, 3, 5, 9])
def test_both_ways_are_the_best_approximation_and_say_what_they_lost(rows, columns, kernel, rank):
    update = factors(rows, columns, 6, kernel)
    matrix = update.dense().flatten(1)
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    best = (left[:, :rank] * values[:rank]) @ right[:rank]
    for cut, energy in (truncate(update, rank), factorise(update.dense(), rank)):
        assert cut.shape == update.shape
        assert cut.rank == min(rank, 6) or cut.rank == rank
        torch.testing.assert_close(cut.dense().flatten(1), best, rtol=1e-3, atol=1e-4)
        assert energy.whole == pytest.approx(float((matrix**2).sum()), rel=1e-4)
        assert energy.share == pytest.approx(float((values[rank:] ** 2).sum() / (values**2).sum()), abs=1e-5)


def test_energies_add_up():
    _, one = truncate(factors(8, 8, 4), 2)
    _, two = truncate(factors(8, 8, 4, seed=1), 2)
    both = one + two
    assert both.share == pytest.approx((one.lost + two.lost) / (one.whole + two.whole))


def test_an_update_of_zeros_loses_nothing():
    _, energy = factorise(torch.zeros(4, 4), 2)
    assert energy.share == 0.0
