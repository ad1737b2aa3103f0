"""Studies in an open database of results: what raters see, and, apart from it, which method made which picture."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lorarar import __version__
from lorarar.store import Store
from studies.errors import StudyError
from studies.migrations import MIGRATIONS
from studies.rater.design import Answer, Design
from studies.rater.names import SIMULATED, new_code
from studies.rater.trials import Trial, is_mirrored
from studies.rater.votes import Screen, Vote, check_supersedes
from studies.rater.wording import Kind

Scenario = Literal["random", "best"]
#: Those of a rater that no other supersedes.
NEWEST = """
    DELETE FROM study_votes WHERE rater = :rater AND id NOT IN
        (SELECT supersedes FROM study_votes WHERE rater = :rater AND supersedes IS NOT NULL)"""


@dataclass(frozen=True)
class Source:
    """Where the picture at one place of an item comes from."""

    method: str  # empty for practice and attention checks
    image: str  # sha256 of the file, by which verdicts and scores are found


@dataclass(frozen=True)
class Origin:
    """What is kept of an item and never shown."""

    subject: str  # names; empty for practice
    style: str
    references: Mapping[str, Sequence[str]]  # digests of all references by aspect, as the judge names them
    sources: tuple[Source, ...]  # in the order of the item's pictures
    expected: Answer | None = None  # of practice and attention checks, by place


@dataclass(frozen=True)
class Study:
    """A study as its researcher knows it."""

    id: int
    name: str
    scenario: Scenario
    methods: tuple[str, ...]
    seed: int
    judge: Mapping[str, Any]  # whose acceptance `best` draws from; empty for `random`
    design: Design
    origins: tuple[Origin, ...]  # one an item
    created: str

    @property
    def kind(self) -> Kind:
        """Two pictures at a time, or one."""
        return self.design.kind


@dataclass(frozen=True)
class Rater:
    """A rater and how far they are."""

    code: str
    simulated: bool
    consented: str  # day
    votes: int  # that stand, practice included


class StudyStore:
    """The studies of an open store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.extend("studies", MIGRATIONS)

    def names(self) -> list[str]:
        """Of all studies, the latest last."""
        return [row["name"] for row in self.store.rows("SELECT name FROM studies ORDER BY id")]

    def add(self, study: Study, pictures: Mapping[str, bytes]) -> Study:
        """Keep a new study with its pictures, all or nothing, and return it with its id.

        Raises:
            StudyError: its name is taken, or the same study is there under another name.
        """
        db = self.store.db
        with self.store.writing():
            for column, value in (("name", study.name), ("digest", study.design.digest)):
                found = db.execute(f"SELECT name FROM studies WHERE {column} = ?", [value]).fetchone()
                if found and column == "name":
                    raise StudyError(f"there is a study {study.name} already; choose another name")
                if found:
                    raise StudyError(f"this is the study {found[0]} again; another --seed draws other pictures")
            db.conn.executemany("INSERT OR IGNORE INTO study_pictures VALUES (?, ?)", sorted(pictures.items()))
            row = {
                "name": study.name,
                "digest": study.design.digest,
                "kind": study.kind,
                "scenario": study.scenario,
                "methods": json.dumps(study.methods),
                "seed": study.seed,
                "repeats": study.design.repeats,
                "wording": json.dumps(vars(study.design.wording)),
                "judge": json.dumps(dict(study.judge), sort_keys=True),
                "version": __version__,
                "created": study.created,
            }
            names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
            number = db.conn.execute(f"INSERT INTO studies ({names}) VALUES ({places})", row).lastrowid
            for item, origin in zip(study.design.items, study.origins, strict=True):
                references = json.dumps({aspect: list(digests) for aspect, digests in origin.references.items()})
                place = (number, item.number, item.purpose, origin.subject, origin.style, item.subject, item.style)
                values = (*place, references, origin.expected)
                db.conn.execute("INSERT INTO study_items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
                for at, (source, digest) in enumerate(zip(origin.sources, item.options, strict=True)):
                    option = (number, item.number, at, source.method, source.image, digest)
                    db.conn.execute("INSERT INTO study_options VALUES (?, ?, ?, ?, ?, ?)", option)
        return self.get(study.name)

    def get(self, name: str) -> Study:
        """A study by name.

        Raises:
            StudyError: there is none; the message lists those there are.
        """
        rows = self.store.rows("SELECT * FROM studies WHERE name = ?", name)
        if not rows:
            there = ", ".join(self.names()) or "none; make one with: lorarar study new"
            raise StudyError(f"{self.store.path} has no study {name[:80]!r}; it has: {there}")
        return self._study(rows[0])

    def of_digest(self, digest: str) -> Study | None:
        """The study that votes of this digest belong to."""
        rows = self.store.rows("SELECT * FROM studies WHERE digest = ?", digest)
        return self._study(rows[0]) if rows else None

    def picture(self, digest: str) -> bytes:
        """A picture as it is shown.

        Raises:
            StudyError: it is not there.
        """
        rows = self.store.rows("SELECT png FROM study_pictures WHERE digest = ?", digest)
        if not rows:
            raise StudyError(f"{self.store.path} lacks the picture {digest[:12]} of a study")
        return bytes(rows[0]["png"])

    def raters(self, study: Study) -> list[Rater]:
        """All raters, people first."""
        rows = self.store.rows(
            """SELECT r.code, r.simulated, r.consented, count(v.id) AS votes FROM study_raters r
            LEFT JOIN study_current_votes v ON v.rater = r.id WHERE r.study = ?
            GROUP BY r.id ORDER BY r.simulated, r.code""",
            study.id,
        )
        return [Rater(row["code"], bool(row["simulated"]), row["consented"], row["votes"]) for row in rows]

    def new_rater(self, study: Study, promised: Collection[str] = ()) -> str:
        """A code nobody has, of the half of raters that fewer belong to so far: sides are balanced over raters too.

        ``promised`` are codes of people who have not begun yet.
        """
        people = {rater.code for rater in self.raters(study) if not rater.simulated} | set(promised)
        halves = Counter(is_mirrored(study.design, code) for code in people)
        wanted = halves[True] < halves[False]
        while True:
            code = new_code()
            if code not in people and (is_mirrored(study.design, code) == wanted or halves[True] == halves[False]):
                return code

    def delete_rater(self, study: Study, code: str) -> int:
        """Delete a rater and all their votes; how many those were. A person's cannot be imported again.

        Raises:
            StudyError: nobody has that code.
        """
        code = code.strip().upper()
        self.store.db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only forgotten
        with self.store.writing():
            found = self.rater(study, code)
            if found is None:
                raise StudyError(f"the study {study.name} has no rater {code[:40]!r}")
            db = self.store.db.conn
            (votes,) = db.execute("SELECT count(*) FROM study_votes WHERE rater = ?", [found]).fetchone()
            while db.execute(NEWEST, {"rater": found}).rowcount > 0:
                pass  # along a long chain of changed answers SQLite's own cascade would go too deep
            db.execute("DELETE FROM study_raters WHERE id = ?", [found])
            if not code.startswith(SIMULATED):
                db.execute("INSERT OR IGNORE INTO study_withdrawn VALUES (?, ?)", [study.id, code_digest(study, code)])
        self.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return int(votes)

    def withdrawn(self, study: Study, code: str) -> bool:
        """Whether a rater of that code was deleted."""
        rows = self.store.rows(
            "SELECT 1 FROM study_withdrawn WHERE study = ? AND code_digest = ?", study.id, code_digest(study, code)
        )
        return bool(rows)

    def enrol(self, study: Study, code: str, day: str, simulated: bool = False) -> int:
        """The id of a rater who has agreed, new or known; inside ``writing()``.

        Raises:
            StudyError: a rater of that code was deleted.
        """
        found = self.rater(study, code)
        if found is not None:
            return found
        if self.withdrawn(study, code):
            raise StudyError(f"the rater {code} was deleted from the study {study.name}; take part under a new code")
        row = [study.id, code, int(simulated), day]
        cursor = self.store.db.conn.execute(
            "INSERT INTO study_raters (study, code, simulated, consented) VALUES (?, ?, ?, ?)", row
        )
        return int(cursor.lastrowid or 0)

    def insert(self, study: Study, rater: int, vote: Vote, trial: Trial) -> None:
        """Keep a vote; inside ``writing()``."""
        row = (
            vote.id,
            rater,
            study.id,
            trial.item.number,
            trial.number,
            trial.purpose,
            int(trial.mirrored),
            vote.answer,
            vote.seconds,
            json.dumps(vote.screen.record(), sort_keys=True),
            vote.supersedes,
            vote.day,
        )
        self.store.db.conn.execute(f"INSERT INTO study_votes VALUES ({', '.join('?' * len(row))})", row)

    def votes(self, study: Study, code: str) -> list[Vote]:
        """All votes of a rater, superseded ones too, as they were given."""
        rows = self.store.rows(
            """SELECT v.id, v.trial, v.answer, v.seconds, v.screen, v.supersedes, v.day
            FROM study_votes v JOIN study_raters r ON r.id = v.rater
            WHERE r.study = ? AND r.code = ? ORDER BY v.rowid""",
            study.id,
            code,
        )
        return [Vote(**{**row, "screen": Screen(**json.loads(row["screen"]))}) for row in rows]

    def rater(self, study: Study, code: str) -> int | None:
        """The id of a rater who takes part."""
        found = self.store.db.conn.execute(
            "SELECT id FROM study_raters WHERE study = ? AND code = ?", [study.id, code]
        ).fetchone()
        return int(found[0]) if found else None

    def _study(self, row: Mapping[str, Any]) -> Study:
        items = self.store.rows("SELECT * FROM study_items WHERE study = ? ORDER BY number", row["id"])
        options: dict[int, list[dict[str, Any]]] = {}
        for option in self.store.rows("SELECT * FROM study_options WHERE study = ? ORDER BY number, place", row["id"]):
            options.setdefault(option["number"], []).append(option)
        listed = [
            [item["purpose"], item["subject_picture"], item["style_picture"]]
            + [option["picture"] for option in options[item["number"]]]
            for item in items
        ]
        record = {
            "kind": row["kind"],
            "wording": json.loads(row["wording"]),
            "repeats": row["repeats"],
            "items": listed,
        }
        design = Design.of_record(record)
        if design.digest != row["digest"]:
            raise StudyError(f"the study {row['name']} in {self.store.path} was changed after it was drawn")
        return Study(
            row["id"],
            row["name"],
            row["scenario"],
            tuple(json.loads(row["methods"])),
            row["seed"],
            json.loads(row["judge"]),
            design,
            tuple(
                Origin(
                    item["subject"],
                    item["style"],
                    json.loads(item["reference_digests"]),
                    tuple(Source(option["method"], option["image"]) for option in options[item["number"]]),
                    item["expected"],
                )
                for item in items
            ),
            row["created"],
        )


class StoredVoteLog:
    """One person's votes in the database."""

    def __init__(self, studies: StudyStore, study: Study, code: str) -> None:
        self.studies, self.study, self.code = studies, study, code

    def consented(self) -> bool:
        """Whether the rater has agreed to take part."""
        return self.studies.rater(self.study, self.code) is not None

    def consent(self, day: str) -> None:
        """Keep that the rater has agreed."""
        with self.studies.store.writing():
            self.studies.enrol(self.study, self.code, day)

    def votes(self) -> list[Vote]:
        """All votes of the rater, superseded ones too."""
        return self.studies.votes(self.study, self.code)

    def add(self, vote: Vote, trial: Trial) -> None:
        """Keep a vote; committed when it returns.

        Raises:
            StudyError: the trial has another vote than the one this supersedes.
        """
        with self.studies.store.writing():
            rater = self.studies.rater(self.study, self.code)
            if rater is None:
                raise StudyError(f"the rater {self.code} takes no part in the study {self.study.name} any more")
            check_supersedes(self.studies.votes(self.study, self.code), vote)
            self.studies.insert(self.study, rater, vote, trial)


def code_digest(study: Study, code: str) -> str:
    """By which a deleted rater is still known, without keeping the code."""
    return hashlib.sha256(f"{study.design.digest}/{code}".encode()).hexdigest()
