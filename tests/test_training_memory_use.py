"""What is in memory while a training runs, and that nothing of it is left on the base."""

import gc
import weakref
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image

from lorarar.families import find_base
from lorarar.generation.checkpointing import checkpointed, is_checkpointed
from lorarar.generation.denoisers.table import predict
from lorarar.generation.gates import gated
from lorarar.generation.latents import encode_images
from lorarar.generation.residence import residing
from lorarar.lora.adapter import Factors
from lorarar.pictures.concepts import Concept
from lorarar.pictures.images import write_png
from lorarar.training import encoding
from lorarar.training.encoding import FilePictures, encode_pictures
from lorarar.training.hypernet import HypernetMerging, train_hypernet
from lorarar.training.joint import train_joint
from lorarar.training.lesson import Lesson
from lorarar.training.lora import LoraDenoising, train_lora
from lorarar.training.options import HypernetOptions, LoraOptions, ZipOptions
from lorarar.training.pair_coefficients import PairMerging, train_coefficients
from lorarar.training.place import TrainingPlace
from lorarar.training.residents import ResidentAdapter, moved_at_once
from lorarar.training.setup import load_for_training
from lorarar.util.errors import TrainingError
from lorarar.util.progress import Ticker

from .bench_plan import TRAINED, write_plan
from .bench_plan import run as run_bench
from .conftest import make_unet, random_adapter
from .test_gates import inputs

LORA = LoraOptions(rank=2, steps=2, rate=1e-2)
KINDS = ("lora", "joint", "ziplora", "hypernet")


def lesson(prompt="a sks dog"):
    generator = torch.Generator().manual_seed(5)
    return Lesson(torch.rand((2, 3, 16, 16), generator=generator) * 2 - 1, prompt)


@pytest.fixture
def concept(tmp_path):
    """Concepts with a picture each, by number."""

    def make(number):
        picture = write_png(Image.new("RGB", (16, 16), (40 * number, 90, 20)), tmp_path / f"{number}.png")
        return Concept(f"c{number}", random_adapter(2, number), (picture,), f"a sks thing {number}")

    return make


def train_kind(kind, pipeline, concept, **how):
    """What a short training of a kind makes, as tensors."""
    content, style = concept(1), concept(2)
    if kind in ("lora", "joint"):
        if kind == "lora":
            made = train_lora(pipeline, [lesson()], LORA, **how)
        else:
            made = train_joint(pipeline, content, style, LORA, side=16, **how)
        return [half for factors in made.layers.values() for half in (factors.down, factors.up)]
    if kind == "ziplora":
        zipped = train_coefficients(pipeline, content, style, ZipOptions(steps=2), side=16, **how)
        return [vector for pair in zipped.values() for vector in pair]
    options = HypernetOptions(hidden=8, steps=2)
    return list(train_hypernet(pipeline, [content], [style], options, side=16, **how).parameters())


