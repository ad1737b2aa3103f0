"""From verdicts in the database back to pictures: what each reference answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from judge.protocol import Answer
from judge.results import Judged
from judge.targets import Target
from judge.verdicts import Judge
from lorarar.files import sha256_of
from lorarar.store import Store


def judged(targets: Sequence[Target], store: Store, judge: Judge) -> list[Judged]:
    """The targets with the answers of one judge; a reference that was not asked has none."""
    rows = store.rows(
        "SELECT image, reference, aspect, verdict FROM verdicts WHERE judge = ? AND prompts = ? AND status = 'ok'",
        judge.id,
        judge.prompts,
    )
    known = {(row["image"], row["reference"], row["aspect"]): bool(row["verdict"]) for row in rows}
    digests: dict[Path, str] = {}

    def answers(target: Target, aspect: str, references: Sequence[Path]) -> tuple[Answer, ...]:
        image = _digest(target.image, digests)
        return tuple(known.get((image, _digest(path, digests), aspect)) for path in references)

    return [
        Judged(
            target,
            answers(target, "subject", target.subject_references),
            answers(target, "style", target.style_references),
        )
        for target in targets
    ]


def _digest(path: Path, known: dict[Path, str]) -> str:
    if path not in known:
        known[path] = sha256_of(path) if path.is_file() else ""
    return known[path]
