"""The raw votes of a study as CSV: one line a vote, for statistics elsewhere. It tells methods, so it is no rater's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lorarar.store import Store
from lorarar.util import tables
from lorarar.util.files import replacing
from studies.errors import StudyError
from studies.rater.design import mirrored_answer
from studies.rater.votes import Screen
from studies.store import Study

_ABOUT = ("rater", "raters", "trial", "item", "purpose", "subject", "style")
_METHODS = {"ab": ("method_left", "method_right"), "absolute": ("method",)}
_VOTE = ("answer_by_side", "answer_by_method", "seconds", "day", "standing")
_SCREEN = tuple(field.name for field in fields(Screen))


def write_votes(store: Store, study: Study, path: Path, *, simulated: bool = False, every: bool = False) -> int:
    """Write the votes of a study; the file appears whole or not at all.

    Args:
        store: the database of results.
        study: the study.
        path: where the file goes.
        simulated: whether to write simulated raters' votes instead of people's; each line says which they are.
        every: whether to write superseded votes too.

    Returns:
        The number of votes.

    Raises:
        StudyError: there are none, or they cannot be written.
    """
    rows = vote_rows(store, study, simulated=simulated, every=every)
    if not rows:
        whose = "simulated raters" if simulated else "people; --simulated writes those of simulated raters"
        raise StudyError(f"the study {study.name} has no votes of {whose}")
    head = [*_ABOUT, *_METHODS[study.kind], *_VOTE, *_SCREEN]
    text = tables.as_csv(head, [[row[name] for name in head] for row in rows])
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror or error}") from None
    return len(rows)


def vote_rows(store: Store, study: Study, *, simulated: bool = False, every: bool = False) -> list[dict[str, Any]]:
    """The votes as flat rows, by rater and trial, a changed answer after the one that it supersedes."""
    votes = store.rows(
        """SELECT v.*, r.code, NOT EXISTS (SELECT 1 FROM study_votes later WHERE later.supersedes = v.id) AS standing
        FROM study_votes v JOIN study_raters r ON r.id = v.rater WHERE v.study = ? AND r.simulated = ?
        ORDER BY r.code, v.trial, v.rowid""",
        study.id,
        int(simulated),
    )
    whose = "simulated" if simulated else "people"
    return [_row(study, vote) | {"raters": whose} for vote in votes if every or vote["standing"]]


def _row(study: Study, vote: Mapping[str, Any]) -> dict[str, Any]:
    origin, mirrored = study.origins[vote["item"]], bool(vote["mirrored"])
    by_side = [source.method for source in (reversed(origin.sources) if mirrored else origin.sources)]
    screen = Screen(**json.loads(vote["screen"]))
    named = {name: vote[name] for name in ("trial", "item", "purpose", "seconds", "day")}
    return (
        named
        | {"rater": vote["code"], "subject": origin.subject, "style": origin.style}
        | dict(zip(_METHODS[study.kind], by_side, strict=True))
        | {"answer_by_side": vote["answer"], "answer_by_method": _by_method(study, vote)}
        | {"standing": "yes" if vote["standing"] else "no"}
        | screen.record()
    )


def _by_method(study: Study, vote: Mapping[str, Any]) -> str:
    """The preferred method, the study's word for neither, or what one picture shows; empty where no method is shown."""
    sources = study.origins[vote["item"]].sources
    if study.kind == "absolute" or not all(source.method for source in sources):
        return str(vote["answer"]) if study.kind == "absolute" else ""
    answer = mirrored_answer(vote["answer"], bool(vote["mirrored"]))
    places: dict[str, str] = {"left": sources[0].method, "right": sources[1].method}
    return places.get(answer, study.design.wording.tie.lower())