@contextmanager
def mixed(precision):
    """An accelerator of a mixed precision, which accelerate else decides once for a process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        yield TrainingPlace("cpu", precision).accelerator()
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_objective_trains_in_mixed_precision(kind, checkpointing, tiny_folder, concept):
    with mixed("bf16") as accelerator:
        pipeline = load_for_training(find_base(str(tiny_folder)), accelerator)
        made = train_kind(kind, pipeline, concept, accelerator=accelerator, checkpointing=checkpointing)
    assert all(tensor.dtype == torch.float32 and bool(torch.isfinite(tensor).all()) for tensor in made)
    assert {weight.dtype for weight in pipeline.unet.parameters()} == {torch.bfloat16}
    assert {weight.dtype for weight in pipeline.vae.parameters()} == {torch.float32}


@pytest.mark.parametrize("kind", KINDS)
def test_checkpointing_changes_no_bit_of_what_is_trained_on_a_processor(kind, tiny, concept):
    plain, checkpointed_ = (train_kind(kind, tiny, concept, checkpointing=one) for one in (False, True))
    assert all(torch.equal(one, two) for one, two in zip(plain, checkpointed_, strict=True))
    assert not tiny.unet.is_gradient_checkpointing


def test_the_blocks_of_a_large_unet_run_again_beside_a_processor_too_unless_that_is_not_wanted(monkeypatch):
    unet = make_unet()
    assert [is_checkpointed(unet, wanted) for wanted in (None, True, False)] == [False, True, False]
    assert is_checkpointed(make_unet().to("meta"))
    monkeypatch.setattr("lorarar.generation.checkpointing.LARGE", sum(one.nbytes for one in unet.parameters()) - 1)
    assert [is_checkpointed(unet, wanted) for wanted in (None, True, False)] == [True, True, False]


def kept_bytes(objective):
    """The bytes of all tensors that a step keeps for its backward pass, but the weights."""
    storages = {}

    def pack(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = objective(*objective.batch(torch.Generator().manual_seed(0)))
    weights = {weight.untyped_storage().data_ptr() for weight in objective.parameters()}
    loss.backward()
    return sum(size for place, size in storages.items() if place not in weights)


@pytest.mark.parametrize("make", [PairMerging, HypernetMerging, LoraDenoising])
def test_a_checkpointed_step_keeps_a_fraction_for_its_backward_pass(make, tiny, concept):
    content, style = concept(1), concept(2)
    arguments = {
        PairMerging: (content, style, ZipOptions(), 16),
        HypernetMerging: ([content], [style], HypernetOptions(hidden=8), 16),
        LoraDenoising: ([lesson()], LORA),
    }[make]
    sizes = []
    for checkpointing in (False, True):
        objective = make(tiny, *arguments, checkpointing)
        sizes.append(kept_bytes(objective))
        if make is LoraDenoising:
            objective.close()
    assert sizes[1] < 0.35 * sizes[0]


def test_gates_are_on_a_block_again_when_it_runs_again_and_nowhere_else():
    unet, content, style = make_unet(), random_adapter(2, 0), random_adapter(2, 1)
    gradients = []
    for checkpointing in (False, True):
        gates = {
            layer: tuple(torch.full((f.down.shape[1],), 0.7, requires_grad=True) for _ in "cs")
            for layer, f in content.layers.items()
        }
        with gated(unet, content, style, gates, checkpointing=checkpointing):
            loss = predict(unet, *inputs()).square().sum()
        assert not any(module._forward_hooks for module in unet.modules())
        with torch.no_grad(), gated(unet, style, content, gates):  # another pass meanwhile, with other hooks
            predict(unet, *inputs())
        loss.backward()
        assert not any(module._forward_hooks for module in unet.modules())
        gradients.append([gate.grad for pair in gates.values() for gate in pair])
    assert all(torch.equal(one, two) for one, two in zip(*gradients, strict=True))


def test_a_unet_that_fails_is_as_it_was():
    unet, content, style = make_unet(), random_adapter(2, 0), random_adapter(2, 1)
    gates = dict.fromkeys(content.layers, (torch.ones(()), torch.ones(())))
    with pytest.raises(ZeroDivisionError), gated(unet, content, style, gates, checkpointing=True):
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), checkpointed(unet):
        raise ZeroDivisionError
    assert not unet.is_gradient_checkpointing
    assert not any(module._forward_hooks for module in unet.modules())


FAILURES = ("lora_samples.encode_texts", "lora_samples.encode_pictures", "lora_layers.LoraConfig")
FAILURES += ("lora_samples.forward_process", "lora.train")


@pytest.mark.parametrize("place", FAILURES)
def test_whatever_fails_leaves_no_lora_layer_on_the_base(place, tiny, monkeypatch):
    keys = tiny.unet.state_dict().keys()

    def fail(*_, **__):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(f"lorarar.training.{place}", fail)
        train_lora(tiny, [lesson()], LORA)
    assert tiny.unet.state_dict().keys() == keys
    train_lora(tiny, [lesson()], LORA)


def test_a_failure_between_the_layers_and_their_training_leaves_none(tiny, monkeypatch):
    add = tiny.unet.add_adapter

    def add_and_fail(config):
        add(config)
        raise RuntimeError("out of memory")

    keys = tiny.unet.state_dict().keys()
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(tiny.unet, "add_adapter", add_and_fail, raising=False)
        train_lora(tiny, [lesson()], LORA)
    assert tiny.unet.state_dict().keys() == keys


def test_models_are_on_the_device_only_while_they_are_used(tiny):
    """The meta device stands for a GPU; what was there would come back without its numbers, so a noted move will do."""
    places = []

    class Model(torch.nn.Linear):
        def _apply(self, function, recurse=True):
            places.append(str(function(torch.zeros(1)).device))
            return self

    with pytest.raises(ZeroDivisionError), residing(torch.device("meta"), Model(1, 1), None, Model(1, 1)):
        assert places == ["meta", "meta"]
        raise ZeroDivisionError
    assert places == ["meta", "meta", "cpu", "cpu"]


def test_the_unet_makes_room_while_pictures_are_encoded(tiny, monkeypatch):
    """Both together took 8.2 GiB at SDXL's size, more than any step."""
    there = set()

    @contextmanager
    def noted(device, *models, dtype=None):
        there.update((type(model).__name__, device.type) for model in models)
        yield
        there.difference_update((type(model).__name__, device.type) for model in models)

    def encoded(vae, pixels, batch):
        seen.append(set(there))
        return torch.zeros(len(pixels), 4, 8, 8)

    seen = []
    monkeypatch.setattr(encoding, "residing", noted)
    monkeypatch.setattr(encoding, "encode_images", encoded)
    monkeypatch.setattr(type(tiny.unet), "device", torch.device("meta"))
    encode_pictures(tiny, lesson().pictures(mirrored=True))
    assert seen == [{("UNet2DConditionModel", "cpu"), ("AutoencoderKL", "meta")}] * 2 and not there


