"""The source by numbers, for docs/architecture.md: ``python -m benchmarks.house`` prints them as Markdown."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.page import section, table

ROOT = Path(__file__).parents[1]
FLOORS = ("lorarar", "judge", "studies", "tui")
PARTICIPLES = frozenset({"found", "said", "known", "asked", "drawn", "shown"})
LONG = 60  # lines of a function
MODULE_LISTS = ("source_modules", "forbidden_modules", "modules", "containers", "layers", "ignore_imports")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class SourceFile:
    """A Python file: where it lies below the root, its text, its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The folder it belongs to: ``judge``, or below that ``judge/critics``."""
        return "/".join(self.path.parts[: min(2, len(self.path.parts) - 1)])

    @property
    def lines(self) -> int:
        """The number of its lines."""
        return len(self.text.splitlines())


def read_sources(root: Path = ROOT) -> list[SourceFile]:
    """Read all Python files, floor by floor and by path."""
    paths = (path for floor in FLOORS for path in sorted((root / floor).rglob("*.py")))
    texts = ((path.relative_to(root), path.read_text()) for path in paths)
    return [SourceFile(path, text, ast.parse(text)) for path, text in texts]


def read_contracts(root: Path = ROOT) -> list[dict[str, Any]]:
    """Read the import contracts of ``pyproject.toml``."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    contracts: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return contracts


def functions_of(files: Iterable[SourceFile]) -> list[Function]:
    """All functions and methods, those inside others too."""
    return [node for file in files for node in ast.walk(file.tree) if isinstance(node, Function)]


def line_count(function: Function) -> int:
    """Lines of a function, its signature and docstring included, decorators not."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def repeated_classes(files: Iterable[SourceFile]) -> dict[str, list[str]]:
    """Names of top-level classes that more than one file defines, with these files."""
    places: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(file.path))
    return {name: where for name, where in sorted(places.items()) if len(where) > 1}


def participle_counts(files: Iterable[SourceFile]) -> Counter[str]:
    """How often each of the participles names something: a variable, parameter, attribute, keyword or function."""
    names = (name for file in files for node in ast.walk(file.tree) for name in _identifiers(node))
    return Counter(name for name in names if name in PARTICIPLES)


def _identifiers(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.arg(arg=name) | ast.keyword(arg=str(name)):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name


def hand_kept_modules(contracts: Iterable[Mapping[str, Any]], root: Path = ROOT) -> list[str]:
    """Single files that contracts name. A contract that is exhaustive names files too: it fails for one it lacks."""
    names = {name for contract in contracts if not contract.get("exhaustive") for name in _modules(contract)}
    return sorted(name for name in names if (root / f"{name.replace('.', '/')}.py").is_file())


def _modules(contract: Mapping[str, Any]) -> Iterator[str]:
    """Full names of all modules that a contract names."""
    for key in MODULE_LISTS:
        for entry in contract.get(key, ()):
            for name in entry.replace("->", "|").replace(":", "|").split("|"):
                containers = contract.get("containers", ()) if key == "layers" else ()
                yield from (f"{container}.{name.strip()}" for container in containers)
                yield name.strip()


def room_rows(files: Iterable[SourceFile]) -> list[tuple[str, int, int]]:
    """By room: its files and their lines."""
    rooms: dict[str, list[int]] = defaultdict(list)
    for file in files:
        rooms[file.room].append(file.lines)
    return [(room, len(lines), sum(lines)) for room, lines in rooms.items()]


def fact_rows(files: Sequence[SourceFile], contracts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The figures of the whole source, each with what it is of."""
    lines, functions = [file.lines for file in files], functions_of(files)
    lengths, repeated = [line_count(function) for function in functions], repeated_classes(files)
    modules, participles = hand_kept_modules(contracts), participle_counts(files)
    return [
        ("lines of a file: median, longest", f"{median(lines):.0f}, {max(lines)}"),
        (
            "lines of a function: median, 90th percentile, longest",
            f"{median(lengths):.0f}, {quantiles(lengths, n=10)[-1]:.0f}, {max(lengths)}",
        ),
        (f"functions of more than {LONG} lines", str(sum(length > LONG for length in lengths))),
        ("functions with a docstring", _percent(ast.get_docstring(f) is not None for f in functions)),
        ("functions with a return type", _percent(f.returns is not None for f in functions)),
        ("module names kept by hand in import contracts", _counted(modules)),
        ("top-level class names that mean two things", _counted(repeated)),
        ("participles as names", _counted(participles, participles.total())),
    ]


def _percent(answers: Iterable[bool]) -> str:
    values = list(answers)
    return f"{sum(values) / len(values):.0%}"


def _counted(names: Iterable[str], total: int | None = None) -> str:
    names = list(names)
    total = len(names) if total is None else total
    return f"{total} ({', '.join(names)})" if names else "0"


def main() -> None:
    """Print the page."""
    files = read_sources()
    rooms = [(f"`{room}`", str(count), str(lines)) for room, count, lines in room_rows(files)]
    total = ("all", str(len(files)), str(sum(file.lines for file in files)))
    print(section("Rooms", table(("room", "files", "lines"), [*rooms, total])), end="\n\n")
    print(section("Source", table(("figure", "value"), fact_rows(files, read_contracts()))))


if __name__ == "__main__":
    main()
