"""Registries: the one table of each kind of thing, of our own rows and of those that other packages give.

A row from another package comes by an entry point of the registry's group, for example ``lorarar.methods``, whose
object is the row. It is left out, with one clear line on stderr, where loading it raises, where it is no such row or a
field of it holds something else than it should, or where it has the name of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from lorarar.util.entry_points import Package, load_point, package_of, points_of
from lorarar.util.row_fields import check_fields

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Named(Protocol):
    """A row: it has a name."""

    @property
    def name(self) -> str:
        """The row's name, by which users choose it."""
        ...


R = TypeVar("R", bound=Named)


class Registry(Mapping[str, R], Generic[R]):
    """Rows by name: ours in their order, then those of other packages by name; or all by an order of their own.

    Ours are found without loading any other package. Theirs are loaded once, and again where other packages are found:
    a notebook may install one, a test may put one on the path.
    """

    def __init__(
        self,
        group: str,
        kind: type[R],
        rows: Iterable[R],
        check: Callable[[R, Mapping[str, R]], None] | None = None,
        order: Callable[[R], float] | None = None,
    ) -> None:
        """Make the registry.

        Args:
            group: of entry points, for example ``lorarar.methods``.
            kind: the class of every row.
            rows: ours.
            check: raises ``ValueError`` where a row of another package clashes with the rows before it.
            order: the place of a row among all.
        """
        self.group, self.kind = group, kind
        self._check, self._order = check, order
        self._own = self._in_order({row.name: row for row in rows})
        self._packages: dict[str, Package] = {}
        self._loaded: tuple[tuple[EntryPoint, ...], dict[str, R]] | None = None

    def __getitem__(self, name: str) -> R:
        return self._own[name] if name in self._own else self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def own(self) -> Mapping[str, R]:
        """Our rows alone."""
        return self._own

    def package(self, name: str) -> Package | None:
        """The other package that the row of that name comes from; None for ours."""
        return None if name in self._own or name not in self._all else self._packages[name]

    @property
    def _all(self) -> dict[str, R]:
        points = points_of(self.group)
        if self._loaded is None or self._loaded[0] is not points:
            self._loaded = points, self._load(points)
        return self._loaded[1]

    def _load(self, points: Iterable[EntryPoint]) -> dict[str, R]:
        rows = dict(self._own)
        for point in points:
            row = load_point(point, lambda given: self._accepted(given, rows))
            if row is not None:
                rows[row.name] = row
                self._packages[row.name] = package_of(point)
        return self._in_order(rows)

    def _in_order(self, rows: dict[str, R]) -> dict[str, R]:
        if self._order is None:
            return rows
        return {row.name: row for row in sorted(rows.values(), key=self._order)}

    def _accepted(self, given: object, rows: Mapping[str, R]) -> R:
        """A row of another package.

        Raises:
            TypeError: it is of another class, or a field holds something else than it should.
            ValueError: it clashes with a row that is there.
        """
        check_fields(given, self.kind)
        row = cast(R, given)
        if row.name in rows:
            owner = "lorarar" if row.name in self._own else "another package"
            raise ValueError(f"{owner} has one named {row.name}")
        if self._check is not None:
            self._check(row, rows)
        return row
