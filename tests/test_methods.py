"""Each method against its definition on dense matrices, and the pruning ones against peft itself."""

import math
from dataclasses import replace

import pytest
import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

from lorarar.families import Base
from lorarar.generation.input_moments import InputMoment
from lorarar.lora.adapter import Adapter, Factors, part_of
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.methods import METHODS, MergeInputs, method_named
from lorarar.merging.methods.pruning import _seed
from lorarar.merging.recipe import Recipe
from lorarar.util.errors import MethodError

from .conftest import random_adapter
from .test_layouts import everything

MANY = ("direct", "ties", "dare", "dare-ties", "np-lora", "tsv", "iso", "knots")  # from the files alone
CONTENT, STYLE = random_adapter(2, 0), random_adapter(3, 1)
LAYERS = sorted(CONTENT.layers)


OWN = {
    "weights": (1.0, 1.0),
    "density": 0.5,
    "form": "delta",
    "space": "update",
    "mu": 0.5,
    "ridge": 1e-4,
    "style_rank": None,
    "style_energy": 1.0,
    "coefficients": {},
    "key_value": "mean",
    "others": None,
    "means": False,
}


def moments_of(adapter):
    """Of random inputs of every layer."""
    return {name: InputMoment.of(torch.randn(9, one.down[0].numel())) for name, one in adapter.layers.items()}


def merged(name, content=CONTENT, style=STYLE, *, rank=None, seed=0, **options):
    """The method's merge; of the options those that it takes."""
    method = METHODS[name]
    own = {option.name: (OWN | options)[option.name] for option in method.options}
    if method.calibrated:
        own["moments"] = [moments_of(one) for one in (content, style)]
    return method.run((content, style), MergeInputs(rank=rank, seed=seed), own)


def relative(ours, theirs):
    return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs))


def only(adapter, layer):
    return replace(adapter, layers={layer: adapter.layers[layer]})


@pytest.mark.parametrize("name", MANY)
def test_weights_scale_each_side_and_ranks_add_up(name):
    half = merged(name, weights=(0.0, 0.5), mu=0.0, density=1.0)
    for layer in LAYERS:
        factors = half.layers[layer]
        assert factors.rank <= 5
        if name in ("direct", "np-lora", "dare", "tsv"):
            assert relative(factors.dense(), 0.5 * STYLE.layers[layer].dense()) < 1e-5


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if not method.columnwise])
def test_a_layer_of_one_side_alone_is_kept_times_its_weight(name):
    style = replace(STYLE, layers={layer: STYLE.layers[layer] for layer in LAYERS[1:]})
    blend = merged(name, style=style, weights=(0.25, 1.0))
    assert sorted(blend.layers) == LAYERS
    assert relative(blend.layers[LAYERS[0]].dense(), 0.25 * CONTENT.layers[LAYERS[0]].dense()) < 1e-6


def by_hand(name, updates, density, seed_of):
    """TIES and DARE from their papers' definitions, on dense updates."""
    kept = []
    if name == "ties":
        for update in updates:
            threshold = update.abs().flatten().sort(descending=True).values[int(density * update.numel()) - 1]
            kept.append(update * (update.abs() >= threshold))
    else:
        torch.manual_seed(seed_of)
        kept = [update * torch.bernoulli(torch.full_like(update, density)) / density for update in updates]
    stack = torch.stack(kept)
    if name == "dare":
        return stack.sum(0)
    elected = torch.where(stack.sum(0) >= 0, 1, -1)
    agreeing = stack.sign() == elected
    return (stack * agreeing).sum(0) / agreeing.sum(0).clamp(min=1)


@pytest.mark.parametrize("name", ["ties", "dare", "dare-ties"])
def test_pruning_is_the_papers_definition_when_no_rank_is_cut(name):
    layer = LAYERS[0]
    blend = merged(name, density=0.4, seed=7, rank=999)
    updates = [adapter.layers[layer].dense() for adapter in (CONTENT, STYLE)]
    assert relative(blend.layers[layer].dense(), by_hand(name, updates, 0.4, _seed(7, layer))) < 1e-5
    assert blend.energy.share < 1e-6


class OneLayer(torch.nn.Module):
    def __init__(self, rows, columns):
        super().__init__()
        self.linear = torch.nn.Linear(columns, rows, bias=False)

    def forward(self, x):
        return self.linear(x)


def peft_model(updates):
    """The factors as adapters of a peft model with one layer, by name."""
    (first, content), *others = updates.items()
    model = get_peft_model(OneLayer(*content.shape), LoraConfig(r=content.rank, target_modules=["linear"]), first)
    for name, factors in others:
        model.add_adapter(name, LoraConfig(r=factors.rank, target_modules=["linear"]))
    for name, factors in updates.items():
        layer = model.base_model.model.linear
        set_peft_model_state_dict(
            model,
            {
                "base_model.model.linear.lora_A.weight": factors.down,
                "base_model.model.linear.lora_B.weight": factors.up,
            },
            name,
        )
        layer.scaling[name] = 1.0
    return model


