"""The weights of a base, from a folder and from a checkpoint file."""

import torch
from safetensors.torch import save_file

from lorarar.families import Base, find_base
from lorarar.lora.base_layers import layers_of
from lorarar.lora.base_weights import BaseWeights, read_adapter_for

LAYER = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"


def test_every_layer_of_a_folder_has_its_weight(tiny, tiny_folder):
    base = find_base(str(tiny_folder))
    weight_of = BaseWeights(base)
    layers = layers_of(base)
    assert {layer.partition(".")[0] for layer in layers} == {"unet", "text_encoder", "text_encoder_2"}
    for layer, shape in layers.items():
        assert weight_of(layer).shape == shape
    assert torch.equal(weight_of(LAYER), tiny.unet.get_submodule(LAYER.removeprefix("unet.")).weight)
    assert weight_of("unet.nowhere") is None
    assert BaseWeights(Base("nowhere", "nobody/nothing"))(LAYER) is None


def test_a_dora_is_read_for_its_base(tiny, tiny_folder, tmp_path):
    weight = tiny.unet.get_submodule(LAYER.removeprefix("unet.")).weight.detach()
    rows, columns = weight.shape
    down, up, scale = torch.randn(2, columns), torch.randn(rows, 2), torch.rand(rows, 1) + 1
    tensors = {f"{LAYER}.lora_down.weight": down, f"{LAYER}.lora_up.weight": up, f"{LAYER}.dora_scale": scale}
    save_file(tensors, tmp_path / "a.safetensors")
    adapter = read_adapter_for(find_base(str(tiny_folder)), tmp_path / "a.safetensors")
    changed = weight + up @ down
    wanted = changed / changed.norm(dim=1, keepdim=True) * scale - weight
    torch.testing.assert_close(adapter.layers[LAYER].dense(), wanted, atol=1e-5, rtol=1e-4)
