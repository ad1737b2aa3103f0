"""The page of the docs on the database, made of the schemas: ``python -m lorarar.store.page > docs/database.md``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from lorarar.store.schema import Schema, TableWords
from lorarar.store.schemas import SCHEMAS, migrate_all

_HEAD = """\
# The database

<!-- Made by: python -m lorarar.store.page > docs/database.md -->

All results are in one SQLite file: `lorarar.db` in the working folder unless `--db FILE` or `$LORARAR_DB` names
another. Any SQLite tool reads it; write to it by lorarar's commands alone. `PRAGMA application_id` is `LRAR`, and
`PRAGMA user_version` counts the steps of the engine's schema that were applied.

- **Reading changes nothing.** A command that only reads makes no file, takes no lock that a writer waits for, and opens
  a database that cannot be written. One of an older version is read through a migrated copy, in memory or, where it is
  large, in a temporary file.
- **Writing brings it up to date.** The first command that writes applies the steps that are missing, all or none.
- **Another program's database is refused** by every command, before anything of it changes.
- **Pictures are known by their bytes.** Verdicts, scores and studies name a picture by the SHA-256 of its file, so they
  hold wherever the file lies and whatever collection shows it.

`lorarar db` says what is in it, `lorarar db forget` takes a part out, `lorarar db check` says whether it is sound:
[commands](commands.md#lorarar-db-list).
"""

QUERIES = (
    (
        "How many pictures every row of every collection has",
        """\
SELECT g.kind, g.name, c.row, count(*) AS pictures
FROM cells c JOIN collections g ON g.id = c.collection
GROUP BY g.id, c.row ORDER BY g.kind, g.name, c.row;""",
    ),
    (
        "How often a judge said yes, by row and aspect",
        """\
SELECT g.name, c.row, v.aspect, j.critic, avg(v.verdict) AS yes, count(*) AS verdicts
FROM cells c JOIN collections g ON g.id = c.collection JOIN images i ON i.id = c.image
JOIN verdicts v ON v.image = i.sha256 AND v.status = 'ok' JOIN judges j ON j.id = v.judge
GROUP BY g.id, c.row, v.aspect, j.id ORDER BY g.name, c.row, v.aspect;""",
    ),
    (
        "How long merging took, by method",
        """\
SELECT method, count(*) AS merges, avg(seconds) AS seconds, max(discarded) AS discarded
FROM merges GROUP BY method ORDER BY seconds;""",
    ),
    (
        "Why questions have no verdict",
        """\
SELECT j.critic, v.status, v.reason, count(*) AS questions
FROM verdicts v JOIN judges j ON j.id = v.judge WHERE v.status <> 'ok'
GROUP BY j.id, v.status, v.reason ORDER BY questions DESC;""",
    ),
    (
        "How people answered in studies that compare two pictures, by method",
        """\
SELECT s.name, o.method, sum(v.answer <> 'similar' AND (v.answer = 'left') = ((o.place = 0) <> v.mirrored)) AS wins,
    sum(v.answer = 'similar') AS ties, count(*) AS votes
FROM study_current_votes v JOIN studies s ON s.id = v.study AND s.kind = 'ab'
JOIN study_options o ON o.study = v.study AND o.number = v.item
WHERE v.purpose = 'plain' AND NOT v.simulated GROUP BY s.id, o.method ORDER BY s.name, wins DESC;""",
    ),
)


def page() -> str:
    """The page, in Markdown."""
    with closing(sqlite3.connect(":memory:")) as database:
        migrate_all(database)
        return "\n".join(
            [_HEAD, *_queries(), *(line for schema in SCHEMAS.values() for line in _schema(database, schema))]
        )


def _queries() -> Iterator[str]:
    yield "## Five questions\n"
    for title, sql in QUERIES:
        yield f"{title}:\n\n```sql\n{sql}\n```\n"


def _schema(database: sqlite3.Connection, schema: Schema) -> Iterator[str]:
    yield f"## Tables: {schema.name}\n"
    for name, table in schema.tables.items():
        yield f"### {name}\n\n{table.words}.\n\n| column | type | what |\n|---|---|---|"
        yield from _columns(database, name, table)
        yield ""


def _columns(database: sqlite3.Connection, name: str, table: TableWords) -> Iterator[str]:
    parents = {row[3]: row[2] for row in database.execute(f"PRAGMA foreign_key_list({name})")}
    for _, column, kind, required, _, key in database.execute(f"PRAGMA table_info({name})"):
        type_words = " ".join(
            filter(None, [kind.lower(), "" if required or key else "or nothing", "key" if key else ""])
        )
        refers = f"; a row of `{parents[column]}`" if column in parents else ""
        yield f"| `{column}` | {type_words} | {table.columns.get(column, '')}{refers} |"


if __name__ == "__main__":
    print(page(), end="")
