"""Which LoRAs of two folders a hypernetwork is trained on."""

import pytest
from PIL import Image
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.lora.files import write_adapter
from lorarar.lora.header import provenance_of, read_header
from lorarar.pictures.concept_choice import choose
from lorarar.pictures.images import write_png
from lorarar.util.errors import LorarError, UsageError

from .conftest import random_adapter

TABLE = """
[contents]
dog = { prompt = "a sks dog" }
cat = { prompt = "a sks cat", split = "test" }
owl = { prompt = "a sks owl" }

[styles]
rain = { prompt = "a town in rainy style" }
fog = { prompt = "a town in foggy style", split = "validation" }
"""


@pytest.fixture
def folders(tmp_path):
    """Folders with a few names each, of which ``both`` is in either; as files alone, since they are not read."""
    names = {"contents": ("both", "cat", "dog", "robot"), "styles": ("both", "fog", "rain")}
    for side, some in names.items():
        (tmp_path / side).mkdir()
        for name in some:
            (tmp_path / side / f"{name}.safetensors").touch()
    (tmp_path / "concepts.toml").write_text(TABLE, encoding="utf-8")
    return {side: tmp_path / side for side in names}


@pytest.fixture
def table(folders):
    return str(folders["styles"].parent / "concepts.toml")


def test_names_mean_the_loras_of_either_folder(folders):
    assert choose(folders) == {}
    assert choose(folders, "rain, dog,robot") == {"contents": ["dog", "robot"], "styles": ["rain"]}
    assert choose(folders, "both") == {"contents": ["both"], "styles": ["both"]}


def test_a_table_means_its_rows_to_be_trained_on_unless_another_split_is_named(folders, table):
    (folders["contents"] / "owl.safetensors").touch()
    assert choose(folders, table) == {"contents": ["dog", "owl"], "styles": ["rain"]}
    with pytest.raises(UsageError, match=r"none of styles.*has both, fog, rain"):
        choose(folders, table, "test")


def test_what_a_table_has_and_the_folders_lack_is_named_or_left_out(folders, table):
    with pytest.raises(UsageError, match=r"1 LoRA cannot be found \(owl\).*looked for in .*contents; --skip-missing"):
        choose(folders, table)
    assert choose(folders, table, skip_missing=True) == {"contents": ["dog"], "styles": ["rain"]}


def test_the_papers_training_split_is_the_shipped_tables(folders):
    with pytest.raises(UsageError, match=r"^of the split train of paper 38 LoRAs cannot be found \(backpack, "):
        choose(folders, "paper")


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ("dog,rain,wolf", {}, r"no LoRA wolf; contents are both, cat, dog, robot; styles are both, fog, rain; a table"),
        ("dog,cat", {}, r"--names dog,cat means none of styles; .*styles has both, fog, rain"),
        ("", {}, "means none of contents"),
        ("dog,rain", {"split": "test"}, "--split is of a table, which --names does not say"),
        (None, {"skip_missing": True}, "--skip-missing is of a table"),
        ("none.toml", {}, "none.toml"),
    ],
)
def test_what_cannot_be_meant_is_one_line(folders, names, options, message):
    with pytest.raises(LorarError, match=message) as error:
        choose(folders, names, **options)
    assert "\n" not in str(error.value)


def test_a_hypernetwork_is_trained_on_the_named_ones_alone(tmp_path, tiny_folder):
    for number, place in enumerate(("contents/dog", "contents/cat", "styles/rain", "styles/fog")):
        write_adapter(random_adapter(2, number), tmp_path / f"{place}.safetensors", {"prompt": f"a sks {number}"})
        write_png(Image.new("RGB", (16, 16), (40 * number, 90, 20)), tmp_path / place / "1.png")
    (tmp_path / "table.toml").write_text(TABLE.replace("owl", "cow"), encoding="utf-8")
    given = ["--contents", str(tmp_path / "contents"), "--styles", str(tmp_path / "styles"), "--steps", "1"]
    given += ["--base", str(tiny_folder), "--device", "cpu", "-o", str(tmp_path / "h.safetensors")]
    given += ["--names", str(tmp_path / "table.toml"), "--skip-missing"]
    done = CliRunner().invoke(app, ["train", "hypernet", *given])
    assert done.exit_code == 0, done.output
    assert "trained on 1 contents x 1 styles" in done.stderr
    training = provenance_of(read_header(tmp_path / "h.safetensors", LorarError))["training"]
    assert [[one["prompt"] for one in training[side]] for side in ("contents", "styles")] == [["a sks 0"], ["a sks 2"]]
