"""Families of other packages."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from judge.critics import find_critic
from judge.ground_truth import ground_truths
from lorarar.cli.main import app
from lorarar.families import FAMILIES, Base, Family, families_with, family_of, find_base
from lorarar.families.sdxl import SDXL
from lorarar.util.errors import BaseError
from lorarar.util.registry import Registry

from .extending import BAD_EXTENSION, left_out


@pytest.fixture
def elsewhere(extended, monkeypatch, tiny_folder):
    """The family of the extension, whose base is the tiny one."""
    monkeypatch.setenv("LORARAR_ELSEWHERE", str(tiny_folder))


def test_a_family_of_another_package_merges_and_draws(elsewhere, lora_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pair = map(str, (lora_file("c", 2, 0), lora_file("s", 3, 1)))
    done = CliRunner().invoke(
        app, ["merge", *pair, "-o", "m.safetensors", "--method", "direct", "--base", "elsewhere", "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["base"] == "elsewhere"
    drawing = ["--prompt", "a dog", "--lora", "m.safetensors", "--base", "elsewhere", "--steps", "1", "-o", "p"]
    done = CliRunner().invoke(app, ["generate", *drawing])
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "p").glob("*.png"))) == 1


def test_its_backbones_are_chosen_by_name(elsewhere):
    from judge.metrics.registry import own_backbones

    assert list(families_with("clip")) == ["pocket", "elsewhere"]
    assert own_backbones("clip")["elsewhere"]() == own_backbones("clip")["pocket"]()
    with pytest.raises(LookupError, match="family elsewhere has no dino"):
        FAMILIES["elsewhere"].find("dino")
    with pytest.raises(BaseError, match=r"neither pocket nor .* nor elsewhere, nor a pipeline"):
        find_base("nothing")


def test_bad_families_are_a_line_each_and_end_nothing(monkeypatch, capsys):
    monkeypatch.syspath_prepend(BAD_EXTENSION)
    assert list(FAMILIES)[-2:] == ["judged", "nowhere"]
    (line,) = left_out(capsys.readouterr().err)
    assert line == "The family like-ours of lorarar-bad is left out: ValueError: lorarar has one named pocket"
    with pytest.raises(BaseError, match="the base of family nowhere cannot be loaded from nowhere:base: No module"):
        find_base("nowhere")


def test_parts_that_fail_are_a_line_that_names_the_family(monkeypatch):
    monkeypatch.syspath_prepend(BAD_EXTENSION)
    truth = ground_truths()["judged"]
    for part, use, said in (
        ("base", lambda: find_base("judged"), "KeyError: 'LORARAR_NOBODY_SETS_THIS'"),
        ("critic", lambda: find_critic("judged"), "TypeError: it is a str; accepted is a judge"),
        ("ground truth", lambda: truth.distances([1, 2]), "ValueError: it gives 3 values for 2 pictures"),
        ("ground truth", lambda: truth.identified([1, 2]), "RuntimeError: no such luck"),
        ("ground truth", truth.revision, "AttributeError: module 'lorarar_bad.families' has no attribute 'revision'"),
    ):
        with pytest.raises(BaseError, match=f"the {part} of family judged fails: {said}"):
            use()


def test_a_folder_is_of_the_family_whose_class_it_names(tmp_path, monkeypatch):
    other = replace(SDXL, name="other", pipeline="diffusers:OtherPipeline")
    monkeypatch.setattr("lorarar.families.table.FAMILIES", Registry("lorarar.none", Family, (SDXL, other)))
    index = tmp_path / "model_index.json"
    for text, wanted in (
        ('{"_class_name": "OtherPipeline"}', "other"),
        ('{"_class_name": "StableDiffusionXLPipeline"}', "sdxl"),
        ('{"_class_name": "Unheard"}', "sdxl"),
        ("[]", "sdxl"),
        ("{", "sdxl"),
    ):
        index.write_text(text)
        assert family_of(Base("mine", str(tmp_path))).name == wanted
    assert family_of(Base("other", "owner/name")).name == "other"
    assert family_of(Base("owner/name", "owner/name")).name == "sdxl"
