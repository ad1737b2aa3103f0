"""Make the table of a family's layers: ``python -m lorarar.families.table_maker NAME OUT.txt``.

The models of its architecture are built on the meta device, where they take neither memory nor weights.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lorarar.families import FAMILIES, Family
from lorarar.families.layer_table import Layers, layers_of_model, table_text
from lorarar.families.meta_models import meta_model
from lorarar.util.errors import BaseError


def layers_of_components(family: Family) -> Layers:
    """The layers of a family's denoiser and text encoders, as their classes make them.

    Raises:
        BaseError: the family does not say how they are built.
    """
    if family.architecture is None:
        raise BaseError(f"family {family.name} does not say how its models are built: its architecture is None")
    parts = {name: family.architecture.components[name] for name in family.modules.adapted}
    return {
        layer: shape for name, part in parts.items() for layer, shape in layers_of_model(name, meta_model(part)).items()
    }


def main(arguments: Sequence[str]) -> None:
    """Write the table of a family.

    Args:
        arguments: the family's name and the table's file.
    """
    if len(arguments) != 2 or arguments[0] not in FAMILIES:
        raise SystemExit(f"accepted are a family, of {', '.join(FAMILIES)}, and the file of its table")
    name, out = arguments
    Path(out).write_text(table_text(layers_of_components(FAMILIES[name])), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
