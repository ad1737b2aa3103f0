"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorarar.cli.console import open_existing_store
from lorarar.cli.flags import Flag
from lorarar.util.options import Option

if TYPE_CHECKING:
    from judge.targets import Target
    from lorarar.store import Store

CRITIC = "pocket"  # the critic of a command that names none
PromptsOption = Annotated[str, typer.Option("--prompts", help="paper, code, or a TOML file.")]
ImagesOption = Annotated[
    str, typer.Option("--images", help="Only these of the database: row=lorarar,style=glowing.", metavar="FILTER")
]
GeneratedOption = Annotated[
    Path | None,
    typer.Option("--generated", help="Folder SUBJECT/STYLE/ of pictures, instead of the database's."),
]
ReferencesOption = Annotated[
    Path | None, typer.Option("--references", help="Folder with subjects/SUBJECT/ and styles/STYLE/, with --generated.")
]


def critic_flags() -> list[Flag]:
    """The flags that name a critic and set it: ``--critic``, and the settings of every kind of critics."""
    from judge.critics.table import CRITICS

    kinds = list(CRITICS.values())
    accepted = ", ".join(kind.accepted for kind in kinds)
    flags = [Flag(Option("critic", f"{accepted}.", "text", default=CRITIC))]
    for kind in kinds:
        for option in kind.options:
            owners = " or ".join(other.title for other in kinds if other.takes(option.name))
            flags.append(Flag(option, f"Of {owners}"))
    return flags


def critic_of(given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The critic that flags name, and those of its settings that are given, checked.

    Raises:
        CriticError: there is none, or a setting is not accepted.
    """
    from judge.critics.settings import check_settings, kind_of

    name = given.get("critic", CRITIC)
    settings = {flag.option.name for flag in critic_flags()} - {"critic"}
    return name, check_settings(kind_of(name), {key: value for key, value in given.items() if key in settings})


@contextmanager
def open_to_judge(
    db: Path | None, images: str, generated: Path | None, references: Path | None
) -> Iterator[tuple[Store, list[Target]]]:
    """Open the database to write, with the pictures that are meant.

    It is a new one, if need be, for pictures of one's own folders, once these are found; else one that has pictures.

    Raises:
        FilterError: ``images`` is no filter, or keeps nothing.
        StoreError: the database does not exist, or cannot be opened.
        TargetError: no pictures are there.
    """
    from judge.targets import from_store, plain_collection, plain_targets
    from lorarar.store import Store

    plain = plain_targets(images, generated, references)
    if plain is None:
        with open_existing_store(db, ", or fill one with: lorarar bench run quick") as store:
            yield store, from_store(store, images)
    else:
        with Store(db) as store:
            yield store, plain_collection(store, plain, generated)
