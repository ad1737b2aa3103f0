"""Which pictures a command or a call is about, and the database that they or their verdicts are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lorarar.store.opening import open_existing_store, open_for_reading

if TYPE_CHECKING:
    from judge.targets import Target
    from lorarar.store import Store

T = TypeVar("T")


@dataclass(frozen=True)
class PictureChoice:
    """Pictures of a database, or of plain folders."""

    db: Path | None = None  # None: ``lorarar.store.default_path``
    images: str = ""  # a filter of the database's pictures; empty: its only collection, or all plans
    generated: Path | None = None  # a folder of pictures, in place of the database's
    references: Path | None = None
    needed: bool = True  # whether there have to be any; where none are needed nor named, there are none

    @property
    def is_empty(self) -> bool:
        """Whether no pictures are meant."""
        return not self.needed and not self.images and self.generated is None

    @contextmanager
    def open_to_judge(self, prepare: Callable[[Sequence[Target]], T]) -> Iterator[tuple[Store, list[Target], T]]:
        """Open the database to write, with the pictures that are meant and what is prepared for them.

        It is a new one, if need be, for pictures of one's own folders, once these are found and ``prepare`` has not
        refused them, and for none; else one that has pictures.

        Raises:
            FilterError: ``images`` is no filter, or keeps nothing.
            StoreError: the database does not exist, or cannot be opened.
            TargetError: no pictures are there.
        """
        from judge.targets import from_store, plain_collection, plain_targets
        from lorarar.store import Store

        plain = [] if self.is_empty else plain_targets(self.images, self.generated, self.references)
        if plain is None:
            with open_existing_store(self.db, ", or fill one with: lorarar bench run quick") as store:
                targets = from_store(store, self.images)
                yield store, targets, prepare(targets)
        else:
            prepared = prepare(plain)
            with Store(self.db) as store:
                yield store, plain_collection(store, plain, self.generated), prepared

    @contextmanager
    def open_to_report(self) -> Iterator[tuple[Store, list[Target]]]:
        """Open the database to read it alone, with the pictures that are meant, which are of one collection.

        Raises:
            FilterError: ``images`` is no filter, or keeps nothing; or the pictures are of several collections.
            StoreError: the database does not exist, or cannot be opened.
            TargetError: no pictures are there.
        """
        from judge.targets import find_targets, report_collection

        with open_for_reading(self.db) as store:
            targets = find_targets(store, self.images, self.generated, self.references)
            report_collection(targets)
            yield store, targets
