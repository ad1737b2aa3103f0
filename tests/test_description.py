"""One function decides what a LoRA was trained on, from what a plan, a text, a header or another trainer's tags say."""

import json
from pathlib import Path

import pytest

from lorarar.lora.files import write_adapter
from lorarar.lora.header import PROVENANCE
from lorarar.pictures.concepts import read_concept, read_concepts
from lorarar.pictures.description import HEADER, OF_ITS_OWN, Description, describe
from lorarar.pictures.images import write_png
from lorarar.pictures.prompts import pair_prompt, style_phrase, token_in, without_token
from lorarar.pictures.references import references_folder
from lorarar.pictures.trainer_tags import trainer_prompt
from lorarar.util.errors import AdapterError, ImageError

from .conftest import random_adapter

OURS = {PROVENANCE: json.dumps({"prompt": "a sks cat"})}
KOHYA = {
    "ss_tag_frequency": json.dumps({"10_ohwx dog": {"ohwx dog": 12, "grass": 12, "ball": 3}}),
    "ss_datasets": json.dumps([{"subsets": [{"class_tokens": "zwx bird", "is_reg": False}]}]),
}


def test_the_first_that_says_a_thing_counts_field_by_field(tmp_path):
    lora = tmp_path / "dog.safetensors"
    (tmp_path / "dog").mkdir()
    nobody = describe(tmp_path / "cat.safetensors", {})
    assert (nobody.prompt, nobody.images, nobody.token, nobody.style) == (None, None, None, None)
    steps = [describe(lora, {}), describe(lora, KOHYA), describe(lora, KOHYA | OURS)]
    (tmp_path / "dog.txt").write_text("a zwx dog\n", "utf-8-sig")
    steps.append(describe(lora, KOHYA | OURS))
    steps.append(describe(lora, KOHYA | OURS, Description(prompt="a blorp dog").known_from("the plan")))
    assert [one.prompt for one in steps] == [None, "ohwx dog", "a sks cat", "a zwx dog", "a blorp dog"]
    sources = [one.sources.get("prompt") for one in steps]
    assert sources == [None, "ss_tag_frequency", HEADER, "dog.txt", "the plan"]
    assert {one.images for one in steps} == {tmp_path / "dog"}
    assert [one.rare_token for one in steps] == ["", "ohwx", "sks", "zwx", "blorp"]
    assert [one.beyond(OF_ITS_OWN).prompt for one in steps] == [None, None, None, "a zwx dog", "a blorp dog"]


def test_a_text_beside_a_lora_may_have_keys(tmp_path):
    (tmp_path / "oil.txt").write_text('# mine\nprompt = "wtr house"\nstyle = "oil in water"\ntoken = ""\nimages = "p"')
    described = describe(tmp_path / "oil.pt", OURS)
    assert described == Description("wtr house", tmp_path / "p", "", "oil in water")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a sks dog\nand more", "has 2 lines"),
        (b'promt = "a dog"', "promt is no key"),
        (b"prompt = 3", "prompt is no text"),
        (b"prompt = ", "cannot be read as keys"),
        (b"\xff\xfe", "UTF-8"),
        (b"a" * 70_000, "longer than"),
    ],
)
def test_an_unsound_text_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "dog.txt").write_bytes(text)
    with pytest.raises(AdapterError, match=rf"dog\.txt.*{message}"):
        describe(tmp_path / "dog.safetensors", {})


@pytest.mark.parametrize(
    ("metadata", "prompt"),
    [
        ({"modelspec.trigger_phrase": " ohwx\ndog ", **KOHYA}, "ohwx dog"),
        ({"ss_tag_frequency": json.dumps({"a": {"grass": 2, "ohwx": 5}, "b": {"grass": 2}})}, "ohwx"),
        ({"ss_tag_frequency": json.dumps({"a": {"grass": 2, "ohwx": 3}, "b": {"grass": 2}})}, "grass"),
        ({"ss_tag_frequency": json.dumps({"a": {"a long caption": 1, "another": 1}})}, None),
        ({"ss_tag_frequency": json.dumps({"a": {"a caption": 1}})}, "a caption"),
        (
            {
                "ss_tag_frequency": json.dumps({"1_dog": {"dog": 90}, "10_ohwx dog": {"ohwx dog": 5}}),
                "ss_reg_dataset_dirs": json.dumps({"1_dog": {"n_repeats": 1}}),
            },
            "ohwx dog",
        ),
        ({"ss_datasets": KOHYA["ss_datasets"]}, "zwx bird"),
        ({"ss_datasets": json.dumps([{"subsets": [{"class_tokens": one} for one in "ab"]}])}, None),
        (
            {"ss_datasets": json.dumps([{"subsets": [{"class_tokens": "a"}, {"class_tokens": "b", "is_reg": True}]}])},
            "a",
        ),
    ],
)
def test_tags_of_other_trainers_give_a_prompt_by_rule(metadata, prompt):
    found = trainer_prompt(metadata)
    assert (found.prompt if found else None) == prompt


