"""Many pairs a step, and many LoRAs: what each gives is what it gives alone."""

from dataclasses import replace

import pytest
import torch

from lorarar.generation.denoisers.table import encode_prompts, predict
from lorarar.generation.gates import gated
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import read_provenance
from lorarar.lora.stack import stack, unstack
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.training.hypernet import HypernetMerging, Keeping, new_objective, train_hypernet
from lorarar.training.loop import Schedule, train
from lorarar.training.options import HypernetOptions
from lorarar.training.share import Share
from lorarar.util.errors import AdapterError, TrainingError

from .conftest import FEED_FORWARD, of_one_colour, random_adapter, write_concepts

OPTIONS = HypernetOptions(hidden=8, pairs=2, steps=4, decay=0.0, average=0.9)
PARTS = ("query", "output")


@pytest.fixture
def concepts(tmp_path):
    return write_concepts(tmp_path, contents=3, styles=2)


def test_a_stack_gives_each_sample_its_own_adapters_prediction(tiny):
    contents, styles = [random_adapter(2, 1), random_adapter(3, 2)], [random_adapter(2, 3), random_adapter(2, 4)]
    network = Hypernetwork((16, 32), hidden=5, parts=PARTS)
    noisy, times = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([1, 500, 30, 900])
    conditioning = encode_prompts(tiny, ["a dog", "a cat", "a fox", "an owl"], 16)
    both = stack(contents), stack(styles)
    gates = {name: tuple(m.unsqueeze(-2) for m in pair) for name, pair in network(*both).items()}
    with torch.no_grad(), gated(tiny.unet, *both, gates):
        together = predict(tiny.unet, noisy, times, conditioning)
    for place, pair in enumerate(zip(contents, styles, strict=True)):
        rows = slice(2 * place, 2 * place + 2)
        with torch.no_grad(), gated(tiny.unet, *pair, network(*pair)):
            alone = predict(tiny.unet, noisy[rows], times[rows], conditioning.at(rows))
        torch.testing.assert_close(together[rows], alone, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(together[:2], predict(tiny.unet, noisy[:2], times[:2], conditioning.at(slice(2))))


def test_a_stack_is_of_adapters_with_the_same_layers():
    one = random_adapter(2, 1)
    again = unstack(stack([one, random_adapter(4, 2)]))[0]
    for name, factors in one.layers.items():
        torch.testing.assert_close(again.layers[name].dense(), factors.dense())
    with pytest.raises(AdapterError, match="do not change the same layers"):
        stack([one, random_adapter(2, 2, ends=FEED_FORWARD)])
    flat = Adapter({"unet.conv": Factors(down=torch.ones(2, 3, 1, 1), up=torch.ones(4, 2, 1, 1))})
    with pytest.raises(AdapterError, match="convolution"):
        stack([flat])


def test_eq_3_of_many_pairs_is_the_mean_of_eq_3_of_each(tiny, concepts):
    options = replace(OPTIONS, pairs=4, batch=2)
    many = new_objective(tiny, *concepts, options, 16, None, None)
    with torch.no_grad():
        many.hypernet.output.weight.normal_(generator=torch.Generator().manual_seed(3))
    pairs, noisy, times = many.batch(torch.Generator().manual_seed(1))
    one = HypernetMerging(tiny, *concepts, replace(options, pairs=1), 16)
    one.hypernet.load_state_dict(many.hypernet.state_dict())
    losses = []
    for place in range(4):
        rows = slice(2 * place, 2 * place + 2)
        losses.append(one(pairs[:, place], torch.cat(list(noisy[:, rows])), torch.cat(list(times[:, rows]))))
    torch.testing.assert_close(many(pairs, noisy, times), torch.stack(losses).mean(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("objective", ["paper", "truth"])
def test_processes_share_the_pairs_of_a_step(tiny, concepts, objective):
    two = new_objective(tiny, *concepts, replace(OPTIONS, objective=objective, pairs=4), 16, of_one_colour, None)
    one = new_objective(tiny, *concepts, replace(OPTIONS, objective=objective, pairs=2), 16, of_one_colour, None)
    generator = torch.Generator().manual_seed(0)
    whole = two(*two.batch(generator))
    halves = [one(*one.batch(torch.Generator().manual_seed(0), Share(index, 2))) for index in range(2)]
    torch.testing.assert_close(torch.stack(halves).mean(), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("objective", ["paper", "truth"])
def test_a_killed_training_of_many_pairs_ends_as_an_unbroken_one(tiny, concepts, tmp_path, objective):
    options, state, kept = replace(OPTIONS, objective=objective), tmp_path / "state.pt", {}
    how = {"side": 16, "truth": of_one_colour}
    keep = Keeping(2, lambda step, network: kept.update({step: network}))
    whole = train_hypernet(tiny, *concepts, options, keep=keep, **how)
    train_hypernet(tiny, *concepts, replace(options, steps=3), checkpoint=state, **how)
    again = train_hypernet(tiny, *concepts, options, checkpoint=state, **how)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
        assert torch.equal(tensor, kept[4].state_dict()[name])
    assert [*kept] == [2, 4] and not torch.equal(kept[2].output.weight, whole.output.weight)


def test_the_truth_is_learnt(tiny, concepts):
    objective = new_objective(tiny, *concepts, replace(OPTIONS, objective="truth"), 16, of_one_colour, None)
    batch, losses = objective.batch(torch.Generator().manual_seed(0)), []
    objective.batch = lambda generator, share: batch
    train(objective, Schedule(12, 0.02, decay=0.0), title="x", on_step=lambda step, loss: losses.append(loss))
    assert losses[-1] < 0.98 * losses[0]


def test_an_unknown_true_picture_is_refused(tiny, concepts):
    options = replace(OPTIONS, objective="truth")
    with pytest.raises(TrainingError, match="c0 in c0 has no true picture"):
        train_hypernet(tiny, *concepts, options, side=16, truth=lambda content, style: None)
    with pytest.raises(TrainingError, match="this base has none; accepted is paper"):
        train_hypernet(tiny, *concepts, options, side=16)


def test_the_command_keeps_networks_to_choose_from(run, concepts, tiny_folder, tmp_path):
    sides = ("--contents", tmp_path / "contents", "--styles", tmp_path / "styles")
    arguments = ("train", "hypernet", *sides, "--base", tiny_folder, "--resolution", 16, "--hidden", 8)
    more = ("--pairs", 2, "--steps", 4, "--decay", 0, "--average", 0.9, "-o", "h.safetensors")
    result = run(*arguments, *more, "--keep-every", 2)
    assert result.exit_code == 0, result.output
    kept = sorted((tmp_path / "h.steps").iterdir())
    assert [file.name for file in kept] == ["step-0002.safetensors", "step-0004.safetensors"]
    early, late, whole = (read_hypernet(file) for file in (*kept, tmp_path / "h.safetensors"))
    assert torch.equal(late.output.weight, whole.output.weight)
    assert not torch.equal(early.output.weight, whole.output.weight)
    assert read_provenance(kept[0])["steps"] == 2 and read_provenance(kept[0])["pairs"] == 2
    result = run(*arguments, *more, "--objective", "truth")
    assert result.exit_code == 1 and "this base has none; accepted is paper" in result.stderr
