"""Tables of concepts, and the LoRAs that are trained for all their rows in one run."""

import json
import signal
import subprocess
import sys

import pytest
import torch
from PIL import Image

from lorarar.lora.files import read_adapter, read_provenance, write_adapter
from lorarar.pictures.concept_table import read_table, select
from lorarar.pictures.concepts import read_concepts
from lorarar.pictures.held_out import held_out_among
from lorarar.pictures.images import write_png
from lorarar.pictures.prompts import style_phrase, token_in
from lorarar.pocket.concepts import STYLES, SUBJECTS
from lorarar.training import lora_training
from lorarar.util.errors import TrainingError

from .conftest import random_adapter

TABLE = """
[contents]
dog = { prompt = "a sks dog" }
cat-1 = { prompt = "a sks cat", images = "cat", split = "test" }

[styles]
rain = { prompt = "a town in rainy style" }
"""


@pytest.fixture
def data(tmp_path):
    """The table, and pictures: two of the dog, one with a caption; one picture each for the others."""
    (tmp_path / "concepts.toml").write_text(TABLE)
    places = ("contents/dog/1", "contents/dog/2", "contents/cat/1", "styles/rain")
    for place in places:
        write_png(Image.effect_noise((16, 16), 80).convert("RGB"), tmp_path / "photos" / f"{place}.png")
    (tmp_path / "photos/contents/dog/2.txt").write_text("a sks dog in snow")
    return tmp_path


@pytest.fixture
def train(run, data, tiny_folder):
    """Train the table's LoRAs."""

    def invoke(*more, table="concepts.toml"):
        options = ("--base", tiny_folder, "--rank", 2, "--steps", 1)
        return run("train", "loras", table, "--images", "photos", "-o", "out", *options, *more)

    return invoke


def said(result):
    return " ".join(result.stderr.split())


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_papers_table_is_pockets_and_table_a1_with_dreambooths_classes():
    rows = read_table("paper")
    pocket = {(row.slug, row.split) for row in (*SUBJECTS, *STYLES)}
    assert {(row.name, row.split) for row in rows} == pocket
    contents, styles = ([row for row in rows if row.side == side] for side in ("contents", "styles"))
    counts = [
        [sum(row.split == split for row in side) for split in ("train", "validation", "test")]
        for side in (contents, styles)
    ]
    assert counts == [[20, 5, 5], [18, 3, 5]]
    assert all(token_in(row.prompt) == "sks" for row in contents)
    classes = {row.images: row.prompt.removeprefix("a sks ") for row in contents}
    assert (classes["wolf_plushie"], classes["rc_car"], classes["cat2"], len(classes)) == (
        "stuffed animal",
        "toy",
        "cat",
        30,
    )
    words = {row.name: style_phrase(row.prompt) for row in styles}
    for row in styles:  # the paper: the style's name without its number
        name = row.name.rstrip("0123456789").strip("-").replace("-", " ")
        assert set(name.split()) <= set(words[row.name].split())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[contents]\ndog = 3", "contents.dog is no row"),
        ("contents = 3", "contents is no table"),
        ("[subjects]\ndog = {}", "takes no subjects"),
        ("[contents]\ndog = {}", "contents.dog has no prompt"),
        ('[contents]\ndog = { prompt = "a", image = "b" }', "did you mean images"),
        ('[contents]\ndog = { prompt = " " }', "prompt is ' '"),
        ('[contents]\ndog = { prompt = "a", split = "dev" }', "accepted are train, validation, test"),
        ('[contents]\n"../dog" = { prompt = "a" }', "no name of a file"),
        ('[contents]\ndog = { prompt = "a" }\nDog = { prompt = "b" }', "take for one name"),
        ('[contents]\n"caf\u00e9" = { prompt = "a" }\n"cafe\u0301" = { prompt = "b" }', "take for one name"),
        ('[contents]\n"a\\nb" = { prompt = "a" }', "no name of a file"),
        ("[contents]", "has no concept"),
        ("[contents", "is no TOML"),
        ("[contents]\na = " + "[" * 5000, "is no TOML"),
    ],
)
def test_an_unsound_table_is_one_line_that_says_where(tmp_path, text, why):
    (tmp_path / "concepts.toml").write_text(text)
    with pytest.raises(TrainingError, match=why) as caught:
        read_table(str(tmp_path / "concepts.toml"))
    assert "\n" not in str(caught.value)


