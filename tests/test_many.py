"""Merges of more than two LoRAs, of LoRAs of other blocks, and what is done around a method, against dense updates."""

import json
import math
from dataclasses import replace
from functools import partial

import pytest
import torch

import lorarar
from lorarar.bench.plan import MethodRow
from lorarar.families import find_base
from lorarar.lora.adapter import Factors
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.merging.coefficient_file import write_coefficients
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.merging.methods import METHODS, MergeInputs, method_named
from lorarar.merging.recipe import Recipe
from lorarar.store import Store
from lorarar.store.forgetting import forget
from lorarar.store.queries import Collection
from lorarar.store.soundness import find_faults
from lorarar.training.options import OF_COEFFICIENTS, Training, ZipOptions
from lorarar.util.errors import MethodError
from tui.catalog import Catalog
from tui.screens.merge import facts

from .bench_plan import run as run_bench
from .bench_plan import write_plan
from .conftest import random_adapter
from .test_methods import MANY, OWN, only, relative

THREE = tuple(random_adapter(rank, seed) for seed, rank in enumerate((2, 3, 4)))
LAYERS = sorted(THREE[0].layers)
FIRST, SECOND = "unet.down_blocks.1.attentions.0", "unet.up_blocks.0.attentions.1"


def merged(name, adapters, *, rank=None, **options):
    method = METHODS[name].for_loras(len(adapters))
    own = OWN | {"weights": (1.0,) * len(adapters)} | options
    return method.run(adapters, MergeInputs(rank=rank), {option.name: own[option.name] for option in method.options})


def dense(adapter, layer):
    return adapter.layers[layer].to(torch.float64).dense()


def energy(layers):
    """The squared Frobenius norm of dense updates."""
    return sum(float((factors.to(torch.float64).dense() ** 2).sum()) for factors in layers.values())


def of_block(adapter, block):
    return replace(adapter, layers={name: one for name, one in adapter.layers.items() if name.startswith(block)})


def test_a_direct_merge_of_three_is_their_weighted_sum():
    blend = merged("direct", THREE, weights=(0.5, -1.0, 2.0))
    for layer in LAYERS:
        wanted = sum(w * dense(one, layer) for w, one in zip((0.5, -1.0, 2.0), THREE, strict=True))
        assert relative(blend.layers[layer].to(torch.float64).dense(), wanted) < 1e-6
        assert blend.layers[layer].rank == 9


@pytest.mark.parametrize("mu", [0.5, math.inf])
def test_np_lora_projects_each_onto_the_null_space_of_all_after_it(mu):
    """The last two share a direction that they read, which must count once."""
    one, two, three = THREE
    shared = {
        layer: Factors(torch.cat([two.layers[layer].down[:1], factors.down[1:]]), factors.up)
        for layer, factors in three.layers.items()
    }
    three = replace(three, layers=shared)
    blend = merged("np-lora", (one, two, three), mu=mu)
    share = 1.0 if math.isinf(mu) else mu / (1 + mu)
    for layer in LAYERS:
        wanted = dense(three, layer)
        for earlier, later in ((two, [three]), (one, [two, three])):
            read = torch.cat([dense(of, layer) for of in later])
            _, values, rows = torch.linalg.svd(read, full_matrices=False)
            basis = rows[values > 1e-5 * values[0]].T
            update = dense(earlier, layer)
            wanted = wanted + update - share * update @ basis @ basis.T
        assert relative(blend.layers[layer].to(torch.float64).dense(), wanted) < 1e-5


@pytest.mark.parametrize("name", MANY)
def test_a_layer_that_some_have_is_merged_among_them(name):
    lonely, common = LAYERS[0], LAYERS[1]
    one, two, three = THREE
    without = [replace(two, layers={LAYERS[2]: two.layers[LAYERS[2]]}), only(three, common)]
    weights = (0.5, 1.0, 2.0)
    blend = merged(name, (one, *without), weights=weights)
    pair = merged(name, (only(one, common), only(three, common)), weights=weights[::2])
    assert relative(blend.layers[lonely].dense(), 0.5 * one.layers[lonely].dense()) < 1e-6
    assert torch.equal(blend.layers[common].dense(), pair.layers[common].dense())
    assert sorted(blend.layers) == LAYERS


