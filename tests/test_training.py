from dataclasses import asdict, replace

import pytest
import torch
from PIL import Image

from lorarar.families import find_base
from lorarar.generation.denoisers.table import predict
from lorarar.generation.gates import gated
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import write_adapter
from lorarar.merging.hypernet_file import read_hypernet, write_hypernet
from lorarar.pictures.concepts import read_concepts
from lorarar.pictures.images import write_png
from lorarar.training.fidelities import FIDELITIES
from lorarar.training.hypernet import HypernetMerging, train_hypernet
from lorarar.training.joint import train_joint
from lorarar.training.lesson import Lesson
from lorarar.training.loop import Schedule, train
from lorarar.training.lora import LoraDenoising, train_lora
from lorarar.training.lora_layers import kept_lora
from lorarar.training.options import HypernetOptions, LoraOptions, ZipOptions, options_facts
from lorarar.training.pair_coefficients import PairMerging, train_coefficients
from lorarar.training.place import TrainingPlace
from lorarar.training.regularisers import REGULARISERS
from lorarar.training.setup import load_for_training, native_side
from lorarar.util.errors import AdapterError, ImageError, TrainingError

from .conftest import ATTENTION as ENDS
from .conftest import FEED_FORWARD, random_adapter
from .test_gates import inputs

OPTIONS = LoraOptions(rank=2, steps=6, rate=1e-2, batch=2)


