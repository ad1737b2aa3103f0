"""What a merge method is: a row with all that users are told of it, and where its function lies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lorarar.lora.drawn_methods import DRAWN, MethodInfo
from lorarar.util.options import Option, OptionError, check_names, merge_options
from lorarar.util.seeds import LARGEST

if TYPE_CHECKING:
    from lorarar.lora.adapter import Adapter
    from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult

MergeFunction = Callable[..., "MergeResult"]  # (content, style, inputs, **own options), or (adapters, inputs, **…)

RANK = Option("rank", "Cut the merged layers to this rank.", "integer", default_words="sum of all", least=1)
SEED = Option("seed", "Seed, for methods that draw at random.", "integer", default=0, least=0, most=LARGEST)
BLOCKS = Option(
    "blocks",
    "How much each block of a LoRA counts, once for each LoRA: content, style or its number, and a preset or numbers.",
    "table",
    default_words="all of every block",
    words="WHICH=PRESET|SPEC",
)
BALANCE = Option(
    "balance",
    "Scale the result: energy, to the energy of the strongest LoRA.",
    "choice",
    default_words="not scaled",
    choices=("energy",),
)
STRENGTHS = Option(
    "strengths",
    "How much of each side is in the result.",
    "numbers",
    default_words="1,1",
    length=2,
    finite=True,
    words="C,S",
)
COMMON = {option.name: option for option in (RANK, SEED, BLOCKS, BALANCE)}  # of every method
OF_COLUMNS = {STRENGTHS.name: STRENGTHS}  # of methods with coefficients, which have no weights
SHAPING = {option.name: option for option in (RANK, BLOCKS, BALANCE, STRENGTHS)}  # what is done around any method

#: Names that ``lorarar merge`` and the rows of a plan use for something else.
RESERVED = {
    *("content", "style", "more", "out", "method", "name", "every", "all", "base", "layout", "dtype", "db"),
    *("json", "as_json", "help", "overwrite_input", "vae", "prediction", "anyway", "drop_missing", "admission"),
    *("device", "precision", "place", "progress"),
    "moments",
    *("content_prompt", "content_images", "style_prompt", "style_images"),
}
SIDES = ("content", "style")  # of two LoRAs, in their order
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")  # a folder may be named after it


class OptionValue(NamedTuple):
    """The value of an option."""

    given: Any  # by the user or by default; a file by its path
    used: Any  # by the method's function; a file as it was read
    facts: Mapping[str, Any] = {}  # what decides a merge beside what is given


@dataclass(frozen=True)
class Rival:
    """A plainer row that stands beside a method's in every table, and that it has to beat to be said to work."""

    title: str  # what it is, like ``its means as constants``
    method: str  # whose options are the row's own, where both take them
    options: Mapping[str, Any] = field(default_factory=dict)  # but these
    from_family: Mapping[str, str] = field(default_factory=dict)  # and these, from the base's family: name of the field


