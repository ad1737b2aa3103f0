"""Pocket's 30 subjects and 26 styles, named and split after the paper's Table A1.

The table puts 21/4/5 subjects where the text says 20/5/5; "backpack dog" is moved to validation to
keep the text's figures. A subject is one artist's design of a class; a style is a family with fixed parameters.
The base model never sees the designs of validation and test subjects, nor parameters near those of the validation
and test styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from lorarar.pictures.concept_table import Split
from lorarar.pictures.prompts import RARE_TOKEN, pair_prompt
from lorarar.pocket.art import DesignKey
from lorarar.pocket.styles import StyleParams
from lorarar.util.errors import PocketError
from lorarar.util.suggestion import did_you_mean
from lorarar.util.text import alike

T = TypeVar("T")


def slug(name: str) -> str:
    """A subject's or style's name as a file name: ``dog #8`` becomes ``dog-8``."""
    return name.lower().replace("#", "").replace("  ", " ").strip().replace(" ", "-")


@dataclass(frozen=True)
class Subject:
    """One artist's design of a class."""

    name: str
    class_name: str
    artist: str
    split: Split = "train"

    @property
    def slug(self) -> str:
        """The stem of its files."""
        return slug(self.name)

    @property
    def design(self) -> DesignKey:
        """The key of its design."""
        return self.class_name, self.artist

    @property
    def prompt(self) -> str:
        """The prompt its content LoRA is trained on: ``a [c] <class name>``."""
        return f"a {RARE_TOKEN} {self.class_name}"


@dataclass(frozen=True)
class Style:
    """A style family with fixed parameters."""

    name: str
    family: str
    params: StyleParams
    design: DesignKey  # of the object its one reference picture shows
    split: Split = "train"

    @property
    def slug(self) -> str:
        """The stem of its files."""
        return slug(self.name)

    @property
    def prompt(self) -> str:
        """The prompt its style LoRA is trained on: the class its reference shows, in the style's description."""
        return f"a {self.design[0]} in {self.family} style"


def cell_prompt(subject: Subject, style: Style) -> str:
    """The paper's prompt for a subject in a style: ``a [c] <class name> in [s] style``."""
    return pair_prompt(subject.prompt, style.prompt)


def _style(
    name: str,
    family: str,
    knobs: tuple[float, float, float, float, float],
    design: DesignKey,
    split: Split = "train",
) -> Style:
    return Style(name=name, family=family, params=StyleParams.from_knobs(knobs), design=design, split=split)


SUBJECTS = (
    Subject("backpack", "backpack", "noto"),
    Subject("berry bowl", "bowl", "twemoji"),
    Subject("candle", "candle", "emojione"),
    Subject("cat #1", "cat", "noto"),
    Subject("colorful sneaker", "sneaker", "emojione"),
    Subject("dog #1", "dog", "noto"),
    Subject("dog #5", "dog", "fluent-flat"),
    Subject("dog #6", "dog", "fluent-3d"),
    Subject("dog #7", "dog", "fxemoji"),
    Subject("duck toy", "duck", "noto"),
    Subject("fancy boot", "boot", "emojione"),
    Subject("grey sloth plushie", "sloth", "twemoji"),
    Subject("monster toy", "monster", "noto-v1"),
    Subject("pink sunglasses", "sunglasses", "fluent-3d"),
    Subject("poop emoji", "poo", "fluent-3d"),
    Subject("rc car", "car", "noto"),
    Subject("red cartoon", "ogre", "noto"),
    Subject("robot toy", "robot", "twemoji"),
    Subject("shiny sneaker", "sneaker", "noto"),
    Subject("vase", "vase", "noto"),
    Subject("backpack dog", "backpack", "emojione", "validation"),
    Subject("dog #2", "dog", "noto-v1", "validation"),
    Subject("dog #3", "dog", "twemoji", "validation"),
    Subject("clock", "clock", "emojione", "validation"),
    Subject("bear plushie", "teddy bear", "twemoji", "validation"),
    Subject("dog #8", "dog", "emojione", "test"),
    Subject("cat #2", "cat", "emojione", "test"),
    Subject("wolf plushie", "wolf", "twemoji", "test"),
    Subject("teapot", "teapot", "twemoji", "test"),
    Subject("can", "can", "twemoji", "test"),
)

_OIL, _WATER, _FLAT = "oil painting", "watercolor painting", "flat cartoon illustration"