@pytest.mark.parametrize("name", MANY)
def test_a_rank_cuts_layers_of_one_side_too_and_counts_what_they_lose(name):
    lonely = LAYERS[0]
    pair = (THREE[2], replace(THREE[1], layers={layer: THREE[1].layers[layer] for layer in LAYERS[1:]}))
    cut = merged(name, pair, rank=2)
    assert {factors.rank for factors in cut.layers.values()} == {2}
    values = torch.linalg.svdvals(dense(THREE[2], lonely))
    lost = float(torch.linalg.vector_norm(dense(THREE[2], lonely) - dense(cut, lonely)) ** 2)
    assert lost == pytest.approx(float((values[2:] ** 2).sum()), rel=1e-4)
    alone = merged(name, (only(THREE[2], lonely), only(THREE[1], LAYERS[1])), rank=2).energy
    assert alone.lost == pytest.approx(lost + float((torch.linalg.svdvals(dense(THREE[1], LAYERS[1]))[2:] ** 2).sum()))
    assert alone.whole == pytest.approx(energy(only(THREE[2], lonely).layers | only(THREE[1], LAYERS[1]).layers))


@pytest.mark.parametrize("name", MANY)
def test_loras_of_other_blocks_are_merged_exactly(name, tiny_folder, tmp_path):
    pair = [of_block(THREE[0], FIRST), of_block(THREE[1], SECOND)]
    files = [write_adapter(one, tmp_path / f"{side}.safetensors") for one, side in zip(pair, "cs", strict=True)]
    done = lorarar.merge(*files, method=name, base=str(tiny_folder), weights=(0.5, 2.0))
    assert done.adapter.layers.keys() == pair[0].layers.keys() | pair[1].layers.keys()
    for one, weight in zip(pair, (0.5, 2.0), strict=True):
        for layer, factors in one.layers.items():
            assert relative(done.adapter.layers[layer].dense(), weight * factors.dense()) < 1e-6
    network = write_hypernet(Hypernetwork((16, 32)), tmp_path / "h.safetensors")
    for finding in ({"method": "ziplora"}, {"method": "lorarar", "hypernet": network}):
        with pytest.raises(MethodError, match="share no layer, so there are no coefficients to find; --method direct"):
            lorarar.merge(*files, base=str(tiny_folder), **finding)


@pytest.fixture
def three_files(tmp_path):
    return [write_adapter(one, tmp_path / f"{name}.safetensors") for one, name in zip(THREE, "abc", strict=True)]


def test_a_merge_of_three_says_what_it_is_made_of(run, three_files, tiny_folder, tmp_path):
    options = ("-o", tmp_path / "m.safetensors", "--method", "direct", "--base", tiny_folder, "--json")
    done = json.loads(run("merge", *three_files, *options, "--weights", "1,0.5,2", "--db", tmp_path / "a.db").stdout)
    names = [one["name"] for one in done["loras"]]
    assert names == ["a.safetensors", "b.safetensors", "c.safetensors"]
    header = read_adapter(tmp_path / "m.safetensors").provenance
    assert header["loras"] == done["loras"]
    assert header["options"]["weights"] == [1.0, 0.5, 2.0]
    assert not {"content", "style"} & header.keys()
    with Store(tmp_path / "a.db") as store:
        (row,) = store.rows("SELECT i.place, a.name FROM merge_inputs i JOIN adapters a ON a.id = i.adapter")
        (sides,) = store.rows(
            "SELECT c.name AS content, s.name AS style FROM merges m JOIN adapters c ON c.id = m.content "
            "JOIN adapters s ON s.id = m.style"
        )
    assert (row, sides) == ({"place": 3, "name": names[2]}, {"content": names[0], "style": names[1]})
    assert not [*find_faults(tmp_path / "a.db")]
    shown = facts(Catalog(tmp_path / "a.db").merge(1), {"LoRA 3"}).plain.splitlines()
    assert [line for line in shown if line in ("content", "style", "LoRA 3", "merged")] == [
        *("content", "style", "LoRA 3", "merged")
    ]
    assert shown[shown.index("LoRA 3") + 1].strip() == "c.safetensors  not there any more"
    three_files[2].unlink()
    assert [fault.kind for fault in find_faults(tmp_path / "a.db")] == ["missing"]


