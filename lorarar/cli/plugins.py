"""Command groups, the engine's own and those from other packages, each built when it is first used.

Other packages give commands by the entry-point group ``lorarar.commands``: an entry point ``judge`` is a command
group (a ``typer.Typer``) or a command (a function), ``study.run`` a command in the group ``study``. So no room of the
engine knows the rooms above it. Building a group's options takes milliseconds a command: ``lorarar --help`` saves them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

ENTRY_POINTS = "lorarar.commands"


class LazyGroup(TyperGroup):
    """A command group that is built from its ``typer.Typer`` when its commands are first asked for."""

    def __init__(self, name: str, app: typer.Typer, added: Iterable[EntryPoint] = ()) -> None:
        """``added`` are commands that other packages put into the group."""
        super().__init__(name=name, help=app.info.help, no_args_is_help=True)
        self._app, self._added, self._built = app, added, False
        self._commands: MutableMapping[str, Any] = {}

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """The commands by name."""
        if not self._built:
            self._built = True
            added = ((point.name.rpartition(".")[2], point.load()) for point in self._added)
            self._commands = {**get_group(self._app).commands, **{name: _command(name, one) for name, one in added}}
        return self._commands

    @commands.setter
    def commands(self, commands: MutableMapping[str, Any]) -> None:
        self._commands = commands


def root_group(groups: Mapping[str, typer.Typer]) -> type[TyperGroup]:
    """The class of the root command: its own commands, these groups, and the commands of other packages."""

    class RootGroup(TyperGroup):
        def __init__(self, *, commands: Mapping[str, Any], **settings: Any) -> None:
            super().__init__(commands={**commands, **_all_groups(groups)}, **settings)

    return RootGroup


def _all_groups(groups: Mapping[str, typer.Typer]) -> dict[str, Any]:
    """The engine's groups, and the groups and commands of other packages, by name."""
    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    apps = {**groups, **{point.name: point.load() for point in points if "." not in point.name}}
    return {
        name: LazyGroup(name, app, [point for point in points if point.name.rpartition(".")[0] == name])
        if isinstance(app, typer.Typer)
        else _command(name, app)
        for name, app in apps.items()
    }


def _command(name: str, function: Callable[..., Any]) -> Any:
    app = typer.Typer(add_completion=False)
    app.command(name)(function)
    return get_command(app)
