import math

import pytest
import torch

import lorarar
from lorarar.families import Base, find_base
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.merge_files import merge_all, pairings
from lorarar.merging.coefficient_file import read_coefficients, write_coefficients
from lorarar.merging.coefficient_statistics import block_of, spreads
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.merging.methods import method_named
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.merging.recipe import Recipe
from lorarar.util.errors import AdapterError, HypernetError, MethodError
from lorarar.util.files import sha256_of

from .conftest import random_adapter


@pytest.fixture
def hypernet_file(tmp_path):
    torch.manual_seed(0)
    return write_hypernet(Hypernetwork((16, 32)), tmp_path / "hypernet.safetensors")


@pytest.fixture
def folders(tmp_path):
    """Three contents and two styles."""
    for side, count in (("contents", 3), ("styles", 2)):
        for number in range(count):
            adapter = random_adapter(2, number + 10 * (side == "styles"))
            write_adapter(adapter, tmp_path / side / f"{side[0]}{number}.safetensors")
    return tmp_path / "contents", tmp_path / "styles"


def recipe(tiny_folder, method="lorarar", cache=None, **options):
    return Recipe(method_named(method), find_base(str(tiny_folder)), options, cache=cache)


def test_a_grid_costs_a_projection_for_each_adapter_and_none_the_second_time(
    folders, tiny_folder, hypernet_file, tmp_path
):
    for round_, computed in ((1, 5), (2, 0)):
        cache = ProjectionCache(tmp_path / "cache")
        wanted = pairings(*folders, tmp_path / f"out{round_}")
        made = [done for _, done in merge_all(recipe(tiny_folder, cache=cache, hypernet=hypernet_file), wanted)]
        assert len(made) == 6
        assert cache.computed == computed
    for pairing, done in zip(wanted, made, strict=True):
        alone = lorarar.merge(pairing.content, pairing.style, base=str(tiny_folder), hypernet=hypernet_file)
        for layer, factors in alone.adapter.layers.items():
            torch.testing.assert_close(done.adapter.layers[layer].dense(), factors.dense())


@pytest.mark.parametrize("options", [{}, {"rank": 3}, {"key_value": "sum"}])
def test_a_merge_is_the_same_bytes_alone_and_in_a_grid(folders, tiny_folder, hypernet_file, tmp_path, options):
    for number in range(2):  # the second time projections come from the disk
        cache = ProjectionCache(tmp_path / "cache")
        pairs = pairings(*folders, tmp_path / f"out{number}")
        list(merge_all(recipe(tiny_folder, cache=cache, hypernet=hypernet_file, **options), pairs))
        for index, pairing in enumerate(pairs):
            alone = lorarar.merge(
                pairing.content,
                pairing.style,
                tmp_path / f"{number}-{index}.safetensors",
                base=str(tiny_folder),
                hypernet=hypernet_file,
                **options,
            )
            assert alone.path.read_bytes() == pairing.out.read_bytes()


def test_a_broken_projection_is_computed_again(folders, tiny_folder, hypernet_file, tmp_path):
    cache = ProjectionCache(tmp_path / "cache")
    with_cache = recipe(tiny_folder, cache=cache, hypernet=hypernet_file)
    list(merge_all(with_cache, pairings(*folders, tmp_path / "one")[:1]))
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(file.read_bytes()[:-7])
    list(merge_all(with_cache, pairings(*folders, tmp_path / "two")[:1]))
    assert cache.computed == 4


def test_merges_that_are_there_are_not_made_again_unless_something_changed(folders, tiny_folder, tmp_path):
    def made(**options):
        wanted = pairings(*folders, tmp_path / "out")
        return sum(done is not None for _, done in merge_all(recipe(tiny_folder, "direct", **options), wanted))

    assert made() == 6
    assert made() == 0
    (tmp_path / "out" / "c0--s0.safetensors").unlink()
    (tmp_path / "out" / "c1--s0.safetensors").write_bytes(b"broken")
    assert made() == 2
    write_adapter(random_adapter(2, 77), tmp_path / "contents" / "c2.safetensors")
    assert made() == 2
    assert made(weights=(0.5, 0.5)) == 6


def test_a_folder_without_loras_is_named(folders, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdapterError, match="empty is no folder of LoRAs"):
        pairings(tmp_path / "empty", folders[1], tmp_path / "out")


def test_coefficients_are_kept_whole(tmp_path):
    pairs = {"unet.mid_block.attentions.0.to_q": (torch.rand(4), torch.rand(4))}
    path = write_coefficients(pairs, tmp_path / "c.safetensors", {"note": 1})
    again = read_coefficients(path)
    assert again.keys() == pairs.keys()
    assert all(torch.equal(one, two) for one, two in zip(*pairs.values(), *again.values(), strict=False))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"a.content": torch.ones(2)}, "lacks two vectors"),
        ({"a.content": torch.ones(2), "a.style": torch.ones(3)}, "lacks two vectors"),
        ({"a.content": torch.ones(2), "a.style": torch.tensor([1.0, math.nan])}, "NaN"),
        ({"a.content": torch.ones(2), "a.style": torch.ones(2), "a.other": torch.ones(2)}, "no file of coefficients"),
        ({}, "no file of coefficients"),
    ],
)
def test_unsound_coefficients_are_refused(tmp_path, tensors, message):
    from safetensors.torch import save_file

    save_file(tensors, tmp_path / "c.safetensors")
    with pytest.raises(MethodError, match=message):
        read_coefficients(tmp_path / "c.safetensors")


