import pytest
import torch

from lorarar.lora.adapter import Adapter, Factors, check_alike, part_of
from lorarar.util.errors import AdapterError


def factors(rows=6, columns=5, rank=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Factors(torch.randn(rank, columns, generator=generator), torch.randn(rows, rank, generator=generator))


def test_scaling_columns_is_exactly_the_dense_product():
    one, gate = factors(), torch.tensor([0.0, 1.0, -2.0, 0.5, 3.0])
    torch.testing.assert_close(one.scale(gate).dense(), one.dense() * gate)


def test_sum_is_exact_and_adds_ranks():
    one, two = factors(rank=2), factors(rank=3, seed=1)
    assert (one + two).rank == 5
    torch.testing.assert_close((one + two).dense(), one.dense() + two.dense())


def test_half_precision_is_scaled_in_single():
    half = factors().to(torch.float16)
    assert half.scale(0.3).down.dtype == torch.float32


@pytest.mark.parametrize(
    ("layer", "part"),
    [
        ("unet.a.attn1.to_q", "query"),
        ("unet.a.attn2.to_k", "key"),
        ("unet.a.attn2.to_v", "value"),
        ("unet.a.attn1.to_out.0", "output"),
        ("unet.a.ff.net.0.proj", "feed-forward"),
        ("unet.a.ff.net.2", "feed-forward"),
        ("unet.a.conv1", "other"),
        ("unet.a.proj_out", "other"),
        ("text_encoder.text_model.encoder.layers.0.mlp.fc1", "other"),
    ],
)
def test_parts(layer, part):
    assert part_of(layer) == part


def test_pairs_of_different_bases_are_refused():
    one = Adapter({"unet.x.to_q": factors()}, "one")
    check_alike(one, Adapter({"unet.y.to_q": factors()}, "two"))  # each of other blocks
    with pytest.raises(AdapterError, match=r"unet\.x\.to_q is 6 x 5 in one and 7 x 5"):
        check_alike(one, Adapter({"unet.x.to_q": factors(rows=7)}, "two"))