def test_a_merge_of_two_says_what_it_said_before(run, three_files, tiny_folder, tmp_path):
    options = ("-o", tmp_path / "m.safetensors", "--method", "direct", "--base", tiny_folder, "--json")
    done = json.loads(run("merge", *three_files[:2], *options, "--db", tmp_path / "a.db").stdout)
    assert done["options"] == {"seed": 0, "weights": [1.0, 1.0]}
    assert {"content", "style"} < done.keys() and "loras" not in done
    header = read_adapter(tmp_path / "m.safetensors").provenance
    assert {"content", "style"} < header.keys() and "loras" not in header
    with Store(tmp_path / "a.db") as store:
        assert not store.rows("SELECT * FROM merge_inputs")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--method", "lorarar"),
            "lorarar merges two LoRAs, a content and a style, and 3 are given; accepted for more",
        ),
        (("--method", "ziplora"), "ziplora merges two LoRAs"),
        (("--method", "direct", "--weights", "1,1"), "accepted are 3 finite numbers like 1,1,1"),
        (("--method", "direct", "--strengths", "1,1"), "takes no --strengths"),
        (("--method", "direct", "--blocks", "4=b-lora"), "there is no LoRA 4"),
        (("--method", "direct", "--blocks", "b-lora"), "accepted is WHICH=PRESET|SPEC"),
        (("--method", "direct", "--balance", "size"), "accepted are energy"),
        (("--method", "direct", "--all"), "--all merges the pairs of two folders"),
    ],
)
def test_what_cannot_be_merged_of_three_is_one_line(run, three_files, tmp_path, options, message):
    done = run("merge", *three_files, "-o", tmp_path / "m.safetensors", *options)
    assert done.exit_code == 1
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "m.safetensors").exists()


def recipe(base, method, *, loras=3, dtype=None, **options):
    return Recipe(method_named(method), find_base(str(base)), options, dtype, loras=loras)


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("options", [{}, {"weights": (0.5, -3.0, 1.0)}, {"rank": 2, "blocks": {"2": "UNET:5"}}])
def test_a_balanced_merge_has_the_energy_of_its_strongest_lora(name, options, tiny_folder):
    result = recipe(tiny_folder, name, balance="energy", **options).merge(THREE)
    plain = recipe(tiny_folder, name, **options).merge(THREE)
    blocks = (1, 5, 1) if "blocks" in options else (1, 1, 1)
    scales = [w * b for w, b in zip(options.get("weights", (1, 1, 1)), blocks, strict=True)]
    strongest = max(scale**2 * energy(one.layers) for scale, one in zip(scales, THREE, strict=True))
    assert energy(result.layers) == pytest.approx(strongest, rel=1e-5)
    for layer, factors in plain.layers.items():
        assert relative(result.layers[layer].dense(), result.factor * factors.dense()) < 1e-5


@pytest.mark.parametrize("weights", [(1.0, 1.0, -2.0), (0.1, 0.2, -0.3), (0.0, 0.0, 0.0)])
def test_loras_that_cancel_each_other_are_not_blown_up_by_a_balance(weights, tiny_folder):
    """What rounding leaves of them would come out as noise with the energy of a LoRA."""
    same = (THREE[0],) * 3
    result = recipe(tiny_folder, "direct", balance="energy", weights=weights).merge(same)
    assert result.factor == 1.0
    assert energy(result.layers) < 1e-10 * energy(THREE[0].layers)


def test_a_balanced_merge_is_rounded_once(tiny_folder):
    wide = recipe(tiny_folder, "direct", balance="energy").merge(THREE)
    narrow = recipe(tiny_folder, "direct", balance="energy", dtype="float16").merge(THREE)
    for layer, factors in wide.layers.items():
        assert torch.equal(factors.down.half(), narrow.layers[layer].down)


def test_strengths_scale_both_sides_and_their_coefficients_also_where_a_rank_cuts(tiny_folder, tmp_path):
    torch.manual_seed(0)
    network = write_hypernet(Hypernetwork((16, 32)), tmp_path / "h.safetensors")
    made = {
        (c, s): recipe(tiny_folder, "lorarar", loras=2, hypernet=network, strengths=(c, s)).merge(THREE[:2])
        for c, s in ((1.0, 0.0), (0.0, 1.0), (0.5, 2.0))
    }
    content, style, both = made.values()
    cut = recipe(tiny_folder, "lorarar", loras=2, hypernet=network, strengths=(0.5, 2.0), rank=2).merge(THREE[:2])
    for layer in LAYERS:
        wanted = 0.5 * dense(content, layer) + 2 * dense(style, layer)
        assert relative(dense(both, layer), wanted) < 1e-5
        values = torch.linalg.svdvals(wanted)
        assert float(((dense(cut, layer) - wanted) ** 2).sum()) == pytest.approx(
            float((values[2:] ** 2).sum()), rel=1e-3
        )
        assert cut.layers[layer].rank == 2
    assert 0 < cut.energy.share < 1


