"""A picture of one's own: what its path or a row of a manifest says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut
from lorarar.pictures.program_notes import as_seed, one_prompt
from lorarar.util.files import is_text
from lorarar.util.seeds import ACCEPTED
from lorarar.util.text import one_line

METHOD = "pictures"  # of pictures of which no method is said
LONGEST_NAME = 255  # bytes, as of a file's name


@dataclass(frozen=True)
class OwnPicture:
    """A picture with what it should show, and by which method it was made."""

    path: Path
    where: str  # it was said: the path below the folder, or a row of a manifest
    method: str  # empty where none is said
    subject: str
    style: str
    seed: int | None = None
    prompt: str = ""

    @property
    def cell(self) -> tuple[str, str, str]:
        """Its method, subject and style."""
        return self.method, self.subject, self.style

    @property
    def is_text(self) -> bool:
        """Whether a database can keep its path and its names, which have to be UTF-8."""
        return all(is_text(Path(name)) for name in (self.path, *self.cell))


def picture_of(path: Path, where: str, values: Mapping[str, str], method: str, left_out: LeftOut) -> OwnPicture | None:
    """The picture of some values by field; None, and counted, where they do not say what is needed.

    Args:
        path: its file.
        where: what says so, for messages.
        values: by field; one that is empty is not said.
        method: of pictures of which none is said.
        left_out: where it is counted.
    """
    names = {name: values.get(name, "") for name in ("method", "subject", "style")}
    names["method"] = names["method"] or method
    text = values.get("seed", "")
    seed = as_seed(text)
    if missing := [name for name in ("subject", "style") if not names[name]]:
        left_out.add(f"no {' and no '.join(missing)} is said", where)
    elif bad := next((name for name, value in names.items() if value and not is_name(value)), None):
        left_out.add(f"what is said is no name of a {bad}", where)
    elif text and seed is None:
        left_out.add(f"the seed is not {ACCEPTED}", where)
    else:
        return OwnPicture(path, where, **names, seed=seed, prompt=one_prompt(values.get("prompt", "")))
    return None


def is_name(text: str) -> bool:
    """Whether a text can name a method, a subject or a style: all that a folder can be called."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return bool(text.strip()) and size <= LONGEST_NAME and text not in (".", "..") and not {"/", "\0"} & {*text}


def check_title(title: str) -> str:
    """The title of an import.

    Raises:
        ImportingError: it is empty, too long, or more than a line.
    """
    if title.strip() != title or not title or one_line(title) != title or len(title.encode()) > LONGEST_NAME:
        raise ImportingError(
            f"--name is {one_line(title)[:40]!r}; accepted is a title of one line without blanks around it"
        )
    return title


def check_method(method: str) -> str:
    """The method of pictures of which none is said.

    Raises:
        ImportingError: it is no name.
    """
    if not is_name(method):
        raise ImportingError(f"--method is {one_line(method)[:40]!r}; accepted is a name without /")
    return method
