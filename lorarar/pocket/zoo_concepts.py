"""The zoo's subjects and styles: many more to train on than Pocket ships, of the same art and the same families.

They keep clear of what is measured on. A subject is a design that no subject of Pocket's has and none of its styles'
pictures shows; no style has parameters near held-out ones. Fewer are the first of more, and those that come early are
diverse: each round takes a design of every class that has one left, and a look of every family, one that is least like
those before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import numpy as np

from lorarar.pocket.art import DesignKey, Designs
from lorarar.pocket.canvas import WHITE, Pose
from lorarar.pocket.classes import CLASS_NAMES, NEIGHBOUR_CLASSES
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject
from lorarar.pocket.difference import Pixels, blurred, squared_difference
from lorarar.pocket.styles import STYLE_FUNCTIONS, StyleParams
from lorarar.pocket.training_pictures import distance, plain_picture, random_params
from lorarar.util.errors import PocketError

CANDIDATES = 4  # looks of which the one farthest from those before is taken; of more it would lie in a corner
_SEED = 18  # of the order of classes, and of the looks


def zoo_subjects(designs: Designs, number: int) -> list[Subject]:
    """The first subjects of the zoo.

    Args:
        designs: those of Pocket's classes.
        number: of subjects.

    Raises:
        PocketError: there are not so many.
    """
    free = _free_designs(designs)
    if number > (most := sum(map(len, free.values()))):
        raise PocketError(f"--subjects is {number}; the art has designs for {most}")
    names = np.random.default_rng(_SEED).permutation(CLASS_NAMES)
    rounds = _rounds([free[name] for name in names])
    return [Subject(f"{name} by {artist}", name, artist) for name, artist in islice(rounds, number)]


def zoo_styles(designs: Designs, number: int) -> list[Style]:
    """The first styles of the zoo; what their one picture shows is of a neighbour class, as with Pocket's own.

    Args:
        designs: those of Pocket's classes.
        number: of styles.
    """
    free = _free_designs(designs)
    # from the other end than subjects take them
    pictured = cycle(_rounds([free[row.name][::-1] for row in NEIGHBOUR_CLASSES]))
    looks = {family: _looks(family) for family in STYLE_FUNCTIONS}
    families = zip(range(number), cycle(looks), pictured, strict=False)
    return [
        Style(f"{family} no {place // len(looks) + 1}", family, next(looks[family]), design)
        for place, family, design in families
    ]


def _free_designs(designs: Designs) -> dict[str, list[DesignKey]]:
    """By class, the designs that neither a subject nor a style of Pocket's shows, the most unlike ones first."""
    taken = {subject.design for subject in SUBJECTS} | {style.design for style in STYLES}
    pixels = {key: blurred(plain_picture(design, Pose(), WHITE)) for key, design in designs.items()}
    return {name: _most_unlike_first({k: p for k, p in pixels.items() if k[0] == name}, taken) for name in CLASS_NAMES}


def _most_unlike_first(pixels: dict[DesignKey, Pixels], taken: set[DesignKey]) -> list[DesignKey]:
    """The designs of a class that are not taken; each is the one farthest from all that are taken or come before it."""
    before, order = [key for key in pixels if key in taken], list[DesignKey]()
    rest = [key for key in pixels if key not in taken]
    while rest:
        farthest = max(
            rest, key=lambda key: min((squared_difference(pixels[key], pixels[one]) for one in before), default=0.0)
        )
        rest.remove(farthest)
        before.append(farthest)
        order.append(farthest)
    return order


def _rounds(lists: Sequence[Sequence[DesignKey]]) -> Iterator[DesignKey]:
    """The first of each list, then the second of each that has one, and so on."""
    for turn in range(max(map(len, lists))):
        yield from (one[turn] for one in lists if turn < len(one))


def _looks(family: str) -> Iterator[StyleParams]:
    """Parameters of a family without end, each set the farthest of some random ones from Pocket's and those before."""
    rng = np.random.default_rng((_SEED, list(STYLE_FUNCTIONS).index(family)))
    before = [style.params for style in STYLES if style.family == family]
    while True:
        candidates = [random_params(rng, family) for _ in range(CANDIDATES)]
        farthest = max(candidates, key=lambda one: min(distance(one, other) for other in before))
        before.append(farthest)
        yield farthest
