"""The means of a hypernetwork: what they are, where they are kept, and what merges make of them."""

import json
from collections import Counter
from dataclasses import replace
from itertools import islice, product

import pytest
import torch
from PIL import Image

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.folders import find_loras
from lorarar.lora.header import provenance_of, read_header
from lorarar.merging import means as means_module
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import read_hypernet, write_hypernet
from lorarar.merging.means import MeanPredictor, take_means
from lorarar.merging.means_file import beside, find_means, own_means, write_means_beside
from lorarar.merging.methods import METHODS
from lorarar.merging.recipe import Recipe
from lorarar.pictures.images import write_png
from lorarar.util.errors import HypernetError, MethodError
from lorarar.util.files import sha256_of
from lorarar.util.pair_order import even_pairs

from .conftest import random_adapter

CONTENTS = [random_adapter(2, seed) for seed in range(3)]
STYLES = [random_adapter(3, seed) for seed in (10, 11)]
BASE = Base("tiny", "nowhere")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Hypernetwork((16, 32), hidden=8)


def predicted(network, pairs):
    """The coefficients (2, n) of each predicted layer in each pair."""
    with torch.no_grad():
        return [
            {layer: torch.stack(both) for layer, both in network(c, s).items() if network.predicts(layer)}
            for c, s in pairs
        ]


def test_means_are_over_columns_and_pairs_and_spreads_are_of_layers(network):
    means = take_means(network, CONTENTS, STYLES)
    seen = predicted(network, product(CONTENTS, STYLES))
    assert {*means.layers} == {*seen[0]}
    for layer, pair in means.layers.items():
        wanted = torch.stack([coefficients[layer].double().mean(-1) for coefficients in seen])
        torch.testing.assert_close(torch.tensor(pair).double(), wanted.mean(0), rtol=1e-6, atol=1e-7)
    of_pairs = torch.stack([torch.stack([one[layer].double().mean(-1) for layer in means.layers]) for one in seen])
    within = torch.stack([one[layer].double().var(-1, correction=0) for one in seen for layer in means.layers])
    assert means.looks.over_pairs == pytest.approx(float(of_pairs.var(0, correction=0).mean().sqrt()), rel=1e-6)
    assert means.looks.within_pair == pytest.approx(float(within.mean().sqrt()), rel=1e-6)
    assert (means.looks.pairs, means.looks.of_pairs) == (6, 6)


def test_a_network_that_does_not_look_has_no_spread_and_gives_empty_loras_the_same(network):
    with torch.no_grad():
        network.output.weight.zero_()
        network.output.bias.copy_(torch.tensor([0.75, -0.25]))
    looks = take_means(network, CONTENTS, STYLES).looks
    assert looks.over_pairs == looks.within_pair == 0
    assert looks.empty == (0.75, -0.25)


def test_what_empty_loras_get_is_what_the_network_says_without_input(network):
    seen = take_means(network, CONTENTS, STYLES).looks.empty
    layers = [layer for layer in CONTENTS[0].layers if network.predicts(layer)]
    widths = [str(CONTENTS[0].layers[layer].up.shape[0]) for layer in layers]
    with torch.no_grad():
        wanted = torch.stack([network.output(network.inputs[width].bias.relu()) for width in widths]).mean(0)
    assert seen == pytest.approx(wanted.tolist(), rel=1e-5)


@pytest.mark.parametrize("sides", [(20, 18), (5, 5), (7, 3), (1, 9), (100, 100)])
def test_any_beginning_of_the_pairs_is_even_over_both_sides(sides):
    everything = list(even_pairs(*sides))
    assert sorted(everything) == list(product(*map(range, sides)))
    for count in {1, min(sides), max(sides), len(everything) // 2 + 1}:
        for side, size in enumerate(sides):
            often = Counter(pair[side] for pair in islice(everything, count))
            assert max(often.values()) - min(often.get(one, 0) for one in range(size)) <= 2


def test_of_many_pairs_an_even_sample_is_looked_at(network):
    some = take_means(network, CONTENTS, STYLES, most=4)
    assert (some.looks.pairs, some.looks.of_pairs) == (4, 6)
    assert some.layers != take_means(network, CONTENTS, STYLES).layers


def test_a_training_file_keeps_its_means_and_loads_as_before(network, tmp_path):
    means = take_means(network, CONTENTS, STYLES)
    path = write_hypernet(network, tmp_path / "h.safetensors", {"steps": 3}, means)
    again = own_means(path)
    assert again == replace(means, layers=again.layers)
    assert {layer: pytest.approx(pair, rel=1e-6) for layer, pair in means.layers.items()} == again.layers
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, read_hypernet(path).state_dict()[name])
    assert own_means(write_hypernet(network, tmp_path / "old.safetensors")) is None