@pytest.mark.parametrize(
    "value",
    [
        *("", "{", "[" * 100_000, "null", "3", '"x"', "[[[]]]", "\ud800", '{"a": 3}', '{"a": {"x": "9"}}'),
        *('{"a": {"x": true, "y": -4}}', '[{"subsets": 3}]', '[{"subsets": [{"class_tokens": 7}]}]'),
        *('{"a": {"' + "x" * 2000 + '": 9}}', '{"a": {"evil\\u001b[2J": 9}}', '{"a": {"n": 1' + "0" * 5000 + "}}"),
    ],
    ids=range(16),
)
def test_unsound_tags_say_nothing(value):
    assert trainer_prompt(dict.fromkeys(("ss_tag_frequency", "ss_datasets", "ss_reg_dataset_dirs"), value)) is None


@pytest.mark.parametrize(
    ("prompt", "token"),
    [
        ("a sks dog", "sks"),
        ("a dog called sks in oil", "sks"),
        ("a ohwx dog", "ohwx"),
        ("The zwx toy car on grass", "zwx"),
        ("a photo of a [V] dog", "[V]"),
        ("photo of <s0> dog", "<s0>"),
        ("ohwx man", "ohwx"),
        ("a red dog", ""),
        ("a stuffed animal", ""),
        ("Fluffy cat", ""),
        ("a TOK dog", "TOK"),
        ("a dog", ""),
        ("a dog on the red grass", ""),
        ("dog", ""),
        ("1girl, solo", ""),
        ("dog with a ball", ""),
        ("", ""),
    ],
)
def test_the_rare_token_is_what_stands_before_the_class(prompt, token):
    assert token_in(prompt) == token


def test_a_token_goes_as_a_whole_word_and_leaves_everything_else():
    assert without_token("a [V] dog in [V]ery oil", "[V]") == "a dog in [V]ery oil"
    assert without_token("a dog  in oil", "") == "a dog in oil"
    assert without_token("a sks dog in wtr style", "wtr", r"oil \1 paint") == r"a sks dog in oil \1 paint style"


def test_words_of_a_style_that_contain_an_in_are_taken_whole_where_they_are_said():
    prompt = "a house in a town in the rain style"
    assert pair_prompt("a ohwx dog", prompt) == "a ohwx dog in the rain style"
    assert pair_prompt("a ohwx dog", prompt, words="a town in the rain") == "a ohwx dog in a town in the rain style"
    assert style_phrase("wtr style", "watercolor") == "wtr style"  # a trigger word is drawn with, its words are judged
    assert Description(prompt=prompt).style_words == "the rain"
    assert Description(prompt=prompt, style="a town in the rain").style_words == "a town in the rain"


def test_concepts_are_read_from_every_kind_of_lora(tmp_path):
    import torch
    from safetensors.torch import load_file

    for name in ("a", "b", "c", "d"):
        write_adapter(random_adapter(2, 0), tmp_path / f"{name}.safetensors")
        write_png(_picture(), tmp_path / name / "1.png")
        (tmp_path / name / "._1.png").write_bytes(b"macOS")
        (tmp_path / f"{name}.txt").write_text(f"a ohwx {name}")
    (tmp_path / "b.safetensors").rename(tmp_path / "b.SAFETENSORS")
    torch.save(load_file(tmp_path / "c.safetensors"), tmp_path / "c.pt")
    (tmp_path / "c.safetensors").unlink()
    (tmp_path / "d.safetensors").unlink()
    write_adapter(random_adapter(2, 0), tmp_path / "peft", layout="peft")
    for part in (tmp_path / "peft").iterdir():
        part.rename(tmp_path / "d" / part.name)
    (tmp_path / "._a.safetensors").write_bytes(b"macOS")
    concepts = read_concepts(tmp_path)
    assert [(one.name, one.prompt, len(one.images)) for one in concepts if one.name != "peft"] == [
        (name, f"a ohwx {name}", 1) for name in ("a", "b", "c", "d")
    ]


def test_what_is_missing_is_one_line_with_all_the_ways_to_say_it(tmp_path):
    lora = write_adapter(random_adapter(2, 0), tmp_path / "dog.safetensors")
    ways = ["contents.concepts.dog", "--content-prompt", r"dog\.txt", "lorarar train lora"]
    with pytest.raises(AdapterError, match=".*".join(ways)):
        read_concept(lora)
    given = Description(prompt="a ohwx dog")
    ways = [r"dog does not exist", r"contents\.concepts\.dog\] images", "--content-images", r"dog\.txt"]
    with pytest.raises(ImageError, match=".*".join(ways)):
        read_concept(lora, given)
    write_png(_picture(), references_folder(lora) / "1.png")
    assert read_concept(lora, given).description.sources["images"] == "the folder of its name"
    with pytest.raises(AdapterError, match=r"token 'zwx' \(the plan\) is not in 'a ohwx dog'"):
        read_concept(lora, Description(prompt="a ohwx dog", token="zwx").known_from("the plan"))


def test_a_name_with_dots_has_its_own_text_and_pictures():
    assert references_folder(Path("x/my.lora.v2")) == Path("x/my.lora.v2")  # a PEFT folder
    assert references_folder(Path("x/my.lora.v2.safetensors")) == Path("x/my.lora.v2")


def _picture():
    from PIL import Image

    return Image.new("RGB", (8, 8), "red")
