"""Verdicts on a synthetic store's pictures, under the digests that the critic's questions have."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from judge.critics import find_critic
from judge.identity import Identity
from judge.questions import ASPECTS, PAPER, Aspect
from judge.reply_store import begun_digest
from lorarar.pictures.folders import find_images
from lorarar.pictures.images import READER
from lorarar.util.files import sha256_of

CREATED = "2026-01-01T00:00:00+00:00"
SIDE = 512  # of pictures as the first judge sees them
VERDICTS = f"""
    INSERT INTO verdicts (key, judge, prompts, aspect, image, reference, prompt, words, status, verdict, probability,
        mass, answer, reason, seconds, created)
    VALUES (?, ?, '{PAPER.version}', ?, ?, ?, ?, ?, 'ok', ?, ?, 0.99, ?, '', 0.1, '{CREATED}')"""
#: What another judge says: the same, but for one question of sixteen the contrary, and for one of 4,096 nothing. Nobody
#: can ask it here, so its digests are no more than different.
ANOTHER = """
    INSERT INTO verdicts (key, judge, prompts, aspect, image, reference, prompt, words, status, verdict, answer, reason,
        seconds, created)
    SELECT substr(key, 1 + :judge) || substr(key, 1, :judge), :judge, prompts, aspect, image, reference, prompt, words,
        iif(key LIKE '000%', 'failed', 'ok'),
        CASE WHEN key LIKE '000%' THEN NULL WHEN key LIKE '%0' THEN 1 - verdict ELSE verdict END,
        answer, iif(key LIKE '000%', 'the server did not answer', ''), seconds, created
    FROM verdicts WHERE judge = :first ORDER BY rowid"""
PICTURES = """
    SELECT c.content, c.style, c.row, i.sha256 FROM images i JOIN cells c ON c.image = i.id ORDER BY i.id"""


@dataclass(frozen=True)
class SyntheticReference:
    """A reference by its digest and what is seen of it, and the question in which it is shown."""

    aspect: Aspect
    sha256: str
    pixels: str
    prompt: str
    words: str  # of the style, where the question has them
    begun: hashlib._Hash  # the question's digest up to the picture

    @classmethod
    def of(cls, file: Path, aspect: Aspect, words: str, identity: Identity) -> SyntheticReference:
        """A reference's file, as a critic of this identity is shown it."""
        rendered, digest = PAPER.render(aspect, words), sha256_of(file)
        prompt = f"{PAPER.system}\n{rendered.text()}"
        begun = begun_digest(identity, prompt).copy()
        begun.update(f', "shown": ["{pixels_of(digest)}", "'.encode())
        return cls(aspect, digest, pixels_of(digest), prompt, rendered.words, begun)

    def digest(self, pixels: str) -> str:
        """The digest of the question about a picture."""
        whole = self.begun.copy()
        whole.update(f'{pixels}"]}}'.encode())
        return whole.hexdigest()


def first_identity() -> Identity:
    """The identity of Pocket's critic, which can be asked here."""
    with find_critic("pocket", device="cpu") as critic:
        return dict(critic.identity)


def pixels_of(sha256: str) -> str:
    """What stands for the digest of what a critic sees of a file; nothing is decoded."""
    return hashlib.sha256(f"pixels of {sha256}".encode()).hexdigest()


def write_verdicts(db: sqlite3.Connection, judges: Sequence[int], identity: Identity, folder: Path) -> None:
    """Write verdicts on each picture beside each of its references, and how pictures are seen.

    Args:
        db: the database.
        judges: their numbers; the first has the ``identity``, and its digests are those of its questions.
        identity: the first judge's.
        folder: with the references, in ``contents`` and ``styles``.
    """

    @cache
    def references(content: str, style: str) -> list[SyntheticReference]:
        words = f"look {int(style.rpartition('-')[2])}"
        sides = zip(ASPECTS, (folder / "contents" / content, folder / "styles" / style), strict=True)
        return [
            SyntheticReference.of(file, aspect, words, identity) for aspect, side in sides for file in find_images(side)
        ]

    def rows() -> Iterator[tuple[Any, ...]]:
        first, pictures = judges[0], db.execute(PICTURES)
        for content, style, row, image in pictures:
            seen, chance = pixels_of(image), 0.6 + 0.02 * int(row.rpartition("-")[2])
            for one in references(content, style):
                key = one.digest(seen)
                probability = min(1.0, max(0.0, 0.5 + 1.5 * (chance - int(key[:8], 16) / 2**32)))
                yes = probability > 0.5
                answer = "Yes" if yes else "No"
                yield key, first, one.aspect, image, one.sha256, one.prompt, one.words, yes, probability, answer

    db.executemany(VERDICTS, rows())
    for judge in judges[1:]:
        db.execute(ANOTHER, {"judge": judge, "first": judges[0]})
    seen = sorted(image for (image,) in db.execute("SELECT sha256 FROM images"))
    seen += [sha256_of(file) for side in ("contents", "styles") for file in (folder / side).glob("*/*.png")]
    db.executemany(
        "INSERT OR IGNORE INTO pixel_digests VALUES (?, ?, ?, ?)",
        ((sha256, SIDE, READER, pixels_of(sha256)) for sha256 in seen),
    )


def forget_verdicts(database: Path, pictures: int) -> None:
    """Let the first judge, which can be asked here, know nothing of the first pictures, whose files have own bytes."""
    images = "SELECT sha256 FROM images ORDER BY id LIMIT ?"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(f"DELETE FROM verdicts WHERE judge = 1 AND image IN ({images})", [pictures])
        db.execute(f"DELETE FROM pixel_digests WHERE sha256 IN ({images})", [pictures])
