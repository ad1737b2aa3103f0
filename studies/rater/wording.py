"""What raters read: the paper's instruction (its A1.2), the name of a tie, the consent.

Words are part of a study's digest: votes given under other words belong to another study.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studies.errors import StudyError

StudyKind = Literal["ab", "absolute"]
LONGEST = 4000  # characters of a text that raters read

CONSENT = (
    "Taking part is voluntary, and you can stop at any moment. What is kept: your answers, how long each took, how "
    "the pictures were shown, and the day, under a random code; no name, no address. Whoever holds the study can "
    "delete all of it when you tell them your code."
)
INSTRUCTIONS: dict[StudyKind, str] = {
    "ab": (
        "Your task is to evaluate which of two generated images better represents the given subject and style \u2013 "
        "or if they are similarly good. You are provided with an image showing the subject (e.g. black cat) and "
        "an image showing the image style (e.g. van Gogh style painting), and two generated images such as in the "
        "example below. In this example you would select option 2 as better because it shows a cat that looks like "
        "the one in the subject image, and both images follow the style."
    ),
    "absolute": (
        "Your task is to evaluate whether a generated image represents the given subject and whether it represents "
        "the given style. You are provided with an image showing the subject (e.g. black cat), an image showing the "
        "image style (e.g. van Gogh style painting), and one generated image such as in the example below. In this "
        "example you would answer no for the subject, because it shows another cat than the subject image, and yes "
        "for the style, because it is painted like the style image."
    ),
}


@dataclass(frozen=True)
class StudyWording:
    """The words that raters of a study read; part of its digest.

    Raises:
        StudyError: a text is empty, too long, or holds control codes.
    """

    instruction: str
    consent: str = CONSENT
    tie: str = "Comparable"  # the paper's Section 4; its A1.2 says "Similar"

    def __post_init__(self) -> None:
        for name, text in vars(self).items():
            longest = 40 if name == "tie" else LONGEST
            if not text.strip() or len(text) > longest:
                raise StudyError(f"the {name} needs 1 to {longest} characters, not {len(text)}")
            if any(not (c.isprintable() or (c == "\n" and name != "tie")) for c in text):
                raise StudyError(f"the {name} holds control codes; accepted is plain text")

    @classmethod
    def of(
        cls, kind: StudyKind, tie: str = "Comparable", instruction: str | None = None, consent: str | None = None
    ) -> StudyWording:
        """The paper's words for A/B studies and words of the same form for absolute ones, unless others are given."""
        return cls(instruction or INSTRUCTIONS[kind], consent or CONSENT, tie)
