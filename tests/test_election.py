"""Keeping and electing, to the bit those of peft's own merge functions."""

import pytest
import torch
from peft.utils import merge_utils as peft

from lorarar.merging.methods.election import add, elect, keep_at_random, keep_largest

WEIGHTS = (0.7, -0.4, 1.3)


def tensors(count=3, seed=0, shape=(31, 47)):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for _ in range(count)]


def coarse(seed, shape=(40, 30)):
    """Elements of seven sizes, nearly all of them equal to others."""
    return torch.randint(-3, 4, shape, generator=torch.Generator().manual_seed(seed)).float()


CASES = {
    "all different": tensors(1)[0],
    "many equal": coarse(0),
    "all equal": torch.full((20, 30), -0.25),
    "zeros": torch.zeros(8, 9),
    "mostly zeros": tensors(1)[0] * (tensors(1, seed=1)[0] > 1.5),
    "a convolution": tensors(1, shape=(8, 6, 3, 3))[0],
    "transposed": tensors(1)[0].T,
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("density", [1e-5, 0.1, 0.5, 0.77, 1.0])
@pytest.mark.filterwarnings("ignore:The density")
def test_the_largest_elements_are_those_that_peft_keeps_ties_included(case, density):
    update = CASES[case]
    assert torch.equal(keep_largest(update, density), peft.prune(update, density, "magnitude"))


@pytest.mark.parametrize("density", [0.1, 0.5, 0.9])
def test_random_masks_are_those_of_peft(density):
    update = tensors(1)[0]
    ours = keep_at_random(update, density, torch.Generator().manual_seed(5))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        assert torch.equal(ours, peft.prune(update, density, "random", rescale=True))


@pytest.mark.parametrize("count", [2, 3])
def test_whole_rules_are_pefts_to_the_bit(count):
    updates, weights = [*tensors(count - 1), coarse(3, (31, 47))], WEIGHTS[:count]
    kept = [keep_largest(update, 0.4) for update in updates]
    assert torch.equal(elect(kept, weights), peft.ties(updates, torch.tensor(weights), 0.4))
    masks = torch.Generator().manual_seed(2)
    kept = [keep_at_random(update, 0.4, masks) for update in updates]
    for ours, theirs in ((add, peft.dare_linear), (elect, peft.dare_ties)):
        with torch.random.fork_rng():
            torch.manual_seed(2)
            assert torch.equal(ours(kept, weights), theirs(updates, torch.tensor(weights), 0.4))


def test_nothing_that_is_kept_of_is_changed():
    updates = tensors()
    before = [update.clone() for update in updates]
    elect([keep_largest(update, 0.5) for update in updates], WEIGHTS)
    add([keep_at_random(update, 0.5, torch.Generator()) for update in updates], WEIGHTS)
    add([keep_largest(update, 1.0) for update in updates], (1.0, 1.0, 1.0))
    assert all(map(torch.equal, updates, before))
