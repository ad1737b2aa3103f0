"""Import names of version 0.1 that were documented, and where they are now.

``import`` finds the new module under the old name, so that scripts written for 0.1 keep working. Each package
gives the rows of its own modules.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

#: The new name of a module by its old one; each package gives its own.
MOVED: dict[str, str] = {}


class MovedModules(MetaPathFinder, Loader):
    """Finds a module that has moved under its old name; both names are one module."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module under its old name; None for every other name."""
        return ModuleSpec(name, self) if present_name(name) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module as it is; importing again must not make a second one."""
        module = import_module(present_name(spec.name) or spec.name)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs twice; the module keeps the spec of its own place."""
        if module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state


def present_name(name: str) -> str | None:
    """The name of today of a moved module, or of a module within a moved package; None for every other name."""
    head, _, rest = name.rpartition(".")
    if name in MOVED:
        return MOVED[name]
    package = present_name(head) if head else None
    return package and f"{package}.{rest}"


def find_moved_modules(moved: Mapping[str, str]) -> None:
    """Let ``import`` find moved modules, by old name."""
    MOVED.update(moved)
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())  # before an empty folder of the old name is taken for it
