"""A name that is nearly right is answered with the one that is meant, wherever names are written."""

from pathlib import Path

import pytest

from lorarar.bench.plan import read_plan
from lorarar.imports.pattern import PathPattern
from lorarar.merging.blocks import read_blocks
from lorarar.pictures.concept_choice import choose
from lorarar.pictures.concept_table import read_table, select
from lorarar.pictures.concepts import read_concepts
from lorarar.pocket import shipped
from lorarar.pocket.concepts import style_named, subject_named
from lorarar.store import Store
from lorarar.store.filters import PictureFilter
from lorarar.util.errors import LorarError
from lorarar.util.suggestion import as_there, did_you_mean, did_you_mean_file, nearest
from lorarar.util.text import alike, spoken
from studies.store import StudyStore


@pytest.mark.parametrize(
    ("name", "names", "meant"),
    [
        ("lorarrar", ("direct", "lorarar"), "lorarar"),
        ("np_lora", ("direct", "np-lora"), "np-lora"),
        ("Oil Painting #2", ("oil-painting-1", "oil-painting-2"), "oil-painting-2"),
        ("dgo #8", ("dog #1", "dog #8"), "dog #8"),
        ("xyz", ("direct", "lorarar"), None),
        ("", ("direct",), None),
        ("x" * 10_000, ("direct",), None),
        ("direct", (), None),
    ],
)
def test_the_nearest_name(name, names, meant):
    assert nearest(name, names) == meant
    assert did_you_mean(name, names, str.upper) == ("" if meant is None else f"; did you mean {meant.upper()}?")


def test_names_that_are_said_the_same_are_the_same_unless_both_are_there():
    assert spoken("Dog  #8") == spoken("dog_8") == "dog-8"
    assert alike("dog #8", ["dog-1", "dog-8"]) == "dog-8"
    assert alike("dog #8", ["dog-8", "dog 8"]) is None
    assert alike("dog-8", ["dog-8", "dog 8"]) == "dog-8"
    assert as_there(["dog #8", "bird"], ["dog-8"]) == ["dog-8", "bird"]


def test_a_file_that_is_not_there_is_near_to_those_of_its_kind(tmp_path):
    for name in ("dog-8.safetensors", "lorarar", "photos"):
        (tmp_path / name).write_text("")
    assert did_you_mean_file(tmp_path / "dog-9.safetensors").endswith("dog-8.safetensors?")
    assert did_you_mean_file(tmp_path / "dog-8.safetensor").endswith("dog-8.safetensors?")
    assert did_you_mean_file(tmp_path / "photo").endswith("photos?")
    assert did_you_mean_file(tmp_path / "lorarar.db") == ""  # no folder is near to a database
    assert did_you_mean_file(tmp_path / "none" / "x") == did_you_mean_file(Path("a\0b") / "c") == ""