def test_rows_are_chosen_by_name_and_by_split():
    rows = read_table("paper")
    assert [row.name for row in select(rows, ["teapot", "dog-1"], "test")] == ["teapot"]
    with pytest.raises(TrainingError, match="no concept dog-9; the table has backpack"):
        select(rows, ["dog-9"])
    with pytest.raises(TrainingError, match="no concept is left of 56"):
        select(rows, ["dog-1"], "test")
    with pytest.raises(TrainingError, match=r"shipped table: paper"):
        read_table("papers")


def test_who_trains_on_what_is_kept_to_measure_on_is_told():
    assert held_out_among({"contents": ["dog-1", "mine"], "styles": ["can", "sticker"]}) == []  # can is a content
    validation, test = held_out_among({"contents": ["can", "dog-1", "clock"], "styles": ["glowing"]})
    assert "clock, by their names of the validation split of paper" in validation
    assert "can, glowing, by their names of the test split of paper" in test


def test_every_row_becomes_a_concept_that_grids_and_hypernetworks_read(train, data):
    done = train("--json")
    assert done.exit_code == 0, done.output
    records = json.loads(done.stdout)
    assert [(one["side"], one["name"], one["split"], one["new"]) for one in records] == [
        ("contents", "dog", "train", True),
        ("contents", "cat-1", "test", True),
        ("styles", "rain", "train", True),
    ]
    contents, styles = (read_concepts(data / "out" / side) for side in ("contents", "styles"))
    assert [(one.name, one.prompt, len(one.images)) for one in contents] == [
        ("cat-1", "a sks cat", 1),
        ("dog", "a sks dog", 2),
    ]
    assert [(one.name, one.prompt, len(one.images)) for one in styles] == [("rain", "a town in rainy style", 1)]
    assert (data / "out/contents/dog/2.png").read_bytes() == (data / "photos/contents/dog/2.png").read_bytes()
    assert (data / "out/contents/dog/2.txt").read_text() == "a sks dog in snow"
    assert all(read_adapter(one.path).stored == torch.float16 for one in (*contents, *styles))


def test_what_is_there_is_known_by_what_made_it_and_not_by_its_name(train, data):
    assert train().exit_code == 0
    before = bytes_of(data / "out")
    again = train("--json")
    assert [one["new"] for one in json.loads(again.stdout)] == [False] * 3
    assert bytes_of(data / "out") == before
    (data / "concepts.toml").write_text(TABLE.replace("a sks dog", "a ohwx dog"))
    (data / "photos/contents/dog/2.txt").unlink()
    changed = train("--json")  # a changed caption too, whose copy lies beside the LoRA
    assert "holds 2.txt, which is not what is trained on" in json.loads(changed.stdout)[0]["error"]
    (data / "out/contents/dog/2.txt").unlink()
    replacing = train("--json")
    assert [one["new"] for one in json.loads(replacing.stdout)] == [True, False, False]
    assert "dog.safetensors was trained otherwise (lesson.captions, lesson.prompt) and is replaced" in said(replacing)
    assert "rain.safetensors was trained otherwise" not in said(replacing)
    assert read_provenance(data / "out/contents/dog.safetensors")["prompt"] == "a ohwx dog"
    assert [one["new"] for one in json.loads(train("--json", "--dtype", "float32").stdout)] == [True] * 3


def test_a_file_of_another_origin_is_never_written_over(train, data):
    (data / "out/contents").mkdir(parents=True)
    foreign = write_adapter(random_adapter(2, 0), data / "out/contents/dog.safetensors", {})
    before = foreign.read_bytes()
    done = train()
    assert done.exit_code == 1
    assert "was made by no training of lorarar" in said(done)
    assert foreign.read_bytes() == before
    assert "1 of 3 LoRAs failed (dog)" in said(done)
    assert (data / "out/styles/rain.safetensors").exists()


