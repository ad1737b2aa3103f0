import pytest
import torch

from lorarar.lora.adapter import Factors
from lorarar.lora.truncation import EXACT_SIDE, by_subspace, factorise, truncate


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


def spectrum(name, rank):
    place = torch.arange(1, rank + 1).float()
    return {"even": torch.ones(rank), "slowly falling": place**-0.5, "steep": torch.exp(-place / 2)}[name]


def noisy_pair(shape, name, noise, rank=20):
    """Two updates with singular values of this form, of which a random part of the elements is left: (update, B)."""
    generator = torch.Generator().manual_seed(1)
    ups, whole = [], torch.zeros(shape)
    for _ in range(2):
        up, right = (torch.linalg.qr(torch.randn(side, rank, generator=generator))[0] for side in shape)
        ups.append(up)
        whole += (up * spectrum(name, rank)) @ right.T * (torch.rand(shape, generator=generator) > noise)
    return whole, torch.cat(ups, dim=1)


@pytest.mark.parametrize("shape", [(320, 300), (300, 410)])
@pytest.mark.parametrize("name", ["even", "slowly falling", "steep"])
@pytest.mark.parametrize("noise", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("rank", [40, 25])
def test_a_large_update_is_cut_from_its_factors_as_well_as_by_all_its_eigenvectors(shape, name, noise, rank):
    update, start = noisy_pair(shape, name, noise)
    assert by_subspace(min(shape), start.shape[1])
    values = torch.linalg.svdvals(update.double())
    best = float((values[rank:] ** 2).sum() / (values**2).sum())
    cut, energy = factorise(update, rank, start)
    assert cut.rank == rank
    assert best - 1e-5 < energy.share < best + 1e-3
    left = torch.linalg.vector_norm(update - cut.dense()) / torch.linalg.vector_norm(update)
    assert energy.share == pytest.approx(float(left) ** 2, abs=1e-4)


def test_a_start_that_is_far_off_costs_steps_and_no_energy():
    update, _ = noisy_pair((320, 300), "slowly falling", 0.5)
    _, exact = factorise(update, 40)
    _, lost = factorise(update, 40, torch.eye(320)[:, :40])
    assert lost.share == pytest.approx(exact.share, abs=1e-3)


def test_small_updates_and_ranks_that_the_start_does_not_reach_keep_their_bits():
    update, start = noisy_pair((EXACT_SIDE, 300), "even", 0.5)
    for matrix, rank, begin in (
        (update, 40, start),
        (noisy_pair((320, 300), "even", 0.5)[0], 60, torch.eye(320)[:, :40]),
    ):
        assert torch.equal(factorise(matrix, rank)[0].up, factorise(matrix, rank, begin)[0].up)


@pytest.mark.parametrize("update", [torch.zeros(300, 320), torch.ones(300, 320)])
def test_a_large_update_of_less_rank_than_it_is_cut_to_loses_nothing(update):
    cut, energy = factorise(update, 40, torch.zeros(300, 40))
    torch.testing.assert_close(cut.dense(), update, rtol=1e-4, atol=1e-5)
    assert energy.share == pytest.approx(0.0, abs=1e-5)
