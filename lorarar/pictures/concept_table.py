"""Tables of concepts that LoRAs are to be trained for: name, prompt, pictures, split; in TOML, ours or a user's.

```toml
[contents]
dog = { prompt = "a sks dog" }  # its pictures: contents/dog, a folder or one picture

[styles]
rain = { prompt = "a town in rainy style", images = "town.jpg", split = "test" }
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from lorarar.pictures.folders import child, find_images, is_left_behind, look_into
from lorarar.util.errors import ImageError, TrainingError
from lorarar.util.files import missing
from lorarar.util.options import OptionError, check_keys
from lorarar.util.suggestion import as_there, did_you_mean
from lorarar.util.text import composed

Side = Literal["contents", "styles"]
Split = Literal["train", "validation", "test"]

SIDES: tuple[Side, ...] = get_args(Side)
SPLITS: tuple[Split, ...] = get_args(Split)
SHIPPED = Path(__file__).parent / "tables"
_KEYS = ("prompt", "images", "split")


@dataclass(frozen=True)
class TableConcept:
    """A row: a content or a style that a LoRA is to be trained for."""

    side: Side
    name: str  # of its LoRA
    prompt: str
    images: str  # a folder of pictures, or one picture with its ending or without; below the side's folder
    split: Split = "train"

    def pictures_in(self, folder: Path) -> Path:
        """The folder of its pictures, or its one picture, under ``--images``.

        Raises:
            ImageError: there is neither, or the folder holds none.
        """
        place = self._place(folder)
        find_images(place)
        return place

    def _place(self, folder: Path) -> Path:
        """The folder, or the picture, that its row means.

        Raises:
            ImageError: there is neither.
        """
        place = folder / self.side / self.images
        place = child(place.parent, place.name)
        if place.exists():
            return place
        if place.parent.is_dir():
            for picture in look_into(place.parent).pictures:
                if picture.stem == place.name:
                    return picture
        raise ImageError(missing(place))


def shipped_tables() -> list[str]:
    """The names of the tables that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def tables_in_words() -> str:
    """The same, for messages and help."""
    return ", ".join(shipped_tables())


def names_of(text: str) -> list[str]:
    """The names that ``dog-1,glowing`` lists."""
    return [name.strip() for name in text.split(",") if name.strip()]


def read_table(place: str) -> list[TableConcept]:
    """The rows of a table, contents first: of a file, or of one that is shipped.

    Raises:
        TrainingError: there is none, it cannot be read, or a row is unsound; the message says where and what is
            accepted.
    """
    file = SHIPPED / f"{place}.toml" if place in shipped_tables() else Path(place)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        check_keys(str(place), SIDES, values)
        rows = [_row(place, side, name, row) for side in SIDES for name, row in _rows(values, side)]
        _check_distinct(rows)
    except FileNotFoundError:
        accepted = f"accepted is a TOML file, or a shipped table: {tables_in_words()}"
        near = did_you_mean(place, shipped_tables())
        raise TrainingError(f"{missing(file)}; {accepted}{near}") from None
    except OSError as error:
        raise TrainingError(f"{place} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrainingError(f"{place} is no TOML: {error}") from None
    except OptionError as error:
        raise TrainingError(str(error)) from None
    if not rows:
        raise TrainingError(
            f'{place} has no concept; accepted are rows like dog = {{ prompt = "a sks dog" }} in [contents]'
        )
    return rows


def select(
    rows: Sequence[TableConcept], names: Collection[str] | None = None, split: Split | None = None
) -> list[TableConcept]:
    """The rows of some names, and of a split.

    Raises:
        TrainingError: a name is unknown, or nothing is left.
    """
    there = [row.name for row in rows]
    names = None if names is None else as_there(names, there)
    if unknown := sorted({*(names or ())} - {*there}):
        near = did_you_mean(unknown[0], there)
        raise TrainingError(f"there is no concept {', '.join(unknown)}; the table has {', '.join(there)}{near}")
    chosen = [row for row in rows if (names is None or row.name in names) and split in (None, row.split)]
    if not chosen:
        raise TrainingError(
            f"no concept is left of {len(rows)}, by names and split; there are the splits {', '.join(SPLITS)} and the "
            f"concepts {', '.join(there)}"
        )
    return chosen


def _rows(values: Mapping[str, Any], side: Side) -> list[tuple[str, Any]]:
    rows = values.get(side, {})
    if not isinstance(rows, dict):
        raise OptionError(f'{side} is no table; accepted are rows like NAME = {{ prompt = "…" }}')
    return list(rows.items())


def _row(place: str, side: Side, name: str, values: Any) -> TableConcept:
    """One row, checked.

    Raises:
        OptionError: it is unsound.
    """
    if Path(name).name != name or is_left_behind(name) or not name.isprintable():
        raise OptionError(f"{place}, {side}: {name[:60]!r} is no name of a file, which its LoRA is to have")
    where = f"{place}, {side}.{name}"
    if not isinstance(values, dict):
        raise OptionError(f'{where} is no row; accepted is {{ prompt = "…", images = "…", split = "…" }}')
    check_keys(where, _KEYS, values)
    for key, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise OptionError(f'{where}: {key} is {value!r}; accepted is a text like {key} = "…"')
    if "prompt" not in values:
        raise OptionError(f'{where} has no prompt; accepted is prompt = "a sks dog", say')
    split = values.get("split", "train")
    if split not in SPLITS:
        near = did_you_mean(str(split), SPLITS)
        raise OptionError(f"{where}: split is {split!r}; accepted are {', '.join(SPLITS)}{near}")
    return TableConcept(side, name, values["prompt"], values.get("images", name), split)


def _check_distinct(rows: Sequence[TableConcept]) -> None:
    """Refuse names of one side that are one file where neither case nor the form of accents counts.

    Raises:
        OptionError: there are such.
    """
    names: dict[tuple[Side, str], str] = {}
    for row in rows:
        other = names.setdefault((row.side, composed(row.name).casefold()), row.name)
        if other != row.name:
            raise OptionError(f"{row.side} has {other} and {row.name}, which many disks take for one name")
