"""Pocket's concepts by what items split them into: the paper's split, and kinds of subjects and styles."""

from __future__ import annotations

from collections.abc import Iterable

from lorarar.pictures.concept_table import Split
from lorarar.pocket.concepts import STYLES, SUBJECTS

ANIMALS = ("cat", "dog", "duck", "wolf", "sloth", "teddy bear")  # classes
STUFFED = ("sloth", "teddy bear", "wolf")  # of these, the plushies
FIGURES = ("monster", "ogre", "robot", "poo")  # neither animals nor things


def subjects_of(split: Split) -> tuple[str, ...]:
    """The subjects of a split of the paper's Table A1."""
    return tuple(subject.slug for subject in SUBJECTS if subject.split == split)


def styles_of(split: Split) -> tuple[str, ...]:
    """The styles of a split of the paper's Table A1."""
    return tuple(style.slug for style in STYLES if style.split == split)


def animals() -> tuple[str, ...]:
    """Subjects that are animals, stuffed ones among them."""
    return tuple(subject.slug for subject in SUBJECTS if subject.class_name in ANIMALS)


def stuffed_animals() -> tuple[str, ...]:
    """Subjects that are stuffed animals."""
    return tuple(subject.slug for subject in SUBJECTS if subject.class_name in STUFFED)


def things() -> tuple[str, ...]:
    """Subjects that are neither animals nor figures."""
    return tuple(subject.slug for subject in SUBJECTS if subject.class_name not in (*ANIMALS, *FIGURES))


def styles_with(words: Iterable[str]) -> tuple[str, ...]:
    """Styles whose families have one of these words in their names."""
    return tuple(style.slug for style in STYLES if any(word in style.family for word in words))
