"""The benchmarks compare like with like: every way gives the same, at toy size."""

import pytest
import torch

from benchmarks import calibration, dits, merging, methods, pruning, stacked, training
from benchmarks.measure import cost
from benchmarks.page import ratio, seconds, size, table
from benchmarks.sdxl import TOY
from lorarar.lora.adapter import Factors


@pytest.fixture(scope="module")
def pair():
    return merging._prepare(TOY, "cpu")


@pytest.mark.parametrize("way", merging.COEFFICIENTS)
def test_every_way_gives_the_same_coefficients(pair, way):
    network, *adapters = pair
    made = merging.COEFFICIENTS[way][0](network, *adapters)()
    wanted = network(*adapters)
    predicted = [name for name in wanted if network.predicts(name)]
    assert len(predicted) == 28
    for name in predicted:
        torch.testing.assert_close(made[name], wanted[name])


@pytest.mark.parametrize("way", merging.MERGES)
def test_every_way_gives_the_same_merge(pair, way):
    made, wanted = merging.MERGES[way][0](*pair)(), merging.our_merge(*pair)()
    assert made.keys() == wanted.keys()
    for name, update in made.items():
        made_dense = update.dense() if isinstance(update, Factors) else update
        torch.testing.assert_close(made_dense, wanted[name].dense())


def test_the_merge_with_random_moments_is_one_of_shared_inputs_and_of_the_sum_of_ranks():
    layers = sorted(calibration.new_adapter(calibration.new_unet(TOY, "meta"), 1, 0).layers)
    blocks = {name.rpartition(".attn")[0] for name in layers}
    assert len({calibration.inputs_of(name) for name in layers}) == 4 * len(blocks) + 1  # of 8 layers a block
    rows = calibration._measure(TOY, calibration.SIDES[True])
    assert [name for name, _, _ in rows][-1].startswith("**the merge**")
    assert all(taken > 0 for _, taken, _ in rows)


def test_stacked_layers_give_the_same_as_a_loop():
    torch.manual_seed(0)
    network = merging.new_network(TOY)
    content, style = torch.randn(2, 3, network.hidden, 64).unbind()
    made = stacked._stacked(network, *stacked._group(list(content), list(style)))
    wanted = [torch.stack(network.combine(*projections)) for projections in zip(content, style, strict=True)]
    torch.testing.assert_close(made, torch.stack(wanted))


@pytest.mark.parametrize("task", ["hypernetwork", "ZipLoRA"])
def test_gated_and_dense_training_have_the_same_loss_and_gradient(task):
    setting = training.Setting(TOY, 8, 1)
    dense, gated = (training._measure(task, formed, setting) for formed in (True, False))
    assert gated.loss == pytest.approx(dense.loss, rel=training.AGREE)
    assert gated.gradient == pytest.approx(dense.gradient, rel=training.AGREE)
    assert gated.loss > 0 < gated.gradient


def test_what_a_function_returns_counts_as_its_memory():
    assert cost(lambda: torch.ones(2**24)).peak > 0.9 * 2**26


def test_figures_read_well():
    assert (seconds(12.34), seconds(0.45), size(7.6e9), size(23e6)) == ("12.3 s", "450 ms", "7.60 GB", "23.0 MB")
    assert (ratio(40, 1), ratio(1.26, 1), ratio(1, 0)) == ("40 x", "1.3 x", "not measurable")
    assert table(["a"], [["b"]]) == "| a |\n| --- |\n| b |"


def test_names_of_two_things_files_named_in_contracts_and_participles_are_counted(tmp_path):
    from benchmarks.house import hand_kept_modules, participle_counts, read_sources, repeated_classes, room_rows

    (tmp_path / "judge" / "check").mkdir(parents=True)
    (tmp_path / "judge" / "run.py").write_text("class Cell:\n    class Inner: ...\nfound = run(known=found)\n")
    (tmp_path / "judge" / "check" / "cells.py").write_text("class Cell: ...\nclass Inner: ...\n")
    files = read_sources(tmp_path)
    assert repeated_classes(files) == {"Cell": ["judge/check/cells.py", "judge/run.py"]}
    assert participle_counts(files) == {"found": 2, "known": 1}
    assert room_rows(files) == [("judge/check", 1, 2), ("judge", 1, 3)]
    layers = {"containers": ["judge"], "layers": ["check | run", "torch"]}
    assert hand_kept_modules([layers, {"source_modules": ["judge.check"]}], tmp_path) == ["judge.run"]
    assert hand_kept_modules([layers | {"exhaustive": True}], tmp_path) == []


def test_every_way_of_pruning_takes_all_layers_and_discards_as_much_on_the_update():
    sums, layers = pruning.measure("ties", TOY)
    before, ours, core = sums.values()
    assert layers == 56
    assert min(one.seconds for one in (before, ours, core)) > 0
    assert ours.energy.share == pytest.approx(before.energy.share, abs=1e-3)
    assert core.energy.lost == 0


@pytest.mark.parametrize("name", methods.ROWS)
def test_every_row_of_methods_is_a_merge_of_as_many_loras_as_are_measured(name, pair):
    _, content, style = pair
    for count in methods.COUNTS:
        made = methods.merge(name, (content, style, content)[:count])
        assert made.layers.keys() == content.layers.keys()


def test_a_transformer_that_fails_has_its_error_in_its_row_and_ends_no_others_run(monkeypatch):
    def broken(task, name):
        if name == "flux1":
            raise RuntimeError("CUDA error: unspecified launch failure")
        return ("1 GB",) * 5

    monkeypatch.setattr(dits, "isolated", broken)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    page = dits.run()
    assert "failed: CUDA error: unspecified launch failure" in page
    assert all(f"`{name}`" in page for name in dits.NAMES)
