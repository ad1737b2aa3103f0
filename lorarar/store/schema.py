"""A schema: the tables of one owner in a database, said once for migrations, docs and ``lorarar db``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lorarar.store.migrations import Migration


@dataclass(frozen=True)
class PictureColumn:
    """A column that holds the SHA-256 of pictures' files."""

    table: str
    column: str
    keeps: bool = False  # whether a row keeps its picture in the database; else it goes when the picture goes


@dataclass(frozen=True)
class TableWords:
    """What a table or a view holds, and what each of its columns is, for people."""

    words: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class UnionRules:
    """How the rows of one owner in several databases become those of one (``lorarar gather``).

    The unique keys of a table say which rows are one and the same, its foreign keys which numbers are of rows of
    another table. In all other columns such rows have to agree, but for what is said here.
    """

    apart: Sequence[str] = ()  # tables that are of one machine or one moment: each database has its own
    aside: Sequence[tuple[str, str]] = ()  # tables and their columns that may differ: the first that was there stays
    paths: Sequence[
        tuple[str, str]
    ] = ()  # likewise, columns that hold places of files, as ``lorarar.store.paths`` does
    clear: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # tables whose rows give way to one with a value
    refused: str = ""  # what to do instead where a database with rows of these tables cannot be united with another


@dataclass(frozen=True)
class Schema:
    """The tables of one owner."""

    name: str
    migrations: Sequence[Migration]
    tables: Mapping[str, TableWords]
    pictures: Sequence[PictureColumn] = ()
    counted: Sequence[str] = ()  # tables whose numbers of rows tell people how much there is
    json: Sequence[tuple[str, str]] = ()  # tables and their columns that hold JSON
    acceptance: str = (
        ""  # place (``module:attribute``) of a ``lorarar.store.acceptance.AcceptanceReader``, if it has one
    )
    union: UnionRules = UnionRules()