class Counting(torch.nn.Module):
    """A VAE that notes how many pictures come at once, and in which numbers."""

    def __init__(self, vae):
        super().__init__()
        self.vae, self.seen = vae, []

    config = property(lambda self: self.vae.config)
    device = property(lambda self: self.vae.device)
    dtype = property(lambda self: self.vae.dtype)

    def encode(self, pictures):
        self.seen.append((len(pictures), pictures.dtype))
        return self.vae.encode(pictures)


def test_large_pictures_go_through_the_vae_one_by_one_in_single_precision_and_it_is_as_before(tiny, monkeypatch):
    [pictures, mirrored] = lesson().pictures(mirrored=True)
    expected = encode_images(tiny.vae, torch.stack([picture.flip(2) for _, picture in pictures]))
    own = {name: value.half() for name, value in tiny.vae.state_dict().items()}
    tiny.vae.half()
    counting = tiny.vae = Counting(tiny.vae)
    [first, latents] = encode_pictures(tiny, [pictures, mirrored])
    monkeypatch.setattr(encoding, "AT_ONCE", 2 * 16 * 16 - 1)
    [again] = encode_pictures(tiny, [mirrored])
    assert counting.seen == [(2, torch.float32)] * 2 + [(1, torch.float32)] * 2
    assert all(torch.equal(value, own[name]) for name, value in counting.vae.state_dict().items())
    torch.testing.assert_close(latents, expected, rtol=0.01, atol=0.01)
    torch.testing.assert_close(latents, again, rtol=1e-4, atol=1e-4)
    assert len(first) == 2


def test_a_picture_whose_latents_are_not_finite_is_refused_by_its_name(tiny, concept):
    with torch.no_grad():
        tiny.vae.quant_conv.weight.fill_(float("inf"))
    with pytest.raises(TrainingError, match=r"1\.png: .* not finite; name another one with --vae"):
        train_coefficients(tiny, concept(1), concept(2), ZipOptions(steps=1), side=16)
    with pytest.raises(TrainingError, match="picture 1 of 'a sks dog': "):
        train_lora(tiny, [lesson()], LORA)
    files = [Path("shots/9.png"), Path("shots/10.png")]
    with pytest.raises(TrainingError, match=r"shots/9\.png: "):
        train_lora(tiny, [replace(lesson(), files=files)], LORA)
    assert train_lora_layers(tiny) == []


def train_lora_layers(pipeline):
    return [name for name, _ in pipeline.unet.named_modules() if "lora" in name]


