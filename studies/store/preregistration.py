"""What was registered of a study before voting, as a row of the database, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lorarar.store import Store
from lorarar.util.digest import digest_of_facts
from studies.errors import StudyError
from studies.store.study import Study


@dataclass(frozen=True)
class Preregistration:
    """What was registered of a study: what it shows, what is expected, and how it will be evaluated."""

    study: str  # its name
    study_digest: str
    kind: str
    scenario: str
    methods: tuple[str, ...]
    collection: str  # in words; empty where it is not known
    seed: int
    items: int
    pairs: int
    checks: int
    repeats: int
    drawing: Mapping[str, Any]
    rules: Mapping[str, Any]
    hypotheses: tuple[str, ...]
    raters: int  # planned
    power: Mapping[
        str, Any
    ]  # with so many raters; ``share`` of an A/B study, ``r`` and ``interval`` of an absolute one
    version: str  # of lorarar
    day: str
    votes: int  # of people, that were there already

    def record(self) -> dict[str, Any]:
        """The registration as JSON values; its digest is over these."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def digest(self) -> str:
        """The SHA-256 of ``record()``, by which a page and a row of the database are known to be the same."""
        return digest_of_facts(self.record())


def preregistration_of(store: Store, study: Study) -> Preregistration | None:
    """What was registered of a study; None where nothing was.

    Raises:
        StudyError: the row was changed after it was written.
    """
    rows = store.rows("SELECT digest, record FROM study_preregistrations WHERE study = ?", study.id)
    if not rows:
        return None
    record: dict[str, Any] = json.loads(rows[0]["record"])
    lists = {name: tuple(value) for name, value in record.items() if isinstance(value, list)}
    registered = Preregistration(**{**record, **lists})
    if registered.digest != rows[0]["digest"]:
        raise StudyError(f"what was registered of the study {study.name} in {store.path} was changed afterwards")
    return registered


def add_preregistration(store: Store, study: Study, registered: Preregistration) -> None:
    """Store what is registered of a study, once and for all."""
    with store.writing():
        store.db.conn.execute(
            "INSERT INTO study_preregistrations (study, digest, record) VALUES (?, ?, ?)",
            [study.id, registered.digest, json.dumps(registered.record())],
        )