def test_means_beside_a_network_leave_its_bytes_and_are_refused_beside_another(network, tmp_path):
    path = write_hypernet(network, tmp_path / "h.safetensors")
    before = sha256_of(path)
    written = write_means_beside(take_means(network, CONTENTS, STYLES), path, {})
    assert written == beside(path) == tmp_path / "h.means.safetensors"
    assert sha256_of(path) == before
    assert provenance_of(read_header(written, HypernetError))["hypernet"] == before
    assert find_means(path).looks.pairs == 6
    write_hypernet(Hypernetwork((16, 32), hidden=9), path)
    with pytest.raises(HypernetError, match=r"means of another hypernetwork.*lorarar train means"):
        find_means(path)


@pytest.mark.parametrize("change", ["shape", "nan", "header"])
def test_unsound_means_are_refused(network, tmp_path, change):
    from safetensors.torch import load_file, save_file

    path = write_hypernet(network, tmp_path / "h.safetensors", {}, take_means(network, CONTENTS, STYLES))
    tensors, metadata = load_file(path), read_header(path, HypernetError)
    first = next(key for key in tensors if key.startswith("means."))
    tensors[first] = {"shape": torch.ones(3), "nan": torch.tensor([1.0, float("nan")])}.get(change, tensors[first])
    if change == "header":
        metadata["lorarar"] = json.dumps({**json.loads(metadata["lorarar"]), "means": {"pairs": 3}})
    save_file(tensors, path, metadata)
    with pytest.raises(HypernetError, match="header" if change == "header" else "no two finite numbers"):
        find_means(path)
    read_hypernet(path)  # the network itself is sound


def test_every_pair_gets_the_means_and_the_rules_stay(network, tmp_path):
    path = write_hypernet(network, tmp_path / "h.safetensors", {}, take_means(network, CONTENTS, STYLES))
    means = find_means(path).layers
    recipe = Recipe(METHODS["lorarar"], BASE, {"hypernet": path, "means": True, "key_value": "sum"})
    pairs = (CONTENTS[0], STYLES[0]), (CONTENTS[1], STYLES[1])
    results = [recipe.merge(pair) for pair in pairs]
    for layer in CONTENTS[0].layers:
        wanted = means[layer] if network.predicts(layer) else (1.0, 1.0)
        for result, (content, style) in zip(results, pairs, strict=True):
            dense = wanted[0] * content.layers[layer].dense() + wanted[1] * style.layers[layer].dense()
            torch.testing.assert_close(result.layers[layer].dense(), dense, rtol=1e-4, atol=1e-5)
            assert all(len(set(m.tolist())) == 1 for m in result.coefficients[layer])


def test_means_are_in_what_a_merge_is_known_by_and_nothing_changes_without_them(network, tmp_path):
    path = write_hypernet(network, tmp_path / "h.safetensors")
    plain = Recipe(METHODS["lorarar"], BASE, {"hypernet": path}).resolved_options()
    assert plain == {"seed": 0, "hypernet": sha256_of(path), "key_value": "mean"}
    assert Recipe(METHODS["lorarar"], BASE, {"hypernet": path, "means": False}).resolved_options() == plain
    known = []
    for most in (6, 3):
        write_means_beside(take_means(network, CONTENTS, STYLES, most), path, {})
        known.append(Recipe(METHODS["lorarar"], BASE, {"hypernet": path, "means": True}).resolved_options())
    assert [{**one, "means_sha256": ""} for one in known] == [{**plain, "means": True, "means_sha256": ""}] * 2
    assert known[0]["means_sha256"] != known[1]["means_sha256"]


def test_a_network_without_means_is_refused_before_anything_is_merged_and_told_how_to_get_them(network, tmp_path):
    path = write_hypernet(network, tmp_path / "h.safetensors")
    with pytest.raises(MethodError, match=r"h\.safetensors has no means; take them with: lorarar train means"):
        Recipe(METHODS["lorarar"], BASE, {"hypernet": path, "means": True})


def test_a_layer_that_no_training_pair_had_is_refused(network):
    means = take_means(network, CONTENTS, STYLES).layers
    layer = next(iter(means))
    with pytest.raises(HypernetError, match=r"has no mean coefficients.*lorarar train means"):
        MeanPredictor(network, {name: pair for name, pair in means.items() if name != layer})(CONTENTS[0], STYLES[0])


def test_loras_without_a_predicted_layer_have_no_means(network):
    keys = Adapter({"unet.a.to_k": Factors(torch.ones(2, 4), torch.ones(16, 2))})
    with pytest.raises(HypernetError, match="share no layer whose coefficients the hypernetwork predicts"):
        take_means(network, [keys], [keys])


