import pytest
import torch

from lorarar.families import Base
from lorarar.generation.denoisers.conditioning import Conditioning, square_time_ids
from lorarar.generation.denoisers.table import predict
from lorarar.generation.gates import gated
from lorarar.generation.studio import Studio
from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.methods import MergeInputs
from lorarar.merging.methods.columnwise import lorarar
from lorarar.util.errors import AdapterError

from .conftest import make_unet, random_adapter


def inputs(samples=2):
    generator = torch.Generator().manual_seed(3)
    conditioning = Conditioning.of_sdxl(
        torch.randn(samples, 5, 128, generator=generator),
        torch.randn(samples, 128, generator=generator),
        square_time_ids(16, samples),
    )
    return torch.randn(samples, 4, 8, 8, generator=generator), torch.tensor([10, 500][:samples]), conditioning


@torch.no_grad()
def test_gates_and_the_merged_file_predict_the_same_through_plain_diffusers(tiny, tiny_folder):
    content, style = random_adapter(2, 0), random_adapter(3, 1)
    network = Hypernetwork((16, 32))
    coefficients = network(content, style)
    with gated(tiny.unet, content, style, coefficients):
        by_gates = predict(tiny.unet, *inputs())
    plain = predict(tiny.unet, *inputs())
    studio = Studio(Base("tiny", str(tiny_folder)), pipeline=tiny)
    studio.load_lora(
        Adapter(lorarar(content, style, MergeInputs(), hypernet=network, key_value=network.key_value).layers, "merged")
    )
    by_file = predict(tiny.unet, *inputs())
    torch.testing.assert_close(by_gates, by_file, rtol=1e-4, atol=1e-5)
    assert (by_gates - plain).abs().max() > 1e-3


@torch.no_grad()
def test_a_gate_per_sample_shows_each_sample_its_own_adapter():
    unet, content, style = make_unet(), random_adapter(2, 0), random_adapter(2, 1)
    first = torch.tensor([1.0, 0.0]).view(-1, 1, 1)
    one, zero = torch.ones(()), torch.zeros(())

    def run(ours, theirs):
        with gated(unet, content, style, dict.fromkeys(content.layers, (ours, theirs))):
            return predict(unet, *inputs())

    both = run(first, 1 - first)
    torch.testing.assert_close(both[0], run(one, zero)[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(both[1], run(zero, one)[1], rtol=1e-4, atol=1e-5)


def test_gates_carry_gradients_and_leave_the_unet_as_it_was():
    unet, content, style = make_unet(), random_adapter(2, 0), random_adapter(2, 1)
    before = predict(unet, *inputs()).detach()
    gates = {
        layer: tuple(torch.ones(f.down.shape[1], requires_grad=True) for _ in "cs")
        for layer, f in content.layers.items()
    }
    with gated(unet, content, style, gates):
        predict(unet, *inputs()).square().sum().backward()
    assert all(gate.grad.abs().sum() > 0 for pair in gates.values() for gate in pair)
    assert torch.equal(predict(unet, *inputs()).detach(), before)


def test_a_layer_that_is_not_there_is_named():
    strange = Adapter({"unet.nowhere.to_q": Factors(torch.ones(1, 2), torch.ones(2, 1))}, "strange")
    gates = {"unet.nowhere.to_q": (torch.ones(2), torch.ones(2))}
    with pytest.raises(AdapterError, match=r"unet\.nowhere\.to_q"), gated(make_unet(), strange, strange, gates):
        pass
