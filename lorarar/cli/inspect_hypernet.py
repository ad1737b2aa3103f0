"""What ``lorarar inspect`` says of a hypernetwork: its form, its training, and how much it looks at its input."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorarar.lora.tensors import PICKLES
from lorarar.util.errors import HypernetError
from lorarar.util.formatting import bounds, number

_OF_TRAINING = (
    "objective",
    "steps",
    "rate",
    "batch",
    "pairs",
    "average",
    "fidelity",
    "regulariser",
    "strength",
    "seed",
)


def hypernet_facts(file: Path) -> dict[str, Any] | None:
    """The facts of a hypernetwork, the keys of ``lorarar inspect --json``; None of a file that is none.

    Raises:
        HypernetError: it is one, and broken; or the means beside it are another's.
    """
    from lorarar.lora.header import provenance_of, read_header
    from lorarar.merging.hypernet_file import read_hypernet
    from lorarar.merging.means_file import beside, find_means, own_means

    is_pickle = file.suffix.lower() in PICKLES
    try:
        header = {} if is_pickle else provenance_of(read_header(file, HypernetError))
        if not is_pickle and header.get("kind") != "hypernetwork":
            return None
        network = read_hypernet(file)
    except HypernetError:
        if is_pickle or not file.is_file():
            return None  # whatever it is, it is described as a LoRA that cannot be read
        raise
    means = find_means(file)
    sides = header.get("training")
    return {
        "path": str(file),
        "hypernetwork": network.name,
        **vars(network.form),
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "bytes": file.stat().st_size,
        "base": header.get("base"),
        "trained_on": {side: len(sides[side]) for side in ("contents", "styles") if side in sides}
        if isinstance(sides, dict)
        else {},
        "training": {name: header[name] for name in _OF_TRAINING if name in header},
        "means": means
        and {
            "in": str(file if own_means(file) else beside(file)),
            **means.looks.record(),
            "layers": {layer: list(pair) for layer, pair in means.layers.items()},
        },
    }


def hypernet_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """The short facts of a hypernetwork, in words."""
    widths = f", of columns of {', '.join(map(str, facts['widths']))}" if facts["widths"] else ""
    training = ", ".join(f"{name} {value}" for name, value in facts["training"].items())
    return {
        "hypernetwork": f"{facts['hypernetwork']}, hidden {facts['hidden']}{widths}",
        "predicts": ", ".join(facts["parts"]),
        "the rest": f"keys and values {facts['key_value']}, other layers {facts['others']}",
        "parameters": f"{facts['parameters']:,}",
        "bytes": f"{facts['bytes']:,}",
        "trained on": _trained_on(facts) or "its file does not say",
        **({"training": training} if training else {}),
        **_means(facts),
    }


def _trained_on(facts: Mapping[str, Any]) -> str:
    """What it was trained on, as far as its header says it."""
    sides = " x ".join(f"{count} {side}" for side, count in facts["trained_on"].items())
    base = f"base {facts['base']}" if facts["base"] else ""
    return ", ".join(filter(None, (sides, base)))


def _means(facts: Mapping[str, Any]) -> dict[str, str]:
    """The means, and what they say of how much it looks at its input."""
    from lorarar.merging.means_file import how_to_get

    means = facts["means"]
    if means is None:
        return {"means": f"none; {how_to_get(Path(facts['path']))}"}
    content, style = zip(*means["layers"].values(), strict=True)
    of_sides = (
        f"{side} {number(sum(values) / len(values))} (layers {bounds(min(values), max(values))})"
        for side, values in (("content", content), ("style", style))
    )
    where = "in its file" if means["in"] == facts["path"] else f"in {means['in']}"
    empty = " and ".join(map(number, means["empty"]))
    return {
        "means": f"{', '.join(of_sides)}, over {means['pairs']} of {means['of_pairs']} pairs, {where}",
        "looks at its input": (
            f"a layer's mean moves by {number(means['over_pairs'], 3)} from pair to pair, coefficients by "
            f"{number(means['within_pair'], 3)} within a layer of a pair; two LoRAs that change nothing get {empty}"
        ),
    }
