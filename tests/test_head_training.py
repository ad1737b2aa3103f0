"""The training of every head: gradients reach all weights, losses fall, and a killed one ends as an unbroken one."""

import json
from dataclasses import replace

import pytest
import torch

from lorarar.lora.axis import AXES
from lorarar.merging.heads.table import HEADS
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.training.hypernet import HypernetMerging, new_hypernet, new_objective, train_hypernet
from lorarar.training.loop import Schedule, train
from lorarar.training.options import HypernetOptions, options_facts
from lorarar.util.errors import TrainingError

from .conftest import of_one_colour, write_concepts

NEW = [name for name in HEADS if name != "columns"]  # whose trainings are tested elsewhere
OPTIONS = HypernetOptions(hidden=8, pairs=2, steps=4, decay=0.0, average=0.9)


@pytest.fixture
def concepts(tmp_path):
    return write_concepts(tmp_path, contents=2, styles=2)


def moved(network):
    """A head at which no weight is where a training starts, so that all get gradients."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)) * 0.1)


@pytest.mark.parametrize("name", NEW)
def test_gradients_reach_every_weight(tiny, concepts, name):
    options = replace(OPTIONS, head=name)
    kinds = options, replace(options, objective="truth"), replace(options, pairs=1)
    for kind in kinds:
        objective = new_objective(tiny, *concepts, kind, 16, of_one_colour, None)
        assert isinstance(objective, HypernetMerging) == (kind.pairs == 1)
        moved(objective.hypernet)
        objective(*objective.batch(torch.Generator().manual_seed(0))).backward()
        assert all(weight.grad.abs().sum() > 0 for weight in objective.hypernet.parameters())


@pytest.mark.parametrize("name", NEW)
def test_eq_3_of_many_pairs_is_the_mean_of_eq_3_of_each(tiny, concepts, name):
    options = replace(OPTIONS, head=name, pairs=4, batch=2)
    many = new_objective(tiny, *concepts, options, 16, None, None)
    moved(many.hypernet)
    pairs, noisy, times = many.batch(torch.Generator().manual_seed(1))
    one = HypernetMerging(tiny, *concepts, replace(options, pairs=1), 16)
    one.hypernet.load_state_dict(many.hypernet.state_dict())
    losses = []
    for place in range(4):
        rows = slice(2 * place, 2 * place + 2)
        losses.append(one(pairs[:, place], torch.cat(list(noisy[:, rows])), torch.cat(list(times[:, rows]))))
    torch.testing.assert_close(many(pairs, noisy, times), torch.stack(losses).mean(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NEW)
def test_the_loss_falls(tiny, concepts, name):
    made = new_objective(tiny, *concepts, replace(OPTIONS, head=name, objective="truth"), 16, of_one_colour, None)
    batch, losses = made.batch(torch.Generator().manual_seed(0)), []
    made.batch = lambda generator, share: batch
    train(made, Schedule(12, 0.02, decay=0.0), title="x", on_step=lambda step, loss: losses.append(loss))
    assert losses[-1] < 0.99 * losses[0]


@pytest.mark.parametrize("name", NEW)
def test_a_killed_training_ends_as_an_unbroken_one(tiny, concepts, tmp_path, name):
    options, state = replace(OPTIONS, head=name, pairs=1 if name == "ranks" else 2), tmp_path / "state.pt"
    whole = train_hypernet(tiny, *concepts, options, side=16)
    train_hypernet(tiny, *concepts, replace(options, steps=3), checkpoint=state, side=16)
    again = train_hypernet(tiny, *concepts, options, checkpoint=state, side=16)
    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[key])


def test_a_training_of_columns_is_known_as_it_was():
    assert "head" not in options_facts(HypernetOptions())
    assert HypernetOptions().parts == ("query", "output")
    assert options_facts(HypernetOptions(head="context"))["head"] == "context"


@pytest.mark.parametrize("name", NEW)
def test_the_commands_train_merge_and_show_each_head(run, concepts, tiny_folder, tmp_path, name):
    sides = ("--contents", tmp_path / "contents", "--styles", tmp_path / "styles")
    made = run(
        *("train", "hypernet", *sides, "--base", tiny_folder, "--resolution", 16, "--hidden", 8),
        *("--head", name, "--pairs", 2, "--steps", 2, "--decay", 0, "--average", 0.98, "-o", "h.safetensors"),
    )
    assert made.exit_code == 0, made.output
    assert read_hypernet(tmp_path / "h.safetensors").name == name
    pair = tmp_path / "contents" / "c0.safetensors", tmp_path / "styles" / "c1.safetensors"
    how = ("--base", tiny_folder, "--hypernet", "h.safetensors")
    merged = run("merge", *pair, "-o", "m.safetensors", *how)
    assert merged.exit_code == 0, merged.output
    shown = run("coefficients", *pair, "-o", "c.safetensors", *how)
    assert shown.exit_code == 0, shown.output
    assert f"one coefficient for each {AXES[HEADS[name].kind.axis]}" in shown.stderr
    for_machines = json.loads(run("coefficients", *pair, "-o", "c.safetensors", *how, "--json").stdout)
    assert for_machines["axis"] == HEADS[name].kind.axis
    spread = for_machines["spreads"][0]
    assert (spread["cosine"] is None) == (for_machines["axis"] == "rank") and spread["count"][0] > 0
    by_file = run(
        "merge",
        *pair,
        "-o",
        "z.safetensors",
        "--base",
        tiny_folder,
        "--method",
        "ziplora",
        "--coefficients",
        "c.safetensors",
    )
    assert by_file.exit_code == 0, by_file.output


def test_only_a_head_with_weights_for_each_width_needs_layers_of_every_part(concepts):
    contents, styles = ([one.adapter for one in side] for side in concepts)
    assert new_hypernet(contents, styles, HypernetOptions(head="ranks")).predicts("unet.a.ff.net.2")
    for head, parts in (("ranks", ("feed-forward",)), ("context", ("query", "feed-forward"))):
        with pytest.raises(
            TrainingError, match="names feed-forward, of which these contents and styles share no layer"
        ):
            new_hypernet(contents, styles, HypernetOptions(head=head, parts=parts))
