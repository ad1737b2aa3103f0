"""Headers that other programs read: by which they list a LoRA, and what is carried over of the inputs'."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lorarar import merge
from lorarar.lora import carried
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.carried import carried_fields, merged_metadata
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.layouts import LAYOUTS
from lorarar.lora.made_for import family_of_adapter
from lorarar.lora.tensors import save_tensors

from .base_loras import adapter_of, attention, some, table
from .conftest import random_adapter

LAYER = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"


def header(path):
    with safe_open(path, "pt") as file:
        return dict(file.metadata())


def sdxl(rank=4, **metadata):
    """One layer of SDXL."""
    return Adapter(
        {LAYER: Factors(torch.ones(rank, 2048), torch.ones(640, rank))}, "dog.safetensors", metadata=metadata
    )


def version_listed_by_a1111(fields):
    """The version under which its list has a LoRA, by its header alone."""
    if fields.get("ss_base_model_version", "").startswith("sdxl_"):
        return "SDXL"
    if fields.get("ss_v2") == "True":
        return "SD2"
    return "SD1" if fields else "any"


@pytest.mark.parametrize(("family", "version"), [("sdxl", "SDXL"), ("ssd-1b", "SDXL"), ("sd15", "SD1")])
def test_kohya_is_listed_by_a1111_under_the_base_it_is_for(tmp_path, family, version):
    adapter = adapter_of(some(table(family), "attn2.to_k"))
    fields = header(write_adapter(adapter, tmp_path / "a.safetensors", {"x": 1}, "kohya"))
    assert version_listed_by_a1111(fields) == version


def test_a_lora_of_an_unknown_base_is_given_none(tmp_path):
    fields = header(write_adapter(random_adapter(2, 0), tmp_path / "a.safetensors", None, "kohya"))
    assert not {"ss_base_model_version", "modelspec.architecture"} & fields.keys()


def test_what_was_said_of_the_base_counts_where_the_layers_fit_it():
    some_koala = adapter_of(some(table("koala-700m"), "down_blocks.1.attentions.0."))
    all_koala = adapter_of(attention("koala-700m"), ss_base_model_version="sdxl_base_v1-0")
    cases = (
        (some_koala, "sdxl"),
        (replace(some_koala, family="koala-700m"), "koala-700m"),
        (replace(some_koala, provenance={"base": "koala-700m"}), "koala-700m"),
        (replace(some_koala, family="sd15"), "sdxl"),
        (all_koala, "koala-700m"),
    )
    for adapter, family in cases:
        assert family_of_adapter(adapter).name == family


def test_the_header_of_kohya_says_what_is_true_of_the_file(tmp_path):
    one = header(write_adapter(sdxl(), tmp_path / "one.safetensors", {"x": 1}, "kohya"))
    assert one == {
        "lorarar": '{"x": 1}',
        "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "modelspec.resolution": "1024x1024",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.title": "LoRA",
        "ss_base_model_version": "sdxl_base_v1-0",
        "ss_network_alpha": "4",
        "ss_network_dim": "4",
        "ss_network_module": "networks.lora",
    }
    unequal = replace(sdxl(), layers={**sdxl().layers, LAYER.replace("to_k", "to_v"): sdxl(2).layers[LAYER]})
    two = header(write_adapter(unequal, tmp_path / "two.safetensors", None, "kohya"))
    assert (two["ss_network_dim"], two["ss_network_alpha"]) == ("Dynamic", "Dynamic")


def test_comfy_has_the_model_spec_and_claims_no_network_of_kohyas(tmp_path):
    fields = header(write_adapter(sdxl(), tmp_path / "a.safetensors", None, "comfy"))
    assert fields["modelspec.implementation"].endswith("/ComfyUI")
    assert not [name for name in fields if name.startswith("ss_network")]


def test_kohyas_header_has_what_is_true_now_over_what_the_input_said(tmp_path):
    fields = header(write_adapter(sdxl(**TRAINED), tmp_path / "a.safetensors", None, "kohya"))
    assert (fields["ss_network_dim"], fields["ss_base_model_version"]) == ("4", "sdxl_base_v1-0")
    assert fields["modelspec.trigger_phrase"] == "ohwx dog"


def test_a_merge_is_titled_by_what_it_is_made_of_and_says_how_to_prompt_for_it():
    trained = {"prompt": "a house in ink style"}
    inputs = [sdxl(), replace(sdxl(), name="ink.pt", provenance=trained)]
    fields = LAYOUTS["kohya"].fields_of(replace(sdxl(), metadata=merged_metadata(inputs)))
    assert fields["modelspec.title"] == "dog + ink"
    assert fields["modelspec.merged_from"] == "dog, ink"
    assert fields["modelspec.usage_hint"] == "a house in ink style"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_headers_of_several_keys_are_the_same_bytes_each_time(tmp_path, layout):
    adapter = sdxl(**{f"ss_{name}": f'ä\n"{name}\\' for name in "zyxwvutsr"})
    files = []
    for number in range(4):
        place = tmp_path / f"{number}{LAYOUTS[layout].ending}"
        write_adapter(adapter, place, {"b": "é\x7f", "a": 1}, layout)
        files.append((place / "adapter_model.safetensors" if place.is_dir() else place).read_bytes())
    assert len(set(files)) == 1


def test_a_header_of_provenance_alone_is_what_safetensors_writes(tmp_path):
    tensors, provenance = {"b": torch.ones(3, 2), "a": torch.ones(2).half()}, {"x": 'é\n"\\\x01😀'}
    save_file(tensors, tmp_path / "theirs.safetensors", {"lorarar": json.dumps(provenance, sort_keys=True)})
    save_tensors(tensors, tmp_path / "ours.safetensors", provenance)
    assert (tmp_path / "ours.safetensors").read_bytes() == (tmp_path / "theirs.safetensors").read_bytes()


def test_a_default_file_of_inputs_that_say_nothing_has_the_one_key_it_always_had(tmp_path):
    assert list(header(write_adapter(sdxl(), tmp_path / "a.safetensors", {"x": 1}))) == ["lorarar"]


TRAINED = {
    "ss_tag_frequency": json.dumps({"10_dog": {"ohwx dog": 20, "grass": 3}}),
    "ss_output_name": "ohwx-dog",
    "ss_learning_rate": "0.0001",
    "modelspec.trigger_phrase": "ohwx dog",
    "modelspec.thumbnail": "data:image/jpeg;base64,AAAA",
    "modelspec.hash_sha256": "0x12",
    "ss_network_dim": "64",
    "ss_base_model_version": "sdxl_base_v0-9",
    "sshs_model_hash": "12ab",
    "lora_adapter_metadata": json.dumps({"unet.r": 4, "unet.lora_alpha": 16}),
}


def test_of_one_lora_all_is_kept_that_stays_true(tmp_path):
    fields = header(write_adapter(sdxl(**TRAINED), tmp_path / "a.safetensors", None))
    kept = ("ss_output_name", "ss_learning_rate", "modelspec.trigger_phrase", "ss_base_model_version")
    assert {name: fields[name] for name in kept} == {name: TRAINED[name] for name in kept}
    assert json.loads(fields["ss_tag_frequency"]) == json.loads(TRAINED["ss_tag_frequency"])
    assert fields.keys() == {"lorarar", "ss_tag_frequency", *kept}


def test_of_several_loras_trigger_words_are_joined_tags_added_and_the_rest_is_what_all_agree_in():
    inputs = [
        sdxl(**TRAINED, ss_clip_skip="2", **{"modelspec.license": "MIT"}),
        replace(
            sdxl(
                ss_tag_frequency=json.dumps({"10_dog": {"grass": 4}, "1_art": {"ink": 7}}),
                ss_clip_skip="2",
                ss_output_name="ink",
                ss_base_model_version="sdxl_base_v1-0",
                **{"modelspec.trigger_phrase": "in ink style", "modelspec.license": "CC-BY-4.0"},
            ),
            name="ink.safetensors",
            provenance={"prompt": "a house in ink style"},
        ),
        replace(sdxl(), name="plain.pt"),
    ]
    merged = merged_metadata(inputs)
    assert json.loads(merged["ss_tag_frequency"]) == {"10_dog": {"ohwx dog": 20, "grass": 7}, "1_art": {"ink": 7}}
    assert merged["modelspec.trigger_phrase"] == "ohwx dog, in ink style"
    assert merged["modelspec.license"] == "MIT, CC-BY-4.0"
    assert merged["ss_clip_skip"] == "2"
    assert not {"ss_base_model_version", "ss_output_name", "ss_learning_rate"} & merged.keys()
    assert (merged[carried.SOURCES], merged[carried.PROMPTS]) == ("dog, ink, plain", "a house in ink style")
    assert not [name for name in carried_fields(merged) if name.startswith("lorarar")]


def test_what_a_hostile_header_says_is_bounded_and_harmless():
    hostile = {
        "ss_tag_frequency": json.dumps(
            {f"set{number}": {f"{tag}": tag + 1 for tag in range(100)} for number in range(100)}
        ),
        "ss_comment": "x" * (carried.LONGEST + 1),
        "ss_note": "a\x1b[31mred\u202e",
        **{f"ss_{number:05}": "x" for number in range(10_000)},
    }
    fields = carried_fields(hostile)
    assert len(fields) <= carried.MOST_FIELDS + 1
    assert sum(map(len, json.loads(fields["ss_tag_frequency"]).values())) == carried.MOST_TAGS
    assert "ss_comment" not in fields
    assert "\x1b" not in carried_fields({"ss_note": hostile["ss_note"]})["ss_note"]
    for text in ("", "[", "[1]", "3", '{"a": 1}', '{"a": {"b": "x", "c": -1, "d": true, "e": 1e300}}', "[" * 100_000):
        assert "ss_tag_frequency" not in carried_fields({"ss_tag_frequency": text})
    assert json.loads(carried_fields({"ss_tag_frequency": '{"\\ud800": {"a": 1}}'})["ss_tag_frequency"])


@pytest.mark.parametrize("name", ["modelspec.title", "modelspec.usage_hint", carried.SOURCES, carried.PROMPTS])
@pytest.mark.parametrize("text", ["\x1b[31mred", "x" * (carried.LONGEST + 1)])
@pytest.mark.parametrize("layout", ["kohya", "comfy"])
def test_what_a_header_says_to_other_programs_is_bounded_and_harmless_too(tmp_path, layout, name, text):
    lora = sdxl(**{name: text})
    fields = header(write_adapter(lora, tmp_path / "a.safetensors", layout=layout))
    assert "\x1b" not in "".join(fields.values())
    assert max(map(len, fields.values())) <= carried.LONGEST


def test_a_merge_keeps_the_trigger_words_of_both(lora_file, tiny_folder, tmp_path):
    paths = []
    for name, word in (("c", "ohwx dog"), ("s", "ink style")):
        adapter = replace(read_adapter(lora_file(name, 2, 0)), metadata={"modelspec.trigger_phrase": word})
        paths.append(write_adapter(adapter, tmp_path / f"{name}.safetensors"))
    merge(*paths, tmp_path / "m.safetensors", method="direct", base=str(tiny_folder))
    assert header(tmp_path / "m.safetensors")["modelspec.trigger_phrase"] == "ohwx dog, ink style"
