"""What the rehearsed commands are given, each made when it is first needed, and what room it takes on the disk.

Each is made in a process of its own, ``python -m benchmarks.rehearsal.inputs SCALE WORK NAME…``: what that takes of
the memory is gone when the command begins.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rehearsal.scale import CONTENTS, SCALES, STYLES, Scale


@dataclass(frozen=True)
class Input:
    """A file or folder of the work folder."""

    write: Callable[[Scale, Path], object]  # into that place; what is there already stays
    gigabytes: Callable[[Scale], float]
    last: str = ""  # the file in the folder that is written last; empty where the input is one file


def _base(scale: Scale, place: Path) -> None:
    from benchmarks.rehearsal.base import write_folder

    write_folder(scale.architecture, place)


def _base_file(scale: Scale, place: Path) -> None:
    from benchmarks.rehearsal.base import write_file

    write_file(scale.architecture, place)


def _concepts(scale: Scale, place: Path) -> None:
    from benchmarks.rehearsal.concepts import write_concepts

    write_concepts(scale, place)


def _hypernet(scale: Scale, place: Path) -> None:
    from benchmarks.rehearsal.concepts import write_network

    write_network(scale, place)


def _coefficients(scale: Scale, place: Path) -> None:
    from benchmarks.rehearsal.concepts import write_even

    write_even(scale, place)


def _judged(scale: Scale, place: Path) -> None:
    from benchmarks.rehearsal.concepts import write_judged

    write_judged(scale, place)


def _critic(scale: Scale, place: Path) -> None:
    from benchmarks.rehearsal.critic import write_critic

    write_critic(scale.critic, place)


def _of_loras(scale: Scale) -> float:
    return scale.lora_gigabytes * (len(CONTENTS) + len(STYLES))


INPUTS: Mapping[str, Input] = {
    "base": Input(_base, lambda scale: scale.base_gigabytes, "model_index.json"),
    "base.safetensors": Input(_base_file, lambda scale: scale.base_gigabytes),
    "concepts": Input(_concepts, _of_loras, f"styles/{next(reversed(STYLES))}.safetensors"),
    "hypernet.safetensors": Input(_hypernet, lambda scale: 0.0),
    "coefficients.safetensors": Input(_coefficients, lambda scale: 0.0),
    "judged": Input(_judged, lambda scale: 0.0, f"references/styles/{next(iter(STYLES))}/0.png"),
    "critic": Input(_critic, lambda scale: scale.critic_gigabytes, "model.safetensors.index.json"),
}


def is_made(name: str, work: Path) -> bool:
    """Whether an input is there as a whole."""
    return (work / name / INPUTS[name].last).exists() if INPUTS[name].last else (work / name).exists()


def gigabytes_missing(names: Iterable[str], scale: Scale, work: Path) -> float:
    """The room that those of these inputs take that are not there."""
    return sum(INPUTS[name].gigabytes(scale) for name in names if not is_made(name, work))


def make(names: Iterable[str], scale: Scale, work: Path, environment: Mapping[str, str]) -> None:
    """Make those of these inputs that are not there.

    Raises:
        CalledProcessError: one cannot be made; why stands on stderr.
    """
    for name in names:
        if not is_made(name, work):
            command = [sys.executable, "-m", "benchmarks.rehearsal.inputs", scale.name, str(work), name]
            subprocess.run(command, check=True, env=environment)


def remove(name: str, work: Path) -> None:
    """Delete an input; it is made again where it is needed again."""
    place = work / name
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def main() -> None:
    """Write the inputs that the arguments name."""
    import torch

    torch.set_num_threads(1)  # files are written by many threads, each of which computes alone
    scale, work, *names = sys.argv[1:]
    for name in names:
        INPUTS[name].write(SCALES[scale], Path(work) / name)


if __name__ == "__main__":
    main()
