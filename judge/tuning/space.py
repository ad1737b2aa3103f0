"""The space of a search: the methods that need nothing but the files, with those of their options that are searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from judge.tuning.ranges import NUMBERS, STARTS, VALUES, NumberRange
from judge.tuning.settings import Setting, frozen
from lorarar.lora.header import provenance_of, read_header
from lorarar.merging.block_names import PRESETS
from lorarar.merging.blocks import read_blocks
from lorarar.merging.methods import METHODS
from lorarar.merging.methods.method import SIDES
from lorarar.util.errors import HypernetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optuna import Trial

    from lorarar.families import Base

DEFAULT = "default"  # the name of an option's default among the values that are tried


@dataclass(frozen=True)
class SearchSpace:
    """The settings that a search may try."""

    methods: tuple[str, ...]  # those that can be merged
    fixed: Mapping[str, Any] = field(default_factory=dict)  # options that are given, and not searched
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # of other options, beside their defaults
    loras: int = len(SIDES)  # how many are merged

    @property
    def starts(self) -> list[Setting]:
        """What the search begins with, in order, each once; the methods' defaults are plain."""
        table = [(method, options) for method, options in STARTS if method in self.methods]
        given = self.values.get("hypernet", ()) if "lorarar" in self.methods else ()
        networks = [("lorarar", {"hypernet": one}) for one in given]
        blocks = [(self.methods[0], {"blocks": one}) for one in self.values.get("blocks", ())]
        others: list[tuple[str, Mapping[str, Any]]] = [
            (method, {}) for method in self.methods if method not in {name for name, _ in STARTS}
        ]
        return list(dict.fromkeys(self.setting(*one) for one in (*table[:2], *networks, *table[2:], *others, *blocks)))

    def setting(self, method: str, options: Mapping[str, Any]) -> Setting:
        """A method with options, those that are given in place of its own."""
        taken = METHODS[method].all_options
        own = {name: self._of_all(name, value) for name, value in options.items()}
        return Setting.of(method, {**own, **{name: one for name, one in self.fixed.items() if name in taken}})

    @cached_property
    def _numbers(self) -> Mapping[str, NumberRange]:
        """The options that are numbers, those of each LoRA of as many."""
        return {**NUMBERS, "weights": NUMBERS["weights"].of_loras(self.loras)}

    def _of_all(self, name: str, value: Any) -> Any:
        """An option's value of two LoRAs as one of all, of which further ones enter as they are."""
        if name != "weights" or value is None:
            return value
        return (*value, *self._numbers[name].default[len(value) :])

    def is_plain(self, setting: Setting) -> bool:
        """Whether a setting is a method as it comes, with what was given."""
        return setting == self.setting(setting.method, {})

    def within(self, tried: Iterable[Setting]) -> SearchSpace:
        """The same without values that are no numbers and were not tried: of few pictures these tell of no others."""
        there = [setting.options for setting in tried]
        kept = {
            name: [one for one in values if any(self._has(options, name, one) for options in there)]
            for name, values in self.values.items()
        }
        return replace(self, values={name: values for name, values in kept.items() if values})

    def _has(self, options: Sequence[tuple[str, Any]], name: str, value: Any) -> bool:
        return any(given == (name, frozen(value)) for given in options)

    def draw(self, trial: Trial) -> Setting:
        """The setting that a trial of optuna suggests."""
        method = trial.suggest_categorical("method", self.methods)
        options: dict[str, Any] = {}
        for name in self._searched(method):
            if name in self._numbers:
                span = self._numbers[name]
                shares = [
                    trial.suggest_float(f"{name}{part}", span.low, span.high, log=span.logarithmic)
                    for part in span.parts
                ]
                value = span.value(shares)
                options[name] = None if span.numbers(value) == list(span.default) else value
            else:
                tried = self._named(name)
                options[name] = tried[trial.suggest_categorical(name, tuple(tried))]
        return self.setting(method, {name: value for name, value in options.items() if value is not None})

    def parameters(self, setting: Setting) -> dict[str, Any]:
        """What a trial would have to suggest for a setting."""
        given = dict(setting.options)
        parameters: dict[str, Any] = {"method": setting.method}
        for name in self._searched(setting.method):
            if name in self._numbers:
                span = self._numbers[name]
                numbers = span.numbers(given.get(name))
                parameters |= {f"{name}{part}": one for part, one in zip(span.parts, numbers, strict=True)}
            else:
                words = (word for word, one in self._named(name).items() if frozen(one) == given.get(name))
                parameters[name] = next(words, DEFAULT)
        return parameters

    def _named(self, option: str) -> dict[str, Any]:
        """The values that are tried of an option, by what optuna knows them by."""
        return {DEFAULT: None, **{_word(value): value for value in self.values.get(option, ())}}

    def _searched(self, method: str) -> list[str]:
        """The options of a method that are searched, in the order of its table."""
        return [
            name
            for name in METHODS[method].all_options
            if name not in self.fixed and (name in self._numbers or self.values.get(name))
        ]


def _word(value: Any) -> str:
    return ",".join(f"{key}={text}" for key, text in value.items()) if isinstance(value, Mapping) else str(value)


def values_for(base: Base, layers: Sequence[Iterable[str]], given: Iterable[str]) -> dict[str, list[Any]]:
    """The values at which options are tried that are no numbers.

    Args:
        base: that draws.
        layers: of a content and of a style.
        given: options that are not searched.

    Returns:
        Networks of the base's own that learnt from pictures which a judge accepted, since others among them learnt
        from what nobody has for LoRAs of their own, or leave out parts; and presets of blocks that leave something
        of both LoRAs.
    """
    values: dict[str, list[Any]] = {"hypernet": _networks(base), "blocks": _presets(layers)}
    return {name: values[name] for name in VALUES if name not in given and values[name]}


def _networks(base: Base) -> list[str]:
    folder = base.networks
    files = sorted(folder.glob("*.safetensors")) if folder is not None and base.hypernet is not None else []
    return [file.stem for file in files if "accepted" in provenance_of(read_header(file, HypernetError))]


def _presets(layers: Sequence[Iterable[str]]) -> list[dict[str, str]]:
    names = [list(own) for own in layers]
    presets = []
    for preset in PRESETS:
        weights = read_blocks(dict.fromkeys(SIDES, preset), len(SIDES))
        kept = [any(of.of(name) for name in own) for of, own in zip(weights, names, strict=True) if of is not None]
        if len(kept) == len(SIDES) and all(kept):
            presets.append(dict.fromkeys(SIDES, preset))
    return presets
