"""What every head of a hypernetwork does: files, merges, gates, gradients, training."""

from dataclasses import replace

import pytest
import torch

import lorarar
from lorarar.generation.denoisers.table import encode_prompts, predict
from lorarar.generation.gates import gated
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.header import provenance_of, read_header
from lorarar.lora.singular_form import singular_form, singular_forms
from lorarar.lora.stack import stack
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.merging.coefficient_file import read_coefficients, write_coefficients
from lorarar.merging.coefficients import CoefficientSet, axis_of
from lorarar.merging.head import HeadForm
from lorarar.merging.heads.table import HEADS
from lorarar.merging.hypernet_file import read_hypernet, write_hypernet
from lorarar.merging.methods import MergeInputs, method_named
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.util.errors import HypernetError, MethodError

from .conftest import make_unet
from .conftest import random_adapter as made_adapter

UNET = make_unet()
FORM = HeadForm(hidden=6, widths=(16, 32))


def random_adapter(rank, seed, **how):
    return made_adapter(rank, seed, UNET, **how)


def head(name, form=FORM, noise=0.3):
    """A head with random weights everywhere."""
    torch.manual_seed(3)
    network = HEADS[name].kind.of(form)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * noise)
    return network.requires_grad_(False)


def respelt(adapter, seed=0):
    """The same updates by other factors: B R, R^-1 A."""
    generator = torch.Generator().manual_seed(seed)
    layers = {}
    for name, of in adapter.layers.items():
        mix = torch.linalg.qr(torch.randn(of.rank, of.rank, generator=generator))[0] * 3 + torch.eye(of.rank)
        layers[name] = Factors(torch.linalg.inv(mix) @ of.down, of.up @ mix)
    return replace(adapter, layers=layers)


def dense_merge(content, style, coefficients):
    """The definition in float64: columns scaled, or components of the dense update's own decomposition."""
    merged = {}
    for name, pair in coefficients.items():
        total = 0
        for factors, vector in zip((content.layers[name], style.layers[name]), pair, strict=True):
            update = factors.up.double() @ factors.down.double()
            if axis_of(coefficients) == "column":
                total = total + update * vector.double()
            else:
                left, values, right = torch.linalg.svd(update, full_matrices=False)
                count = min(len(vector), len(values))
                total = total + (left[:, :count] * values[:count] * vector[:count].double()) @ right[:count]
        merged[name] = total
    return merged


def test_the_table_names_each_head_as_its_class_does():
    assert all(row.kind.name == name for name, row in HEADS.items())


@pytest.mark.parametrize("name", HEADS)
def test_a_merge_is_the_dense_definitions(name):
    network, content, style = head(name), random_adapter(2, 0), random_adapter(3, 1)
    result = method_named("lorarar").function(content, style, MergeInputs(), hypernet=network)
    assert axis_of(result.coefficients) == network.axis
    for layer, wanted in dense_merge(content, style, result.coefficients).items():
        made = result.layers[layer]
        assert made.rank == 5
        assert torch.norm(made.dense().double() - wanted) <= 1e-5 * torch.norm(wanted)


@pytest.mark.parametrize("name", HEADS)
def test_a_file_keeps_weights_form_and_head(tmp_path, name):
    network = head(name, replace(FORM, parts=("query", "value"), key_value="sum", others="mean"))
    path = write_hypernet(network, tmp_path / "h.safetensors", {"steps": 3})
    again = read_hypernet(path)
    assert (type(again), again.form) == (type(network), network.form)
    assert provenance_of(read_header(path, HypernetError)).get("head", "columns") == name
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[key])


def test_a_file_with_a_head_that_is_not_known_is_refused(tmp_path):
    path = write_hypernet(head("columns"), tmp_path / "h.safetensors")
    state, _ = read_tensors(path, HypernetError)
    form = {"kind": "hypernetwork", "hidden": 6, "parts": ["query"], "key_value": "mean", "widths": [16, 32]}
    for strange in ("rings", ["ranks"], 3):
        save_tensors(dict(state), path, form | {"head": strange})
        with pytest.raises(HypernetError, match=r"does not know; it knows columns, .*context"):
            read_hypernet(path)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("size", [0, -1, 10**8, 10**15, float("inf"), "many", None])
def test_a_header_with_sizes_that_the_weights_do_not_have_is_refused_without_taking_their_memory(tmp_path, name, size):
    network = head(name)
    path = write_hypernet(network, tmp_path / "h.safetensors")
    state, metadata = read_tensors(path, HypernetError)
    strange = [{"hidden": size}, *([{"widths": [16, size]}] if network.by_width else [])]
    for change in strange:
        save_tensors(dict(state), path, provenance_of(metadata) | change)
        with pytest.raises(HypernetError, match=r"header lacks a sound|do not fit a hypernetwork"):
            read_hypernet(path)


