"""Merges in core space against their definition on dense matrices, with peft's rules on the cores."""

import pytest
import torch
from peft.utils import merge_utils as peft

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods import MergeInputs, method_named
from lorarar.merging.methods.core_space import CoreSpace
from lorarar.merging.methods.pruning import _seed
from lorarar.merging.recipe import Recipe
from lorarar.util.errors import MethodError

LAYER = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
RANKS = (3, 2, 4)
WEIGHTS = (0.7, 0.4, -1.3)
RULES = {"ties": peft.ties, "dare": peft.dare_linear, "dare-ties": peft.dare_ties}


def updates(count=2, rows=30, columns=20, kernel=()):
    generator = torch.Generator().manual_seed(0)
    return [
        Factors(
            torch.randn((rank, columns, *kernel), generator=generator),
            torch.randn((rows, rank, *[1] * len(kernel)), generator=generator),
        )
        for rank in RANKS[:count]
    ]


def merged(name, factors, *, rank=None, **options):
    adapters = [Adapter({LAYER: one}, f"lora-{place}") for place, one in enumerate(factors)]
    given = {"weights": WEIGHTS[: len(factors)], "density": 0.5, "form": "delta", "space": "core"} | options
    return method_named(name).run(adapters, MergeInputs(rank=rank), given)


def by_definition(rule, factors, weights, density):
    """U rule(U' dW_k V) V', with singular vectors of the factors beside each other; dense, in double precision."""
    left = torch.linalg.svd(torch.cat([one.up.double() for one in factors], 1), full_matrices=False)[0]
    right = torch.linalg.svd(torch.cat([one.down.double() for one in factors], 0), full_matrices=False)[2]
    cores = [left.T @ one.dense().double() @ right.T for one in factors]
    return left @ rule(cores, torch.tensor(weights).double(), density) @ right


@pytest.mark.filterwarnings("ignore:The density")
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(("rows", "columns"), [(30, 20), (20, 30), (4, 25), (25, 4)])
def test_a_merge_in_core_space_is_its_definition(name, count, rows, columns):
    factors = updates(count, rows, columns)
    density = 0.5 if name == "ties" else 1.0  # masks depend on the signs of singular vectors, which are anyone's
    blend = merged(name, factors, density=density)
    wanted = by_definition(RULES[name], factors, WEIGHTS[:count], density)
    torch.testing.assert_close(blend.layers[LAYER].dense().double(), wanted, rtol=1e-4, atol=1e-4)
    assert blend.layers[LAYER].rank <= sum(RANKS[:count])
    assert blend.energy.lost == 0


@pytest.mark.parametrize("name", ["dare", "dare-ties"])
def test_masks_in_core_space_are_pefts_of_the_layers_seed(name):
    factors = updates()
    space = CoreSpace.of(factors)
    with torch.random.fork_rng():
        torch.manual_seed(_seed(0, LAYER))
        core = RULES[name](list(space.cores), torch.tensor(WEIGHTS[:2]), 0.5)
    wanted = space.left @ core @ space.right.T
    torch.testing.assert_close(merged(name, factors).layers[LAYER].dense(), wanted)


@pytest.mark.parametrize("kernel", [(), (3, 3)])
def test_every_update_is_its_core_between_orthonormal_bases(kernel):
    factors = updates(3, 12, 10, kernel)
    space = CoreSpace.of(factors)
    for basis in (space.left, space.right):
        torch.testing.assert_close(basis.T @ basis, torch.eye(basis.shape[1]), atol=1e-5, rtol=0)
    for core, one in zip(space.cores, factors, strict=True):
        torch.testing.assert_close(space.update(core).dense(), one.dense(), rtol=1e-4, atol=1e-4)


def test_loras_of_the_same_directions_need_no_more_than_those():
    one = updates(1)[0]
    blend = merged("dare", [one, one], weights=(1.0, 1.0), density=1.0)
    torch.testing.assert_close(blend.layers[LAYER].dense(), 2 * one.dense(), rtol=1e-4, atol=1e-4)


def test_a_rank_cuts_a_merge_in_core_space_as_well_as_any():
    whole, cut = (merged("ties", updates(), rank=rank) for rank in (None, 2))
    values = torch.linalg.svdvals(whole.layers[LAYER].dense())
    assert cut.layers[LAYER].rank == 2
    assert cut.energy.share == pytest.approx(float((values[2:] ** 2).sum() / (values**2).sum()), rel=1e-3)


@pytest.mark.parametrize("name", RULES)
def test_core_space_and_pruned_factors_are_refused_together_before_anything_is_read(name):
    with pytest.raises(MethodError, match="--form factors and --space core exclude each other"):
        Recipe(method_named(name), Base("x", "x"), {"form": "factors", "space": "core"})


def test_merges_for_bases_with_large_layers_are_known_as_cut_otherwise_than_before(tiny_folder):
    def options(base, **given):
        return Recipe(method_named("ties"), base, given).resolved_options()

    small, unknown = Base(str(tiny_folder), str(tiny_folder)), Base("x", "nobody/nothing")
    assert options(small) == {"seed": 0, "weights": [1.0, 1.0], "density": 0.5, "form": "delta"}
    assert options(unknown) == options(small) | {"cut": "subspace"}
    assert options(unknown, form="factors") == options(small, form="factors")
    assert options(small, space="core") == options(unknown, space="core") == options(small) | {"space": "core"}
    assert "cut" not in Recipe(method_named("direct"), unknown).resolved_options()
