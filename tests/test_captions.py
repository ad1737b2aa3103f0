"""A text beside a picture takes the prompt's place for that picture; beside a LoRA it is what it always was."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from lorarar.generation.denoisers.table import encode_prompts
from lorarar.lora.files import read_provenance, write_adapter
from lorarar.pictures.captions import read_captions
from lorarar.pictures.concepts import read_concept
from lorarar.pictures.images import write_png
from lorarar.training.lesson import Lesson
from lorarar.training.lesson_files import LessonFiles
from lorarar.training.lora import LoraDenoising, train_lora
from lorarar.training.options import LoraOptions
from lorarar.util.errors import ImageError, TrainingError

from .conftest import random_adapter
from .test_training import OPTIONS, pictures

PROMPT, CAPTION = "a sks dog", "a sks dog on a beach"


def solid(number):
    return Image.new("RGB", (16, 16), (40 * number, 0, 0))


@pytest.fixture
def folder(tmp_path):
    """Two pictures, the second with a caption."""
    for number in (1, 2):
        write_png(solid(number), tmp_path / "dog" / f"{number}.png")
    (tmp_path / "dog" / "2.txt").write_text(f"{CAPTION}\n", "utf-8-sig")
    return tmp_path / "dog"


def train(run, folder, *more):
    options = ("--steps", 1, "--rank", 2, "--resolution", 16)
    return run("train", "lora", folder, "--prompt", PROMPT, *options, *more)


def test_a_caption_takes_the_prompts_place_for_its_picture_alone(tiny):
    captions = (None, CAPTION, None, PROMPT)
    lesson = Lesson(pictures(count=4), PROMPT, captions)
    objective = LoraDenoising(tiny, [lesson, Lesson(pictures(count=2), "a cat")], replace(OPTIONS, mirrored=True))
    expected = encode_prompts(tiny, [PROMPT, CAPTION, "a cat"], 16)
    bound_to = objective.samples.conditioning.at(objective.samples.prompt_of)
    words = [0, 1, 0, 0] * 2 + [2, 2] * 2  # pictures, their mirror images; then the second lesson's
    torch.testing.assert_close(bound_to.text, expected.at(words).text)
    for name, value in expected.at(words).added.items():
        torch.testing.assert_close(bound_to.added[name], value)
    objective.close()


def test_a_caption_that_says_the_prompt_changes_no_bit_and_another_does(tiny):
    plain, same, other = (
        train_lora(tiny, [Lesson(pictures(count=2), PROMPT, captions)], OPTIONS)
        for captions in ((), (None, PROMPT), (None, CAPTION))
    )
    assert plain.identity == same.identity != other.identity


def test_captions_decide_the_training_and_their_absence_is_as_before(folder):
    lesson = LessonFiles.find(folder, PROMPT)
    assert lesson.captions == (None, CAPTION)
    before = lesson.facts()
    (folder / "2.txt").write_text("a sks dog in snow")
    assert LessonFiles.find(folder, PROMPT).facts() != before
    (folder / "2.txt").write_text("\n")
    assert LessonFiles.find(folder, PROMPT).captions == ()
    assert LessonFiles.find(folder, PROMPT).facts().keys() == {"prompt", "pictures"}  # as lorarar 0.1 kept it


def test_the_header_says_both_and_the_concepts_prompt_stays_the_prompt(run, folder, tiny_folder):
    result = train(run, folder, "--base", tiny_folder, "-o", "dog.safetensors")
    assert result.exit_code == 0, result.output
    assert f"2 pictures of {folder}: 'a sks dog', 1 by captions of their own" in " ".join(result.stderr.split())
    provenance = read_provenance(folder.with_suffix(".safetensors"))
    assert provenance["training"]["lesson"]["captions"] == [None, CAPTION]
    assert provenance["prompt"] == PROMPT
    assert read_concept(folder.with_suffix(".safetensors")).prompt == PROMPT


def test_an_empty_prompt_is_refused(run, folder, tmp_path):
    done = run("train", "lora", folder, "--prompt", " ", "-o", tmp_path / "dog.safetensors")
    assert done.exit_code != 0
    assert "is empty; accepted is what the pictures show" in " ".join(done.stderr.split())


def test_a_caption_that_would_be_cut_off_is_told_from_the_others(tiny, folder):
    (folder / "2.txt").write_text("a sks dog beside a tree " + "far away " * 90)
    lesson = LessonFiles.find(folder, "a sks dog").read(16)
    with pytest.raises(TrainingError, match=r"caption 'a sks dog beside a tree …' is longer .* would be cut off"):
        LoraDenoising(tiny, [lesson], LoraOptions(rank=2))


def test_a_text_beside_a_lora_describes_the_lora_and_captions_nothing(tmp_path):
    write_png(solid(1), tmp_path / "dog.png")
    (tmp_path / "dog.txt").write_text('prompt = "a ohwx dog"\nimages = "dog.png"\n')
    lora = write_adapter(random_adapter(2, 0), tmp_path / "dog.safetensors", {})
    assert read_captions([tmp_path / "dog.png"]) == ()
    assert read_concept(lora).prompt == "a ohwx dog"


def test_no_lora_goes_where_a_caption_would_describe_it(run, folder):
    refused = train(run, folder, "-o", folder / "2.safetensors")
    assert refused.exit_code == 1
    assert "2.txt is the caption of a picture" in " ".join(refused.stderr.split())
    assert sorted(path.name for path in folder.iterdir()) == ["1.png", "2.png", "2.txt"]


@pytest.mark.parametrize(("content", "why"), [(b"\xff\xfe\x00", "no text in UTF-8"), (b"x" * 70000, "longer than")])
def test_a_text_that_is_no_caption_is_an_error(folder, content, why):
    (folder / "1.txt").write_bytes(content)
    with pytest.raises(ImageError, match=why):
        LessonFiles.find(folder, PROMPT)
