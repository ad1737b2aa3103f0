"""Two LoRAs by every method that needs nothing but the files: ``lorarar try``."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from lorarar.bench.plan import plan_of
from lorarar.families import find_base
from lorarar.lora.drawn_methods import DRAWN
from lorarar.merging.methods import METHODS, tsv
from lorarar.merging.methods.method import NO_MERGES
from lorarar.tryout.loras import find_lora
from lorarar.util.errors import MethodError

TRAINED = {"ziplora", "ziprank", "soups", "joint"}
FILES_ALONE = {*METHODS, *DRAWN} - TRAINED - {"lorarar", "ssr"}  # on a base without a hypernetwork, without prompts


@pytest.fixture
def attempt(run, lora_file, tiny_folder):
    """A tryout of two LoRAs of which nothing is said, on the tiny base; more LoRAs replace them."""

    def attempt(*arguments, loras=(), prompt="a thing on a hill"):
        pair = loras or (lora_file("mine", 2, 0), lora_file("wash", 2, 1))
        said = ("--prompt", prompt) if prompt else ()
        return run("try", *pair, *said, "--base", tiny_folder, "--steps", "1", "-n", "1", *arguments)

    return attempt


def drawn(done):
    record = json.loads(done.stdout)
    return record, {picture["method"] for picture in record["pictures"]}


def test_two_files_alone_are_tried_by_all_methods_and_the_others_are_said_with_what_they_lack(attempt, tmp_path):
    done = attempt("--json")
    assert done.exit_code == 0, done.output
    record, methods = drawn(done)
    assert methods == FILES_ALONE
    assert record["lacking"].keys() == {*METHODS, *NO_MERGES} - FILES_ALONE
    assert "no hypernet of its own; name one with --hypernet" in record["lacking"]["lorarar"]
    assert "--content-prompt" in record["lacking"]["ssr"] and "pictures" in record["lacking"]["joint"]
    assert done.stderr.count("Not tried: ziplora, ziprank and soups, for want of pictures") == 1
    assert record["judge"] is None and "correct" not in record["pictures"][0]
    with closing(sqlite3.connect("lorarar.db")) as database:
        assert database.execute("SELECT count(*) FROM verdicts").fetchone() == (0,)
        assert database.execute("SELECT kind, name FROM collections").fetchall() == [("plan", record["title"])]
    sheet, page = (tmp_path / record[name] for name in ("sheet", "page"))
    with Image.open(sheet) as picture:
        assert picture.height > 100 * len(methods)
    text = page.read_text()
    assert all(name in text for name in methods) and "Not tried" in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text) and text.count('src="data:image/webp') == len(methods)


def test_what_is_drawn_is_not_drawn_again_and_more_pictures_go_on_with_it(attempt):
    first, _ = drawn(attempt("--json", "--method", "direct", "--method", "tsv"))
    more, _ = drawn(attempt("--json", "--method", "direct", "--method", "tsv", "-n", "2"))
    other, methods = drawn(attempt("--json", "--method", "tsv"))
    assert [one["drawn"] for one in (first, more, other)] == [2, 2, 0]
    assert first["title"] == more["title"] != other["title"] and methods == {"tsv"}
    assert {picture["path"] for picture in first["pictures"]} < {picture["path"] for picture in more["pictures"]}
    assert len({one["sheet"] for one in (first, more, other)}) == 2


def test_a_method_that_fails_ends_no_other_and_is_tried_again(attempt, monkeypatch):
    methods = ("--json", "--method", "direct", "--method", "tsv")

    def fail(*_, **__):
        raise MethodError("it cannot")

    with monkeypatch.context() as patch:
        patch.setattr(tsv, "tsv", fail)
        done = attempt(*methods)
    record, methods_drawn = drawn(done)
    assert done.exit_code == 1 and "1 method failed" in done.stderr and "Traceback" not in done.output
    assert methods_drawn == {"direct"} and "it cannot" in record["failures"][0]
    done = attempt(*methods)
    assert done.exit_code == 0 and drawn(done)[1] == {"direct", "tsv"}


def test_nothing_in_a_name_or_a_prompt_is_markup(attempt, lora_file):
    loras = lora_file("<img src=x onerror=alert(1)>", 2, 0), lora_file("a&b", 2, 1)
    done = attempt("--json", "--method", "direct", loras=loras, prompt="<script>alert(2)</script>")
    page = Path(drawn(done)[0]["page"]).read_text()
    assert "<img src=x" not in page and "<script>alert(2)" not in page and "&lt;script&gt;alert(2)" in page


def test_each_method_gets_the_options_that_it_takes_and_who_takes_them_not_is_said(attempt):
    done = attempt("--weights", "1,0.5", "--method", "direct", "--method", "k-lora", "--json")
    assert done.exit_code == 0, done.output
    assert "Drawn without --weights, which they do not take: k-lora" in done.stderr
    with closing(sqlite3.connect("lorarar.db")) as database:
        options = dict(database.execute("SELECT method, options FROM merges").fetchall())
    assert json.loads(options["direct"])["weights"] == [1.0, 0.5]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "tsvv"), "unknown method 'tsvv'; accepted are direct,"),
        (("--method", "ziplora"), "ziplora lacks pictures of both LoRAs"),
        (("--method", "lorarar"), "lorarar lacks what it takes: base"),
        (("--strengths", "1,2", "--method", "direct"), "--strengths is taken by none of direct"),
        (("--weights", "1,x"), "--weights"),
        (("--hypernet", "gone.pth"), "gone.pth does not exist"),
        (("--preset", "paper"), "--preset is of a critic; name one with --critic"),
        (("--critic", "nobody"), "'nobody' is none of pocket"),
        (("--critic", "pocket"), "--content-prompt"),
        (("--critic", "pocket", "--content-prompt", "a", "--style-prompt", "b"), "--content-images"),
        (("--prompt", "{thing}"), "{thing} in '{thing}' stands for nothing"),
        (("--prompt", " "), "--prompt is empty"),
    ],
)
def test_what_cannot_be_tried_is_one_line_before_anything_is_drawn(attempt, tmp_path, arguments, words):
    done = attempt(*arguments)
    assert done.exit_code == 1 and words in done.stderr.splitlines()[-1], done.stderr
    assert done.stdout == "" and not (tmp_path / "out/try/images").exists()


def test_a_lora_that_says_no_prompt_needs_one(attempt):
    done = attempt(prompt="")
    assert done.exit_code == 1 and "does not say its prompt; say what to draw: --prompt" in done.stderr
    given = ("--content-prompt", "a sks thing", "--style-prompt", "a hill in wash", "--method", "direct", "--json")
    assert drawn(attempt(*given, prompt=""))[0]["prompt"] == "a sks thing in wash"


def test_the_base_s_own_loras_are_known_by_name_and_by_title():
    base = find_base("pocket")
    assert find_lora("dog #8", base, "content") == find_lora("dog-8", base, "content")
    assert find_lora("oil painting #2", base, "style").stem == "oil-painting-2"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("dgo-8", "glowing"), "did you mean dog-8?"), (("glowing", "dog-8"), "the content comes first, then the style")],
)
def test_a_misspelt_name_is_told_its_neighbour(run, arguments, words):
    done = run("try", *arguments)
    assert done.exit_code == 1 and words in done.stderr


def test_a_critic_judges_what_was_drawn_and_the_sheet_says_what_it_says(run, tmp_path):
    call = ("try", "dog #8", "glowing", "-n", "1", "--steps", "2", "--method", "direct", "--json")
    plain = json.loads(run(*call).stdout)
    before = (tmp_path / plain["sheet"]).read_bytes()
    done = run(*call, "--critic", "pocket")
    judged = json.loads(done.stdout)
    assert done.exit_code == 0 and judged["judge"] == "pocket" and judged["drawn"] == 0
    assert judged["title"] == plain["title"] and isinstance(judged["pictures"][0]["subject"], bool)
    assert (tmp_path / judged["sheet"]).read_bytes() != before
    assert "as judged" in (tmp_path / judged["page"]).read_text() and plain["prompt"] == judged["prompt"]


@pytest.mark.parametrize(
    ("keys", "prompt", "images"),
    [
        ({}, True, True),
        ({"files_alone": True}, True, False),  # its prompt is made of the LoRAs'
        ({"files_alone": True, "pictures": {"prompt": "a hill"}}, False, False),
        ({"files_alone": True, "pictures": {"prompts": ["a hill", "on {style}"]}}, True, False),
        ({"files_alone": True, "pictures": {"prompt": "a hill"}, "methods": [{"method": "ssr"}]}, True, False),
        ({"files_alone": True, "pictures": {"prompt": "a hill"}, "methods": [{"method": "soups"}]}, True, True),
    ],
)
def test_a_plan_of_files_alone_needs_what_its_rows_and_prompts_use(keys, prompt, images):
    needs = plan_of({"methods": [{"method": "direct"}], **keys}, "x").needs
    assert (needs.prompt, needs.images) == (prompt, images)
