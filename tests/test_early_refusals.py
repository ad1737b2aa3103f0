"""What is wrong with a command line is said before anything is loaded that takes seconds."""

import subprocess
import sys

LINES = [
    "merge none none -o m.safetensors",
    "merge none none -o m.safetensors --method magic",
    "merge none none -o m.safetensors --method ties --density 2",
    "merge none none -o m.safetensors --base nothing",
    "merge none none -o m.safetensors --dtype int8",
    "merge none none -o m.txt",
    "merge many many -o m.safetensors",
    "generate --prompt x --lora none",
    "generate --prompt x --base nothing",
    "generate --prompt x --method magic",
    "generate --prompt x --scheduler none",
    "inspect none",
    "convert none -o x.safetensors",
    "convert none -o x.safetensors --dtype int8",
    "coefficients none none -o c.safetensors",
    "coefficients none none -o c.safetensors --method ties",
    "demo --subject nobody",
    "pocket build magic",
    "pocket build art --precision fp17",
    "pocket truth nobody glowing -o truth.png",
    "try nobody glowing",
    "bench run none.toml",
    "bench loss none.toml",
    "paper none",
    "db forget none x --db none.db",
    "judge run --critic none",
    "judge run --metrics none",
    "judge report --by none",
    "study report none --db none.db",
    "tui --images none-such",
]
CODE = """
import shlex, sys
from typer.testing import CliRunner
from lorarar.cli.main import app
for line in sys.stdin.read().splitlines():
    done = CliRunner().invoke(app, shlex.split(line))
    heavy = [name for name in ("torch", "transformers", "diffusers") if name in sys.modules]
    print(line, done.exit_code in (1, 2), done.stderr.count("Traceback"), heavy, sep="|")
"""


def test_nothing_heavy_loads_for_what_is_refused(tmp_path):
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "a.safetensors").write_bytes(b"")
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, input="\n".join(LINES), capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == [f"{line}|True|0|[]" for line in LINES]


def test_two_folders_without_all_are_told_of_it(run, tmp_path):
    for name in ("contents", "styles"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.safetensors").write_bytes(b"")
    done = run("merge", "contents", "styles", "-o", "m.safetensors")
    assert done.exit_code == 1
    assert "contents is a folder of LoRAs, like a.safetensors; --all merges every content" in done.stderr


def test_hints_of_libraries_are_not_said_and_other_warnings_are():
    import logging

    import lorarar  # noqa: F401

    logger = logging.getLogger("transformers.utils.import_utils")
    hint = "`X` requires torchvision (not installed); falling back to `Y`"
    records = [logging.LogRecord(logger.name, logging.WARNING, "", 0, text, (), None) for text in (hint, "other")]
    assert [bool(logger.filter(record)) for record in records] == [False, True]
