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
        return ModuleSpec(name, self) if name in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module as it is; importing again must not make a second one."""
        module = import_module(MOVED[spec.name])
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs twice; the module keeps the spec of its own place."""
        module.__spec__ = self._spec


def find_moved_modules(moved: Mapping[str, str]) -> None:
    """Let ``import`` find moved modules, by old name."""
    MOVED.update(moved)
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())  # before an empty folder of the old name is taken for it
