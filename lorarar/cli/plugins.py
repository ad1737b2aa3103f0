"""Command groups, the engine's own and those from other packages, each built when it is first used.

Other packages give commands by the entry-point group ``lorarar.commands``: an entry point ``judge`` is a command
group (a ``typer.Typer``) or a command (a function), ``study.run`` a command in the group ``study``. So no room of the
engine knows the rooms above it. One that cannot be used is named on stderr, and the other commands go on.

Building a group's options takes milliseconds a command: ``lorarar --help`` saves them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from lorarar.cli.flags import COMMAND_CLASS
from lorarar.cli.help_pages import PANELS, readable, with_page
from lorarar.cli.usage_errors import with_error_lines
from lorarar.util.entry_points import distinct, leave_out, load_point, points_of
from lorarar.util.messages import message

ENTRY_POINTS = "lorarar.commands"


class LazyGroup(TyperGroup):
    """A command group that is built from its ``typer.Typer`` when its commands are first asked for."""

    def __init__(self, name: str, app: typer.Typer, added: Iterable[EntryPoint] = ()) -> None:
        """Make the group.

        Args:
            name: the group's.
            app: its commands; where it may be invoked without one, its first is what then runs.
            added: commands that other packages put into the group.
        """
        self._has_default = bool(app.info.invoke_without_command)
        panel = app.rich_help_panel
        super().__init__(
            name=name,
            help=app.info.help,
            no_args_is_help=not self._has_default,
            rich_help_panel=panel if isinstance(panel, str) else None,
        )
        readable(self)
        self._app, self._added, self._built = app, added, False
        self._commands: MutableMapping[str, Any] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words after the group's name; the first command's own options may stand there alone."""
        alone = not args or (args[0].startswith("-") and args[0] not in self.get_help_option_names(ctx))
        if self._has_default and alone:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """The commands by name."""
        if not self._built:
            self._built = True
            own = {name: with_page(command) for name, command in get_group(self._app).commands.items()}
            self._commands = {**_load_all(distinct(self._added, [f"{self.name}.{name}" for name in own])), **own}
        return self._commands

    @commands.setter
    def commands(self, commands: MutableMapping[str, Any]) -> None:
        self._commands = commands


def root_group(groups: Mapping[str, typer.Typer]) -> type[TyperGroup]:
    """The class of the root command: its own commands, these groups, and the commands of other packages."""

    class RootGroup(TyperGroup):
        def __init__(self, *, commands: Mapping[str, Any], **settings: Any) -> None:
            own = {name: with_page(command) for name, command in commands.items()}
            super().__init__(commands={**own, **_all_groups(groups, commands)}, **settings)
            with_error_lines(readable(self))

        def list_commands(self, ctx: Any) -> list[str]:
            """The commands, those under one heading together."""
            names = super().list_commands(ctx)
            return sorted(names, key=lambda name: PANELS.index(_panel(self.commands[name])))

    return RootGroup


def _panel(command: Any) -> str:
    """The heading that a command stands under; another package's may be its own."""
    panel = getattr(command, "rich_help_panel", None)
    return panel if panel in PANELS else ""


def _all_groups(groups: Mapping[str, typer.Typer], own: Iterable[str]) -> dict[str, Any]:
    """The engine's groups, and the groups and commands of other packages, by name."""
    points = points_of(ENTRY_POINTS)
    if not points:
        message("No package gives commands: this installation is older than its code; install it again", "yellow")
    members: dict[str, list[EntryPoint]] = defaultdict(list)  # by their group; "" has what is in none
    for point in distinct(points, {*own, *groups}):
        members[point.name.rpartition(".")[0]].append(point)
    outermost = members.pop("", [])
    commands = {name: LazyGroup(name, app, members[name]) for name, app in groups.items()}
    commands |= _load_all(outermost, members)
    for group, orphans in members.items():
        if not isinstance(commands.get(group), LazyGroup):
            for point in orphans:
                leave_out(point, f"there is no command group {group}")
    return commands


def _load_all(
    points: Iterable[EntryPoint], members: Mapping[str, Sequence[EntryPoint]] | None = None
) -> dict[str, Any]:
    """The commands and groups of entry points by name, without those that cannot be loaded."""
    loaded = {point.name.rpartition(".")[2]: _load(point, (members or {}).get(point.name, ())) for point in points}
    return {name: command for name, command in loaded.items() if command is not None}


def _load(point: EntryPoint, members: Sequence[EntryPoint]) -> Any:
    """The command of an entry point, or its group with these members; None where it cannot be loaded."""
    name = point.name.rpartition(".")[2]
    return load_point(
        point, lambda app: LazyGroup(name, app, members) if isinstance(app, typer.Typer) else _command(name, app)
    )


def _command(name: str, function: Callable[..., Any]) -> Any:
    app = typer.Typer(add_completion=False)
    app.command(name, cls=getattr(function, COMMAND_CLASS, None))(function)
    return with_page(get_command(app))