def test_one_failure_loses_no_other_and_is_tried_again_alone(train, data):
    (data / "photos/contents/dog/2.png").write_bytes(b"no picture")
    done = train("--json")
    records = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [bool(one["error"]) for one in records] == [True, False, False]
    assert records[0]["path"] is None
    write_png(Image.new("RGB", (16, 16)), data / "photos/contents/dog/2.png")
    assert [one["new"] for one in json.loads(train("--json").stdout)] == [True, False, False]


def test_missing_pictures_are_said_with_the_layout_before_anything_is_trained(train, data):
    (data / "photos/styles/rain.png").unlink()
    done = train()
    assert done.exit_code == 1
    assert "rain: photos/styles/rain does not exist" in said(done)
    assert "1 of 3 concepts have no pictures in photos" in said(done)
    assert "a folder of pictures photos/styles/rain, or one picture photos/styles/rain.png" in said(done)
    assert not (data / "out").exists()
    assert train("--skip-missing").exit_code == 0
    assert not (data / "out/styles").exists()
    assert train("--names", "rain", "--skip-missing").exit_code == 1


def test_a_caption_that_cannot_be_read_is_no_missing_picture(train, data):
    (data / "photos/contents/dog/2.txt").write_bytes(b"\xff\xfe")
    done = train("--skip-missing")
    assert done.exit_code == 1
    assert "photos/contents/dog/2.txt is no text in UTF-8" in said(done)
    assert "have no pictures" not in said(done)
    assert not (data / "out").exists()


def test_what_is_taken_of_a_folder_is_said_where_not_all_is_or_something_has_a_caption(train, data):
    (data / "photos/contents/cat/film.mov").write_text("x")
    done = train()
    assert "2 pictures of photos/contents/dog: 'a sks dog', 1 by captions of their own" in said(done)
    assert "1 picture of photos/contents/cat: 'a sks cat'; 1 file is left out: 1 .mov" in said(done)
    assert "photos/styles/rain.png:" not in said(done)
    assert "about 1 minute for the others" in said(done)


def test_trained_beside_its_own_pictures_nothing_is_copied(run, data, tiny_folder):
    before = bytes_of(data / "photos/contents/dog")
    options = ("--base", tiny_folder, "--rank", 2, "--steps", 1, "--names", "dog")
    done = run("train", "loras", "concepts.toml", "--images", "photos", "-o", "photos", *options)
    assert done.exit_code == 0, done.output
    assert bytes_of(data / "photos/contents/dog") == before
    assert [one.name for one in read_concepts(data / "photos/contents")] == ["dog"]


def test_progress_is_over_the_whole_table(train):
    done = train("--split", "train")
    assert "dog (1 of 2) 1/1" in said(done)
    assert "1 of 2 LoRAs are done" in said(done)
    assert "rain (2 of 2) 1/1" in said(done)
    assert "2 trained, 0 were there already" in said(done)


def test_the_base_is_loaded_once_and_only_where_something_is_to_train(train, monkeypatch):
    loaded = []
    original = lora_training.LoraTraining.run
    monkeypatch.setattr(
        lora_training.LoraTraining,
        "run",
        lambda self, pipeline, *rest: (loaded.append(id(pipeline)), original(self, pipeline, *rest))[1],
    )
    assert train().exit_code == 0
    assert len(loaded) == 3 and len(set(loaded)) == 1
    assert train().exit_code == 0
    assert len(loaded) == 3


@pytest.mark.slow
def test_a_killed_run_goes_on_inside_the_lora_that_it_was_at(data, tiny_folder):
    def command(out):
        options = ("--base", str(tiny_folder), "--rank", "2", "--steps", "60", "--rate", "0.01", "--names", "dog,rain")
        return [
            *(sys.executable, "-m", "lorarar", "train", "loras", str(data / "concepts.toml")),
            *("--images", str(data / "photos"), "-o", str(out), *options),
        ]

    subprocess.run(command(data / "whole"), check=True, capture_output=True)
    process = subprocess.Popen(command(data / "broken"), stderr=subprocess.PIPE, text=True)
    while "rain (2 of 2) 1/" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert (data / "broken/styles/rain.checkpoint.pt").exists()
    done = subprocess.run(command(data / "broken"), check=True, capture_output=True, text=True)
    assert "1 trained, 1 were there already" in " ".join(done.stderr.split())
    assert bytes_of(data / "broken") == bytes_of(data / "whole")