def test_given_coefficients_make_the_same_merge_as_the_hypernetwork(folders, tiny_folder, hypernet_file, tmp_path):
    pair = folders[0] / "c0.safetensors", folders[1] / "s0.safetensors"
    predicted = lorarar.merge(*pair, base=str(tiny_folder), hypernet=hypernet_file)
    file = write_coefficients(predicted.coefficients, tmp_path / "c.safetensors")
    given = lorarar.merge(*pair, base=str(tiny_folder), method="ziplora", coefficients=file)
    for layer, factors in predicted.adapter.layers.items():
        torch.testing.assert_close(given.adapter.layers[layer].dense(), factors.dense())
    assert given.options == {"seed": 0, "coefficients": sha256_of(file)}


@pytest.mark.parametrize(
    ("method", "options", "error", "message"),
    [
        ("ties", {"density": 0.0}, MethodError, "above 0 and up to 1"),
        ("dare", {"density": 1.5}, MethodError, "above 0 and up to 1"),
        ("ties", {"form": "both"}, MethodError, "delta, factors"),
        ("np-lora", {"mu": -1.0}, MethodError, "0 to inf"),
        ("np-lora", {"mu": math.nan}, MethodError, "0 to inf"),
        ("direct", {"weights": (1.0, math.inf)}, MethodError, "2 finite numbers like 1,1"),
        ("direct", {"rank": 0}, MethodError, "1 or more"),
        ("direct", {"density": 0.5}, MethodError, "takes no --density; it takes --weights, --rank, --seed"),
        ("ziplora", {"coefficients": "none.safetensors"}, MethodError, "does not exist"),
        ("lorarar", {"hypernet": "none.pth"}, HypernetError, "does not exist"),
        ("lorarar", {"key_value": "max"}, MethodError, "mean, sum"),
    ],
)
def test_a_recipe_is_checked_before_anything_is_read(method, options, error, message):
    with pytest.raises(error, match=message):
        Recipe(method_named(method), Base("x", "x"), options)


def test_a_recipe_records_defaults_and_digests(tiny_folder, hypernet_file):
    assert recipe(tiny_folder, "ties").resolved_options() == {
        "seed": 0,
        "weights": [1.0, 1.0],
        "density": 0.5,
        "form": "delta",
    }
    made = recipe(tiny_folder, hypernet=hypernet_file, rank=3, seed=9).resolved_options()
    assert made == {"seed": 9, "rank": 3, "hypernet": sha256_of(hypernet_file), "key_value": "mean"}


def test_a_rule_that_came_later_is_a_fact_only_where_it_is_another_than_the_hypernetworks(
    tiny_folder, hypernet_file, tmp_path
):
    own = write_hypernet(Hypernetwork((16, 32), others="sum"), tmp_path / "own.safetensors")
    for file, given, fact in [
        (hypernet_file, None, None),
        (hypernet_file, "key-value", None),
        (hypernet_file, "sum", "sum"),
        (own, None, None),
        (own, "sum", None),
        (own, "mean", "mean"),
    ]:
        options = {"hypernet": file} | ({"others": given} if given else {})
        assert recipe(tiny_folder, **options).resolved_options().get("others") == fact


def test_a_dtype_is_obeyed_and_one_that_overflows_is_refused(folders, tiny_folder, tmp_path):
    pair = folders[0] / "c0.safetensors", folders[1] / "s0.safetensors"
    done = lorarar.merge(*pair, tmp_path / "m.safetensors", base=str(tiny_folder), method="direct", dtype="bfloat16")
    assert read_adapter(done.path).dtype == torch.bfloat16
    with pytest.raises(AdapterError, match="does not fit float16"):
        lorarar.merge(*pair, base=str(tiny_folder), method="direct", weights=(1e12, 1.0), dtype="float16")


def test_a_lone_adapters_other_parts_are_kept_in_every_layout(folders, tiny_folder, tmp_path):
    pair = folders[0] / "c0.safetensors", folders[1] / "s0.safetensors"
    wanted = lorarar.merge(*pair, base=str(tiny_folder), method="direct")
    for layout, name in (("diffusers", "d.safetensors"), ("kohya", "k.safetensors"), ("peft", "p")):
        done = lorarar.merge(*pair, tmp_path / name, base=str(tiny_folder), method="direct", layout=layout)
        again = read_adapter(done.path)
        assert again.provenance["layout"] == layout
        for layer, factors in wanted.adapter.layers.items():
            torch.testing.assert_close(again.layers[layer].dense(), factors.dense())


def test_spreads_are_by_block_and_part_in_the_networks_order():
    pairs = {
        "unet.up_blocks.0.attentions.0.attn1.to_q": (torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0])),
        "unet.down_blocks.1.attentions.0.attn1.to_q": (torch.ones(2), torch.ones(2)),
        "unet.down_blocks.1.attentions.1.attn1.to_q": (torch.zeros(3) + 0.5, torch.ones(3)),
    }
    first, second = spreads(pairs)
    assert (first.block, first.part, first.layers, first.count) == ("down_blocks.1", "query", 2, (5, 5))
    assert first.content.mean == pytest.approx(0.7)
    assert first.cosine == pytest.approx(1.0)
    assert (second.content.mean, second.content.deviation, second.style.low, second.style.high) == (2.0, 1.0, 0.0, 1.0)
    assert block_of("unet.mid_block.attentions.0.to_q") == "mid_block"
    assert block_of("text_encoder_2.text_model.x") == "text_encoder_2"
