"""A study as rows of the database, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from lorarar import __version__
from lorarar.store import Store
from lorarar.store.queries import Collection
from lorarar.store.seeds import from_column, to_column
from studies.errors import StudyError
from studies.rater.design import Design, Item
from studies.rules import Drawing, StudyRules
from studies.store.study import ItemOrigin, PictureSource, Study

Row = Mapping[str, Any]


def insert_study(database: sqlite3.Connection, study: Study) -> None:
    """Insert a study with its items and their options; inside ``writing()``."""
    row = {
        "name": study.name,
        "digest": study.design.digest,
        "kind": study.kind,
        "scenario": study.scenario,
        "methods": json.dumps(study.methods),
        "seed": to_column(study.seed),
        "repeats": study.design.repeats,
        "wording": json.dumps(vars(study.design.wording)),
        "judge": json.dumps(dict(study.judge), sort_keys=True),
        "version": __version__,
        "created": study.created,
        "collection_kind": study.collection and study.collection.kind,
        "collection_name": study.collection and study.collection.name,
        "rules": json.dumps(study.rules.record()),
        "drawing": json.dumps(study.drawing.record()),
    }
    number = _insert(database, "studies", row)
    for item, origin in zip(study.design.items, study.origins, strict=True):
        _insert_item(database, number, item, origin)


def _insert_item(database: sqlite3.Connection, study: int, item: Item, origin: ItemOrigin) -> None:
    row = {
        "study": study,
        "number": item.number,
        "purpose": item.purpose,
        "subject": origin.subject,
        "style": origin.style,
        "subject_picture": item.subject,
        "style_picture": item.style,
        "reference_digests": json.dumps({aspect: list(digests) for aspect, digests in origin.references.items()}),
        "words": origin.words,
        "expected": origin.expected,
    }
    _insert(database, "study_items", row)
    for place, (source, picture) in enumerate(zip(origin.sources, item.options, strict=True)):
        option = {"study": study, "number": item.number, "place": place}
        _insert(
            database, "study_options", option | {"method": source.method, "image": source.image, "picture": picture}
        )


def _insert(database: sqlite3.Connection, table: str, row: Row) -> int:
    """Insert a row and return its id."""
    names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    return int(database.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", row).lastrowid or 0)


def read_study(store: Store, row: Row) -> Study:
    """Read the study of a row of ``studies``.

    Raises:
        StudyError: its design is not what it was when it was made.
    """
    items = store.rows("SELECT * FROM study_items WHERE study = ? ORDER BY number", row["id"])
    options: dict[int, list[Row]] = {item["number"]: [] for item in items}
    for option in store.rows("SELECT * FROM study_options WHERE study = ? ORDER BY number, place", row["id"]):
        options[option["number"]].append(option)
    design = _design(row, items, options)
    if design.digest != row["digest"]:
        raise StudyError(f"the study {row['name']} in {store.path} was changed after it was drawn")
    return Study(
        id=row["id"],
        name=row["name"],
        scenario=row["scenario"],
        methods=tuple(json.loads(row["methods"])),
        seed=from_column(row["seed"]),
        judge=json.loads(row["judge"]),
        design=design,
        origins=tuple(_origin(item, options[item["number"]]) for item in items),
        created=row["created"],
        collection=Collection(row["collection_kind"], row["collection_name"]) if row["collection_kind"] else None,
        rules=StudyRules(**json.loads(row["rules"])),
        drawing=Drawing(**json.loads(row["drawing"])),
        closed=row["closed"],
    )


def _design(row: Row, items: list[dict[str, Any]], options: Mapping[int, list[Row]]) -> Design:
    listed = [
        [item["purpose"], item["subject_picture"], item["style_picture"]]
        + [option["picture"] for option in options[item["number"]]]
        for item in items
    ]
    wording = json.loads(row["wording"])
    return Design.of_record({"kind": row["kind"], "wording": wording, "repeats": row["repeats"], "items": listed})


def _origin(item: Row, options: list[Row]) -> ItemOrigin:
    return ItemOrigin(
        subject=item["subject"],
        style=item["style"],
        references=json.loads(item["reference_digests"]),
        sources=tuple(PictureSource(option["method"], option["image"]) for option in options),
        words=item["words"],
        expected=item["expected"],
    )
