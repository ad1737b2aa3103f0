"""Coefficients that are optimised for a pair: of columns (ziplora), rank components (ziprank) and layers (soups)."""

from dataclasses import replace
from functools import partial

import pytest
import torch

import lorarar
from lorarar.families import find_base
from lorarar.generation.denoisers.table import predict
from lorarar.generation.gates import gated
from lorarar.lora.adapter import ATTENTION, Adapter, part_of
from lorarar.lora.files import read_adapter
from lorarar.lora.header import provenance_of, read_header
from lorarar.merging.coefficient_file import read_coefficients, write_coefficients
from lorarar.merging.coefficients import CoefficientSet, axis_of
from lorarar.merging.methods import MergeInputs, method_named
from lorarar.merging.recipe import Recipe
from lorarar.pictures.concepts import read_concepts
from lorarar.store import Store
from lorarar.training.layer_priors import LayerPriors, favoured_side
from lorarar.training.options import OF_COEFFICIENTS, Training
from lorarar.training.pair_coefficients import PairMerging, train_coefficients
from lorarar.util.errors import MethodError

from .bench_plan import run, write_plan
from .conftest import make_unet, random_adapter
from .test_gates import inputs
from .test_heads import respelt

UNET = make_unet()
LENGTHS = {"column": lambda factors: factors.down.shape[1], "rank": lambda factors: factors.rank, "layer": lambda _: 1}


def options(name, **values):
    return OF_COEFFICIENTS[name].values(**{"steps": 4, "rate": 0.05, "batch": 2, **values})


@pytest.fixture
def pair(tmp_path, tiny_folder):
    """A content and a style with pictures and prompts."""
    write_plan(tmp_path, tiny_folder)
    return read_concepts(tmp_path / "contents")[0], read_concepts(tmp_path / "styles")[0]


@pytest.mark.parametrize("name", OF_COEFFICIENTS)
def test_every_method_trains_its_axis_from_one_and_goes_on_from_its_checkpoint(tiny, pair, tmp_path, name):
    how, state = options(name), tmp_path / "state.pt"
    objective = PairMerging(tiny, *pair, how, 16)
    assert all(torch.equal(vector, torch.ones_like(vector)) for vector in objective.trained().values())
    whole = train_coefficients(tiny, *pair, how, side=16)
    assert axis_of(whole) == how.axis
    for layer, vectors in whole.items():
        factors = (one.adapter.layers[layer] for one in pair)
        assert [len(m) for m in vectors] == [LENGTHS[how.axis](of) for of in factors]
        assert all((m != 1).any() for m in vectors)
    train_coefficients(tiny, *pair, replace(how, steps=2), side=16, checkpoint=state)
    again = train_coefficients(tiny, *pair, how, side=16, checkpoint=state)
    assert all(torch.equal(*both) for layer in whole for both in zip(whole[layer], again[layer], strict=True))


@pytest.mark.parametrize("name", OF_COEFFICIENTS)
def test_what_is_trained_is_what_is_merged(tiny, pair, name):
    objective = PairMerging(tiny, *pair, options(name), 16)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for vector in objective.trained().values():
            vector.copy_(torch.rand(vector.shape, generator=generator))
    content, style = objective.contents[0].adapter, objective.styles[0].adapter
    gates, learnt = objective.coefficients(content, style)
    found = CoefficientSet(dict(zip(objective.layers, learnt, strict=True)), objective.axis)
    read = (one.adapter for one in pair)
    merged = Adapter(method_named(name).function(*read, MergeInputs(), coefficients=found).layers)
    one = torch.ones(())
    with torch.no_grad(), gated(tiny.unet, content, style, gates, axis=objective.axis):
        by_gates = predict(tiny.unet, *inputs())
    with torch.no_grad(), gated(tiny.unet, merged, Adapter({}), dict.fromkeys(merged.layers, (one, one))):
        by_merge = predict(tiny.unet, *inputs())
    torch.testing.assert_close(by_gates, by_merge, rtol=1e-3, atol=1e-4)


def test_layers_outside_attention_have_coefficients_too_but_ziploras(tiny, pair):
    ends = (".attn1.to_q", ".ff.net.2")
    sides = [
        replace(one, adapter=random_adapter(2, seed, UNET, ends=ends)) for one, seed in zip(pair, (1, 2), strict=True)
    ]
    for name, kind in OF_COEFFICIENTS.items():
        layers = PairMerging(tiny, *sides, options(name), 16).layers
        assert any(part_of(layer) in ATTENTION for layer in layers)
        assert any(layer.endswith(".ff.net.2") for layer in layers) != kind.values.attention_alone


def test_no_spelling_of_a_lora_changes_the_coefficients_of_its_rank_components(tiny, pair):
    content, style = pair
    how = options("ziprank", steps=2)
    other = replace(content, adapter=respelt(content.adapter))
    found, again = (train_coefficients(tiny, one, style, how, side=16) for one in (content, other))
    for layer, vectors in found.items():
        for one, two in zip(vectors, again[layer], strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=2e-3)


