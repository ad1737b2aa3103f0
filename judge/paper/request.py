"""What ``lorarar paper`` is asked for: on which base, at which size, and where the results go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.families import DEFAULT_BASE
from lorarar.store.connection import default_path

if TYPE_CHECKING:
    from typing import Any

PAPERS = 10  # pictures of a pair, as in the paper
USUAL = 4  # unless another number is asked for: all of it takes less than 90 minutes on two cores then


@dataclass(frozen=True)
class PaperRequest:
    """A run of items."""

    out: Path  # the folder of results, and of pictures and networks below it
    base: str = DEFAULT_BASE
    contents: Path | None = None  # folders of LoRAs; None: the base's own
    styles: Path | None = None
    hypernet: Path | None = None  # None: the base's own
    db: Path | None = None  # None: ``lorarar.store.default_path``
    seeds: int = USUAL
    quick: bool = False  # two subjects, two styles, one seed, four steps: to see that all works, not what comes out
    train: bool = False  # train networks instead of taking those that are there
    device: str | None = None
    processes: int = 1  # that draw and train for pairs side by side

    @property
    def database(self) -> Path:
        """The database that grids are drawn and judged into."""
        return self.db or default_path()

    @property
    def is_pocket(self) -> bool:
        """Whether it is of Pocket with its own concepts."""
        return self.base == DEFAULT_BASE and self.contents is None and self.styles is None

    @property
    def pictures(self) -> int:
        """How many seeds each pair has."""
        return 1 if self.quick else self.seeds

    @property
    def suffix(self) -> str:
        """What titles of plans end in where the size is not the paper's: no grid takes another's place."""
        if self.quick:
            return "-quick"
        return "" if self.seeds == PAPERS else f"-n{self.seeds}"

    @property
    def facts(self) -> dict[str, Any]:
        """What decides the results, as they are recorded with them."""
        folders = {
            name: str(path)
            for name, path in (("contents", self.contents), ("styles", self.styles), ("hypernet", self.hypernet))
            if path is not None
        }
        return {"base": self.base, "seeds": self.pictures, "quick": self.quick, **folders}