def test_strengths_of_loras_in_half_precision_are_rounded_once(tiny_folder, tmp_path):
    torch.manual_seed(0)
    network = write_hypernet(Hypernetwork((16, 32)), tmp_path / "h.safetensors")
    halves = [one.to(torch.float16) for one in THREE[:2]]
    plain, scaled = (
        recipe(tiny_folder, "lorarar", loras=2, dtype="float32", hypernet=network, strengths=strengths).merge(halves)
        for strengths in ((1.0, 1.0), (0.3, 0.7))
    )
    for layer in LAYERS:
        rank = halves[0].layers[layer].rank
        sides = zip((0.3, 0.7), (slice(None, rank), slice(rank, None)), strict=True)
        down, up = (half.double().flatten(1) for half in (plain.layers[layer].down, plain.layers[layer].up))
        wanted = sum(strength * up[:, side] @ down[side] for strength, side in sides)
        assert relative(dense(scaled, layer).flatten(1), wanted) < 1e-6


@pytest.mark.parametrize("method", [*MANY, "lorarar"])
def test_blocks_count_before_the_method_sees_the_loras(method, tiny_folder, tmp_path):
    """As if the LoRAs were of these blocks alone, with the numbers in them."""
    torch.manual_seed(0)
    own = (
        {"hypernet": write_hypernet(Hypernetwork((16, 32)), tmp_path / "h.safetensors")} if method == "lorarar" else {}
    )
    text = f"UNET:0;{FIRST.removeprefix('unet.')}:1;{SECOND.removeprefix('unet.')}:0.5"
    given = recipe(tiny_folder, method, loras=2, blocks={"style": text}, **own).merge(THREE[:2])
    of_style = of_block(THREE[1], FIRST).layers | {
        layer: Factors(0.5 * factors.down, factors.up) for layer, factors in of_block(THREE[1], SECOND).layers.items()
    }
    wanted = recipe(tiny_folder, method, loras=2, **own).merge((THREE[0], replace(THREE[1], layers=of_style)))
    for layer, factors in wanted.layers.items():
        assert torch.equal(factors.dense(), given.layers[layer].dense())


def test_what_is_not_asked_for_is_in_no_key(tiny_folder):
    plain = recipe(tiny_folder, "np-lora", loras=2).resolved_options()
    assert plain == {"seed": 0, "weights": [1.0, 1.0], "mu": 0.5}
    asked = recipe(tiny_folder, "direct", loras=2, blocks={"2": "TE:0"}, balance="energy").resolved_options()
    assert asked == {"seed": 0, "weights": [1.0, 1.0], "balance": "energy", "blocks": {"style": "TE:0"}}


