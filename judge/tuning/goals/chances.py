"""How likely a picture is correct by MARS2, as the judge's probabilities have it.

Of few pictures, whether each is correct tells little: two settings of two pictures each often are level. How sure the
judge is tells more, and what is searched by it is what MARS2 counts: the chance that strictly more than half of the
references say yes, of the subject and of the style.
"""

from __future__ import annotations

from collections.abc import Sequence

from judge.pictures import JudgedPicture
from judge.questions import ASPECTS
from judge.verdicts import Verdict


def chance_of_correct(picture: JudgedPicture) -> float | None:
    """The chance that a picture is correct; None where a question has no answer."""
    chance = 1.0
    for aspect in ASPECTS:
        of_aspect = chance_of_majority(picture.verdicts(aspect))
        if of_aspect is None:
            return None
        chance *= of_aspect
    return chance


def chance_of_majority(verdicts: Sequence[Verdict]) -> float | None:
    """The chance that strictly more than half of these say yes, each by its own probability and apart from the others.

    A critic that gives no probabilities is taken to be sure. None without verdicts, or where one has no answer.
    """
    chances = [1.0]  # of so many that say yes, from none on
    for verdict in verdicts:
        if verdict.answer is None:
            return None
        yes = float(verdict.answer) if verdict.probability is None else verdict.probability
        longer = [*chances, 0.0]
        chances = [(1 - yes) * stay + yes * step for stay, step in zip(longer, [0.0, *chances], strict=True)]
    return sum(chances[len(verdicts) // 2 + 1 :]) if verdicts else None
