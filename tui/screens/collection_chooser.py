"""Choosing the collection that all screens show: its kind, its name, how many pictures it has, whether it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from lorarar.store.queries import Collection
from tui.screens.menu import MenuRow, MenuScreen


class CollectionChooser(MenuScreen[Collection]):
    """The menu of plans, demos, blends and imports."""

    HELP = "Collections: Enter shows one on all screens. Pictures of two collections never stand in one figure."
    QUESTION = "Which pictures? Enter shows a collection on all screens."
    HEADS = ("kind", "name", "pictures", "judged", "latest")
    BINDINGS: ClassVar[list[BindingType]] = [("c", "dismiss", "Close")]

    def rows(self) -> Sequence[MenuRow[Collection]]:
        """Read the collections that have pictures."""
        catalog, current = self.context.catalog, self.context.collection
        sizes, judged = catalog.collections(), catalog.judged()
        return [
            MenuRow(
                size.collection,
                (
                    size.collection.kind,
                    size.collection.name,
                    str(size.pictures),
                    "yes" if size.collection in judged else "",
                    size.newest[:10],
                ),
                current=size.collection == current,
            )
            for size in sizes
        ]
