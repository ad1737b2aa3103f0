"""A tiny database of a grid with small pictures, for tests of the studies: no model, no LoRA's bytes."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from judge.questions import Reply
from judge.verdicts import VerdictKey, VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.queries import Collection
from lorarar.util.files import sha256_of
from studies.creation.create import StudyRequest, new_study
from studies.rater.packet import write_packet
from studies.store import StudyStore

SUBJECTS, STYLES, METHODS, SEEDS = ("can", "cat", "dog", "owl"), ("glowing", "oil", "sticker"), ("alpha", "beta"), 3


PLAN = Collection("plan", "tiny")


def make_database(
    folder: Path, methods=METHODS, subjects=SUBJECTS, styles=STYLES, seeds=SEEDS, side=16, collection=PLAN, day="now"
) -> Path:
    """Cells of methods x subjects x styles x seeds with PNGs whose text names the method; two references each.

    Another call adds another collection, with other pictures by the same LoRAs.
    """
    path = folder / "grid.db"
    loras = folder / "loras"
    for number, name in enumerate((*subjects, *styles)):
        for reference in range(2 if name in subjects else 1):
            colour = (20 * number, 40 * reference, 200)
            write_png(Image.new("RGB", (side, side), colour), loras / name / f"{reference}.png", {"name": name})
    with Store(path) as store, store.writing():
        db = store.db.conn
        values = (collection.kind, collection.name, day)
        place = db.execute("INSERT INTO collections VALUES (NULL, ?, ?, NULL, NULL, ?)", values).lastrowid
        ids = {}
        for name in (*subjects, *styles):
            kind = "content" if name in subjects else "style"
            row = (name, str(loras / f"{name}.safetensors"), name, kind)
            db.execute("INSERT OR IGNORE INTO adapters VALUES (NULL, ?, ?, ?, ?, '[]', 1, 'now')", row)
            (ids[name],) = db.execute("SELECT id FROM adapters WHERE sha256 = ?", [name]).fetchone()
        for m, method in enumerate(methods):
            for c, content in enumerate(subjects):
                for s, style in enumerate(styles):
                    adapter = db.execute(
                        "INSERT INTO adapters VALUES (NULL, ?, '', '', 'merged', '[]', 1, 'now')",
                        [f"{collection.label}-{method}-{content}-{style}"],
                    ).lastrowid
                    merge = db.execute(
                        "INSERT INTO merges VALUES (NULL, ?, ?, ?, ?, '{}', 'pocket', NULL, '0', 0, 'now', 0, "
                        "'column')",
                        [adapter, ids[content], ids[style], method],
                    ).lastrowid
                    for seed in range(seeds):
                        colour = (50 * m, 40 * c + 10 * s, (20 * seed + 7 * (place - 1)) % 256)
                        picture = Image.new("RGB", (side, side), colour)
                        images = folder / "images" / ("" if collection == PLAN else collection.label)
                        file = images / method / f"{content}--{style}" / f"{seed}.png"
                        write_png(picture, file, {"method": method, "prompt": f"a {content} in {style} style"})
                        facts = [str(file), sha256_of(file), f"a {content}", adapter, merge, seed, side, side, day]
                        image = db.execute(
                            "INSERT INTO images VALUES "
                            "(NULL, ?, ?, ?, 'pocket', NULL, ?, ?, ?, 1, 1, ?, ?, 0, '0', ?, NULL, NULL, 0)",
                            facts,
                        ).lastrowid
                        db.execute(
                            "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?)",
                            [place, method, content, style, seed, image, day],
                        )
    return path


def make_packet(folder: Path, **request) -> tuple[Path, Path]:
    """A database with an A/B study called ``first``, and the study's packet."""
    path = make_database(folder)
    with Store(path) as store:
        studies = StudyStore(store)
        study = new_study(store, StudyRequest("first", "ab", ("alpha", "beta"), "random", **request))
        packet = write_packet(study.design, {d: studies.picture(d) for d in study.design.pictures}, folder / "p.zip")
    return path, packet


def add_verdicts(path: Path, accepts, critic="scripted") -> None:
    """MARS2 verdicts on every picture and reference: subject and style are right where ``accepts(row)`` says so.

    ``accepts`` gets method, subject, style, seed and returns one bool, or two for subject and style.
    """
    with Store(path) as store:
        verdicts = VerdictStore(store)
        judge = verdicts.judge_id(critic, {"critic": critic})
        rows = store.rows("""SELECT c.row, c.content, c.style, c.seed, i.sha256, a.path AS one, b.path AS two
            FROM cells c JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge
            JOIN adapters a ON a.id = m.content JOIN adapters b ON b.id = m.style""")
        replies = []
        for row in rows:
            said = accepts(row["row"], row["content"], row["style"], row["seed"])
            both = said if isinstance(said, tuple) else (said, said)
            for aspect, lora, yes in zip(("subject", "style"), (row["one"], row["two"]), both, strict=True):
                for reference in sorted(Path(lora).with_suffix("").glob("*.png")):
                    digest = sha256_of(reference)
                    case = VerdictKey(aspect, "p-1", "words", row["sha256"], digest, (digest, row["sha256"]))
                    key = json.dumps([critic, aspect, row["sha256"], digest])
                    replies.append((key, case, Reply.from_probability(0.9 if yes else 0.1)))
        verdicts.add(judge, replies)