def test_the_layer_priors_are_their_formula():
    layers = [f"unet.{block}.attentions.0.attn1.to_q" for block in ("down_blocks.2", "mid_block", "up_blocks.1")]
    assert [favoured_side(layer) for layer in layers] == ["content", None, "style"]
    generator = torch.Generator().manual_seed(0)
    pairs = [tuple(torch.randn(n, generator=generator, dtype=torch.float64) for n in (3, 2)) for _ in layers]
    (m_c, m_s), _, (n_c, n_s) = pairs
    nuclear = {vector: float(torch.linalg.matrix_norm(vector[:, None], "nuc")) for vector in (m_c, m_s, n_c, n_s)}
    of_content = 0.3 * (nuclear[m_s] - nuclear[m_c]) + 0.2 * float(m_c.abs().sum())
    of_style = 0.3 * (nuclear[n_c] - nuclear[n_s]) + 0.2 * float(n_s.abs().sum())
    term = LayerPriors(layers, 0.3, 0.2)(pairs, torch.ones(()))
    assert float(term) == pytest.approx((of_content + of_style) / 2, rel=1e-12)
    assert float(LayerPriors(layers[1:2], 0.3, 0.2)(pairs[1:2], torch.ones(()))) == 0


def test_priors_change_what_ziprank_finds_and_soups_has_none(tiny, pair):
    plain, sparse = (
        train_coefficients(tiny, *pair, options("ziprank", nuclear=0.0, sparsity=weight), side=16)
        for weight in (0.0, 50.0)
    )
    favoured = {layer: side for layer in plain if (side := favoured_side(layer))}
    assert favoured
    for layer, side in favoured.items():
        own = side == "style"
        assert float(sparse[layer][own].sum()) < float(plain[layer][own].sum())


@pytest.mark.parametrize(("name", "axis"), [("ziprank", "rank"), ("soups", "layer")])
def test_a_file_of_another_axis_is_refused_before_anything_is_read(tmp_path, tiny_folder, name, axis):
    base, one = find_base(str(tiny_folder)), (torch.ones(1), torch.ones(1))
    for other in LENGTHS:
        file = write_coefficients(CoefficientSet({"unet.a.to_q": one}, other), tmp_path / f"{other}.safetensors")
        Recipe(method_named("ziplora"), base, {"coefficients": file})
        if other == axis:
            Recipe(method_named(name), base, {"coefficients": file})
            continue
        with pytest.raises(MethodError, match=r"this method's are one for each .*ziplora merges by any"):
            Recipe(method_named(name), base, {"coefficients": file})


def test_coefficients_of_layers_go_through_a_file_a_merge_and_the_database(tmp_path, lora_file, tiny_folder):
    content, style = lora_file("c", 2, 0), lora_file("s", 3, 1)
    layers = [*read_adapter(content).layers]
    found = CoefficientSet({layer: (torch.tensor([0.5]), torch.tensor([2.0])) for layer in layers[:2]}, "layer")
    file = write_coefficients(found, tmp_path / "k.safetensors")
    assert provenance_of(read_header(file, MethodError))["axis"] == axis_of(read_coefficients(file)) == "layer"
    out, how = tmp_path / "m.safetensors", {"base": str(tiny_folder), "dtype": "float32"}
    done = lorarar.merge(content, style, out, method="soups", coefficients=file, **how, strengths=(3.0, 1.0))
    for layer, factors in done.adapter.layers.items():
        c, s = (1.5, 2.0) if layer in found else (3.0, 1.0)
        wanted = c * done.content.layers[layer].dense() + s * done.style.layers[layer].dense()
        torch.testing.assert_close(factors.dense(), wanted, rtol=1e-4, atol=1e-5)
    with Store(tmp_path / "a.db") as store:
        merge = store.add_merge(done, content, style)
        assert store.coefficients(merge) == dict.fromkeys(found, ([1.5], [2.0]))
        assert [row["axis"] for row in store.rows("SELECT axis FROM merges")] == ["layer"]
    two = CoefficientSet({layers[0]: (torch.ones(2), torch.ones(2))}, "layer")
    with pytest.raises(MethodError, match="more than one number a side"):
        read_coefficients(write_coefficients(two, file))


def test_merges_optimise_their_own_axis(tmp_path, tiny_folder, pair, monkeypatch):
    for name, axis in (("ziprank", "rank"), ("soups", "layer")):
        short = Training(partial(OF_COEFFICIENTS[name].values, steps=1), ())
        monkeypatch.setitem(OF_COEFFICIENTS, name, short)
        done = lorarar.merge(pair[0].path, pair[1].path, method=name, base=str(tiny_folder))
        assert done.axis == axis
        assert done.options["steps"] == 1


ROWS = """
[[methods]]
method = "ziprank"
steps = 1
sparsity = 0.02
[[methods]]
method = "soups"
steps = 1
rank = 2
"""


def test_a_plans_rows_train_for_each_pair_once(tmp_path, tiny_folder):
    plan_file = write_plan(tmp_path, tiny_folder)
    head, _, _ = plan_file.read_text().partition("[[methods]]")
    plan_file.write_text(head.replace("seeds = 3", "seeds = 1") + ROWS)
    outcome = run(plan_file, tmp_path / "out")
    assert not outcome.failures
    assert (outcome.generated, outcome.trained) == (4, 4)
    again = run(plan_file, tmp_path / "out")
    assert (again.existing, again.trained) == (4, 0)
    with Store(tmp_path / "a.db") as store:
        rows = store.rows("SELECT method, axis FROM merges ORDER BY method")
        assert {(row["method"], row["axis"]) for row in rows} == {("ziprank", "rank"), ("soups", "layer")}
    plan_file.write_text(plan_file.read_text().replace("0.02", "0.03"))
    assert run(plan_file, tmp_path / "out").trained == 2
