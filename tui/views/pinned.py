"""References beside a picture, each with what the judge answered about the two: without widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from judge.protocol import Answer
from tui.views.captions import MARKS

if TYPE_CHECKING:
    from judge.questions import Aspect

Answered = Mapping[str, Any]  # a row of the verdicts


@dataclass(frozen=True)
class PinnedReference:
    """A reference of a subject or a style, and the judge's answers about it beside some pictures."""

    aspect: Aspect
    number: int  # among those of its aspect, from 1
    total: int  # of its aspect
    path: Path
    digest: str
    answers: tuple[Answered, ...] = ()  # one a picture that was judged beside it

    @property
    def caption(self) -> Text:
        """Which one it is, and what was answered."""
        text = Text(self.aspect, "italic")
        if self.total > 1:
            text.append(f" {self.number}/{self.total}", "not italic")
        if len(self.answers) == 1:
            (answer,) = self.answers
            text.append(" ").append_text(mark(answer))
            if answer["probability"] is not None:
                text.append(f" {answer['probability']:.2f}", "not italic")
        elif self.answers:
            for verdict, (sign, colour) in MARKS.items():
                if count := sum(as_answer(one) is verdict for one in self.answers):
                    text.append(f" {sign}", f"not italic {colour}").append(f"{count}", "not italic")
        return text


def as_answer(answer: Answered) -> Answer:
    """What a row of the verdicts says: yes, no, or None."""
    return None if answer["verdict"] is None else bool(answer["verdict"])


def mark(answer: Answered) -> Text:
    """Yes, no, or that there is no answer, as a coloured mark."""
    return Text(*MARKS[as_answer(answer)])


def pin(
    paths: Mapping[Aspect, Sequence[Path]], digests: Mapping[Aspect, Sequence[str]], answers: Sequence[Answered] = ()
) -> list[PinnedReference]:
    """References by aspect, in the order that ``paths`` has, each with its own answers."""
    return [
        PinnedReference(
            aspect=aspect,
            number=number,
            total=len(paths[aspect]),
            path=path,
            digest=digest,
            answers=tuple(one for one in answers if (one["aspect"], one["reference"]) == (aspect, digest)),
        )
        for aspect in paths
        for number, (path, digest) in enumerate(zip(paths[aspect], digests[aspect], strict=True), 1)
    ]


def in_sight(pinned: Sequence[PinnedReference], slots: int, turn: int) -> list[PinnedReference]:
    """Those that are shown where not all have room: some of the subject and some of the style, others at each turn.

    Args:
        pinned: All of them.
        slots: For how many there is room.
        turn: How often others were asked for.
    """
    if len(pinned) <= slots:
        return list(pinned)
    if slots < 2:
        return [pinned[turn % len(pinned)]] if slots else []
    subjects, styles = ([one for one in pinned if one.aspect == aspect] for aspect in ("subject", "style"))
    for_styles = min(max(slots // 3, 1, slots - len(subjects)), len(styles))
    return _window(subjects, slots - for_styles, turn) + _window(styles, for_styles, turn)


def _window(pinned: Sequence[PinnedReference], slots: int, turn: int) -> list[PinnedReference]:
    """So many of them, in a circle."""
    if len(pinned) <= slots:
        return list(pinned)
    return [pinned[(turn * slots + place) % len(pinned)] for place in range(slots)]
