"""What trainings of SDXL take on a GPU, counted on tensors that have shapes alone."""

import pytest
import torch
from torch import nn

from benchmarks.held import shapes_alone
from benchmarks.memory import GIB, GOALS, OBJECTIVES, RANK, SHALLOW, count, encoding

from .base_loras import attention

MIB = 2**20


def test_what_is_held_is_counted_until_nothing_refers_to_it():
    with shapes_alone() as held:
        one = torch.zeros(MIB // 4)
        view = one[3:].view(-1)
        other = one * 2
        assert held.now == 2 * MIB
        del one, other
        assert held.now == MIB  # by the view
        del view
        assert held.now == 0
        assert held.peak == 2 * MIB


def test_what_autograd_saves_is_counted_and_let_go_with_the_backward_pass():
    with shapes_alone() as held:
        weight = nn.Parameter(torch.zeros(MIB // 4))
        loss = (weight * weight.sin()).exp().sum()  # saved: sin(w), and what exp gave; its input is not needed
        assert held.now == 3 * MIB + 4
        loss.backward()
        del loss
        assert held.now == 2 * MIB  # the weight and its gradient


def test_attention_never_has_its_matrix_and_autocast_is_that_of_a_gpu():
    with shapes_alone() as held, torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        heads = torch.zeros(1, 8, 4096, 64, dtype=torch.bfloat16)
        held.peak = held.now
        mixed = nn.functional.scaled_dot_product_attention(heads, heads, heads)
        assert mixed.dtype == torch.bfloat16
        assert held.peak - held.now < heads.nbytes  # the matrix alone would be 64 times as large
        assert nn.functional.layer_norm(mixed, (64,)).dtype == torch.float32
        assert nn.functional.linear(torch.zeros(2, 64), torch.zeros(3, 64)).dtype == torch.bfloat16


#: MiB of a UNet of fewer layers, as they were counted: what is saved, what is there for a moment alone.
COUNTED = {"train lora": (270, 200), "train hypernet": (612, 400)}


@pytest.mark.parametrize("name", COUNTED)
def test_no_training_takes_more_than_it_did(name):
    """If this fails, a step of training keeps more than before; ``python -m benchmarks memory`` counts SDXL's size."""
    memory = count(name, config=SHALLOW)
    saved, transient = COUNTED[name]
    assert memory.saved / MIB == pytest.approx(saved, rel=0.05)
    assert memory.transient / MIB == pytest.approx(transient, rel=0.1)
    if name == "train lora":  # two numbers of AdamW for each that is trained, and one count for each weight
        assert memory.optimiser == pytest.approx(2 * memory.adapters, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_training_of_sdxl_keeps_its_goal(name):
    memory = count(name)
    assert max(memory.peak, encoding()) <= GOALS[name] * GIB
    assert memory.weights == 2 * 2_567_463_684  # SDXL's parameters, in half precision
    numbers = sum(RANK * sum(shape) for shape in attention("sdxl").values())
    loras = {"train lora": 4 * numbers}.get(name, 2 * 2 * numbers)  # one in single, or two in half precision
    assert memory.adapters == pytest.approx(loras, rel=0.03)  # beside them stand latents, prompts, a small network
