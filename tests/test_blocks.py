"""Block weights against diffusers' own names of kohya's blocks, the papers' rules and dense updates."""

from pathlib import Path

import pytest
import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.dialects import parse_keys
from lorarar.merging.block_names import COUNTS, NAMES, PRESETS
from lorarar.merging.blocks import BlockWeights, read_blocks
from lorarar.util.errors import AdapterError, MethodError

DOCS = Path(__file__).parents[1] / "docs" / "methods.md"
ATTENTION = "transformer_blocks_0_attn1_to_q"
#: A layer of every block of SDXL's original UNet that has any: its name there, by the block's.
ORIGINAL = {
    **{f"IN{n:02}": f"input_blocks_{n}_0_in_layers_2" for n in (1, 2, 4, 5, 7, 8)},
    **{f"IN{n:02} attention": f"input_blocks_{n}_1_{ATTENTION}" for n in (4, 5, 7, 8)},
    **{f"IN{n:02}": f"input_blocks_{n}_0_op" for n in (3, 6)},
    "M00": f"middle_block_1_{ATTENTION}",
    **{f"OUT{n:02}": f"output_blocks_{n}_0_in_layers_2" for n in range(9)},
    **{f"OUT{n:02} attention": f"output_blocks_{n}_1_{ATTENTION}" for n in range(6)},
    **{f"OUT{n:02} upsampler": f"output_blocks_{n}_2_conv" for n in (2, 5)},
}


def layer_of(original):
    """Our name of a layer that kohya names as the original UNet does, which diffusers translates."""
    keys = {f"lora_unet_{original}.{half}.weight": torch.zeros(1) for half in ("lora_down", "lora_up")}
    (layer,) = parse_keys(keys).layers
    return layer


def adapter_of(*layers):
    return Adapter({layer: Factors(torch.ones(1, 2), torch.ones(3, 1)) for layer in layers}, "a", "0" * 64)


@pytest.mark.parametrize("count", [12, 20])
def test_a_row_of_numbers_means_the_blocks_of_the_original_unet(count):
    """Planted in every block is a number of its own; a block that the row has none for keeps all of it."""
    numbers = [10 + place for place in range(count)]
    (weights, _) = read_blocks({"content": ",".join(map(str, numbers))}, 2)
    wanted = dict(zip(COUNTS[count], numbers, strict=True))
    assert len(wanted) == count
    for block, original in ORIGINAL.items():
        assert weights.of(layer_of(original)) == wanted.get(block.split()[0], 1), block
    for encoder in ("text_encoder", "text_encoder_2"):
        assert weights.of(f"{encoder}.text_model.encoder.layers.0.self_attn.q_proj") == wanted["BASE"]


@pytest.mark.parametrize("text", ["[{}]", "{}", " {} "])
@pytest.mark.parametrize("between", [",", ", ", ";"])
def test_a_row_of_numbers_may_be_as_kohyas_tools_take_it(text, between):
    row = [str(number) for number in range(12)]
    wanted = read_blocks({"content": ",".join(row)}, 2)
    assert read_blocks({"content": text.format(between.join(row))}, 2) == wanted
    assert read_blocks({"content": text.format(between.join(["TE:0", "UNET:2"]))}, 1)[0].text == "TE:0;UNET:2"


def test_the_counts_are_kohyas():
    assert COUNTS[12] == ("BASE", "IN04", "IN05", "IN07", "IN08", "M00", *(f"OUT{n:02}" for n in range(6)))
    inputs, outputs = ([f"{kind}{n:02}" for n in range(12)] for kind in ("IN", "OUT"))
    assert COUNTS[20] == ("BASE", *inputs[:9], "M00", *outputs[:9])
    assert COUNTS[26] == ("BASE", *inputs, "M00", *outputs)
    assert COUNTS[17] == ("BASE", *(inputs[n] for n in (1, 2, 4, 5, 7, 8)), "M00", *outputs[3:])


def test_the_page_on_methods_says_which_block_each_number_is():
    lines = [
        line for line in DOCS.read_text().splitlines() if line.startswith(("| `IN", "| `OUT", "| `M00", "| `BASE"))
    ]
    for name, line in zip(COUNTS[26], lines, strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        said = [int(cell) - 1 if cell else None for cell in cells[2:]]
        assert said == [row.index(name) if name in row else None for row in map(COUNTS.get, (12, 20, 17, 26))]
        assert cells[1].replace("`", "").split(", ") == [place.removeprefix("unet.") for place in NAMES[name]]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("side", [0, 1])
def test_a_preset_keeps_what_its_paper_keeps(preset, side):
    """The papers' code keeps every key that contains one of its blocks' names, and drops the others."""
    layers = [layer_of(original) for original in ORIGINAL.values()] + ["text_encoder.text_model.encoder.layers.0.x"]
    weights = read_blocks({"1": preset, "2": preset}, 2)[side]
    kept = [layer for layer in layers if any(block in layer for block in PRESETS[preset][side])]
    assert list(weights.apply(adapter_of(*layers)).layers) == kept
    assert kept


def test_the_most_precise_name_counts_and_what_none_means_is_whole():
    text = "UNET:0.5; up_blocks.0:2; up_blocks.0.attentions.1:3; TE2:0; mid: -1"
    (weights,) = read_blocks({"1": text}, 1)
    wanted = {
        "unet.conv_out": 0.5,
        "unet.up_blocks.0.attentions.0.proj_in": 2,
        "unet.up_blocks.0.attentions.1.proj_in": 3,
        "unet.up_blocks.0.attentions.10.proj_in": 2,
        "unet.mid_block.attentions.0.proj_in": -1,
        "text_encoder.text_model.x": 1,
        "text_encoder_2.text_model.x": 0,
    }
    assert {layer: weights.of(layer) for layer in wanted} == wanted
    assert read_blocks({"1": weights.text}, 1) == (weights,)
    scaled = weights.apply(adapter_of(*wanted))
    assert not scaled.sha256
    for layer, number in wanted.items():
        if number:
            assert torch.equal(scaled.layers[layer].dense(), number * torch.ones(3, 2))
        else:
            assert layer not in scaled.layers


@pytest.mark.parametrize(
    ("table", "count", "message"),
    [
        ({"content": "1,2,3"}, 2, "3 numbers; accepted is a preset .b-lora, craft., 12, 17, 20, 26 numbers"),
        ({"content": "nothing"}, 2, "accepted is a preset"),
        ({"content": "up_block.0:1"}, 2, "up_block.0 is no block"),
        ({"content": "IN12:1"}, 2, "IN12 is no block"),
        ({"content": "TE:nan"}, 2, "'nan' is no number"),
        ({"content": "TE:"}, 2, "'' is no number"),
        ({"content": "TE:1;BASE:1"}, 2, "says one block twice"),
        ({"content": "TE:1;te:0"}, 2, "says one block twice"),
        ({"content": "b-lora", "1": "b-lora"}, 2, "LoRA 1 twice"),
        ({"3": "b-lora"}, 2, "no LoRA 3; accepted are content, style and 1 to 2"),
        ({"0": "b-lora"}, 3, "no LoRA 0"),
        ({"subject": "b-lora"}, 2, "no LoRA subject"),
    ],
)
def test_what_is_no_block_weight_is_refused_in_one_line(table, count, message):
    with pytest.raises(MethodError, match=message) as caught:
        read_blocks(table, count)
    assert "\n" not in str(caught.value)


def test_weights_that_leave_nothing_are_refused():
    with pytest.raises(AdapterError, match="leaves nothing of a"):
        BlockWeights({"UNET": 0.0}).apply(adapter_of("unet.conv_in"))
