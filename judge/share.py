"""The share of pictures that is a shard's, and what the database of all of them says of it already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from judge.schema import SCHEMA
from judge.targets import Target
from lorarar.store import Store
from lorarar.store.union.source import ALL, Excerpt, Source
from lorarar.store.union.union import Union
from lorarar.util.errors import LorarError
from lorarar.util.shard import Shard


class EmptyShareError(LorarError):
    """There is nothing to do for a shard, which is no failure."""

    title = "Shard"
    exit_code = 0


def share_of(targets: Sequence[Target], shard: Shard) -> list[Target]:
    """The targets of a shard, in their order, whatever of them was judged before."""
    names = task_names(targets)
    costs: dict[str, int] = {}
    for name, target in zip(names, targets, strict=True):
        costs[name] = costs.get(name, 0) + cost_of(target)
    mine = shard.share(costs)
    return [target for name, target in zip(names, targets, strict=True) if name in mine]


def cost_of(target: Target) -> int:
    """What a target costs: a question beside each reference, and its own features."""
    return 1 + len(target.subject_references) + len(target.style_references)


def task_names(targets: Sequence[Target]) -> list[str]:
    """The name of each target's task: its subject and style, whose methods may be compared.

    Pairs that have a picture in common are one task, so that no two shards ask about it.
    """
    above: dict[str, str] = {}

    def first_of(name: str) -> str:
        while (upper := above.setdefault(name, name)) != name:
            above[name] = name = above[upper]
        return name

    pairs = [f"{target.subject} in {target.style}" for target in targets]
    for pair, target in zip(pairs, targets, strict=True):
        one, other = sorted([first_of(pair), first_of(f"picture {target.digest}")])
        above[other] = one
    return [first_of(pair) for pair in pairs]


def bring_known(whole: Path, store: Store, targets: Sequence[Target]) -> None:
    """Take into a shard's database what that of all pictures has of some: judges, verdicts and scores.

    So nothing is asked that has an answer, and a critic is known by the identity under which its answers are kept.

    Raises:
        StoreError: ``whole`` cannot be read, or contradicts what the shard has.
    """
    if not whole.exists():  # of pictures in plain folders
        return
    digests = json.dumps(sorted({target.digest for target in targets}))
    of_pictures = {
        of.table: Excerpt(f'"{of.column}" IN (SELECT value FROM json_each(?))', (digests,)) for of in SCHEMA.pictures
    }
    with Source.open(whole, {**of_pictures, "judges": ALL}, still=True) as source, store.writing():
        Union(store).take(source)
