"""The zoo: many subjects and styles that keep clear of what is measured on, and LoRAs of them."""

import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

import lorarar.pocket.art
import lorarar.pocket.zoo
from judge.pocket.ground_truth import true_picture_of, true_picture_of_files
from lorarar.lora.files import read_adapter, read_provenance
from lorarar.pocket import shipped
from lorarar.pocket.art import ARTISTS
from lorarar.pocket.canvas import place
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import STYLES, SUBJECTS, held_out_params
from lorarar.pocket.styles import STYLE_FUNCTIONS, apply_style
from lorarar.pocket.training_pictures import APART, distance
from lorarar.pocket.zoo import zoo_groups
from lorarar.pocket.zoo_concepts import zoo_styles, zoo_subjects
from lorarar.training.options import LoraOptions
from lorarar.util.errors import PocketError


@pytest.fixture(scope="module")
def designs():
    """A block of some colour for every class and artist."""
    rng = np.random.default_rng(0)
    colours = {(name, artist.name): rng.integers(0, 256, 3) for name in CLASS_NAMES for artist in ARTISTS}
    return {key: Image.new("RGBA", (128, 128), (*map(int, colour), 255)) for key, colour in colours.items()}


def test_subjects_are_none_of_pockets_own_and_early_ones_of_all_classes(designs):
    subjects = zoo_subjects(designs, 100)
    assert len({subject.design for subject in subjects}) == len({subject.slug for subject in subjects}) == 100
    shown = {subject.design for subject in SUBJECTS} | {style.design for style in STYLES}
    assert not shown & {subject.design for subject in subjects}
    others = {*CLASS_NAMES} - {"dog"}  # every artist's dog is a subject of Pocket's
    assert {subject.class_name for subject in subjects[: len(others)]} == others
    assert zoo_subjects(designs, 30) == subjects[:30]
    with pytest.raises(PocketError, match=r"--subjects is 1000; the art has designs for \d+"):
        zoo_subjects(designs, 1000)


def test_styles_keep_away_from_held_out_ones_and_from_each_other(designs):
    styles = zoo_styles(designs, 100)
    assert len({style.slug for style in styles}) == 100
    assert [style.family for style in styles[:14]] == [*STYLE_FUNCTIONS]
    shown = {subject.design for subject in SUBJECTS} | {style.design for style in STYLES}
    for style in styles:
        assert style.design not in shown
        assert all(distance(style.params, other) > APART for other in held_out_params(style.family))
    for family in STYLE_FUNCTIONS:
        of_family = [style.params for style in styles if style.family == family]
        assert all(distance(one, other) > 0.2 for one, other in pairwise(of_family))
    assert zoo_styles(designs, 20) == styles[:20]


@pytest.fixture
def short(monkeypatch, designs):
    """A zoo of two steps a LoRA, two at once, of those designs."""
    options = LoraOptions(rank=2, steps=2, rate=1e-3, feed_forward=True)
    monkeypatch.setattr(lorarar.pocket.zoo, "CONTENT_OF_ZOO", options)
    monkeypatch.setattr(lorarar.pocket.zoo, "STYLE_OF_ZOO", options)
    monkeypatch.setattr(lorarar.pocket.zoo, "AT_ONCE", 2)
    monkeypatch.setattr(lorarar.pocket.art, "fetch_designs", lambda folder: designs)


def test_contents_and_styles_take_turns(designs, short, tmp_path):
    groups = zoo_groups(designs, tmp_path, 5, 2)
    assert [(len(group), group.checkpoint.name[:8]) for group in groups] == [
        (2, "contents"),
        (2, "styles-1"),
        (2, "contents"),
        (1, "contents"),
    ]


def test_the_command_makes_a_zoo_and_goes_on_with_what_is_missing(run, short, tmp_path, designs):
    arguments = ("pocket", "zoo", "-o", "zoo", "--subjects", 2, "--styles", 1, "--device", "cpu")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    loras = sorted((tmp_path / "zoo").glob("*/*.safetensors"))
    assert [lora.parent.name for lora in loras] == ["contents"] * 2 + ["styles"]
    assert "3 LoRAs to train" in result.stderr and "0 LoRAs to train, about 0 minutes" in result.stderr
    assert not list((tmp_path / "zoo").rglob("*.pt"))
    header = read_provenance(loras[0])
    assert header["prompt"] == f"a sks {loras[0].stem.split('-by-')[0].replace('-', ' ')}"
    assert header["base"] == "pocket" and len(header["training"]["lesson"]["pictures"]) == 5
    assert {factors.rank for factors in read_adapter(loras[0]).layers.values()} == {2}
    before = {lora: lora.stat().st_mtime_ns for lora in loras}
    assert "0 LoRAs to train" in run(*arguments).stderr
    loras[2].unlink()
    assert "1 LoRA to train" in run(*arguments).stderr
    assert {lora: lora.stat().st_mtime_ns for lora in loras[:2]} == {lora: before[lora] for lora in loras[:2]}
    assert loras[2].exists()


def test_the_truth_of_a_zoo_lies_beside_it(designs, short, tmp_path):
    content, style = zoo_groups(designs, tmp_path, 1, 1)
    for group in (content, style):
        group.paint()
    [subject], [look] = content.concepts, style.concepts
    painted = apply_style(look.concept.family, place(designs[subject.concept.design]), look.concept.params)
    assert true_picture_of_files(subject.file, look.file) == painted
    own = shipped.content_lora("cat-2"), shipped.style_lora("glowing")
    assert true_picture_of_files(*own) == true_picture_of("cat-2", "glowing")
    (tmp_path / "there").symlink_to(shipped.WEIGHTS)
    linked = [tmp_path / "there" / lora.relative_to(shipped.WEIGHTS) for lora in own]
    assert true_picture_of_files(*linked) == true_picture_of("cat-2", "glowing")
    assert true_picture_of_files(own[0], look.file).size == (64, 64)
    assert true_picture_of_files(tmp_path / "contents" / "x.safetensors", look.file) is None
    file = tmp_path / "looks" / f"{look.concept.slug}.json"
    file.write_text(json.dumps({"family": "glowing"}))
    with pytest.raises(PocketError, match="is no look of the zoo"):
        true_picture_of_files(subject.file, look.file)
