"""The tables of layers: what diffusers' classes are built of, known without them."""

import subprocess
import sys
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

from lorarar.families import FAMILIES, Base, find_base
from lorarar.families.layer_table import read_table, table_text
from lorarar.families.meta_models import parameter_counts, size_row
from lorarar.families.table_maker import layers_of_components, main
from lorarar.lora.base_layers import layers_of, layers_of_family

from .base_loras import table

ROOT = Path(__file__).parents[1]
TABLES = [name for name, family in FAMILIES.items() if family.architecture and family.architecture.layers]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_layers_of_the_class_that_loads_the_base(name):
    family = FAMILIES[name]
    assert layers_of_components(family) == table(name)


def test_layers_that_are_known_of_the_bases():
    assert table("sdxl")["unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"] == (640, 2048)
    assert table("sd15")["unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"] == (320, 768)
    assert table("sd15")["unet.mid_block.attentions.0.proj_in"] == (1280, 1280, 1, 1)
    assert table("sdxl")["text_encoder_2.text_model.encoder.layers.31.mlp.fc1"] == (5120, 1280)
    assert "unet.down_blocks.0.attentions.0.proj_in" not in table("sdxl")
    assert not any(layer.startswith("unet.mid_block") for layer in table("koala-700m"))
    assert {name: len(table(name)) for name in TABLES} == {
        "sdxl": 1059,
        "ssd-1b": 694,
        "koala-700m": 532,
        "sd15": 354,
    } | TRANSFORMERS


#: layers of the diffusion transformers' tables
TRANSFORMERS = {"flux1": 576, "flux2-klein": 109, "flux2-klein-9b": 153, "qwen-image": 846, "z-image": 276}
MILLIONS = {"flux1": 11898, "flux2-klein": 3876, "flux2-klein-9b": 9079, "qwen-image": 20425, "z-image": 6154}


@pytest.mark.parametrize("name", MILLIONS)
def test_the_weights_of_transformers_are_as_many_as_are_said(name):
    own = [shape for layer, shape in table(name).items() if layer.startswith("transformer.")]
    assert round(sum(prod(shape) for shape in own) / 1e6) == MILLIONS[name]


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.architecture])
def test_a_base_is_as_large_as_is_said(name):
    counts = parameter_counts(FAMILIES[name])
    assert FAMILIES[name].architecture.gigabytes == round(2e-9 * sum(counts.values()), 1)
    if name in MILLIONS:
        assert size_row(FAMILIES[name]) in (ROOT / "docs" / "bases.md").read_text()


def test_a_table_is_read_as_it_was_written(tmp_path):
    layers = {"a.0.b": (1, 2), "a.1.b": (1, 2), "a.3.b": (1, 2), "a.2.c": (3,), "a.2.d": (3,), "a": (5, 5, 3, 3)}
    (tmp_path / "table.txt").write_text(table_text(layers))
    assert read_table(tmp_path / "table.txt") == layers


def test_the_script_writes_the_tables_that_are_shipped(tmp_path):
    main(["sd15", str(tmp_path / "sd15.txt")])
    shipped = FAMILIES["sd15"].architecture.layers
    assert (tmp_path / "sd15.txt").read_text() == shipped.read_text()


def test_a_base_is_known_by_its_name_by_its_id_and_by_its_files(tmp_path, tiny_folder):
    assert (
        layers_of(find_base("sdxl"))
        == layers_of(Base("x", "stabilityai/stable-diffusion-xl-base-1.0"))
        == table("sdxl")
    )
    assert layers_of(Base("x", "somebody/something")) is None
    layers = layers_of(find_base(str(tiny_folder)))
    assert layers["unet.conv_in"] == (8, 4, 3, 3)
    assert {layer.partition(".")[0] for layer in layers} == {"unet", "text_encoder", "text_encoder_2"}
    assert "text_encoder.text_model.encoder.layers.0.mlp.fc1" in layers


def test_tables_need_neither_torch_nor_diffusers():
    code = "import sys, lorarar.lora.base_layers as b, lorarar.families as f; b.layers_of(f.find_base('sdxl'))"
    code += "; print([m for m in ('torch', 'diffusers', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_family_whose_base_is_gone_is_not_compared_with():
    """As where another package, or this one, is here without its weights."""
    gone = replace(FAMILIES["sdxl"], architecture=None, base=lambda: Base("gone", "/nowhere/weights/base"))
    assert layers_of_family(gone) is None
