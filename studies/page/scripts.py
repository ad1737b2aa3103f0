"""The page's modules of JavaScript as one text, for a page that has no server to load them from.

A module begins with its imports, ``import { a, b } from "./other.js";``, and exports declarations by their names, which
no two modules share. So the modules in the order of their imports, without both words, are one program.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function |async |const |class )", re.MULTILINE)


def joined_scripts(entry: str) -> str:
    """The program that a module of the page begins, with all that it imports.

    Args:
        entry: the module's file, such as ``offline_page.js``.
    """
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)).strip() + "\n" for text in modules_of(entry).values())


def modules_of(entry: str) -> dict[str, str]:
    """The texts of a module and of all that it imports, by name, each after those it imports itself."""
    modules: dict[str, str] = {}
    _add(entry, modules)
    return modules


def _add(name: str, modules: dict[str, str]) -> None:
    """Add a module after those it imports; one that is there already is not added again."""
    text = (FOLDER / name).read_text("utf-8")
    for other in _IMPORT.findall(text):
        if other not in modules:
            _add(other, modules)
    modules[name] = text
