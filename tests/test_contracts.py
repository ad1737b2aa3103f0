import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import judge
import lorarar
import studies
from benchmarks.house import hand_kept_modules, participle_counts, read_contracts, read_sources, repeated_classes
from lorarar.cli.main import app
from lorarar.lora.files import write_adapter

from .base_loras import adapter_of, attention, some

ROOT = Path(lorarar.__file__).parents[1]
HEAVY = {"torch", "diffusers", "transformers", "peft", "accelerate", "scipy", "numpy", "sqlite_utils", "PIL", "textual"}


def loaded(code):
    """Modules that a fresh interpreter has loaded after running ``code``."""
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("code", ["import lorarar", "import lorarar.cli.main", "import judge", "import studies"])
def test_nothing_heavy_loads_before_it_is_used(code):
    assert not loaded(code) & HEAVY


def test_help_loads_nothing_heavy():
    code = "from typer.testing import CliRunner\nfrom lorarar.cli.main import app\nCliRunner().invoke(app, ['--help'])"
    assert not loaded(code) & HEAVY


def test_merging_for_a_base_that_is_known_by_name_alone_imports_nothing_that_it_does_not_use(tmp_path):
    adapter = adapter_of(some(attention("sdxl"), "up_blocks.0"))
    for name in "ab":
        write_adapter(adapter, tmp_path / f"{name}.safetensors")
    code = f"""
import lorarar
lorarar.merge({str(tmp_path / "a.safetensors")!r}, {str(tmp_path / "b.safetensors")!r}, method="direct", base="sdxl")
"""
    assert not loaded(code) & {"diffusers", "transformers", "peft", "huggingface_hub", "PIL", "regex"}


def test_browsing_loads_no_model_and_no_statistics(tmp_path):
    code = f"""
import asyncio
from tests.studies_database import add_verdicts, make_database
from pathlib import Path
path = make_database(Path({str(tmp_path)!r}))
add_verdicts(path, lambda *_: True)
from tests.tui_app import drive, until
async def script(app, pilot):
    for keys in ("right enter", "enter", "escape s m", "escape escape 2", "4", "5", "3"):
        await pilot.press(*keys.split())
        await pilot.pause(0.2)
    await until(pilot, lambda: app.context.drawing_client.receive is not None)
drive(path, script)
"""
    assert not {"torch", "transformers", "diffusers", "peft", "scipy", "krippendorff"} & loaded(code)


def test_import_contracts_are_kept():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("floor", ["judge", "studies", "tui"])
def test_every_room_has_its_layer(floor):
    rooms = {file.parent.name for file in (ROOT / floor).glob("*/__init__.py")}
    contracts = [one for one in read_contracts(ROOT) if one["type"] == "layers" and one.get("containers") == [floor]]
    layers = {room.strip() for contract in contracts for layer in contract["layers"] for room in layer.split("|")}
    assert rooms <= layers


def test_every_public_name_is_there():
    assert all(hasattr(package, name) for package in (judge, lorarar, studies) for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lorarar.nothing


def test_a_command_that_cannot_be_loaded_stops_no_other(tmp_path, monkeypatch, capsys):
    points = {
        "one": "no.module:app\nnowhere.two = tests:app\nbench.three = no.module:app\nfour = builtins:print",
        "other": "no.module:app",
    }
    for package, lines in points.items():
        folder = tmp_path / f"{package}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {package}\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(f"[lorarar.commands]\nbroken = {lines}\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = get_command(app).commands
    assert {"merge", "bench", "judge", "study", "four"} <= set(names)
    assert "run" in names["bench"].commands
    assert not {"broken", "three"} & {*names, *names["bench"].commands}
    lines = sorted(capsys.readouterr().err.splitlines())
    assert len(lines) == 4
    assert re.fullmatch(
        "The command bench.three of one is left out: ModuleNotFoundError: No module named 'no'", lines[0]
    )
    assert re.fullmatch("The command broken of one is left out: ModuleNotFoundError: .*", lines[1])
    assert lines[2] == "The command broken of other is left out: one has one of this name"
    assert lines[3] == "The command nowhere.two of one is left out: there is no command group nowhere"


def test_no_package_takes_a_command_from_the_engine(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "thief-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: thief\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[lorarar.commands]\nmerge = builtins:print\nbench.run = builtins:print\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = get_command(app).commands
    assert [names["merge"].callback.__module__, names["bench"].commands["run"].callback.__module__] == [
        "lorarar.cli.merge",
        "lorarar.cli.bench",
    ]
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "The command bench.run of thief is left out: lorarar has one of this name",
        "The command merge of thief is left out: lorarar has one of this name",
    ]


def commands(group, path="lorarar"):
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def test_every_command_is_documented():
    text = (ROOT / "README.md").read_text() + (ROOT / "docs" / "commands.md").read_text()
    assert [name for name in commands(get_command(app)) if name not in text] == []


def test_every_link_of_the_docs_leads_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    "line",
    [
        "from judge.critics import find_critic",
        "from judge.prompts import PAPER",
        "from judge.runner import judge",
        "from judge.targets import from_folders",
        "from judge.verdicts import VerdictStore",
        "from lorarar.files import replacing",
        "from lorarar.inspection import inspect_adapter",
        "from lorarar.methods import METHODS",
        "from lorarar.recipe import Options",
        "from lorarar.store import Store",
        "from studies.opening import open_packet, open_study",
        "from studies.session import Session",
        "from studies.vote import Screen",
        "from tui.main import app",
        "from tui.voting import run",
    ],
)
def test_import_names_that_version_0_1_documented_still_work(line):
    exec(line, {})


def test_a_module_within_a_moved_package_is_not_made_twice():
    from lorarar.merging.methods import METHODS, pruning

    exec("import lorarar.methods.pruning", {})
    assert METHODS["ties"].function is pruning.ties


def test_a_moved_module_is_one_module_under_both_names():
    from importlib import import_module

    from lorarar.util.moved import MOVED

    for old, new in MOVED.items():
        assert import_module(old) is import_module(new)
        assert import_module(new).__spec__.name == new


def test_the_source_stays_a_house_to_move_into():
    files = read_sources(ROOT)
    assert repeated_classes(files) == {}
    assert hand_kept_modules(read_contracts(ROOT), ROOT) == []
    assert participle_counts(files).total() <= 40
    assert [str(file.path) for file in files if file.lines > 400] == []