def test_the_command_gives_a_network_its_means_and_refuses_what_has_them(run, network, tiny_folder, tmp_path):
    for side, some in (("contents", CONTENTS), ("styles", STYLES)):
        for number, adapter in enumerate(some):
            write_adapter(adapter, tmp_path / side / f"{side[0]}{number}.safetensors")
    path = write_hypernet(network, tmp_path / "h.safetensors")
    arguments = ("train", "means", path, "--contents", "contents", "--styles", "styles", "--base", tiny_folder)
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip().endswith("h.means.safetensors")
    assert "means of 6 of 6 pairs" in done.stderr
    some = run(*arguments, "--names", "c0,c1,s1")
    assert "means of 2 of 2 pairs" in some.stderr
    pair = tmp_path / "contents" / "c0.safetensors", tmp_path / "styles" / "s1.safetensors"
    merged = run("merge", *pair, "-o", "m.safetensors", "--hypernet", path, "--means", "--base", tiny_folder)
    assert merged.exit_code == 0, merged.output
    assert read_adapter(tmp_path / "m.safetensors").provenance["options"]["means"] is True
    write_hypernet(network, path, {}, take_means(network, CONTENTS, STYLES))
    assert "has its means already" in run(*arguments).stderr
    (tmp_path / "none").mkdir()
    other = ("train", "means", write_hypernet(network, tmp_path / "g.safetensors"), "--contents", "none")
    refused = run(*other, "--styles", "styles", "--base", tiny_folder)
    assert (refused.exit_code, "none has no LoRA" in refused.stderr) == (1, True)


def test_pockets_network_has_its_means_over_its_training_pairs():
    from lorarar.pocket import shipped

    means = find_means(shipped.HYPERNET)
    assert means.looks.of_pairs >= 20 * 18 and means.looks.pairs >= 100
    assert Recipe(METHODS["lorarar"], shipped.base(), {"means": True}).resolved_options()["means"] is True


def test_inspect_says_what_a_hypernetwork_is_and_how_much_it_looks(run, network, tmp_path):
    path = write_hypernet(network, tmp_path / "h.safetensors", {"steps": 7, "base": "tiny\x1b"})
    plain = run("inspect", path)
    assert plain.exit_code == 0, plain.output
    assert "query, output" in plain.stdout and "lorarar train means" in plain.stdout.replace("\n", "")
    assert "steps 7" in plain.stdout and "\x1b" not in plain.stdout
    means = take_means(network, CONTENTS, STYLES)
    write_means_beside(means, path, {})
    facts = json.loads(run("inspect", path, "--json").stdout)
    assert facts["hypernetwork"] == "columns" and facts["widths"] == [16, 32] and facts["training"] == {"steps": 7}
    assert facts["means"]["over_pairs"] == pytest.approx(means.looks.over_pairs)
    assert facts["means"]["in"] == str(beside(path)) and {*facts["means"]["layers"]} == {*means.layers}
    assert "over 6 of 6 pairs" in run("inspect", path).stdout


def test_inspect_knows_published_hypernetworks_and_takes_no_lora_for_one(run, tmp_path):
    from .test_hypernet import published

    torch.save(published((64,), 8), tmp_path / "theirs.pth")
    facts = json.loads(run("inspect", tmp_path / "theirs.pth", "--json").stdout)
    assert (facts["widths"], facts["key_value"], facts["means"]) == ([64], "sum", None)
    write_adapter(CONTENTS[0], tmp_path / "lora.safetensors")
    assert "hypernetwork" not in json.loads(run("inspect", tmp_path / "lora.safetensors", "--json").stdout)
    assert run("inspect", tmp_path / "none.pth").exit_code == 1


def test_a_training_ends_in_means_and_goes_on_where_they_were_interrupted(run, tiny_folder, tmp_path, monkeypatch):
    for side, some in (("contents", CONTENTS[:2]), ("styles", STYLES)):
        for number, adapter in enumerate(some):
            write_adapter(adapter, tmp_path / side / f"{side[0]}{number}.safetensors", {"prompt": "a sks thing"})
            write_png(Image.new("RGB", (16, 16), (90 * number, 9, 9)), tmp_path / side / f"{side[0]}{number}" / "1.png")
    folders = ("--contents", "contents", "--styles", "styles", "--base", tiny_folder, "--resolution", 16)
    arguments = ("train", "hypernet", *folders, "-o", "h.safetensors", "--steps", 2, "--hidden", 4, "--keep-every", 1)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(means_module, "_predicted", interrupted)
        assert run(*arguments).exit_code == 130
    assert not (tmp_path / "h.safetensors").exists()
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    for file in (tmp_path / "h.safetensors", *(tmp_path / f"h.steps/step-000{step}.safetensors" for step in (1, 2))):
        means = own_means(file)
        concepts = ([read_adapter(path) for path in find_loras(tmp_path / side)] for side in ("contents", "styles"))
        again = take_means(read_hypernet(file), *concepts)
        assert means.looks.pairs == 4
        assert {layer: pytest.approx(pair, rel=1e-5) for layer, pair in again.layers.items()} == means.layers
    assert not list(tmp_path.glob("*.checkpoint.pt"))