@dataclass(frozen=True)
class Method(MethodInfo):
    """One merge method: its function, the options it takes, and whether it takes long.

    The function is ``merge(content, style, inputs, *, …)``: two adapters, a ``MergeInputs``, and a keyword argument
    for each of ``options``. That of a method which takes ``many`` LoRAs has a sequence of adapters in place of the two,
    and its ``weights`` are as many. A file option with ``read`` arrives as what was read. A default may come from the
    base (``default_from="base.hypernet"``), from another option's value (``"hypernet.key_value"``), or, where it is
    optimised for each pair, from the pair (``"pair.coefficients"``). Where values make sense only together, ``settle``
    refuses them, before anything is merged, or says what is used instead, with the facts that decide it. A method that
    is ``calibrated`` also gets ``moments``: of each adapter what its layers read while the base draws with it alone.
    """

    merge: str | MergeFunction  # the function, or its place ``module:function``
    options: tuple[Option, ...] = ()
    columnwise: bool = False  # its result has coefficients of columns
    calibrated: bool = False  # it needs the base, and every LoRA's prompt
    dense: bool = False  # forms dense updates, one layer at a time: half a minute at SDXL's size, not a second
    loras: Literal["two", "many"] = "two"  # how many it merges
    clashes: tuple[Mapping[str, Any], ...] = ()  # values of options that exclude each other
    settle: str = ""  # the place of a function of all values as they were read, which returns others in place of some
    rivals: tuple[Rival, ...] = ()  # what it has to beat

    @property
    def function(self) -> MergeFunction:
        """The function that merges; its libraries load with it."""
        return resolve_name(self.merge) if isinstance(self.merge, str) else self.merge

    @property
    def all_options(self) -> dict[str, Option]:
        """The method's own options, then those of every method, by name."""
        own = {option.name: option for option in self.options}
        return own | (OF_COLUMNS if self.columnwise else {}) | COMMON

    @property
    def per_pair(self) -> tuple[Option, ...]:
        """The options whose default is optimised for each pair."""
        return tuple(option for option in self.options if option.default_from.startswith("pair."))

    def takes(self, option: str) -> bool:
        """Whether the method has an option of its own by this name."""
        return any(own.name == option for own in self.options)

    def check_clashes(self, options: Mapping[str, Any]) -> None:
        """Refuse values that exclude each other.

        Raises:
            OptionError: the message names them.
        """
        for clash in self.clashes:
            if all(options.get(name) == value for name, value in clash.items()):
                values = " and ".join(f"{self.all_options[name].flag} {value}" for name, value in clash.items())
                raise OptionError(f"method {self.name}: {values} exclude each other; leave one of them out")

    def for_loras(self, count: int) -> Method:
        """The method for so many LoRAs: its weights are as many."""

        def of_all(option: Option) -> Option:
            return replace(option, length=count, default=(1.0,) * count) if option.name == "weights" else option

        return self if count == len(SIDES) else replace(self, options=tuple(map(of_all, self.options)))

    def run(self, adapters: Sequence[Adapter], inputs: MergeInputs, options: Mapping[str, Any]) -> MergeResult:
        """Call the method's function with so many adapters and its own options."""
        given = (adapters,) if self.loras == "many" else adapters
        return self.function(*given, inputs, **options)


def name_of(place: int, count: int) -> str:
    """What a LoRA at a place, from 0 on, is called: content or style of two, of more its number."""
    return SIDES[place] if count == len(SIDES) else str(place + 1)


JOINT = MethodInfo("joint", "Joint training", "Ruiz et al., 2023")
NO_MERGES: Mapping[str, MethodInfo] = {JOINT.name: JOINT, **DRAWN}  # but rows of plans beside methods


def check_method(method: Method, others: Mapping[str, Method]) -> None:
    """Refuse a method whose name or options cannot be used beside the others.

    Raises:
        ValueError: its name is none; an option is unsound, named like something else, or unequal to another method's.
    """
    if not _NAME.fullmatch(method.name) or method.name in NO_MERGES:
        taken = " or ".join(NO_MERGES)
        raise ValueError(f"{method.name!r} is no name for a method; accepted are a-z, 0-9, - . and _, but not {taken}")
    check_names(method.options, RESERVED | COMMON.keys() | OF_COLUMNS.keys(), "lorarar merge")
    owners = {"", "base", "pair"}
    for option in method.options:
        if option.default_from.partition(".")[0] not in owners:
            raise ValueError(f"option {option.flag} has its default from {option.default_from}, no option before it")
        owners.add(option.name)
    merge_options(option for one in (*others.values(), method) for option in one.options)


def options_of(methods: Mapping[str, Method]) -> dict[str, tuple[Option, tuple[str, ...]]]:
    """Every option of these methods once, with the names of the methods that take it; those of every method last."""
    merged = merge_options(option for method in methods.values() for option in method.options)
    takers = {name: tuple(one.name for one in methods.values() if one.takes(name)) for name in merged}
    own = {name: (option, takers[name]) for name, option in merged.items()}
    with_columns = tuple(name for name, method in methods.items() if method.columnwise)
    of_columns = {name: (option, with_columns) for name, option in OF_COLUMNS.items() if with_columns}
    return own | of_columns | {name: (option, tuple(methods)) for name, option in COMMON.items()}


def described(option: Option) -> dict[str, Any]:
    """An option for machines."""
    return {
        "name": option.name,
        "flag": option.flag,
        "type": option.type,
        "default": str(option.default) if isinstance(option.default, Path) else option.default,
        "default_words": option.shown_default,
        "accepted": option.accepted.partition(" ")[2],
        "help": option.help,
    }