def pictures(seed=0, count=2):
    return torch.rand((count, 3, 16, 16), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def lessons(count=2):
    return [Lesson(pictures(count=count), "a sks dog")]


def test_a_lora_is_trained_and_the_base_left_alone(tiny):
    before = {name: value.clone() for name, value in tiny.unet.state_dict().items()}
    adapter = train_lora(tiny, lessons(), OPTIONS)
    assert adapter.ranks == (2,)
    assert len(adapter.layers) == 8 * len(
        [name for name, _ in tiny.unet.named_modules() if name.endswith("transformer_blocks.0")]
    )
    assert all(factors.up.abs().sum() > 0 for factors in adapter.layers.values())
    after = tiny.unet.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_feed_forward_parts_are_trained_where_they_are_asked_for(tiny):
    attention, both = (train_lora(tiny, lessons(), replace(OPTIONS, feed_forward=more)) for more in (False, True))
    added = both.layers.keys() - attention.layers.keys()
    assert len(added) == len(attention.layers) // 4  # two layers for the eight of both attentions
    assert all(".ff.net." in layer and both.layers[layer].up.abs().sum() > 0 for layer in added)
    assert attention.layers.keys() < both.layers.keys()


def test_the_seed_decides_all(tiny):
    one, two = (train_lora(tiny, lessons(), OPTIONS) for _ in range(2))
    other = train_lora(tiny, lessons(), replace(OPTIONS, seed=1))
    for layer in one.layers:
        assert torch.equal(one.layers[layer].up, two.layers[layer].up)
        assert not torch.equal(one.layers[layer].up, other.layers[layer].up)


def test_a_falling_rate_changes_no_step_but_the_last(tiny):
    plain, falling = (train_lora(tiny, lessons(), replace(OPTIONS, decay=decay)) for decay in (0.0, 0.3))
    early, soon = (train_lora(tiny, lessons(), replace(OPTIONS, steps=4, decay=decay)) for decay in (0.0, 0.2))
    for layer in plain.layers:
        assert not torch.equal(plain.layers[layer].up, falling.layers[layer].up)
        assert torch.equal(early.layers[layer].up, soon.layers[layer].up)  # its fifth step would be the first slower


def test_training_lowers_the_loss(tiny):
    objective = LoraDenoising(tiny, lessons(1), OPTIONS)
    losses = []
    train(objective, Schedule(150, 1e-2), title="lora", on_step=lambda step, loss: losses.append(loss))
    objective.close()
    assert sum(losses[-30:]) < 0.9 * sum(losses[:30])


@torch.no_grad()
def test_what_peft_trained_predicts_the_same_after_loading_the_file(tiny, tmp_path):
    objective = LoraDenoising(tiny, lessons(), OPTIONS)
    for name, parameter in objective.trained().items():
        generator = torch.Generator().manual_seed(len(name))
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    inside = predict(tiny.unet, *inputs())
    path = write_adapter(kept_lora(objective.trained()), tmp_path / "a.safetensors")
    objective.close()
    tiny.load_lora_weights(str(path))
    torch.testing.assert_close(predict(tiny.unet, *inputs()), inside, rtol=1e-4, atol=1e-5)


@pytest.fixture
def zoo(tmp_path):
    """Two contents and two styles with a picture each."""
    for side in ("contents", "styles"):
        for number in range(2):
            adapter = random_adapter(2, number + 10 * (side == "styles"), strength=0.2)
            write_adapter(adapter, tmp_path / side / f"c{number}.safetensors", {"prompt": f"a sks thing {number}"})
            write_png(Image.new("RGB", (16, 16), (40 * number, 90, 20)), tmp_path / side / f"c{number}" / "1.png")
    return tmp_path


def test_concepts_are_read_by_name(zoo):
    assert [concept.name for concept in read_concepts(zoo / "contents")] == ["c0", "c1"]
    assert [concept.prompt for concept in read_concepts(zoo / "contents", {"c1"})] == ["a sks thing 1"]
    with pytest.raises(AdapterError, match="no LoRA c7; it has: c0, c1"):
        read_concepts(zoo / "contents", {"c7"})
    write_adapter(random_adapter(2, 0), zoo / "contents" / "c2.safetensors")
    with pytest.raises(AdapterError, match="does not say its prompt"):
        read_concepts(zoo / "contents")
    write_adapter(random_adapter(2, 0), zoo / "contents" / "c2.safetensors", {"prompt": "x"})
    (zoo / "contents" / "c2").mkdir()
    with pytest.raises(ImageError, match="no pictures"):
        read_concepts(zoo / "contents")


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("regulariser", REGULARISERS)
def test_a_hypernetwork_is_trained_in_every_form(tiny, zoo, tmp_path, fidelity, regulariser):
    options = HypernetOptions(hidden=8, fidelity=fidelity, regulariser=regulariser, steps=4, batch=2)
    concepts = [read_concepts(zoo / side) for side in ("contents", "styles")]
    network = train_hypernet(tiny, *concepts, options, side=16, checkpoint=tmp_path / "state.pt")
    again = read_hypernet(write_hypernet(network, tmp_path / "h.safetensors", asdict(options)))
    assert again.widths == (16, 32)
    assert again.parts == ("query", "output")


def test_the_untrained_hypernetwork_starts_near_the_plain_sum(tiny, zoo):
    concepts = [read_concepts(zoo / side) for side in ("contents", "styles")]
    objective = HypernetMerging(tiny, *concepts, HypernetOptions(key_value="sum", hidden=8), 16)
    names = set(objective.trained())
    assert names == {
        "inputs.16.weight",
        "inputs.16.bias",
        "inputs.32.weight",
        "inputs.32.bias",
        "output.weight",
        "output.bias",
    }


def test_the_loss_of_equation_3_is_zero_for_a_merge_that_changes_nothing(tiny, zoo):
    """Content and style with the same LoRA, coefficients 1 and 0: student and teachers agree, no overlap."""
    concepts = read_concepts(zoo / "contents", {"c0"})
    objective = HypernetMerging(
        tiny, concepts, concepts, HypernetOptions(hidden=8, parts=("query", "key", "value", "output"), batch=1), 16
    )
    with torch.no_grad():
        objective.hypernet.output.weight.zero_()
        objective.hypernet.output.bias.copy_(torch.tensor([1.0, 0.0]))
    loss = objective(*objective.batch(torch.Generator().manual_seed(0)))
    assert loss.item() == pytest.approx(0, abs=1e-4)


def test_gradients_reach_the_hypernetwork_alone(tiny, zoo):
    concepts = [read_concepts(zoo / side) for side in ("contents", "styles")]
    objective = HypernetMerging(tiny, *concepts, HypernetOptions(hidden=8), 16)
    objective(*objective.batch(torch.Generator().manual_seed(0))).backward()
    assert all(parameter.grad is not None for parameter in objective.hypernet.parameters())
    assert all(parameter.grad is None for parameter in tiny.unet.parameters())


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_mixed_precision_trains_on_the_cpu(tiny_folder, precision):
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = TrainingPlace(precision=precision).accelerator()
    pipeline = load_for_training(find_base(str(tiny_folder)), accelerator)
    assert native_side(pipeline) == 16
    adapter = train_lora(pipeline, lessons(), OPTIONS, accelerator=accelerator)
    assert adapter.dtype == torch.float32
    assert all(bool(torch.isfinite(factors.up).all()) for factors in adapter.layers.values())
    AcceleratorState._reset_state(reset_partial_state=True)


def test_an_unknown_precision_is_named():
    with pytest.raises(TrainingError, match="no, fp16, bf16"):
        TrainingPlace(precision="fp8")


def test_joint_training_teaches_both_equally_often(tiny):
    lessons_ = [Lesson(pictures(count=5), "a sks dog"), Lesson(pictures(1, count=1), "a house in glowing style")]
    objective = LoraDenoising(tiny, lessons_, replace(OPTIONS, batch=400))
    drawn = objective.batch(torch.Generator().manual_seed(0))[3]
    objective.close()
    assert 160 < int((drawn == 0).sum()) < 240


def test_joint_training_makes_one_lora_of_two_concepts(tiny, zoo):
    content, style = (read_concepts(zoo / side)[0] for side in ("contents", "styles"))
    one, two = (train_joint(tiny, content, style, OPTIONS, side=16) for _ in range(2))
    assert one.ranks == (2,)
    assert all(torch.equal(one.layers[layer].up, two.layers[layer].up) for layer in one.layers)
    assert all(factors.up.abs().sum() > 0 for factors in one.layers.values())


ZIP = ZipOptions(steps=60, rate=0.02, batch=4, strength=0.0)


def test_ziplora_lowers_the_merging_loss_and_leaves_the_base_alone(tiny, zoo):
    content, style = (read_concepts(zoo / side)[0] for side in ("contents", "styles"))
    before = {name: value.clone() for name, value in tiny.unet.state_dict().items()}
    objective = PairMerging(tiny, content, style, ZIP, side=16)
    batches = [objective.batch(torch.Generator().manual_seed(seed)) for seed in range(1000, 1008)]

    def loss():
        return sum(float(objective(*batch).detach()) for batch in batches)

    start = loss()
    coefficients = train_coefficients(tiny, content, style, ZIP, side=16)
    with torch.no_grad():
        for name, parameter in objective.trained().items():
            layer, _, side = name.rpartition(".")
            parameter.copy_(coefficients[layer][side == "style"])
    assert loss() < 0.97 * start
    assert all(torch.equal(before[name], value) for name, value in tiny.unet.state_dict().items())


def test_ziplora_starts_at_the_sum_and_goes_on_from_its_checkpoint(tiny, zoo, tmp_path):
    content, style = (read_concepts(zoo / side)[0] for side in ("contents", "styles"))
    for vector in PairMerging(tiny, content, style, ZIP, side=16).trained().values():
        assert torch.equal(vector.detach(), torch.ones_like(vector))
    whole = train_coefficients(tiny, content, style, replace(ZIP, steps=8), side=16)
    checkpoint = tmp_path / "zip.pt"
    train_coefficients(tiny, content, style, replace(ZIP, steps=4), side=16, checkpoint=checkpoint)
    resumed = train_coefficients(tiny, content, style, replace(ZIP, steps=8), side=16, checkpoint=checkpoint)
    for layer, pair in whole.items():
        assert all(torch.equal(one, two) for one, two in zip(pair, resumed[layer], strict=True))


@pytest.mark.parametrize("parts", [("query",), ("key", "value"), ("query", "key", "value", "output")])
def test_any_parts_can_be_predicted(tiny, zoo, tmp_path, parts):
    options = HypernetOptions(parts=parts, steps=3, hidden=8)
    contents, styles = read_concepts(zoo / "contents"), read_concepts(zoo / "styles")
    network = train_hypernet(tiny, contents, styles, options, side=16)
    again = read_hypernet(write_hypernet(network, tmp_path / "h.safetensors"))
    assert again.parts == parts
    coefficients = again(contents[0].adapter, styles[0].adapter)
    for layer, (m_c, _) in coefficients.items():
        assert torch.all(m_c == 0.5) != again.predicts(layer)


@pytest.fixture
def mixed_zoo(zoo):
    """The same with feed-forward layers, but for one content."""
    for path in [*zoo.glob("styles/*.safetensors"), zoo / "contents" / "c1.safetensors"]:
        adapter = random_adapter(2, len(str(path)), strength=0.2, ends=(*ENDS, *FEED_FORWARD))
        write_adapter(adapter, path, {"prompt": "a sks thing"})
    return [read_concepts(zoo / side) for side in ("contents", "styles")]


def test_feed_forward_layers_can_be_predicted(tiny, mixed_zoo, tmp_path):
    options = HypernetOptions(parts=("query", "output", "feed-forward"), others="sum", steps=3, hidden=8)
    network = train_hypernet(tiny, *mixed_zoo, options, side=16)
    again = read_hypernet(write_hypernet(network, tmp_path / "h.safetensors", options_facts(options)))
    assert (again.parts, again.others) == (options.parts, "sum")
    for layer, (m_c, _) in again(mixed_zoo[0][1].adapter, mixed_zoo[1][0].adapter).items():
        assert torch.all(m_c == 0.5) == layer.endswith((".to_k", ".to_v"))


def test_input_layers_are_those_of_predicted_layers_alone(tiny, mixed_zoo):
    """Others would never be trained, and processes that train together would wait for their gradients for ever."""
    without, with_them = (
        HypernetMerging(tiny, *mixed_zoo, HypernetOptions(parts=parts, hidden=8), 16).hypernet
        for parts in (("query", "output"), ("query", "output", "feed-forward"))
    )
    assert without.widths == (16, 32)
    rows = {f.up.shape[0] for layer, f in mixed_zoo[0][1].adapter.layers.items() if layer.endswith(FEED_FORWARD)}
    assert with_them.widths == tuple(sorted({16, 32} | rows))


def test_a_part_that_no_pair_has_is_refused(tiny, zoo):
    concepts = [read_concepts(zoo / side) for side in ("contents", "styles")]
    options = HypernetOptions(parts=("query", "feed-forward"), hidden=8)
    with pytest.raises(TrainingError, match=r"names feed-forward.*share query, key, value, output$"):
        HypernetMerging(tiny, *concepts, options, 16)


@torch.no_grad()
def test_gated_convolutions_and_text_encoders(tiny):
    generator = torch.Generator().manual_seed(0)
    weight = tiny.unet.down_blocks[1].resnets[0].conv1.weight
    down = torch.randn((2, weight.shape[1], 3, 3), generator=generator) * 0.2
    conv = Factors(down, torch.randn((weight.shape[0], 2, 1, 1), generator=generator))
    layer = "unet.down_blocks.1.resnets.0.conv1"
    text = Factors(torch.ones(1, 64), torch.ones(64, 1))
    adapter = Adapter({layer: conv, "text_encoder.text_model.encoder.layers.0.mlp.fc1": text}, "conv")
    gate = torch.linspace(0, 1, weight.shape[1])
    with gated(tiny.unet, adapter, Adapter({}), {layer: (gate, gate)}):
        by_gate = predict(tiny.unet, *inputs())
    weight += conv.scale(gate).dense()
    torch.testing.assert_close(by_gate, predict(tiny.unet, *inputs()), rtol=1e-4, atol=1e-5)


def test_every_training_takes_the_optimiser_that_its_options_name(monkeypatch, tiny, zoo):
    """Each would else train as ever, and say in its header that it did not."""
    named = []

    def refuse(schedule, weights):
        named.append(schedule.optimiser)
        raise TrainingError("enough")

    monkeypatch.setattr("lorarar.training.loop.new_optimizer", refuse)
    content, style = (read_concepts(zoo / side)[0] for side in ("contents", "styles"))
    trainings = {
        "lora": lambda: train_lora(tiny, lessons(), LoraOptions(rank=2, optimiser="adamw8bit")),
        "ziplora": lambda: train_coefficients(tiny, content, style, ZipOptions(optimiser="adamw8bit"), side=16),
        "hypernet": lambda: train_hypernet(tiny, [content], [style], HypernetOptions(optimiser="adamw8bit"), side=16),
    }
    for training in trainings.values():
        with pytest.raises(TrainingError, match="enough"):
            training()
    assert named == ["adamw8bit"] * 3