def test_a_plans_row_says_blocks_balance_and_strengths(tiny_folder):
    base = find_base(str(tiny_folder))
    row = MethodRow(method="direct", blocks={"content": "b-lora", "style": "b-lora"}, balance="energy", rank=2)
    options = row.recipe(base).resolved_options()
    assert options["blocks"]["style"] == "TE:0;UNET:0;up_blocks.0.attentions.1:1"
    assert (options["balance"], options["rank"]) == ("energy", 2)
    row = MethodRow(method="ziplora", steps=7, blocks={"content": "TE:0"}, strengths=[0.5, 2])
    assert row.options.steps == 7
    options = row.recipe(base).resolved_options()
    assert (options["blocks"], options["strengths"]) == ({"content": "TE:0"}, [0.5, 2.0])
    assert row.recipe(base).with_blocks([{"lora": "a"}, {"lora": "b"}]) == [
        {"lora": "a", "blocks": "TE:0"},
        {"lora": "b"},
    ]
    for wrong in ({"strengths": [1, 2]}, {"blocks": {}}, {"blocks": {"content": 3}}, {"balance": "no"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            MethodRow(method="direct", **wrong)


BLOCK = FIRST.removeprefix("unet.")
OF_BLOCK = f"UNET:0;{BLOCK}:1"


def test_coefficients_are_optimised_for_what_is_left_of_the_loras(tmp_path, tiny_folder, monkeypatch):
    write_plan(tmp_path, tiny_folder)
    monkeypatch.setitem(OF_COEFFICIENTS, "ziplora", Training(partial(ZipOptions, steps=1), ()))
    pair = tmp_path / "contents" / "c0.safetensors", tmp_path / "styles" / "s0.safetensors"
    done = lorarar.merge(*pair, method="ziplora", base=str(tiny_folder), blocks={"style": OF_BLOCK})
    assert done.coefficients.keys() == {layer for layer in LAYERS if layer.startswith(FIRST)}
    assert done.training["style"]["blocks"] == OF_BLOCK
    assert "blocks" not in done.training["content"]
    torch.manual_seed(0)
    whole = {layer: (torch.rand(n), torch.rand(n)) for layer in LAYERS for n in THREE[0].layers[layer].down.shape[1:]}
    file = write_coefficients(whole, tmp_path / "coefficients.safetensors")
    given = lorarar.merge(*pair, method="ziplora", base=str(tiny_folder), blocks={"style": OF_BLOCK}, coefficients=file)
    content, style = map(read_adapter, pair)
    for layer, factors in given.adapter.layers.items():
        m_c, m_s = whole[layer]
        both = content.layers[layer].dense() * m_c + style.layers[layer].dense() * m_s
        wanted = both if layer.startswith(FIRST) else content.layers[layer].dense()
        assert relative(factors.dense(), wanted) < 1e-5


def test_a_grid_trains_for_its_blocks_and_scales_what_it_trained(tmp_path, tiny_folder):
    """The rows differ in what is done after the training alone, and share it."""
    plan_file = write_plan(tmp_path, tiny_folder)
    head, _, _ = plan_file.read_text().partition("[[methods]]")
    row = '[[methods]]\nmethod = "ziplora"\nsteps = 1\n'
    blocks = f'blocks = {{ style = "{OF_BLOCK}" }}\n'
    strong = f'{row}name = "strong"\n{blocks}strengths = [2, 0.5]\nbalance = "energy"\n'
    head = head.replace("seeds = 3", "seeds = 1").replace('folder = "contents"', 'folder = "contents"\nnames = ["c0"]')
    plan_file.write_text(f'{head}{row}name = "part"\n{blocks}{strong}')
    outcome = run_bench(plan_file, tmp_path / "out")
    assert not outcome.failures
    assert (outcome.generated, outcome.trained) == (2, 1)
    merged = {row: read_adapter(next((tmp_path / "out" / "loras" / row).glob("c0*"))) for row in ("part", "strong")}
    facts = merged["strong"].provenance
    assert (facts["options"]["strengths"], facts["options"]["balance"]) == ([2.0, 0.5], "energy")
    style = read_adapter(tmp_path / "styles" / "s0.safetensors")
    alone = next(layer for layer in LAYERS if not layer.startswith(FIRST))
    content = read_adapter(tmp_path / "contents" / "c0.safetensors").layers[alone]
    assert relative(merged["part"].layers[alone].dense(), content.dense()) < 1e-6
    strongest = max(4 * energy(read_adapter(tmp_path / "contents" / "c0.safetensors").layers), energy(style.layers) / 4)
    assert energy(merged["strong"].layers) == pytest.approx(strongest, rel=1e-4)


def test_what_a_merge_of_three_is_made_of_is_forgotten_with_its_last_picture(three_files, tiny_folder, tmp_path):
    made = [
        lorarar.merge(*files[:2], tmp_path / f"{n}.safetensors", more=files[2:], method="direct", base=str(tiny_folder))
        for n, files in enumerate((three_files, three_files[:2]))
    ]
    single = Collection("single", "")
    with Store(tmp_path / "a.db") as store:
        numbers = [store.add_merge(merge, *three_files[: len(merge.inputs)]) for merge in made]
        with store.writing():
            columns = (
                "path, sha256, prompt, base, merge, seed, steps, guidance, width, height, seconds, version, created"
            )
            store.db.conn.execute(
                f"INSERT INTO images ({columns}, single) VALUES ('p', 's', '', '', ?, 0, 1, 1, 1, 1, 1, '', '', 1)",
                numbers[:1],
            )
        gone = forget(store, [single])
        assert (gone.rows["merges"], gone.rows["merge_inputs"], gone.rows["adapters"]) == (1, 1, 2)
        left = {row["name"] for row in store.rows("SELECT name FROM adapters")}
        assert left == {"a.safetensors", "b.safetensors", "1.safetensors"}
