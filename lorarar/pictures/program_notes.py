"""What other programs note in a PNG of the prompt and the seed it was made with: A1111 and its kin, ComfyUI, and ours.

A note is data that anybody may have written: it is read and never run, at most ``LONGEST`` bytes of it, and what is
broken, of another kind or says two things is as if it were not there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lorarar.pictures.comfy_graph import find_prompt, find_seed, read_graph
from lorarar.pictures.notes import read_notes
from lorarar.util.seeds import LARGEST

LONGEST = 2**20  # bytes of a note: ComfyUI notes its whole graph
LONGEST_PROMPT = 8192  # characters; a longer one is none
_NOTES = ("parameters", "prompt", "workflow", "seed", "lorarar_version")
_SETTINGS = re.compile(r"^(?:Negative prompt:|Steps: )", re.MULTILINE)  # what follows the prompt in A1111's note
_SEED = re.compile(r"(?:^|, )Seed: ([0-9]{1,20})(?:,|$)", re.MULTILINE)
_NETWORK = re.compile(r"<(?:lora|lyco|lycoris|hypernet):[^<>]*>")  # which A1111 takes out of a prompt before it is read


@dataclass(frozen=True)
class ProgramNote:
    """What a picture was made with, as its file says."""

    prompt: str = ""
    seed: int | None = None


def read_program_note(path: Path) -> ProgramNote:
    """What a PNG notes of its prompt and its seed; nothing where it notes neither, or is no PNG."""
    notes = read_notes(path, _NOTES, LONGEST)
    if "parameters" in notes:
        return _of_parameters(notes["parameters"])
    if "lorarar_version" in notes:
        return ProgramNote(one_prompt(notes.get("prompt", "")), as_seed(notes.get("seed", "")))
    graphs = (_of_graph(notes[name]) for name in ("prompt", "workflow") if name in notes)
    return next((note for note in graphs if note != ProgramNote()), ProgramNote())


def one_prompt(text: str) -> str:
    """A prompt from outside on one line, as a database can keep it; empty where it is too long to be one."""
    words = " ".join(text.encode("utf-8", "replace").decode().replace("\0", " ").split())
    return words if len(words) <= LONGEST_PROMPT else ""


def as_seed(text: str) -> int | None:
    """The seed that a text is; None where it is no number or too large."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 20:
        return None
    return int(digits) if int(digits) <= LARGEST else None


def _of_parameters(text: str) -> ProgramNote:
    """Of A1111's note: the prompt, then what begins with ``Negative prompt:`` and the settings of the last line.

    Other programs note JSON under that name, which is no prompt.
    """
    if isinstance(_json(text), dict):
        return ProgramNote()
    settings = _SETTINGS.search(text)
    prompt, rest = (text[: settings.start()], text[settings.start() :]) if settings else (text, "")
    seeds = _SEED.findall(rest)
    return ProgramNote(one_prompt(_NETWORK.sub(" ", prompt)), as_seed(seeds[-1]) if seeds else None)


def _of_graph(text: str) -> ProgramNote:
    """Of ComfyUI's graph of nodes."""
    graph = read_graph(_json(text))
    seed = find_seed(graph)
    return ProgramNote(one_prompt(find_prompt(graph)), seed if seed is not None and 0 <= seed <= LARGEST else None)


def _json(text: str) -> object:
    """The value of a text; None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
