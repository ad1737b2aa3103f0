"""What ``judge run`` has answered: the rates that are corrected are taken over all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from judge.check.pictures import Seen
from judge.check.said import NOTHING, Said
from judge.digests import digest_or
from judge.prompts import Aspect, Prompts
from judge.targets import Target
from lorarar.store import Store


def answered(targets: Sequence[Target], store: Store, identity: Mapping[str, str], prompts: Prompts) -> list[Seen]:
    """Those of the targets that a critic of this identity has judged in these words, with what it said."""
    rows = store.rows(
        "SELECT v.image, v.reference, v.aspect, v.verdict, v.probability FROM verdicts v "
        "JOIN judges j ON j.id = v.judge WHERE j.identity = ? AND v.prompts = ? AND v.status = 'ok'",
        json.dumps(dict(identity), sort_keys=True),
        prompts.version,
    )
    said = {
        (row["image"], row["reference"], row["aspect"]): Said(bool(row["verdict"]), row["probability"]) for row in rows
    }

    def of(target: Target, aspect: Aspect, references: Sequence[Path]) -> tuple[Said, ...]:
        image = digest_or(target.image, "")
        return tuple(said.get((image, digest_or(path, ""), aspect), NOTHING) for path in references)

    found = [
        Seen(t, of(t, "subject", t.subject_references), of(t, "style", t.style_references)) for t in targets if said
    ]
    return [picture for picture in found if picture.correct is not None]
