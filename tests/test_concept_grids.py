"""LoRAs of other trainers enter grids, with what a plan or a text beside them says, and are judged by it."""

import re

import pytest
from PIL import Image

from judge.metrics.stored_scores import is_prompt_key, prompt_key, score_keys
from judge.metrics.table import METRICS
from judge.targets import from_store
from lorarar.bench.cells import pairs_of
from lorarar.bench.plan import read_plan
from lorarar.families import find_base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.lora.files import write_adapter
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.util.errors import LorarError

from .bench_plan import run, write_plan
from .conftest import random_adapter

OWN = """
title = "own"
base = "{base}"
[contents.concepts.puppy]
lora = "mine/v2.safetensors"
prompt = "a ohwx dog"
images = "mine/photos"
[styles.concepts.rain]
lora = "mine/rain.safetensors"
style = "a town in the rain"
token = "wtr"
[pictures]
seeds = 1
steps = 1
[[methods]]
method = "direct"
"""


@pytest.fixture
def own(tmp_path, tiny_folder, monkeypatch):
    """A plan of LoRAs whose headers say nothing."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    for number, name in enumerate(("v2", "rain")):
        write_adapter(random_adapter(2, number, strength=0.2), tmp_path / "mine" / f"{name}.safetensors")
    for folder in ("photos", "rain"):
        write_png(Image.new("RGB", (16, 16), "blue"), tmp_path / "mine" / folder / "1.png")
    (tmp_path / "mine" / "rain.txt").write_text("a house in wtr style")
    path = tmp_path / "own.toml"
    path.write_text(OWN.format(base=tiny_folder))
    return path


def test_own_loras_are_drawn_and_judged_by_what_the_plan_says(own, tmp_path, capsys):
    outcome = run(own, tmp_path / "out")
    assert (outcome.generated, outcome.failures) == (1, [])
    assert "Rare tokens, which CLIP-T leaves out: ohwx (puppy)" in " ".join(capsys.readouterr().err.split())
    (tmp_path / "mine" / "rain.txt").write_text("a house in another style")  # what was asked with stays
    with Store(tmp_path / "a.db") as store:
        (target,) = from_store(store, "plan=own")
    assert (target.subject, target.style, target.prompt) == ("puppy", "rain", "a ohwx dog in wtr style")
    assert target.style_words == "a town in the rain"
    assert target.plain_prompt == "a dog in a town in the rain style"
    assert target.subject_references == (tmp_path / "mine" / "photos" / "1.png",)
    assert target.style_references == (tmp_path / "mine" / "rain" / "1.png",)
    (key,) = score_keys(METRICS["clip-t"], [target])
    assert key is not None and key[1] == prompt_key(target.prompt, target.plain_prompt) != target.prompt
    assert is_prompt_key(key[1], target.prompt)
    (tmp_path / "mine" / "rain.txt").write_text("a house in wtr style")
    own.write_text(own.read_text().replace("a town in the rain", "oil"))
    assert run(own, tmp_path / "out").generated == 0
    with Store(tmp_path / "a.db") as store:
        (target,) = from_store(store, "plan=own")
    assert target.style_words == "oil"


def test_scores_of_prompts_that_only_have_the_papers_token_keep_their_keys():
    assert prompt_key("a sks dog in oil", "a dog in oil") == prompt_key("a sks dog in oil") == "a sks dog in oil"
    assert prompt_key("a sks dog in oil", "a sks dog in oil") != "a sks dog in oil"


def test_a_studys_report_finds_the_score_of_a_prompt_whose_token_is_another():
    from studies.reports.metrics import _lookup

    prompt = "a ohwx dog in oil"
    scores = {
        ("1", prompt): 0.1,
        ("1", prompt_key(prompt, "a dog in oil")): 0.3,
        ("2", prompt): 0.2,
        ("3", "else"): 0.9,
    }
    score = _lookup("clip-t", scores, dict.fromkeys("123", prompt))
    assert [score(image, None) for image in "123"] == [0.3, 0.2, None]


def test_an_unsound_text_beside_a_lora_takes_nothing_from_judges(own, tmp_path):
    run(own, tmp_path / "out")
    own.write_text(
        own.read_text().replace('title = "own"', 'title = "two"').replace('style = "a town in the rain"', "")
    )
    run(own, tmp_path / "out")
    (tmp_path / "mine" / "rain.txt").write_text("a\nb")
    with Store(tmp_path / "a.db") as store:
        targets = from_store(store)
    assert {(one.collection.name, one.style_words, one.lost) for one in targets} == {
        ("own", "a town in the rain", ()),
        ("two", "wtr", ()),
    }


def keys(plan_file, tmp_path):
    plan = read_plan(plan_file)
    base, drawing = find_base(plan.base), DrawingFacts("digest", "float32", "cpu", "a processor")
    pairs = pairs_of(plan.methods[0], base, plan.pairs.of(plan.contents.read(), plan.styles.read()))
    return [cell.key for pair in pairs for chunk in pair.chunks(base, plan.pictures, drawing) for cell in chunk]


def test_what_a_plan_says_is_in_keys_only_where_it_changes_the_picture(tmp_path, tiny_folder):
    plan_file = write_plan(tmp_path, tiny_folder)
    text, before = plan_file.read_text(), keys(plan_file, tmp_path)
    same = '[contents.concepts.c0]\nprompt = "a sks dog"\ntoken = "sks"\n[styles.concepts.s0]\nstyle = "glowing"\n'
    plan_file.write_text(text + same)
    assert keys(plan_file, tmp_path) == before
    plan_file.write_text(text + same.replace("a sks dog", "a sks cat"))
    assert [one == other for one, other in zip(keys(plan_file, tmp_path), before, strict=True)] == [False] * 3 + [
        True
    ] * 3


def test_a_plan_of_loras_that_say_all_themselves_notes_nothing(tmp_path, tiny_folder):
    from lorarar.bench.grid import PlannedGrid
    from lorarar.store.claims import Claims

    plan = read_plan(write_plan(tmp_path, tiny_folder))
    with Store(tmp_path / "a.db") as store, Claims(store) as claims:
        PlannedGrid(plan, find_base(plan.base), store, tmp_path / "out", claims).pairs()
        assert store.rows("SELECT * FROM concepts") == store.rows("SELECT * FROM collections") == []
        (tmp_path / "contents" / "c1.txt").write_text("a ohwx dog")
        PlannedGrid(plan, find_base(plan.base), store, tmp_path / "out", claims).pairs()
        (row,) = store.rows("SELECT side, name, prompt, images, token, style FROM concepts")
        assert tuple(row.values()) == ("content", "c1", "a ohwx dog", None, None, None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('[contents.concepts.c9]\nprompt = "a ohwx dog"', "no LoRA c9; it has: c0, c1"),
        ('[contents.concepts.c0]\npromt = "x"', "a concept takes no promt; .* did you mean prompt"),
        ('[contents.concepts.c0]\nprompt = " "', "it is empty"),
        ('[contents.concepts.c0]\nstyle = "oil"', "a content has no style"),
        ('[contents.concepts.c0]\nlora = "none.pt"', r"contents\.concepts\.c0\.lora: .*none\.pt does not exist"),
        ('[styles.concepts.s0]\nimages = "none"', r"styles\.concepts\.s0\.images: .*none does not exist"),
        ('[contents.concepts."a/b"]\nprompt = "x"', "is no name of a concept"),
    ],
)
def test_what_is_wrong_in_a_plans_concepts_is_one_line_before_any_work(tmp_path, tiny_folder, line, message):
    plan_file = write_plan(tmp_path, tiny_folder)
    plan_file.write_text(f"{plan_file.read_text()}\n{line}\n")
    with pytest.raises(LorarError) as caught:
        read_plan(plan_file).contents.read()
    assert re.search(message, str(caught.value)) and "\n" not in str(caught.value)