@pytest.fixture
def same_masks(monkeypatch):
    """Draw peft's masks from a generator of their own, which is to be seeded as ours is."""
    generator, bernoulli = torch.Generator(), torch.bernoulli
    monkeypatch.setattr(torch, "bernoulli", lambda p: bernoulli(p, generator=generator))
    return generator


@pytest.mark.parametrize(
    ("name", "form", "theirs"),
    [
        ("direct", "delta", "svd"),
        ("ties", "delta", "ties_svd"),
        ("dare", "delta", "dare_linear_svd"),
        ("dare-ties", "delta", "dare_ties_svd"),
        ("ties", "factors", "ties"),
        ("dare", "factors", "dare_linear"),
        ("dare-ties", "factors", "dare_ties"),
    ],
)
@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.7, 0.4), (0.7, 0.4, 1.3)])
def test_pefts_own_merging_gives_the_same(name, form, theirs, weights, same_masks):
    layer = LAYERS[0]
    adapters = [only(random_adapter(2, seed), layer) for seed in range(len(weights))]
    own = {"weights": weights, "form": form, "space": "update", "density": 0.5}
    method = METHODS[name].for_loras(len(weights))
    inputs = MergeInputs(rank=3 if form == "delta" else None)
    ours = method.run(adapters, inputs, {option.name: own[option.name] for option in method.options}).layers[layer]
    model = peft_model({str(place): adapter.layers[layer] for place, adapter in enumerate(adapters)})
    same_masks.manual_seed(_seed(0, layer))
    names = [str(place) for place in range(len(weights))]
    model.add_weighted_adapter(names, list(weights), "all", combination_type=theirs, svd_rank=3, density=0.5)
    peft_layer = model.base_model.model.linear
    wanted = peft_layer.get_delta_weight("all") / peft_layer.scaling["all"]
    assert relative(ours.dense(), wanted.detach()) < 1e-4


def test_masks_depend_on_seed_and_layer_alone():
    whole = merged("dare", seed=1)
    torch.manual_seed(99)
    alone = merged("dare", only(CONTENT, LAYERS[3]), only(STYLE, LAYERS[3]), seed=1)
    other = merged("dare", seed=2)
    assert torch.equal(whole.layers[LAYERS[3]].dense(), alone.layers[LAYERS[3]].dense())
    assert not torch.equal(whole.layers[LAYERS[3]].dense(), other.layers[LAYERS[3]].dense())


def test_merging_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    merged("dare")
    assert torch.equal(before, torch.get_rng_state())


def test_the_factor_wise_form_needs_equal_ranks():
    with pytest.raises(MethodError, match="equal ranks"):
        merged("ties", form="factors")


def test_np_lora_is_the_closed_form_of_its_objective():
    for mu in (0.5, 1.0, math.inf):
        blend = merged("np-lora", mu=mu)
        for layer in LAYERS[:4]:
            content, style = CONTENT.layers[layer].dense(), STYLE.layers[layer].dense()
            basis = torch.linalg.svd(style, full_matrices=False)[2][:3].T
            identity = torch.eye(content.shape[1])
            if math.isinf(mu):
                projected = content @ (identity - basis @ basis.T)
            else:
                projected = content @ torch.linalg.inv(identity + mu * basis @ basis.T)
            assert relative(blend.layers[layer].dense(), style + projected) < 1e-4


@pytest.mark.parametrize(("most", "energy"), [(None, 1.0), (2, 1.0), (99, 1.0), (None, 0.8), (2, 0.8), (1, 0.1)])
@pytest.mark.parametrize("count", [2, 3])
def test_np_lora_projects_out_so_many_of_the_styles_strongest_directions(most, energy, count):
    """Of as many as there may be, the fewest that have the share; of three LoRAs, of every one that comes after."""

    def principal(update):
        _, values, right = torch.linalg.svd(update, full_matrices=False)
        values, right = values[:4][: most or 4], right[:4][: most or 4]
        fewest = next(k for k in range(1, len(values) + 1) if (values[:k] ** 2).sum() >= energy * (values**2).sum())
        return right[: fewest if energy < 1 else len(values)]

    generator = torch.Generator().manual_seed(0)
    factors = [
        Factors(*(torch.randn(shape, generator=generator) for shape in ((4, 20), (16, 4)))) for _ in range(count)
    ]
    options = {"weights": (1.0,) * count, "mu": 0.5, "style_rank": most, "style_energy": energy}
    blend = METHODS["np-lora"].run([Adapter({"a": one}) for one in factors], MergeInputs(), options)
    updates = [one.to(torch.float64).dense() for one in factors]
    wanted = updates[-1]
    for place, update in enumerate(updates[:-1]):
        rows = torch.cat([principal(later) for later in updates[place + 1 :]])
        wanted = wanted + update - update @ torch.linalg.pinv(rows) @ rows / 3
    assert relative(blend.layers["a"].dense(), wanted) < 1e-5


