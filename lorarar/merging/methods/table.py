"""The one table of merge methods: our rows, and those of other packages. Nothing heavy loads with it."""

from __future__ import annotations

from collections.abc import Iterable

from lorarar.lora.drawn_methods import DRAWN
from lorarar.merging.methods.method import Method, Rival, check_method
from lorarar.util.errors import MethodError
from lorarar.util.options import Option
from lorarar.util.registry import Registry
from lorarar.util.suggestion import did_you_mean

WEIGHTS = Option(
    "weights",
    "Weights of content and style; of more LoRAs as many.",
    "numbers",
    default=(1.0, 1.0),
    length=2,
    finite=True,
    words="C,S",
)
DENSITY = Option("density", "Share of elements kept.", default=0.5, above=0, most=1)
FORM = Option(
    "form",
    "Prune the update (delta) or, as peft, both factors.",
    "choice",
    default="delta",
    choices=("delta", "factors"),
)
SPACE = Option(
    "space",
    "Prune the update, or in the core space of all LoRAs: many times quicker and exact at the sum of ranks, but "
    "its numbers are not the method's on the update.",
    "choice",
    default="update",
    choices=("update", "core"),
    later=True,
)
MU = Option("mu", "Strength of the projection onto the style's null space.", default=0.5, least=0)
STYLE_RANK = Option(
    "style_rank",
    "Most directions of the style that are projected out, its strongest.",
    "integer",
    default_words="all that it reads",
    least=1,
    later=True,
)
STYLE_ENERGY = Option(
    "style_energy",
    "Share of the style's energy, within --style-rank, in the directions that are projected out.",
    default=1.0,
    above=0,
    most=1,
    later=True,
)
RIDGE = Option(
    "ridge",
    "How far what a LoRA reads is damped, beside the mean square of it.",
    default=1e-4,
    above=0,
    finite=True,
)
COEFFICIENTS = Option(
    "coefficients",
    "File of coefficients.",
    "file",
    default_words="optimised for the pair",
    read="lorarar.merging.coefficient_file:read_coefficients",
    default_from="pair.coefficients",
)
HYPERNET = Option(
    "hypernet",
    "Hypernetwork, ours or the authors' .pth, or the name of another of the base's own.",
    "file",
    default_words="the base's own",
    read="lorarar.merging.hypernet_file:read_hypernet",
    among="networks",
    default_from="base.hypernet",
)
KEY_VALUE = Option(
    "key_value",
    "Rule for parts of attention that are not predicted: mean, half of each side, or sum.",
    "choice",
    default_words="the hypernetwork's own",
    choices=("mean", "sum"),
    default_from="hypernet.key_value",
)
OTHERS = Option(
    "others",
    "Rule for layers outside attention that are not predicted: as --key-value, or mean or sum.",
    "choice",
    default_words="the hypernetwork's own",
    choices=("key-value", "mean", "sum"),
    default_from="hypernet.others",
    later=True,
)
MEANS = Option(
    "means",
    "Give every pair the hypernetwork's mean coefficients, a number a layer and side: what it would be if it did not "
    "look at the LoRAs.",
    "switch",
    default=False,
    later=True,
)

_HOME = "lorarar.merging.methods"
_PRUNING = (WEIGHTS, DENSITY, FORM, SPACE)
_CLASHES = ({"form": "factors", "space": "core"},)


def _pruning(name: str, title: str, paper: str) -> Method:
    """A method that prunes updates."""
    place = f"{_HOME}.pruning:{name.replace('-', '_')}"
    return Method(name, title, paper, place, _PRUNING, loras="many", dense=True, clashes=_CLASHES)


def _of_pair(name: str, title: str, paper: str, only: str = "") -> Method:
    """A method whose coefficients are optimised for each pair, or come from a file: along ``only`` one axis, or any."""
    settle = f"{_HOME}.coefficient_axis:settle_{only}" if only else ""
    return Method(
        name, title, paper, f"{_HOME}.columnwise:by_coefficients", (COEFFICIENTS,), columnwise=True, settle=settle
    )


METHODS = Registry(
    "lorarar.methods",
    Method,
    (
        Method("direct", "Direct merge", "Wortsman et al., 2022", f"{_HOME}.linear:direct", (WEIGHTS,), loras="many"),
        _pruning("ties", "TIES", "Yadav et al., 2023"),
        _pruning("dare", "DARE", "Yu et al., 2024"),
        _pruning("dare-ties", "DARE-TIES", "Goddard et al., 2024"),
        Method(
            "np-lora",
            "NP-LoRA",
            "Chen et al., 2025",
            f"{_HOME}.np_lora:np_lora",
            (WEIGHTS, MU, STYLE_RANK, STYLE_ENERGY),
            loras="many",
        ),
        Method("tsv", "TSV-M", "Gargiulo et al., 2024", f"{_HOME}.tsv:tsv", (WEIGHTS,), loras="many"),
        Method("iso", "Iso-C", "Marczak et al., 2025", f"{_HOME}.iso:iso", (WEIGHTS,), loras="many"),
        Method("knots", "KnOTS", "Stoica et al., 2024", f"{_HOME}.knots:knots", (WEIGHTS, DENSITY), loras="many"),
        Method(
            "ssr",
            "SSR-Merge",
            "arXiv 2606.10617, 2026",
            f"{_HOME}.ssr:ssr",
            (WEIGHTS, RIDGE),
            loras="many",
            calibrated=True,
        ),
        _of_pair("ziplora", "ZipLoRA", "Shah et al., 2023"),
        _of_pair("ziprank", "ZipRank", "Roy et al., 2025", "ranks"),
        _of_pair("soups", "LoRA Soups", "Prabhakar et al., 2024", "layers"),
        Method(
            "lorarar",
            "LoRA.rar",
            "Shenaj et al., 2024",
            f"{_HOME}.columnwise:lorarar",
            (HYPERNET, KEY_VALUE, OTHERS, MEANS),
            columnwise=True,
            settle=f"{_HOME}.mean_values:settle_means",
            rivals=(
                Rival("its means as constants", "lorarar", {"means": True}),
                Rival("the best constants", "direct", from_family={"weights": "constants"}),
            ),
        ),
    ),
    check_method,
)


def method_named(name: str) -> Method:
    """Find the method of that name.

    Raises:
        MethodError: no method has that name, and the message lists all; or it is of one that draws and merges nothing.
    """
    if name in DRAWN:
        raise MethodError(DRAWN[name].no_file)
    if name not in METHODS:
        raise MethodError(unknown_method(name, METHODS, DRAWN))
    return METHODS[name]


def unknown_method(name: str, accepted: Iterable[str], meant: Iterable[str] = ()) -> str:
    """That there is no method of a name; ``meant`` are names that it may have been beside those that are accepted."""
    accepted = list(accepted)
    near = did_you_mean(name, [*accepted, *meant])
    return f"unknown method {name[:60]!r}; accepted are {', '.join(accepted)}{near}"


def optimised() -> list[str]:
    """The names of the methods whose coefficients are optimised for each pair where no file gives them."""
    return [name for name, method in METHODS.items() if method.per_pair]


def origin_of(name: str) -> dict[str, list[str]]:
    """What decides a merge beside the method's name and options: for another package's row its name and version."""
    package = METHODS.package(name)
    return {"package": [*package]} if package else {}
