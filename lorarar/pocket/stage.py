"""A stage of Pocket's recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name

from lorarar.pocket.build_context import BuildContext


@dataclass(frozen=True)
class Stage:
    """A step of the recipe that can be run by itself, after those before it."""

    name: str
    title: str
    run: Callable[[BuildContext], None]

    @staticmethod
    def at(name: str, title: str, place: str) -> Stage:
        """The stage whose function lies at ``module:function``, imported when it runs."""

        def run(context: BuildContext) -> None:
            resolve_name(place)(context)

        return Stage(name, title, run)