@pytest.mark.parametrize("name", HEADS)
def test_gates_of_a_stack_and_of_one_pair_are_the_merge(tiny, name):
    network = head(name)
    contents = [network.spelt(random_adapter(rank, seed, strength=0.15)) for rank, seed in ((2, 1), (3, 2))]
    styles = [network.spelt(random_adapter(2, seed, strength=0.15)) for seed in (3, 4)]
    noisy, times = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([1, 500, 30, 900])
    conditioning = encode_prompts(tiny, ["a dog", "a cat", "a fox", "an owl"], 16)
    both = stack(contents), stack(styles)
    gates = {layer: tuple(m.unsqueeze(-2) for m in pair) for layer, pair in network(*both).items()}
    nothing, one = Adapter({}), torch.ones(())
    with torch.no_grad(), gated(tiny.unet, *both, gates, axis=network.axis):
        together = predict(tiny.unet, noisy, times, conditioning)
    for place, pair in enumerate(zip(contents, styles, strict=True)):
        rows = slice(2 * place, 2 * place + 2)
        merged = Adapter(method_named("lorarar").function(*pair, MergeInputs(), hypernet=network).layers)
        with torch.no_grad(), gated(tiny.unet, *pair, network(*pair), axis=network.axis):
            alone = predict(tiny.unet, noisy[rows], times[rows], conditioning.at(rows))
        with torch.no_grad(), gated(tiny.unet, merged, nothing, dict.fromkeys(merged.layers, (one, one))):
            by_merge = predict(tiny.unet, noisy[rows], times[rows], conditioning.at(rows))
        torch.testing.assert_close(together[rows], alone, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(alone, by_merge, rtol=1e-3, atol=1e-4)


def test_context_starts_as_columns_and_then_sees_the_other_columns():
    content, style = random_adapter(2, 0), random_adapter(3, 1)
    torch.manual_seed(0)
    columns = HEADS["columns"].kind.of(FORM).requires_grad_(False)
    torch.manual_seed(0)
    context = HEADS["context"].kind.of(FORM).requires_grad_(False)
    layer = next(layer for layer in content.layers if context.predicts(layer))
    for one, other in zip(columns(content, style)[layer], context(content, style)[layer], strict=True):
        assert torch.equal(one, other)
    context.context.weight.normal_(generator=torch.Generator().manual_seed(1))
    of, by = content.layers[layer], style.layers[layer]
    first = context.inputs[str(of.shape[0])]
    hidden = torch.cat([of.dense().T, by.dense().T], dim=1) @ first.weight.T + first.bias
    seen = hidden.relu().mean(0)
    wanted = (hidden + context.context.weight @ seen).relu() @ context.output.weight.T + context.output.bias
    torch.testing.assert_close(torch.stack(context(content, style)[layer]), wanted.T)
    changed = of.down.clone()
    changed[:, 1:] *= 3  # what column 0 gets depends on the others
    other = replace(content, layers={**content.layers, layer: Factors(changed, of.up)})
    assert not torch.allclose(context(other, style)[layer][0][0], context(content, style)[layer][0][0])
    assert torch.equal(columns(other, style)[layer][0][0], columns(content, style)[layer][0][0])


def test_kept_projections_serve_context_too(tmp_path):
    network, content, style = head("context"), random_adapter(2, 0), random_adapter(3, 1)
    cached = ProjectionCache(tmp_path).predictor(network, "d" * 64)
    for pair, again in zip(network(content, style).values(), cached(content, style).values(), strict=True):
        assert all(torch.equal(one, other) for one, other in zip(pair, again, strict=True))


@pytest.mark.parametrize("kernel", [(), (3, 3)])
@pytest.mark.parametrize(("rows", "columns", "rank"), [(9, 7, 3), (4, 7, 6), (7, 3, 5)])
def test_the_singular_form_is_the_update_and_one_for_all_spellings(rows, columns, rank, kernel):
    generator = torch.Generator().manual_seed(rank)
    down = torch.randn(rank, columns, *kernel, generator=generator)
    factors = Factors(down, torch.randn(rows, rank, *[1] * len(kernel), generator=generator))
    form = singular_form(factors)
    assert (form.shape, form.rank) == (factors.shape, rank)
    torch.testing.assert_close(form.dense(), factors.dense(), rtol=1e-4, atol=1e-5)
    values = torch.linalg.svdvals(factors.dense().flatten(1).double())[:rank]
    norms = form.down.flatten(1).norm(dim=1).double()
    torch.testing.assert_close(norms[: len(values)], values, rtol=1e-4, atol=1e-4)
    order = torch.randperm(rank, generator=generator)
    again = singular_form(Factors(-2 * down[order], -0.5 * factors.up[:, order]))
    for one, other in zip(_components(form), _components(again), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def _components(form):
    return [torch.outer(up, down) for up, down in zip(form.up.flatten(1).T, form.down.flatten(1), strict=True)]


def test_singular_forms_of_many_layers_are_those_of_each():
    layers = random_adapter(3, 5).layers | {"empty": Factors(torch.zeros(2, 4), torch.zeros(5, 2))}
    forms = singular_forms(layers)
    assert [*forms] == [*layers]
    for name, factors in layers.items():
        torch.testing.assert_close(forms[name].dense(), factors.dense(), rtol=1e-4, atol=1e-5)


def test_coefficients_of_ranks_go_through_a_file_and_merge_by_ziplora(tmp_path):
    content, style = random_adapter(2, 0), random_adapter(3, 1)
    layers, generator = [*content.layers], torch.Generator().manual_seed(2)
    pairs = {layer: (torch.rand(2, generator=generator), torch.rand(3, generator=generator)) for layer in layers[:6]}
    pairs[layers[6]] = torch.full((2,), 0.5), torch.full((3,), 0.5)
    path = write_coefficients(CoefficientSet(pairs, "rank"), tmp_path / "c.safetensors")
    read = read_coefficients(path)
    assert axis_of(read) == "rank" and read.keys() == pairs.keys()
    merge = method_named("ziplora").function
    for spelling in (content, respelt(content)):
        result = merge(spelling, style, MergeInputs(), coefficients=read)
        for layer, wanted in dense_merge(content, style, read).items():
            assert torch.norm(result.layers[layer].dense() - wanted) <= 1e-4 * torch.norm(wanted)
    with pytest.raises(MethodError, match="one for each rank component, do not fit"):
        merge(style, content, MergeInputs(), coefficients=read)
    save_tensors(dict(read_tensors(path, MethodError)[0]), path, {"axis": "diagonal"})
    with pytest.raises(MethodError, match="along 'diagonal'; accepted are column, rank, layer"):
        read_coefficients(path)


def test_coefficients_of_columns_say_no_axis_as_before(tmp_path):
    path = write_coefficients({"unet.a.to_q": (torch.ones(3), torch.zeros(3))}, tmp_path / "c.safetensors")
    assert "axis" not in provenance_of(read_header(path, MethodError))
    assert axis_of(read_coefficients(path)) == "column"


@pytest.mark.parametrize("name", HEADS)
def test_strengths_and_balance_scale_what_the_head_gives(tmp_path, tiny_folder, lora_file, name):
    pair = lora_file("c", 2, 0), lora_file("s", 3, 1)
    network = write_hypernet(head(name), tmp_path / "h.safetensors")
    how = {"base": str(tiny_folder), "hypernet": network, "dtype": "float32"}
    plain = lorarar.merge(*pair, **how)
    scaled = lorarar.merge(*pair, **how, strengths=(2.0, 0.5), balance="energy")
    assert axis_of(scaled.coefficients) == axis_of(plain.coefficients)
    for layer, (m_c, m_s) in plain.coefficients.items():
        wanted = dense_merge(*plain.inputs, CoefficientSet({layer: (2 * m_c, 0.5 * m_s)}, axis_of(plain.coefficients)))
        made = scaled.adapter.layers[layer].dense().double() / scaled.factor
        assert torch.norm(made - wanted[layer]) <= 1e-5 * torch.norm(wanted[layer])
        torch.testing.assert_close(scaled.coefficients[layer][0], 2 * scaled.factor * m_c)


OF_RANKS = ("ranks", "balance")
ALL = (".to_q", ".to_k", ".to_v", ".to_out.0", ".ff.net.0.proj", ".ff.net.2")


@pytest.mark.parametrize("name", OF_RANKS)
def test_no_spelling_of_the_updates_changes_what_is_predicted(name):
    network = head(name)
    content, style = (random_adapter(rank, seed, ends=ALL) for rank, seed in ((4, 0), (3, 1)))
    order = torch.tensor([2, 0, 1])
    shuffled = {layer: Factors(-of.down[order], -of.up[:, order]) for layer, of in style.layers.items()}
    filled = {  # the same updates at a higher rank, of which some rows are empty or twice there
        layer: Factors(torch.cat([of.down, of.down[:1], 0 * of.down]), torch.cat([of.up, 0 * of.up[:, :1], of.up], 1))
        for layer, of in content.layers.items()
    }
    wanted = network(network.spelt(content), network.spelt(style))
    for one, other in (
        (respelt(content), replace(style, layers=shuffled)),
        (replace(content, layers=filled), respelt(style, 1)),
    ):
        made = network(network.spelt(one), network.spelt(other))
        for layer, pair in wanted.items():
            for wanted_of, made_of in zip(pair, made[layer], strict=True):
                torch.testing.assert_close(made_of[: len(wanted_of)], wanted_of, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", OF_RANKS)
def test_what_is_predicted_is_seen_in_the_loras(name):
    network, content, style = head(name), random_adapter(4, 0), random_adapter(3, 1)
    one = network(network.spelt(content), network.spelt(style))
    other = network(network.spelt(content), network.spelt(random_adapter(3, 2)))
    same = network(network.spelt(content), network.spelt(replace(content, name="twin")))
    layers = [layer for layer in one if network.predicts(layer)]
    assert all((one[layer][0] - other[layer][0]).abs().max() > 1e-5 for layer in layers)
    assert all((one[layer][0] - same[layer][0]).abs().max() > 1e-3 for layer in layers)


@pytest.mark.parametrize("name", OF_RANKS)
def test_one_network_reads_loras_of_any_base(tmp_path, name):
    network = read_hypernet(
        write_hypernet(head(name, HeadForm(hidden=6, parts=HEADS[name].parts)), tmp_path / "h.safetensors")
    )
    blocks = {
        "sdxl": "unet.down_blocks.2.attentions.1.transformer_blocks.9.attn1.to_q unet.mid_block.attentions.0."
        "transformer_blocks.0.attn2.to_v unet.up_blocks.0.attentions.0.transformer_blocks.1.ff.net.2",
        "a DiT": "transformer.transformer_blocks.0.attn.to_q transformer.transformer_blocks.11.ff.net.0.proj",
    }
    for (base, layers), (rows, columns) in zip(blocks.items(), ((24, 12), (7, 40)), strict=True):
        content, style = (
            Adapter({layer: factors(rows, columns, rank, rank + len(layer)) for layer in layers.split()}, base)
            for rank in (5, 3)
        )
        result = method_named("lorarar").function(content, style, MergeInputs(), hypernet=network)
        for layer, wanted in dense_merge(content, style, result.coefficients).items():
            assert torch.norm(result.layers[layer].dense() - wanted) <= 1e-4 * torch.norm(wanted)


def factors(rows, columns, rank, seed):
    generator = torch.Generator().manual_seed(seed)
    return Factors(torch.randn(rank, columns, generator=generator), torch.randn(rows, rank, generator=generator))


@pytest.mark.parametrize("name", OF_RANKS)
def test_a_training_starts_at_one_constant(name):
    network = HEADS[name].kind.of(FORM)
    network.start()
    pair = (network.spelt(random_adapter(2, seed)) for seed in (0, 1))
    assert all(torch.allclose(m, torch.tensor(0.7)) for of in network.predict(*pair).values() for m in of)


@pytest.mark.parametrize("name", OF_RANKS)
def test_loras_that_change_nothing_are_merged_too(name):
    network, style = head(name), random_adapter(3, 1)
    empty = replace(style, layers={layer: Factors(of.down, 0 * of.up) for layer, of in style.layers.items()})
    for pair in ((empty, style), (style, empty), (empty, empty)):
        result = method_named("lorarar").function(*pair, MergeInputs(), hypernet=network)
        assert all(torch.isfinite(m).all() for of in result.coefficients.values() for m in of)
        assert all(torch.isfinite(of.dense()).all() for of in result.layers.values())


def test_a_balance_is_two_numbers_for_each_block_group():
    network = head("balance", replace(FORM, parts=HEADS["balance"].parts))
    content, style = (network.spelt(random_adapter(2, seed, ends=ALL)) for seed in (0, 1))
    groups = {}
    for layer, pair in network(content, style).items():
        block = layer.split(".attentions")[0], ".ff." in layer
        groups.setdefault(block, set()).add(tuple(float(value) for m in pair for value in m.unique()))
    assert len(groups) == 10 and all(len(values) == 1 for values in groups.values())
    assert len({next(iter(values)) for values in groups.values()}) == 10
    assert all(len(next(iter(values))) == 2 for values in groups.values())


def test_the_overlap_of_rank_gates_is_that_of_the_directions_that_are_read():
    network, content, style = head("ranks"), random_adapter(2, 0), random_adapter(3, 1)
    ours, theirs = network.spelt(content), network.spelt(style)
    gates = network(ours, theirs)
    layers = [layer for layer in gates if network.predicts(layer)]
    for layer, (one, other) in zip(layers, network.overlapping(ours, theirs, gates), strict=True):
        reads = []
        for factors_of, gate in zip((content.layers[layer], style.layers[layer]), gates[layer], strict=True):
            right = torch.linalg.svd(factors_of.dense(), full_matrices=False)[2][: len(gate)]
            reads.append(right.T @ torch.diag(gate) @ right)
        torch.testing.assert_close(one @ other, (reads[0] * reads[1]).sum(), rtol=1e-3, atol=1e-4)
