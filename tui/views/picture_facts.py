"""All that is known of a picture, in words: each answer with its reference, scores, what made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from judge.questions import ASPECTS
from lorarar.store.makings import chosen_settings
from lorarar.store.queries import PictureRow
from lorarar.util.formatting import number
from tui.text import line
from tui.views.pinned import PinnedReference, mark

MADE_BY = ("prompt", "base", "base_revision", "steps", "guidance", "width", "height", "version", "created")
IMPORTED = ("prompt", "width", "height", "version", "created")  # what is known of a picture of another program


@dataclass(frozen=True)
class PictureFacts:
    """What is known of a picture beside what the judge answered."""

    picture: PictureRow
    path: str
    provenance: Mapping[str, Any]  # its row of the database
    scores: Mapping[str, float]  # by metric
    error: str = ""  # why the rest is not known


def facts(about: PictureFacts, pinned: Sequence[PinnedReference]) -> Text:
    """All that is known of a picture, each answer with the reference that it is about."""
    from judge.metrics.table import METRICS

    picture, provenance = about.picture, about.provenance
    text = Text()
    text.append(f"{line(picture.row)}\n", "bold")
    text.append(f"{line(picture.content)} in {line(picture.style)}\nseed {picture.seed}\n")
    if about.error:
        text.append(f"{about.error}\n", "red")
    for aspect in ASPECTS:
        text.append_text(_answers(aspect, [one for one in pinned if one.aspect == aspect]))
    if about.scores:
        text.append("\nscores\n", "bold")
    for metric in (METRICS[name] for name in METRICS if name in about.scores):
        text.append(f"  {line(metric.title)} {number(about.scores[metric.name], metric.places)}\n")
        if metric.caution:
            text.append(f"  {metric.caution}\n", "dim")
    text.append("\nmade by\n", "bold")
    for name in MADE_BY if provenance.get("base") else IMPORTED:
        if provenance.get(name) not in (None, ""):
            text.append(f"  {name.replace('_', ' ')} ", "dim").append(f"{line(provenance[name], 200)}\n")
    for name, value in chosen_settings(provenance.get("makings")).items():
        text.append(f"  {name} ", "dim").append(f"{line(value, 200)}\n")
    text.append("  file ", "dim").append(f"{about.path}\n")
    return text.append("  sha256 ", "dim").append(line(picture.sha256[:16]))


def _answers(aspect: str, pinned: Sequence[PinnedReference]) -> Text:
    """A judge's answers about an aspect, a line a reference with its number and file; nothing where there are none."""
    text = Text()
    answered = [one for one in pinned if one.answers]
    if answered:
        references = "1 reference says" if len(answered) == 1 else f"{len(answered)} references say"
        yes = sum(one.answers[0]["verdict"] == 1 for one in answered)
        text.append(f"\n{aspect}: {yes} of {references} yes\n", "bold")
    for one in answered:
        answer = one.answers[0]
        words = answer["answer"] if answer["verdict"] is not None else answer["reason"] or answer["status"]
        probability = "" if answer["probability"] is None else f" {answer['probability']:.2f}"
        text.append(f"  {one.number} ").append_text(mark(answer)).append(f" {line(words, 60)}{probability}")
        text.append(f"  {line(one.path.name, 30)}\n", "dim")
    return text
