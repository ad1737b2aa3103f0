"""Which stored scores figures are of, the report's and the app's alike; plain sqlite3, which loads at once."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from judge.brand import brand
from judge.metrics.table import Metric
from lorarar.pictures.prompts import without_token
from lorarar.store.queries import Pair
from lorarar.util.files import sha256_of

if TYPE_CHECKING:
    from judge.targets import Target

_AS = "\nmeasured as: "
Key = tuple[str, str]  # a picture's digest, and what it was measured against


def score_keys(metric: Metric, targets: Sequence[Target]) -> list[Key | None]:
    """The keys of targets' scores: each picture's digest with its references', its prompt or its cell's names.

    None where a file cannot be read.
    """
    digests: dict[tuple[Path, ...], str | None] = {}

    def references(paths: tuple[Path, ...]) -> str | None:
        if paths not in digests:
            digests[paths] = _digest(paths)
        return digests[paths]

    def key(target: Target) -> Key | None:
        digest, given = target.digest, references(metric.references(target))
        if not digest or given is None:
            return None
        prompt = prompt_key(target.prompt, target.plain_prompt) if metric.against == "prompt" else ""
        return digest, measured_against(metric, (target.subject, target.style), prompt, given)

    return [key(target) for target in targets]


def measured_against(metric: Metric, pair: Pair, prompt: str, references: str) -> str:
    """What a picture is measured against, as its score's key names it.

    Args:
        metric: whose score it is.
        pair: the picture's subject and style.
        prompt: the picture's, by ``prompt_key``.
        references: the digest of the metric's references.
    """
    own = {"prompt": prompt, "truth": " in ".join(pair), "nothing": ""}
    return own.get(metric.against, references)


def prompt_key(prompt: str, plain: str = "") -> str:
    """A picture's prompt as the key of a score has it: with what was measured, where that is not plain from it.

    Args:
        prompt: the picture's.
        plain: the same without rare tokens; empty where none but "sks" is known.
    """
    return prompt if plain in ("", without_token(prompt)) else f"{prompt}{_AS}{plain}"


def is_prompt_key(key: str, prompt: str) -> bool:
    """Whether a score's key is of a picture's prompt."""
    return key.partition(_AS)[0] == prompt


def digest_together(digests: Iterable[str]) -> str:
    """A short digest of files together, from theirs."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]


def backbone_words(name: str, revision: str) -> str:
    """A backbone in words, as reports have it."""
    return f"{name} ({revision})"


@dataclass(frozen=True)
class BackboneScores:
    """The scores of targets by one backbone, or by whatever else a metric is measured by."""

    values: Sequence[float | None]  # one a target, None where it has none
    name: str = ""  # the backbone's; empty where none scored any
    revision: str = ""
    brand: str = ""  # what stands with these scores where the backbone does not know the pictures

    @property
    def by(self) -> str:
        """The backbone in words; empty where there is none."""
        return backbone_words(self.name, self.revision) if self.name else ""

    @property
    def _rank(self) -> tuple[bool, int]:
        """Scores of pictures that the backbone knows come first, then the most."""
        count = sum(value is not None for value in self.values)
        return count > 0 and not self.brand, count


def best_scores(database: sqlite3.Connection, metric: Metric, targets: Sequence[Target]) -> BackboneScores:
    """The scores of targets by a backbone that knows them before others, that scored most of them, and the latest."""
    best, backbones = BackboneScores([None] * len(targets)), _backbones(database, metric)
    keys = score_keys(metric, targets) if backbones else []
    for backbone in backbones:
        stored = _scores(database, metric, backbone)
        values = [stored.get(key) if key else None for key in keys]
        scored = _scored(metric, json.loads(backbone), targets, values)
        if scored._rank > best._rank:
            best = scored
    return best


def _scored(
    metric: Metric, record: Mapping[str, str], targets: Sequence[Target], values: Sequence[float | None]
) -> BackboneScores:
    """Scores with what they were measured by, and its brand."""
    bases = [target.base for target, value in zip(targets, values, strict=True) if value is not None]
    words = brand(record["name"], bases) if metric.backbone is not None else ""
    return BackboneScores(values=values, name=record["name"], revision=record["revision"], brand=words)


def _backbones(database: sqlite3.Connection, metric: Metric) -> list[str]:
    """The records of the backbones that have scores of a metric, the latest first."""
    sql = "SELECT backbone FROM scores WHERE metric = ? GROUP BY backbone ORDER BY max(created) DESC, backbone"
    return [backbone for (backbone,) in database.execute(sql, [metric.name])]


def _scores(database: sqlite3.Connection, metric: Metric, backbone: str) -> dict[Key, float]:
    sql = "SELECT image, against, value FROM scores WHERE metric = ? AND backbone = ?"
    return {(image, against): value for image, against, value in database.execute(sql, [metric.name, backbone])}


def _digest(paths: tuple[Path, ...]) -> str | None:
    """A short digest of files together; None where one cannot be read."""
    try:
        return digest_together([sha256_of(path) for path in paths])
    except OSError:
        return None