def test_only_a_steps_pair_is_on_the_device(concept):
    unet = make_unet().half()
    place = ResidentAdapter(unet)
    one, other = (random_adapter(2, seed) for seed in (1, 2))
    with_text = replace(one, layers={**one.layers, "text_encoder.x": Factors(torch.ones(1, 2), torch.ones(2, 1))})
    first = place(with_text)
    assert first is place(with_text)
    assert first.layers.keys() == one.layers.keys()
    assert {half.dtype for factors in first.layers.values() for half in (factors.down, factors.up)} == {torch.float16}
    gone = weakref.ref(next(iter(first.layers.values())).down)
    del first
    place(other)
    assert gone() is None


@pytest.mark.parametrize(
    ("stored", "unet", "there"),
    [
        (torch.float16, torch.float32, torch.float32),
        (torch.float16, torch.bfloat16, torch.float16),
        (torch.float32, torch.bfloat16, torch.bfloat16),
        (torch.bfloat16, torch.float16, torch.bfloat16),
    ],
)
def test_an_adapter_is_as_precise_as_its_file_beside_a_unet_in_half_precision(stored, unet, there):
    place = ResidentAdapter(make_unet().to(unet))
    assert place(random_adapter(2, 0).to(stored)).dtype == there


def test_an_adapter_goes_to_a_gpu_in_one_transfer_for_each_kind_of_numbers():
    layers = {
        "unet.a": Factors(torch.randn(2, 5), torch.randn(3, 2)),
        "unet.b": Factors(torch.randn(2, 4, 3, 3).half(), torch.randn(6, 2, 1, 1).half()),
        "unet.c": Factors(torch.randn(1, 7), torch.randn(4, 1).half()),
    }
    moved = moved_at_once(layers, torch.device("cpu"))
    assert list(moved) == list(layers)
    for name, factors in layers.items():
        for half, there in ((factors.down, moved[name].down), (factors.up, moved[name].up)):
            assert torch.equal(half, there) and half.dtype == there.dtype
    halves = [half for factors in moved.values() for half in (factors.down, factors.up)]
    assert len({half.untyped_storage().data_ptr() for half in halves}) == 2


@contextmanager
def without_garbage_collection():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", ["lora", "ziplora"])
def test_a_base_is_gone_with_its_training_and_waits_for_no_garbage_collection(kind, tiny_folder, concept):
    with mixed("bf16") as accelerator:
        pipeline = load_for_training(find_base(str(tiny_folder)), accelerator)
        train_kind(kind, pipeline, concept, accelerator=accelerator)
        alive = weakref.ref(pipeline.unet)
        with without_garbage_collection():
            del pipeline
            assert alive() is None


def test_the_base_that_a_grid_trained_on_is_gone_before_it_draws(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    plan = write_plan(tmp_path, tiny_folder)
    plan.write_text(plan.read_text() + TRAINED)
    unets = []

    def load(*arguments):
        pipeline = load_for_training(*arguments)
        unets.append(weakref.ref(pipeline.unet))
        return pipeline

    monkeypatch.setattr("lorarar.training.setup.load_for_training", load)
    monkeypatch.setattr("lorarar.bench.run.draw", lambda grid, tasks: unets.append(unets[0]()))
    AcceleratorState._reset_state(reset_partial_state=True)
    with without_garbage_collection():
        run_bench(plan, tmp_path / "out")
    AcceleratorState._reset_state(reset_partial_state=True)
    assert len(unets) == 2
    assert unets[1] is None


def test_progress_counts_every_picture_that_is_encoded(tiny, tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr(encoding, "AT_ONCE", 16 * 16)
    monkeypatch.setattr(Ticker, "advance", lambda ticker, steps: counted.append((ticker.title, ticker.total, steps)))
    files = [write_png(Image.new("RGB", (20, 16), (number, 0, 0)), tmp_path / f"{number}.png") for number in range(3)]
    [from_files, *others] = encode_pictures(tiny, [FilePictures(files, 16), *lesson().pictures(mirrored=True)])
    assert counted == [("encode pictures", 7, 1)] * 7
    assert len(from_files) == 3 and [len(one) for one in others] == [2, 2]
