"""What other packages give: used through the command line, and one line where it cannot be used."""

import json
import re

import pytest
import torch
from typer.testing import CliRunner

from lorarar.bench.plan import read_plan
from lorarar.cli.main import app
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.merging.methods import METHODS
from lorarar.util.errors import PlanError

from .conftest import random_adapter
from .extending import BAD_EXTENSION, EXTENSION, ROOT, left_out, run_lorarar

BAD_METHODS = {
    "like-ours": "ValueError: lorarar has one named direct",
    "no-method": "TypeError: it is a dict; accepted is a lorarar.merging.methods.method.Method",
    "no-name": "ValueError: '../up' is no name for a method; accepted are a-z, 0-9, - . and _, but not joint",
    "other-mu": "OptionError: option --mu means something else elsewhere",
    "own-layout": "ValueError: option --layout is lorarar merge's own",
    "raising": "RuntimeError: no such luck",
}


def test_a_method_of_another_package_merges_and_bad_ones_are_a_line_each(lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 3, 1)
    arguments = ("-o", tmp_path / "m.safetensors", "--method", "content-only", "--share", "0.25", "--json")
    done = run_lorarar(
        "merge", *pair, *arguments, "--base", tiny_folder, packages=(EXTENSION, BAD_EXTENSION), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["options"] == {"seed": 0, "share": 0.25}
    content, merged = read_adapter(pair[0]), read_adapter(tmp_path / "m.safetensors")
    for layer, factors in content.layers.items():
        torch.testing.assert_close(merged.layers[layer].dense(), 0.25 * factors.dense())
    lines = [line for line in left_out(done.stderr) if line.startswith("The method ")]
    assert lines == [f"The method {name} of lorarar-bad is left out: {why}" for name, why in BAD_METHODS.items()]


def test_what_is_on_the_path_is_seen_and_what_left_it_is_gone(monkeypatch):
    before = list(METHODS)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(EXTENSION)
        assert list(METHODS) == [*before, "content-only"]
    assert list(METHODS) == before


def test_the_options_of_another_packages_method_are_in_help_list_and_checks(extended, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    run = CliRunner().invoke
    help_page = run(app, ["merge", "--help"]).stdout
    assert "How much of content is kept (content-only)." in help_page
    assert "content-only." in help_page
    assert "--share NUMBER  How much of content is kept. Default 1; accepted is a number above 0 and up to 1." in (
        run(app, ["methods"]).stdout
    )
    done = run(app, ["merge", "c", "s", "-o", "m", "--method", "content-only", "--share", "2"])
    assert done.exit_code == 1
    assert "--share is '2'; accepted is a number above 0 and up to 1" in done.stderr


def test_plans_know_the_methods_of_other_packages(extended, tmp_path):
    for side, prompt in (("contents", "a sks dog"), ("styles", "a house in glowing style")):
        write_adapter(random_adapter(2, 0), tmp_path / side / "a.safetensors", {"prompt": prompt})
    plan = tmp_path / "mine.toml"
    text = 'contents.folder = "contents"\nstyles.folder = "styles"\n[[methods]]\nmethod = "content-only"\n'
    plan.write_text(f"{text}share = 0.5\n")
    (row,) = read_plan(plan).methods
    assert (row.info.title, row.options) == ("Content alone", {"share": 0.5})
    plan.write_text(f"{text}shar = 0.5\n")
    with pytest.raises(
        PlanError, match=r"content-only takes no shar; it takes share, rank, seed; did you mean share\?"
    ):
        read_plan(plan)


def test_a_methods_options_never_hide_a_parameter_of_merge():
    from inspect import signature

    from lorarar.cli.merge import merge
    from lorarar.merging.methods.method import COMMON, RESERVED

    assert {*signature(merge).parameters} <= RESERVED | {"context"}
    assert not RESERVED & {option.name for method in METHODS.own.values() for option in method.options}
    assert not RESERVED & COMMON.keys()


@pytest.mark.parametrize("page", ["methods", "dialects", "layouts", "families"])
def test_the_docs_show_the_code_that_is_tried(page):
    text = (ROOT / "docs" / "extending" / f"{page}.md").read_text()
    ((name, code),) = re.findall(r"^`lorarar_extension/(\w+)\.py`:\n\n```python\n(.*?)```$", text, re.S | re.M)
    assert (EXTENSION / "lorarar_extension" / f"{name}.py").read_text() == code
    points = (EXTENSION / "lorarar_extension-1.0.dist-info" / "entry_points.txt").read_text()
    assert re.findall(r'^(\S+) = "(\S+)"$', text, re.M) == re.findall(
        r"^(\S+) = (\S+)$", points.partition(f"[lorarar.{page}]")[2].partition("[")[0], re.M
    )


def test_the_index_of_extending_names_every_page():
    index = (ROOT / "docs/extending/index.md").read_text()
    pages = {page.name for page in (ROOT / "docs/extending").glob("*.md")} - {"index.md"}
    assert pages == set(re.findall(r"\]\((\w+\.md)\)", index))
