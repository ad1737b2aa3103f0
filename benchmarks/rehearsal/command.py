"""``python -m benchmarks rehearsal``: each step's command in a process of its own, a table as it goes.

Killed and started again, it goes on; ``--only`` runs some steps anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from benchmarks.page import table
from benchmarks.rehearsal.inputs import make
from benchmarks.rehearsal.results import HEAD, Result, Results
from benchmarks.rehearsal.room import available_memory, missing
from benchmarks.rehearsal.scale import SCALES
from benchmarks.rehearsal.steps import STEPS, Setting, in_numbers
from lorarar.util.dtype import Dtype

WORK = Path("out/rehearsal")
GRACE = 20  # seconds that a command has to end
DESCRIPTION = """Run the real commands on checkpoints of true size with random weights, each in a process of its own,
and keep the time and the peak memory of each. Everything is written below the work folder, some 30 GB."""


def main(arguments: Sequence[str]) -> None:
    """Rehearse; exits with 1 where a step failed."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and their commands
    setting = _setting(asked)
    results = Results(setting.work / f"results-{asked.scale}-{setting.device}.json")
    names = asked.only or _left(setting, results)
    print("\n".join(table(HEAD, []).splitlines()), flush=True)
    for place, name in enumerate(names):
        later = {one for follows in names[place + 1 :] for one in STEPS[follows].inputs}
        result = rehearse(name, setting, later, asked.patience * 60)
        results.keep(result)
        print(table(result.row, []).splitlines()[0], flush=True)
    print(f"\n{results.text()}\n\nkept in {results.file}")
    sys.exit(any(results.by_name[name].trouble for name in names))


def _left(setting: Setting, results: Results) -> list[str]:
    """The steps that are still to be run."""
    here = [name for name, step in STEPS.items() if setting.is_gpu or not step.on_gpu_alone]
    return [name for name in here if not results.is_done(name)]


def rehearse(name: str, setting: Setting, needed_later: set[str], patience: float) -> Result:
    """Run a step and say what came of it.

    Args:
        name: of the step.
        setting: how.
        needed_later: inputs of later steps, which stay where the disk is full.
        patience: seconds after which it is ended.
    """
    step = STEPS[name]
    setting = replace(in_numbers(step, setting, available_memory()), out=f"out/{name}")
    trouble = missing(step, setting, needed_later)
    arguments: list[str] = []
    record: dict[str, object] = {}
    if not trouble:
        print(f"{name} …", file=sys.stderr, flush=True)
        make(step.inputs, setting.scale, setting.work, _environment(setting))
        arguments = step.arguments(setting)
        trouble, record = _measure(arguments, setting, patience)
    return Result(
        name=name,
        title=step.title,
        numbers=setting.numbers or (next(iter(step.memory)) if not setting.is_gpu else ""),
        device=setting.device,
        command=shlex.join(["lorarar", *arguments]) if arguments else "",
        trouble=trouble,
        goal=step.goal,
        record=record,
    )


def _measure(arguments: list[str], setting: Setting, patience: float) -> tuple[str, dict[str, object]]:
    """What went wrong in a line, if anything, and what was measured of a command in a process of its own."""
    place = setting.work / setting.out / "record.json"
    log = place.with_suffix(".log")
    shutil.rmtree(place.parent, ignore_errors=True)  # or a command would take up what an earlier run has left
    place.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.rehearsal.measured", str(place), *arguments]
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=setting.work, env=_environment(setting), stdout=said, stderr=said)
        try:
            code = process.wait(patience)
            trouble = _trouble(code, log)
        except subprocess.TimeoutExpired:
            trouble = f"ended after {patience / 60:.0f} minutes"
        finally:
            _end(process)
    return trouble, json.loads(place.read_text()) if place.exists() else {}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, so that it can write what it took until then."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _trouble(code: int, log: Path) -> str:
    """In a line what a command's end says; empty where it ended well."""
    if code == 0:
        return ""
    if code == -9:
        return "killed, most likely for want of memory"
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"failed: {lines[-1] if lines else f'exit code {code}'}"


def _environment(setting: Setting) -> dict[str, str]:
    """The variables of a command: the folder of this code on its path, and a cache and a database of its own."""
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    cache, database = setting.work / "cache", setting.work / setting.out / "results.db"
    own = {"LORARAR_CACHE": str(cache), "LORARAR_DB": str(database), "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **own, "PYTHONPATH": path}


def _setting(asked: argparse.Namespace) -> Setting:
    device = asked.device or ("cuda" if _has_gpu() else "cpu")
    asked.work.mkdir(parents=True, exist_ok=True)
    return Setting(
        work=asked.work.absolute(),
        scale=SCALES[asked.scale],
        device=device,
        steps=asked.steps or (1 if device == "cpu" else 4),
        numbers=asked.dtype or "",
    )


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks rehearsal", description=DESCRIPTION)
    parser.add_argument("--work", type=Path, default=WORK, help=f"where everything is written (default: {WORK})")
    parser.add_argument("--device", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--dtype", choices=get_args(Dtype), help="numbers of the models (default: the commands' own)")
    parser.add_argument("--only", nargs="+", choices=STEPS, metavar="STEP", help=f"anew these of {', '.join(STEPS)}")
    parser.add_argument("--steps", type=int, help="of each training and drawing (default: 1, on a GPU 4)")
    parser.add_argument("--patience", type=float, default=45, help="minutes for a step at most (default: 45)")
    parser.add_argument("--scale", choices=SCALES, default="true", help="tiny: to test the rehearsal itself")
    return parser