STYLES = (
    _style("3D rendering #1", "3d rendering", (0.08, 0.2, 0.5, 0.5, 0.8), ("hamburger", "noto")),
    _style("3D rendering #3", "3d rendering", (0.33, 0.8, 0.3, 0.5, 0.6), ("cactus", "twemoji")),
    _style("abstract rainbow", "abstract rainbow", (0.0, 0.1, 0.8, 0.5, 0.5), ("castle", "noto")),
    _style("black statue", "black statue", (0.1, 0.2, 0.6, 0.5, 0.8), ("owl", "noto")),
    _style("cartoon line drawing", "cartoon line drawing", (0.13, 0.3, 0.5, 0.5, 0.8), ("bus", "noto")),
    _style("flat cartoon illustration #1", _FLAT, (0.58, 0.2, 0.5, 0.5, 0.5), ("tree", "noto")),
    _style("glowing 3D rendering", "glowing 3d rendering", (0.5, 0.3, 0.5, 0.5, 0.5), ("rocket", "fluent-flat")),
    _style("kid crayon drawing", "kid crayon drawing", (0.14, 0.4, 0.5, 0.6, 0.5), ("house", "noto")),
    _style("line drawing", "line drawing", (0.62, 0.3, 0.4, 0.5, 0.8), ("sailboat", "noto")),
    _style("melting golden rendering", "melting golden rendering", (0.62, 0.2, 0.6, 0.5, 0.3), ("crown", "noto")),
    _style("oil painting #3", _OIL, (0.6, 0.3, 0.5, 0.5, 0.4), ("apple", "noto")),
    _style("sticker", "sticker", (0.75, 0.7, 0.7, 0.5, 0.7), ("ice cream", "noto")),
    _style("watercolor painting #2", _WATER, (0.0, 0.5, 0.3, 0.4, 0.9), ("fish", "noto")),
    _style("watercolor painting #4", _WATER, (0.33, 0.5, 0.5, 0.4, 0.9), ("mushroom", "noto")),
    _style("watercolor painting #5", _WATER, (0.78, 0.5, 0.5, 0.4, 0.9), ("penguin", "noto")),
    _style("watercolor painting #6", _WATER, (0.14, 0.5, 0.8, 0.7, 0.8), ("fox", "noto")),
    _style("watercolor painting #7", _WATER, (0.45, 0.5, 0.2, 0.2, 0.4), ("strawberry", "noto")),
    _style("wooden sculpture", "wooden sculpture", (0.12, 0.2, 0.5, 0.5, 0.7), ("guitar", "noto")),
    _style("3D rendering #2", "3d rendering", (0.85, 0.25, 0.7, 0.5, 0.85), ("cake", "noto"), "validation"),
    _style("oil painting #1", _OIL, (0.05, 0.7, 0.5, 0.5, 0.5), ("pumpkin", "twemoji"), "validation"),
    _style("watercolor painting #1", _WATER, (0.92, 0.5, 0.5, 0.4, 1.0), ("hat", "noto"), "validation"),
    _style("3D rendering #4", "3d rendering", (0.52, 0.75, 0.6, 0.5, 0.9), ("frog", "twemoji"), "test"),
    _style("oil painting #2", _OIL, (0.38, 0.4, 0.4, 0.6, 0.4), ("ghost", "noto"), "test"),
    _style("watercolor painting #3", _WATER, (0.58, 0.5, 0.4, 0.5, 1.0), ("octopus", "noto"), "test"),
    _style("flat cartoon illustration #2", _FLAT, (0.95, 0.6, 0.6, 0.5, 0.9), ("umbrella", "twemoji"), "test"),
    _style("glowing", "glowing", (0.52, 0.5, 0.5, 0.5, 0.4), ("gift", "noto"), "test"),
)

SUBJECTS_BY_SLUG = {subject.slug: subject for subject in SUBJECTS}
STYLES_BY_SLUG = {style.slug: style for style in STYLES}

_SUBJECTS = {subject.name: subject for subject in SUBJECTS}
_STYLES = {style.name: style for style in STYLES}


def subject_named(name: str) -> Subject:
    """The subject of that name, as it is called or as its files are: ``dog #8`` or ``dog-8``.

    Raises:
        PocketError: there is none; the message lists all.
    """
    return _named("subject", _SUBJECTS, name)


def style_named(name: str) -> Style:
    """The style of that name, as it is called or as its files are.

    Raises:
        PocketError: there is none; the message lists all.
    """
    return _named("style", _STYLES, name)


def _named(kind: str, table: Mapping[str, T], name: str) -> T:
    same = alike(name, table)
    if same is None:
        raise PocketError(f"unknown {kind} {name[:60]!r}; Pocket has: {', '.join(table)}{did_you_mean(name, table)}")
    return table[same]


def held_out_designs() -> set[DesignKey]:
    """The designs the base must not see."""
    return {subject.design for subject in SUBJECTS if subject.split != "train"}


def held_out_params(family: str) -> tuple[StyleParams, ...]:
    """The parameters of a style family that the base must not see."""
    return tuple(style.params for style in STYLES if style.family == family and style.split != "train")
