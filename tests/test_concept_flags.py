"""What flags and callers say of a pair's prompts and pictures reaches the optimisation, and nothing else takes it."""

import pytest
from PIL import Image
from typer.testing import CliRunner

import lorarar
from lorarar.cli.concept_flags import given_pair
from lorarar.cli.main import app
from lorarar.families import find_base
from lorarar.lora.files import write_adapter
from lorarar.merge_files import merge_loras
from lorarar.merging.methods import method_named
from lorarar.merging.recipe import Recipe
from lorarar.pictures.description import NOTHING
from lorarar.pictures.images import write_png
from lorarar.util.errors import AdapterError, MethodError
from lorarar.util.files import sha256_of

from .conftest import random_adapter


class Optimiser:
    """Stands for the optimisation of coefficients: keeps what it is to learn from."""

    def makings(self, content, style):
        self.facts = content, style
        raise KeyboardInterrupt  # nothing more is asked


@pytest.fixture
def pair(tmp_path):
    """Two LoRAs that say nothing, and pictures."""
    for number, name in enumerate(("dog", "oil")):
        write_adapter(random_adapter(2, number), tmp_path / f"{name}.safetensors")
        write_png(Image.new("RGB", (8, 8), (number, 0, 0)), tmp_path / "photos" / f"{name}.png")
    return tmp_path / "dog.safetensors", tmp_path / "oil.safetensors"


def ziplora(tiny_folder):
    return Recipe(method_named("ziplora"), find_base(str(tiny_folder)), {})


def test_what_is_given_reaches_the_optimisation_before_all_else(pair, tiny_folder, tmp_path):
    (tmp_path / "dog.txt").write_text("a zwx dog")
    (tmp_path / "oil.txt").write_text("a house in oil")
    photos = tmp_path / "photos"
    flags = {"content_prompt": "a ohwx dog", "content_images": photos / "dog.png", "style_images": str(photos)}
    optimiser = Optimiser()
    with pytest.raises(KeyboardInterrupt):
        merge_loras(ziplora(tiny_folder), *pair, optimiser=optimiser, given=given_pair(flags))
    content, style = optimiser.facts
    assert (content["prompt"], style["prompt"]) == ("a ohwx dog", "a house in oil")
    assert content["pictures"] == [sha256_of(photos / "dog.png")]
    assert style["pictures"] == [sha256_of(photos / "dog.png"), sha256_of(photos / "oil.png")]


def test_without_them_the_line_says_how_to_give_them(pair, tiny_folder):
    with pytest.raises(AdapterError, match=r"dog\.safetensors does not say its prompt; .*--content-prompt"):
        merge_loras(ziplora(tiny_folder), *pair, optimiser=Optimiser(), given=(NOTHING, NOTHING))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--method", "direct", "--content-prompt", "a ohwx dog"], "of no use to direct"),
        (["--method", "ziplora", "--style-prompt", " "], "--style-prompt is ' '; accepted is the prompt"),
        (["--method", "ziplora", "--all", "--style-images", "x"], "NAME.txt"),
    ],
)
def test_flags_that_say_nothing_to_the_method_are_refused_before_the_work(pair, tiny_folder, tmp_path, flags, message):
    db, out = tmp_path / "a.db", tmp_path / "m.safetensors"
    arguments = ["merge", *pair, "-o", out, "--base", tiny_folder, "--db", db, *flags]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 1 and message in " ".join(done.stderr.split())
    assert not db.exists() and not out.exists()


def test_a_call_says_it_too_and_is_refused_where_it_is_of_no_use(pair, tiny_folder, tmp_path):
    with pytest.raises(MethodError, match="of no use to direct"):
        lorarar.merge(*pair, method="direct", base=str(tiny_folder), content_prompt="a ohwx dog")


def test_help_names_the_flags_and_their_defaults():
    for command in ("merge", "coefficients"):
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
        assert all(
            flag in shown for flag in ("--content-prompt", "--content-images", "--style-prompt", "--style-images")
        )