def test_np_lora_without_caps_has_the_bits_and_the_key_that_it_had():
    plain = METHODS["np-lora"].run((CONTENT, STYLE), MergeInputs(), {"weights": (1.0, 1.0), "mu": 0.5})
    capped = merged("np-lora", style_rank=STYLE.ranks[0], style_energy=1.0)
    for layer, factors in plain.layers.items():
        assert torch.equal(factors.down, capped.layers[layer].down)
    base = Base("x", "nobody/nothing")
    asked = Recipe(METHODS["np-lora"], base, {"style_energy": 1.0}).resolved_options()
    assert asked == Recipe(METHODS["np-lora"], base).resolved_options() == {"seed": 0, "weights": [1.0, 1.0], "mu": 0.5}
    asked = Recipe(METHODS["np-lora"], base, {"style_rank": 4, "style_energy": 0.9}).resolved_options()
    assert (asked["style_rank"], asked["style_energy"]) == (4, 0.9)


def test_np_lora_ends_at_the_plain_sum_and_at_the_null_space():
    soft, hard = merged("np-lora", mu=0.0), merged("np-lora", mu=math.inf)
    for layer in LAYERS:
        style, content = STYLE.layers[layer], CONTENT.layers[layer]
        assert relative(soft.layers[layer].dense(), content.dense() + style.dense()) < 1e-5
        left = hard.layers[layer].dense() - style.dense()
        assert float((left @ style.down.T).abs().max()) < 1e-4 * float(content.dense().abs().max())


def test_coefficients_that_do_not_fit_are_refused():
    wrong = {LAYERS[0]: (torch.ones(3), torch.ones(3))}
    with pytest.raises(MethodError, match="do not fit"):
        merged("ziplora", coefficients=wrong)


def test_given_coefficients_scale_columns_and_the_rest_is_summed():
    layer = LAYERS[0]
    columns = CONTENT.layers[layer].shape[1]
    m_c, m_s = torch.linspace(0, 1, columns), torch.linspace(1, -1, columns)
    blend = merged("ziplora", coefficients={layer: (m_c, m_s)})
    content, style = CONTENT.layers[layer].dense(), STYLE.layers[layer].dense()
    assert relative(blend.layers[layer].dense(), content * m_c + style * m_s) < 1e-6
    other = LAYERS[1]
    assert relative(blend.layers[other].dense(), CONTENT.layers[other].dense() + STYLE.layers[other].dense()) < 1e-6


@pytest.mark.parametrize("name", ["direct", "np-lora"])
def test_a_rank_cuts_and_says_what_it_cost(name):
    whole, cut = merged(name), merged(name, rank=2)
    assert {factors.rank for factors in cut.layers.values()} == {2}
    lost = sum(float(((whole.layers[layer].dense() - cut.layers[layer].dense()) ** 2).sum()) for layer in LAYERS)
    energy = sum(float((whole.layers[layer].dense() ** 2).sum()) for layer in LAYERS)
    assert cut.energy.share == pytest.approx(lost / energy, rel=1e-3)


@pytest.mark.parametrize("name", MANY)
def test_convolutions_and_half_precision_go_through(name):
    generator = torch.Generator().manual_seed(0)

    def conv(rank):
        down = torch.randn((rank, 6, 3, 3), generator=generator).half()
        return Factors(down, torch.randn((8, rank, 1, 1), generator=generator).half())

    layer = "unet.down_blocks.0.resnets.0.conv1"
    content, style = (Adapter({layer: conv(rank)}, f"r{rank}") for rank in (2, 3))
    blend = merged(name, content, style, density=1.0, mu=0.0)
    assert blend.layers[layer].shape == (8, 6, 3, 3)
    if name in ("direct", "dare", "np-lora"):
        wanted = content.layers[layer].to(torch.float32).dense() + style.layers[layer].to(torch.float32).dense()
        assert relative(blend.layers[layer].to(torch.float32).dense(), wanted) < 5e-3


def test_the_table_of_methods_is_sound():
    assert list(METHODS) == [*MANY, "ssr", "ziplora", "ziprank", "soups", "lorarar"]
    for name, method in METHODS.items():
        assert method_named(name) is method
        assert name == method.name
        assert method.function.__doc__
        assert method.paper
    with pytest.raises(MethodError, match="accepted are direct, ties"):
        method_named("magic")


@pytest.mark.parametrize(("name", "constant"), [("direct", 1.0), ("ziplora", 1.0), ("lorarar", 0.5)])
def test_text_encoders_feed_forward_and_convolutions_follow_the_stated_rule(tiny, name, constant):
    content, style = everything(tiny, (4,)), everything(tiny, (2, 3))
    widths = {factors.up.shape[0] for factors in content.layers.values()}
    blend = merged(name, content, style, hypernet=Hypernetwork(sorted(widths)))
    assert blend.layers.keys() == content.layers.keys() | style.layers.keys()
    for layer, factors in blend.layers.items():
        if part_of(layer) in ("feed-forward", "other"):
            wanted = constant * (content.layers[layer].dense() + style.layers[layer].dense())
            assert relative(factors.dense(), wanted) < 1e-5
