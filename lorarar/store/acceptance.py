"""Which pictures of a database are accepted: asked here, answered by the floor above that judges them.

A schema names the place of its answer (``Schema.acceptance``), so that the engine learns from a judge that it does not
know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, NamedTuple, cast

from lorarar.store.schemas import SCHEMAS
from lorarar.util.errors import StoreError
from lorarar.util.guard import guarded

if TYPE_CHECKING:
    from lorarar.store.store import Store


class CellPicture(NamedTuple):
    """A picture by what a verdict on it depends on."""

    sha256: str  # of its file
    content: str  # names of concepts, against whose references it was judged
    style: str


class CellVerdict(NamedTuple):
    """What a judge says of a picture; None where it gave no clear answer."""

    subject: bool | None
    style: bool | None
    accepted: bool | None  # both


@dataclass(frozen=True)
class JudgeChoice:
    """Which judge is meant, as a report has it: several of a kind are a jury; none is who answered most."""

    critics: tuple[str, ...] = ()
    prompts: str | None = None
    numbers: tuple[int, ...] = ()  # in the database


@dataclass(frozen=True)
class Acceptance:
    """The verdicts of one judge, or of a jury's majority, on some pictures."""

    name: str  # of the judge, for people
    judge: Mapping[str, str]  # all that decides its verdicts
    verdicts: Mapping[CellPicture, CellVerdict]


#: Verdicts on the pictures that each of some filters keeps (``lorarar.store.filters``), by the judge that is meant.
AcceptanceReader = Callable[["Store", Sequence[str], JudgeChoice], Acceptance]


def read_acceptance(store: Store, filters: Sequence[str], choice: JudgeChoice) -> Acceptance:
    """The verdicts on the pictures that any of some filters keeps, by one judge for them all.

    Raises:
        StoreError: nothing that is installed judges pictures.
        LorarError: no picture was judged, or there is no such judge.
    """
    for schema in SCHEMAS.values():
        if schema.acceptance:
            with guarded(f"the acceptance of schema {schema.name}", StoreError):
                return cast(AcceptanceReader, resolve_name(schema.acceptance))(store, filters, choice)
    raise StoreError("nothing that is installed here judges pictures; accepted are those that a judge accepts")
