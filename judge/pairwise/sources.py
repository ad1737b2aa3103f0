"""Where it comes from which of two pictures is better: asked of a critic, or by how sure it is of each alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PairSource:
    """What is said of figures of pairs, by where they come from."""

    name: str  # in records
    what: str  # of which figures are, in titles and sentences
    who: str  # before the judge's name
    in_both: str  # when a method is better in both aspects together
    how: str  # a cell's outcome is found
    lacks: tuple[str, ...] = ()  # heads of columns that it has nothing for


ASKED = PairSource(
    name="asked",
    what="in pairs",
    who="Asked in pairs",
    in_both="better in one aspect and not worse in the other",
    how=(
        "Each cell was asked about in both orders; where the orders disagree it is a tie. Alike: the same picture, a "
        "tie without asking."
    ),
)
CONFIDENCE = PairSource(
    name="confidence",
    what="in pairs, by confidence",
    who="Compared by how sure it is of each picture alone, not asked about two",
    in_both="surer that the picture is correct",
    how=(
        "Nothing was asked about two pictures: in each cell the better one is that of which the judge is surer, by "
        "however little, from the probabilities of its verdicts (docs/judge.md)."
    ),
    lacks=("orders disagree", "alike"),
)
