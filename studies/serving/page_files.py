"""The files of the page, a fixed list that is read once: no folder is open to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "page"
INDEX = "index.html"
_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}


@dataclass(frozen=True)
class PageFile:
    """A file of the page."""

    content: bytes
    media_type: str


def read_page_files() -> dict[str, PageFile]:
    """The files of the page by name."""
    paths = sorted(path for path in FOLDER.glob("*") if path.suffix in _TYPES)
    return {path.name: PageFile(path.read_bytes(), _TYPES[path.suffix]) for path in paths}
