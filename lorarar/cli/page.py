"""The made parts of the docs' page on commands: ``python -m lorarar.cli.page docs/commands.md`` makes them anew.

What a command is for is written there by hand; how it is called, and its options, come from the command itself. They
stand between two comments under the heading of the command.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from lorarar.cli.help_pages import examples_of
from lorarar.cli.main import app
from lorarar.cli.usage import EVERYWHERE, argument_name, usage_pieces
from lorarar.util.files import replacing

BEGIN, END = "<!-- made of the command -->", "<!-- until here -->"
_BLOCK = re.compile(rf"{BEGIN}\n.*?{END}\n", re.DOTALL)
_REMARK = re.compile(r"\s*\[((?:default|required|env var)\b.*)\]$")  # what click puts behind an option's help
_LIST = re.compile(r"<list\[(\w+)\]>")


def page(text: str) -> str:
    """The page ``text`` with its made parts as the commands are now.

    A command without a section gets one behind the others, which says what its help says.

    Raises:
        ValueError: a section is of a command that there is not.
    """
    blocks = {context.command_path: _block(command, context) for command, context in _commands()}
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    titles = [section.splitlines()[0].removeprefix("## ") for section in sections]
    if gone := [title for title in titles if title not in blocks]:
        raise ValueError(f"there is no command {gone[0]}: take its section out, or install this version anew")
    made = [_with_block(section, blocks[title]) for title, section in zip(titles, sections, strict=True)]
    missing = [(command, context) for command, context in _commands() if context.command_path not in titles]
    return "".join([head, *made, *(_new_section(command, context) for command, context in missing)])


def _commands() -> Iterator[tuple[Any, Any]]:
    """Every command that is shown, with its context."""
    root = get_command(app)
    yield from _below(root, root.make_context("lorarar", [], resilient_parsing=True))


def _below(group: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    for name, command in group.commands.items():
        inner = type(context)(command, info_name=name, parent=context)
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from _below(command, inner)
        else:
            yield command, inner


def _with_block(section: str, block: str) -> str:
    if BEGIN in section:
        return _BLOCK.sub(lambda _: block, section, count=1)
    title, rest = section.split("\n", 1)
    return f"{title}\n\n{block}{rest}"


def _new_section(command: Any, context: Any) -> str:
    return f"\n## {context.command_path}\n\n{_block(command, context)}\n{command.help}\n"


def _block(command: Any, context: Any) -> str:
    """How a command is called, and a table of its options for each heading of its help."""
    visible = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    parameters = sorted(visible, key=lambda one: one.param_type_name != "argument")
    rows: dict[str, list[str]] = {"": []}
    for one in parameters:
        if record := one.get_help_record(context):
            panel = getattr(one, "rich_help_panel", None) or ""
            if not EVERYWHERE & {*one.opts}:
                name = record[0] if one.param_type_name == "option" else argument_name(one)
                rows.setdefault(panel, []).append(_row(name, record[1]))
    tables = [_table(panel, lines) for panel, lines in rows.items() if lines]
    usage = "\n".join([" ".join([context.command_path, *usage_pieces(parameters)]), *_examples(command)])
    details = f"\n<details><summary>Options</summary>\n\n{''.join(tables)}</details>\n" if tables else ""
    return f"{BEGIN}\n```sh\n{usage}\n```\n{details}{END}\n"


def _examples(command: Any) -> list[str]:
    """The command's examples, below how it is called."""
    examples = examples_of(command)
    return ["", "# for example", *examples] if examples else []


def _table(panel: str, rows: list[str]) -> str:
    title = f"{panel}:\n\n" if panel else ""
    return "\n".join([f"{title}| option | what |", "|---|---|", *rows, "", ""])


def _row(flags: str, words: str) -> str:
    """A row of the table: of click's record of a parameter, whose words end with a remark in brackets."""
    remark = _REMARK.search(words)
    text = _REMARK.sub("", words).replace("``", "`")
    if remark:
        default = re.sub(r"default: \((.*)\)$", r"default: \1", remark[1])
        text += f" *{'needed' if default == 'required' else default.replace('env var: ', '$')}*"
    name, several = _LIST.subn(r"<\1>", flags)  # what may be given several times
    return f"| `{_cell(name)}`{' …' if several else ''} | {_cell(text)} |"


def _cell(text: str) -> str:
    """A text as a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Make the page that the command line names anew, in place."""
    path = Path(sys.argv[1])
    made = page(path.read_text(encoding="utf-8"))
    with replacing(path) as partial:
        partial.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
