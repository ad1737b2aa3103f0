"""The worked example (the paper's Figure A4) and the item for practice: pictures that are shipped.

They are true pictures of Pocket's (``lorarar pocket truth``), so that they serve any study and favour no method.
Example: the black cat in watercolour; option 1 is another cat in the right style, option 2 is right.
Practice: the duck in crayon; option 1 is right, option 2 has another style.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studies.rater.design import VoteAnswer
from studies.rater.wording import StudyKind

FOLDER = Path(__file__).parent / "example"


@dataclass(frozen=True)
class Example:
    """References and pictures with the right answer and the reason for it."""

    subject: bytes  # PNG
    style: bytes
    options: tuple[bytes, ...]
    answer: VoteAnswer
    reason: str


_REASONS: dict[tuple[str, StudyKind], tuple[VoteAnswer, str]] = {
    ("example", "ab"): ("right", "Both follow the style, but only option 2 shows the cat of the subject image."),
    ("example", "absolute"): ("style", "It is painted like the style image, but shows another cat."),
    ("practice", "ab"): ("left", "Both show the duck, but only one of them is drawn in crayon."),
    ("practice", "absolute"): ("both", "It shows the duck, drawn in crayon as the style image is."),
}


def example(kind: StudyKind) -> Example:
    """The worked example for a kind of study; an absolute one shows option 1 alone."""
    return _read("example", kind)


def practice(kind: StudyKind) -> Example:
    """The item for practice; its answer is by place, that is before sides are swapped."""
    return _read("practice", kind)


def _read(name: str, kind: StudyKind) -> Example:
    subject, style, one, two = ((FOLDER / f"{name}-{part}.png").read_bytes() for part in ("subject", "style", "1", "2"))
    answer, reason = _REASONS[name, kind]
    return Example(
        subject=subject,
        style=style,
        options=(one, two) if kind == "ab" else (one,),
        answer=answer,
        reason=reason,
    )
