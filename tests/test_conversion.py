"""LoCon in Tucker form, LoHa, LoKr and DoRA read as LoRA, against PEFT's own updates and LyCORIS's definitions."""

import pytest
import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from safetensors.torch import save_file

from lorarar.cli.inspect import facts
from lorarar.lora.conversion.layer import RANK, Conversion
from lorarar.lora.files import read_adapter
from lorarar.lora.inspection import inspect_adapter
from lorarar.util.errors import AdapterError

from .bare_unet import bare_unet

FLAT = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
QUERY = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "unet.down_blocks.1.resnets.0.conv1"
GENERATOR = torch.Generator().manual_seed(3)


def rand(*shape):
    return torch.randn(shape, generator=GENERATOR) / 4


def lycoris(tmp_path, flat=FLAT, alpha=1.0, **tensors):
    named = {f"{flat}.{role}": tensor.contiguous() for role, tensor in tensors.items()}
    named = {key + ".weight" if ".lora_" in key else key: tensor for key, tensor in named.items()}
    save_file(named | {f"{flat}.alpha": torch.tensor(alpha)}, tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def updates(model):
    """What PEFT itself adds to every weight."""
    names = {name: module for name, module in model.named_modules() if hasattr(module, "base_layer")}
    return {
        f"unet.{name.removeprefix('base_model.model.')}": module.get_delta_weight("default").detach()
        for name, module in names.items()
    }


TARGETS = ["attn1.to_q", "ff.net.2", "conv1", "conv_shortcut"]
CONFIGS = {
    "loha": LoHaConfig(r=3, alpha=2, target_modules=TARGETS, init_weights=False, alpha_pattern={r"attn1\.to_q": 6}),
    "loha in Tucker form": LoHaConfig(
        r=2, alpha=2, target_modules=TARGETS, init_weights=False, use_effective_conv2d=True
    ),
    "lokr": LoKrConfig(r=2, alpha=1, target_modules=TARGETS, init_weights=False, decompose_factor=4),
    "lokr of whole matrices": LoKrConfig(
        r=64, alpha=16, target_modules=TARGETS, init_weights=False, decompose_factor=4, rank_pattern={"to_q": 32}
    ),
    "lokr of halves": LoKrConfig(r=1, alpha=2, target_modules=TARGETS, init_weights=False, decompose_both=True),
    "lokr in Tucker form": LoKrConfig(
        r=2, alpha=2, target_modules=TARGETS, init_weights=False, use_effective_conv2d=True
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_peft_saves_is_read_as_peft_applies_it(tmp_path, name, capsys):
    torch.manual_seed(5)
    model = get_peft_model(bare_unet(), CONFIGS[name])
    model.save_pretrained(tmp_path)
    adapter = read_adapter(tmp_path)
    wanted = updates(model)
    assert adapter.layers.keys() == wanted.keys()
    for layer, update in wanted.items():
        assert adapter.layers[layer].shape == tuple(update.shape)
        torch.testing.assert_close(adapter.layers[layer].dense(), update, atol=2e-5, rtol=1e-3)
    kind = "LoHa" if name.startswith("loha") else "LoKr"
    assert f"{kind}: {len(wanted)} layers read as LoRA, at rank 64 at most" in " ".join(capsys.readouterr().err.split())


def test_a_loha_of_any_trainer_is_the_product_of_both_its_updates_and_exact_where_its_rank_allows(tmp_path):
    one, two = (rand(40, 4), rand(4, 50)), (rand(40, 4), rand(4, 50))
    path = lycoris(tmp_path, hada_w1_a=one[0], hada_w1_b=one[1], hada_w2_a=two[0], hada_w2_b=two[1], alpha=2.0)
    adapter = read_adapter(path)
    wanted = (one[0] @ one[1]) * (two[0] @ two[1]) / 2
    assert adapter.ranks == (16,)
    torch.testing.assert_close(adapter.layers[QUERY].dense(), wanted, atol=1e-6, rtol=1e-4)
    cut = read_adapter(path, Conversion(rank=3))
    assert cut.ranks == (3,)
    left = float((torch.linalg.svdvals(wanted.double())[3:] ** 2).sum())
    lost = float(((cut.layers[QUERY].dense() - wanted).double() ** 2).sum())
    assert lost == pytest.approx(left, rel=1e-3)
    share = left / float((wanted.double() ** 2).sum())
    assert cut.remarks == (f"LoHa: 1 layer read as LoRA, at rank 3 at most, {share:.2%} of their energy discarded",)


def test_a_lokr_of_any_trainer_has_its_best_approximation_and_alpha_only_where_it_has_halves(tmp_path):
    small, large = rand(4, 5), rand(12, 10)
    adapter = read_adapter(lycoris(tmp_path, lokr_w1=small, lokr_w2=large, alpha=0.5))
    torch.testing.assert_close(adapter.layers[QUERY].dense(), torch.kron(small, large), atol=1e-5, rtol=1e-4)
    a, b = rand(12, 2), rand(2, 10)
    path = lycoris(tmp_path, lokr_w1=small, lokr_w2_a=a, lokr_w2_b=b, alpha=0.5)
    wanted = torch.kron(small, a @ b) / 4
    adapter = read_adapter(path)
    assert adapter.ranks == (4 * 2,)
    torch.testing.assert_close(adapter.layers[QUERY].dense(), wanted, atol=1e-6, rtol=1e-4)
    cut = read_adapter(path, Conversion(rank=2)).layers[QUERY].dense()
    left = float((torch.linalg.svdvals(wanted.double())[2:] ** 2).sum())
    assert float(((cut - wanted).double() ** 2).sum()) == pytest.approx(left, rel=1e-3)


def test_a_locon_in_tucker_form_is_exact(tmp_path, capsys):
    up, mid, down = rand(6, 3, 1, 1), rand(3, 2, 3, 3), rand(2, 5, 1, 1)
    flat = "lora_unet_input_blocks_4_0_in_layers_2"
    path = lycoris(tmp_path, flat, lora_up=up, lora_mid=mid, lora_down=down, scalar=torch.tensor(0.5))
    adapter = read_adapter(path)
    assert adapter.ranks == (3,)
    seen = torch.randn(1, 5, 8, 8, generator=GENERATOR)
    layers = torch.nn.functional.conv2d(seen, down)
    layers = torch.nn.functional.conv2d(torch.nn.functional.conv2d(layers, mid, padding=1), up)
    wanted = layers * 0.5 / 2
    got = torch.nn.functional.conv2d(seen, adapter.layers[CONV].dense(), padding=1)
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-4)
    assert "LoCon in Tucker form: 1 layer read as LoRA, exactly" in capsys.readouterr().err


def test_dora_of_peft_needs_its_base_and_is_what_peft_merges(tmp_path):
    torch.manual_seed(6)
    config = LoraConfig(
        r=3, lora_alpha=6, target_modules=["attn1.to_q", "conv1"], init_lora_weights=False, use_dora=True
    )
    model = get_peft_model(bare_unet(), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "magnitude" in name:
                parameter.mul_(1 + torch.rand_like(parameter) / 4)
    model.save_pretrained(tmp_path)
    with pytest.raises(AdapterError, match=r"to_q cannot be made LoRA: it is DoRA.*--base FOLDER"):
        read_adapter(tmp_path)
    assert facts(inspect_adapter(tmp_path))["usable"] == "yes, DoRA read as LoRA with the weights of its base"
    before = {f"unet.{name}": weight for name, weight in bare_unet().state_dict().items()}
    adapter = read_adapter(tmp_path, Conversion(weight_of=lambda layer: before[f"{layer}.weight"]))
    merged = dict(model.merge_and_unload().named_modules())
    assert len(adapter.layers) == 2
    for layer, factors in adapter.layers.items():
        wanted = (merged[layer.removeprefix("unet.")].weight - before[f"{layer}.weight"]).detach()
        torch.testing.assert_close(factors.dense(), wanted, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("by_row", [True, False])
def test_dora_of_lycoris_has_magnitudes_of_rows_or_of_columns(tmp_path, by_row):
    weight, up, down = rand(8, 8), rand(8, 2), rand(2, 8)
    axis = 1 if by_row else 0
    scale = weight.norm(dim=axis, keepdim=True) * (1 + torch.rand(1, generator=GENERATOR))
    path = lycoris(tmp_path, lora_up=up, lora_down=down, dora_scale=scale, alpha=4.0)
    changed = weight + 2 * up @ down
    wanted = changed / changed.norm(dim=axis, keepdim=True) * scale - weight
    adapter = read_adapter(path, Conversion(weight_of=lambda layer: weight))
    torch.testing.assert_close(adapter.layers[QUERY].dense(), wanted, atol=1e-5, rtol=1e-4)


def test_the_magnitude_of_another_base_is_refused(tmp_path):
    path = lycoris(tmp_path, lora_up=rand(8, 2), lora_down=rand(2, 8), dora_scale=rand(8, 1))
    for weight, message in ((rand(6, 8), "the base's weight is"), (rand(8, 4), "the base's weight is")):
        with pytest.raises(AdapterError, match=message):
            read_adapter(path, Conversion(weight_of=lambda layer, weight=weight: weight))
    path = lycoris(tmp_path, lora_up=rand(8, 2), lora_down=rand(2, 8), dora_scale=rand(7, 1))
    with pytest.raises(AdapterError, match="has 7 magnitudes for a weight of"):
        read_adapter(path, Conversion(weight_of=lambda layer: rand(8, 8)))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"hada_w1_a": rand(4, 2), "hada_w1_b": rand(2, 4)}, "hada_w2_a is missing"),
        ({"lokr_w1": rand(2, 2), "lokr_w2_a": rand(2, 2)}, "lokr_w2_b is missing"),
        ({"lokr_w1": rand(2, 2), "lokr_w1_a": rand(2, 2), "lokr_w2": rand(2, 2)}, "has lokr_w1_a besides"),
        (
            {"lora_up": rand(4, 2), "lora_down": rand(2, 4), "lokr_w1": rand(2, 2), "lokr_w2": rand(2, 2)},
            "has down and up",
        ),
        ({"lora_up": rand(4, 2), "lora_down": rand(2, 4), "lora_mid": rand(2, 3, 3, 3)}, "do not fit each other"),
        ({f"hada_w{one}": rand(4, 2) for one in ("1_a", "1_b", "2_a", "2_b")}, "do not fit each other"),
        ({"lokr_w1": rand(2, 2), "lokr_w2": rand(2, 2) * float("nan")}, r"lokr_w2 holds NaN"),
        ({"lokr_w1": rand(30000, 1), "lokr_w2": rand(1, 30000)}, "larger than any layer's"),
        ({"lokr_w1": rand(1, 1), "lokr_w2_a": rand(20000, 1), "lokr_w2_b": rand(1, 20000)}, "larger than any layer's"),
        ({"lora_up": rand(4, 2), "lora_down": rand(2, 4), "scalar": rand(2)}, "scalar of unet.* is no single number"),
    ],
)
def test_unsound_ones_are_refused_by_layer_and_tensor_before_memory_is_taken(tmp_path, tensors, message):
    with pytest.raises(AdapterError, match=message) as caught:
        read_adapter(lycoris(tmp_path, **tensors))
    assert "a.safetensors: unet." in str(caught.value) or "scalar of" in str(caught.value)


def test_the_rank_of_a_conversion_has_a_bound(tmp_path):
    path = lycoris(tmp_path, lokr_w1=rand(10, 10), lokr_w2=rand(12, 12))
    adapter = read_adapter(path)
    assert adapter.ranks == (RANK,)
    assert adapter.dtype == torch.float32
