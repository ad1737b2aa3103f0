"""What other packages give: used through the command line, and one line where it cannot be used."""

import json
import re
import shutil
from itertools import product

import pytest
import torch
from typer.testing import CliRunner

from lorarar.bench.cells import pairs_of
from lorarar.bench.plan import MethodRow, read_plan
from lorarar.cli.main import app
from lorarar.families import find_base
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.merging.methods import METHODS
from lorarar.merging.methods.method import described
from lorarar.pictures.concepts import read_concepts
from lorarar.util.errors import PlanError
from lorarar.util.options import Option

from .bench_plan import write_plan
from .conftest import random_adapter
from .extending import BAD_EXTENSION, EXTENSION, ROOT, left_out, run_lorarar

BAD_METHODS = {
    "exits": "SystemExit: 3",
    "help-none": "TypeError: its help is None; accepted is str",
    "late": "ValueError: option --early has its default from hypernet.x, no option before it",
    "like-ours": "ValueError: lorarar has one named direct",
    "no-method": "TypeError: it is a dict; accepted is a lorarar.merging.methods.method.Method",
    "no-name": "ValueError: '../up' is no name for a method; accepted are a-z, 0-9, - . and _, but not joint or k-lora",
    "other-mu": "OptionError: option --mu means something else elsewhere",
    "own-layout": "OptionError: option --layout is lorarar merge's own",
    "raising": "RuntimeError: no such luck",
    "wrong": "OptionError: --many is 'no'; accepted is a number",
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


FAILING_METHODS = {
    "raises": "ValueError: no merge",
    "ends": "SystemExit: 3",
    "returns": "TypeError: it returns a int; accepted is a MergeResult",
    "reshapes": "ValueError: layer unet.",
}


@pytest.mark.parametrize(("name", "why"), FAILING_METHODS.items())
def test_a_method_of_another_package_that_fails_when_it_merges_is_one_line_and_stops_no_other_pair(
    name, why, monkeypatch, lora_file, tiny_folder, tmp_path
):
    monkeypatch.syspath_prepend(BAD_EXTENSION)
    monkeypatch.chdir(tmp_path)
    for side in ("c", "s"):
        write_adapter(random_adapter(2, 0), tmp_path / side / "a.safetensors")
        write_adapter(random_adapter(3, 1), tmp_path / side / "b.safetensors")
    arguments = ["merge", "--all", "c", "s", "-o", "merged", "--base", tiny_folder, "--method", name]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 1
    assert f"method {name} of lorarar-bad fails: {why}" in done.stderr
    assert "4 of 4 pairs failed" in done.stderr
    assert isinstance(done.exception, SystemExit)


def test_a_file_option_may_have_a_file_of_its_package_as_default(monkeypatch, tmp_path):
    option = Option("table", "A table.", "file", default=tmp_path / "table.csv")
    assert json.loads(json.dumps(described(option)))["default"] == str(tmp_path / "table.csv")


def test_a_cell_and_a_merge_of_another_version_of_a_methods_package_are_others(tmp_path, monkeypatch, tiny_folder):
    write_plan(tmp_path, tiny_folder)
    folders = tmp_path / "contents", tmp_path / "styles"
    concepts, cells = [read_concepts(folder) for folder in folders], []
    options = ("--method", "content-only", "--base", tiny_folder, "--db", tmp_path / "a.db")
    merge = list(map(str, ("merge", "--all", *folders, "-o", tmp_path / "merged", *options)))
    for version, new in (("1.0", 2), ("1.0", 0), ("2.0", 2)):
        package = tmp_path / version
        information = shutil.copytree(EXTENSION, package, dirs_exist_ok=True) / "lorarar_extension-1.0.dist-info"
        (information / "METADATA").write_text((information / "METADATA").read_text().replace("1.0", version))
        with monkeypatch.context() as patch:
            patch.syspath_prepend(package)
            row = MethodRow(method="content-only")
            cells.append(pairs_of(row, find_base(str(tiny_folder)), product(*concepts))[0].makings)
            assert f"{new} merges" in CliRunner().invoke(app, merge).stderr
    assert cells[0] == cells[1] != cells[2]
    assert cells[2]["package"] == ["lorarar-extension", "2.0"]


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
        PlanError,
        match=r"takes no shar; it takes share, rank, seed, blocks, balance; did you mean share\?",
    ):
        read_plan(plan)


def test_a_methods_options_never_hide_a_parameter_of_merge():
    from inspect import signature

    from lorarar import merge_files
    from lorarar.cli.concept_flags import NAMES
    from lorarar.cli.merge import merge
    from lorarar.merging.methods.method import COMMON, RESERVED

    assert {*signature(merge).parameters, *NAMES} <= RESERVED | {"context"}
    assert {*signature(merge_files.merge).parameters} <= RESERVED | {"options"}
    assert not RESERVED & {option.name for method in METHODS.own.values() for option in method.options}
    assert not RESERVED & COMMON.keys()


@pytest.mark.parametrize("page", ["methods", "dialects", "layouts", "families"])
def test_the_docs_show_the_code_that_is_tried(page):
    text = (ROOT / "docs" / "extending" / f"{page}.md").read_text()
    files = re.findall(r"^`lorarar_extension/(\w+)\.py`:\n\n```python\n(.*?)```$", text, re.S | re.M)
    assert files
    for name, code in files:
        assert (EXTENSION / "lorarar_extension" / f"{name}.py").read_text() == code
    points = (EXTENSION / "lorarar_extension-1.0.dist-info" / "entry_points.txt").read_text()
    assert re.findall(r'^(\S+) = "(\S+)"$', text, re.M) == re.findall(
        r"^(\S+) = (\S+)$", points.partition(f"[lorarar.{page}]")[2].partition("[")[0], re.M
    )


def test_the_index_of_extending_names_every_page():
    index = (ROOT / "docs/extending/index.md").read_text()
    pages = {page.name for page in (ROOT / "docs/extending").glob("*.md")} - {"index.md"}
    assert pages == set(re.findall(r"\]\((\w+\.md)\)", index))
