"""Names of LoRAs and of pairs, for files: two that differ never share one, whatever the file system calls equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

ENDINGS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
BETWEEN = "--"


def lora_name(path: Path) -> str:
    """The name of a LoRA: its file's without the ending; a PEFT folder's is the folder's own, dots and all."""
    return path.stem if path.suffix.lower() in ENDINGS else path.name


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """The names of LoRAs of one folder, no two alike, not even to a file system that ignores case.

    A name that two share keeps its ending (``dog.pt``); where that is shared too, a digest follows it.
    """
    choices = [(lora_name(path), path.name, f"{lora_name(path)}-{_short_digest(path.name)}") for path in paths]
    owners = Counter(name for names in choices for name in {name.casefold() for name in names})
    return [next((name for name in names if owners[name.casefold()] == 1), names[-1]) for names in choices]


def pair_stem(content: str, style: str) -> str:
    """The stem of a pair's files: ``CONTENT--STYLE``, one for each pair of names.

    Where that could be read as another pair (a name holds ``--`` itself, or a hyphen stands beside it), a digest
    follows: ``a`` with ``b--c`` and ``a--b`` with ``c`` stay apart. No stem without a digest looks like one with it.
    """
    stem = f"{content}{BETWEEN}{style}"
    if stem.count(BETWEEN) == 1 and "---" not in stem:
        return stem
    return f"{stem}-{_short_digest(content + chr(0) + style)}"


def _short_digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
