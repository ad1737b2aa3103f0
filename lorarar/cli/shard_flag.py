"""``--shard``, for every command whose work can be shared by machines that share no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.util.messages import message
from lorarar.util.shard import Shard

ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        help="Do this share alone, 2/8 say, into a database of its own, DB.2-of-8; lorarar gather unites them.",
        metavar="I/N",
        show_default="all",
    ),
]


def parse_shard(given: str | None) -> Shard | None:
    """The shard that is asked for; None where all is.

    Raises:
        ShardError: there is none of that name.
    """
    return None if given is None else Shard.parse(given)


def tell_gathering(shard: Shard | None, whole: Path) -> None:
    """Say where a shard's results are, and how they come together."""
    if shard is not None:
        every = f"{whole}.*-of-{shard.count}"
        message(f"results are in {shard.database(whole)}; when all shards are done: lorarar gather {every} -o {whole}")