#: Command lines with one name misspelt, and what is meant.
COMMANDS = {
    "a command": ("merg", "'merge'"),
    "a command of a group": ("judge rum", "'run'"),
    "a flag": ("merge dog.safetensors none -o m.safetensors --metod ties", "--method"),
    "a method": ("merge dog.safetensors none -o m.safetensors --method lorarrar", "lorarar"),
    "a method that draws": ("generate --prompt x --method k-lara", "k-lora"),
    "an option's value": ("merge dog.safetensors none -o m.safetensors --method ties --form dleta", "delta"),
    "a base": ("generate --prompt x --base sdlx", "sdxl"),
    "a base's checkpoint": ("generate --prompt x --base basee.safetensors", "base.safetensors"),
    "a layout": ("convert dog.safetensors -o x.safetensors --layout kohja", "kohya"),
    "numbers": ("convert dog.safetensors -o x.safetensors --dtype float61", "float16"),
    "a choice of a flag": ("generate --prompt x --offload modle", "model"),
    "a LoRA's file": ("inspect dig.safetensors", "dog.safetensors"),
    "a LoRA's file to draw with": ("generate --prompt x --lora dgo.safetensors", "dog.safetensors"),
    "a folder of LoRAs": ("merge --all content styles -o m", "contents"),
    "a network of the base's own": (
        "merge dog.safetensors dog.safetensors -o m.safetensors --hypernet zoo-61",
        "zoo-64",
    ),
    "a scheduler": ("generate --prompt x --scheduler EulerDiscretScheduler", "EulerDiscreteScheduler"),
    "a subject": ("demo --subject dgo-8", "dog #8"),
    "a style": ("pocket truth dog-8 oil-paintin-2 -o t.png", "oil painting #2"),
    "a stage": ("pocket build lorass", "loras"),
    "a shipped plan": ("bench run quikc", "quick"),
    "a shipped plan to print": ("bench plan quikc", "quick"),
    "a plan's file": ("bench run mime.toml", "mine.toml"),
    "a table of concepts": ("train loras papre --images . -o x", "paper"),
    "what a database forgets": ("db forget plna x", "plan"),
    "a database": ("db --db resluts.db", "results.db"),
    "a folder of pictures": ("pictures import content --name x", "contents"),
    "a pattern's field": ('pictures import contents --name x --pattern "{methd}/{subject}/{style}"', "{method}"),
    "a critic": ("judge run --db results.db --critic pocekt", "pocket"),
    "a preset": ("judge critics uniofiedreward-edit", "unifiedreward-edit"),
    "a metric": ("judge run --db results.db --metrics mars2,clipi", "clip-i"),
    "a protocol": ("judge run --db results.db --protocol pairwize", "pairwise"),
    "prompts": ("judge run --db results.db --prompts ppaer", "paper"),
    "a grouping": ("judge report --db results.db --by mehtod", "method"),
    "a form": ("judge report --db results.db --format jsno", "json"),
    "an item of the paper": ("paper tabel-1", "table-1"),
    "a kind of study": ("study new x --db results.db --kind absolut --methods a", "absolute"),
    "a scenario": ("study new x --db results.db --kind ab --methods a,b --scenario bets", "best"),
    "a figure of a study's report": ("study report x --db results.db --by itme", "item"),
    "a packet": ("study run dgos.zip", "dogs.zip"),
    "how pictures are shown": ("tui --db results.db --images kity", "kitty"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_a_misspelt_name_is_answered_with_the_one_that_is_meant(what, run, tmp_path):
    import shlex

    for name in ("dog.safetensors", "base.safetensors", "mine.toml", "dogs.zip"):
        (tmp_path / name).write_text("")
    (tmp_path / "contents").mkdir()
    with Store(tmp_path / "results.db"):
        pass
    line, meant = COMMANDS[what]
    done = run(*shlex.split(line))
    assert done.exit_code in (1, 2)
    words = done.stderr.replace("Did", "did")
    assert f"did you mean {meant}" in words or f"(Possible options: {meant}" in words, done.stderr
    assert words.count("\n") == 1


def test_names_that_python_and_plans_write_are_answered_too(tmp_path):
    def refused(call) -> str:
        with pytest.raises((LorarError, ValueError)) as caught:
            call()
        return str(caught.value)

    def plan(text: str):
        place = tmp_path / f"{hash(text)}.toml"
        place.write_text(text)
        return lambda: read_plan(place)

    row = '[[methods]]\nmethod = "{}"\n'
    paper = read_table("paper")
    cases = {
        "table": (plan('[pictres]\nprompt = "x"\n' + row.format("direct")), "pictures"),
        "key": (plan("[pictures]\ngudance = 2\n" + row.format("direct")), "guidance"),
        "method": (plan(row.format("drect")), "direct"),
        "option": (plan(row.format("np-lora") + "muu = 1\n"), "mu"),
        "side": (lambda: read_blocks({"contnet": "STYLE"}, 2), "content"),
        "preset of blocks": (lambda: read_blocks({"content": "b-lroa"}, 2), "b-lora"),
        "concepts": (lambda: read_concepts(shipped.STYLES, ["glowin"]), "glowing"),
        "row of a table": (lambda: select(paper, ["dgo-1"]), "dog-1"),
        "names": (lambda: choose({"contents": shipped.CONTENTS, "styles": shipped.STYLES}, "dog-99"), "dog-"),
        "filter": (lambda: PictureFilter.parse("rwo=direct"), "row"),
        "pattern": (
            lambda: PathPattern.parse("{sytle}.png", ["style"], ["style", "subject"], "--pattern"),
            "{style}",
        ),
        "study": (lambda: StudyStore(Store(tmp_path / "x.db")).get("x"), ""),
    }
    for what, (call, meant) in cases.items():
        words = refused(call)
        assert not meant or f"did you mean {meant}" in words, f"{what}: {words}"


def test_a_subject_is_known_by_both_its_names():
    assert subject_named("dog-8") is subject_named("dog #8") is subject_named("Dog 8")
    assert style_named("oil-painting-2") is style_named("oil painting #2")
    assert [one.name for one in read_concepts(shipped.STYLES, ["oil painting #2"])] == ["oil-painting-2"]
    names = {"contents": shipped.CONTENTS, "styles": shipped.STYLES}
    assert choose(names, "dog #8,glowing") == {"contents": ["dog-8"], "styles": ["glowing"]}
