"""Which pictures a command or a call is about, and the database that they or their verdicts are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lorarar.store.command_line import command_line
from lorarar.store.connection import default_path
from lorarar.store.opening import open_existing_store, open_for_reading
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.shard import Shard

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
    shard: Shard | None = None  # whose share is judged, into a database of its own; None: all, into ``db``

    @property
    def is_empty(self) -> bool:
        """Whether no pictures are meant."""
        return not self.needed and not self.images and self.generated is None

    @property
    def results(self) -> Path:
        """The database of what comes of judging them."""
        whole = self.db or default_path()
        return self.shard.database(whole) if self.shard else whole

    @contextmanager
    def open_to_judge(self, prepare: Callable[[Sequence[Target]], T]) -> Iterator[tuple[Store, list[Target], T]]:
        """Open the database to write, with the pictures that are meant and what is prepared for them.

        It is a new one, if need be, for pictures of one's own folders, once these are found and ``prepare`` has not
        refused them, and for none; else one that has pictures.

        Of a shard it is the shard's own, with what the other knows of its pictures; that one is read alone.

        Raises:
            EmptyShareError: the shard has no pictures.
            FilterError: ``images`` is no filter, or keeps nothing.
            StoreError: the database does not exist, or cannot be opened.
            TargetError: no pictures are there.
        """
        from judge.share import bring_known
        from judge.targets import from_store, plain_collection, plain_targets
        from lorarar.store import Store

        plain = [] if self.is_empty else plain_targets(self.images, self.generated, self.references)
        if self.shard is not None:
            share = self._share(self.shard, plain)
            prepared = prepare(share)
            with Store(self.results) as store:
                bring_known(self.db or default_path(), store, share)
                yield store, share if plain is None else plain_collection(store, share, self.generated), prepared
        elif plain is None:
            with open_existing_store(self.db, _how_to_fill()) as store:
                targets = from_store(store, self.images)
                yield store, targets, prepare(targets)
        else:
            prepared = prepare(plain)
            with Store(self.db) as store:
                yield store, plain_collection(store, plain, self.generated), prepared

    def _share(self, shard: Shard, plain: Sequence[Target] | None) -> list[Target]:
        """The pictures of a shard; raises as ``open_to_judge``."""
        from judge.share import EmptyShareError, share_of
        from judge.targets import from_store
        from lorarar.store import Store

        targets = plain
        if targets is None:
            with open_for_reading(self.db, _how_to_fill(), still=True) as whole:
                targets = from_store(whole, self.images)
        share = share_of(targets, shard)
        if not share:
            Store(self.results).close()  # so that it is there to be gathered
            raise EmptyShareError(f"{shard} has none of {count(len(targets), 'picture')}; nothing is to be done")
        message(f"shard {shard}: {len(share)} of {count(len(targets), 'picture')}")
        return share

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


def _how_to_fill() -> str:
    return f", or fill one with: {command_line('lorarar bench run quick')}"
