"""What a rater's page is told: where the rater is in the study, and addresses of pictures; nothing of a method."""

from __future__ import annotations

from typing import Any

from studies.rater.blind_pictures import png_digest
from studies.rater.session import Introduction, Session, ShownTrial


def picture_address(digest: str) -> str:
    """The address of a picture on its server."""
    return f"/picture/{digest}.png"


def introduction_facts(introduction: Introduction) -> dict[str, Any]:
    """The words and the example as JSON values."""
    example = introduction.example
    return {
        "consent": introduction.consent,
        "instruction": introduction.instruction,
        "answers": list(introduction.answers),
        "labels": list(introduction.labels),
        "example": {
            "subject": picture_address(png_digest(example.subject)),
            "style": picture_address(png_digest(example.style)),
            "options": [picture_address(png_digest(option)) for option in example.options],
            "answer": example.answer,
            "reason": example.reason,
        },
    }


def example_pictures(introduction: Introduction) -> dict[str, bytes]:
    """The PNG bytes of the example by digest."""
    example = introduction.example
    return {png_digest(png): png for png in (example.subject, example.style, *example.options)}


def state_facts(session: Session[str], introduction: dict[str, Any], closed: bool) -> dict[str, Any]:
    """A session as JSON values."""
    trial, following = session.current(), session.following()
    return {
        "code": session.code,
        "consented": session.consented,
        "kind": session.design.kind,
        "introduction": introduction,
        "progress": {"done": session.progress.done, "total": session.progress.total},
        "trial": None if trial is None else _trial_facts(trial),
        "can_undo": session.can_undo,
        "next": [] if following is None else [following.subject, following.style, *following.options],
        "closed": closed,
    }


def _trial_facts(trial: ShownTrial[str]) -> dict[str, Any]:
    """A trial as JSON values; that one is for practice is all they tell of its purpose."""
    return {
        "number": trial.number,
        "practice": trial.purpose == "practice",
        "subject": trial.subject,
        "style": trial.style,
        "options": list(trial.options),
        "before": trial.before,
        "expected": trial.expected,
        "reason": trial.reason,
    }
