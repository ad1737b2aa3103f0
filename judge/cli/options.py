"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lorarar.cli.console import open_existing_store
from lorarar.cli.flags import Flag
from lorarar.util.options import Option

if TYPE_CHECKING:
    from judge.cli.judges import Judges
    from judge.targets import Target
    from lorarar.store import Store

T = TypeVar("T")
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

StopAfterOption = Annotated[
    int,
    typer.Option(
        "--stop-after", help="Give the critic up after so many like failures in a row; 0: never.", min=0, metavar="N"
    ),
]


def critic_flags() -> list[Flag]:
    """The flags that name a critic and set it: ``--critic``, and the settings of every kind of critics."""
    from judge.critics.local.named import LLAVA_CRITIC
    from judge.critics.table import CRITICS
    from judge.default_judges import CRITIC, variable

    kinds = list(CRITICS.values())
    accepted = ", ".join(kind.accepted for kind in kinds)
    default = f"the own one of the pictures' family, or ${variable(CRITIC)}, or {LLAVA_CRITIC}"
    flags = [Flag(Option(CRITIC, f"{accepted}.", "text", default_words=default))]
    for kind in kinds:
        for option in kind.options:
            owners = " or ".join(other.title for other in kinds if other.takes(option.name))
            flags.append(Flag(option, f"Of {owners}"))
    return flags


def backbone_flags() -> Iterator[Flag]:
    """The flags that name backbones, one a kind."""
    from judge.default_judges import variable
    from judge.metrics.table import backbone_kinds

    for kind in backbone_kinds().values():
        default = f"the own one of the pictures' family, or ${variable(kind.name)}, or {kind.customary}"
        words = f"{kind.title} backbone: a family's name, a folder or a hub id."
        yield Flag(Option(kind.name, words, "text", default_words=default))


def judges_of(given: Mapping[str, Any]) -> Judges:
    """The judges that flags name, with the settings of critics that are given; those of a named critic are checked.

    Raises:
        CriticError: there is no such critic, or it does not accept a setting.
    """
    from judge.cli.judges import Judges
    from judge.critics.settings import check_settings, kind_of
    from judge.metrics.table import backbone_kinds

    critic, *others = (flag.option.name for flag in critic_flags())
    name = given.get(critic)
    settings = {key: value for key, value in given.items() if key in others}
    return Judges(
        critic=name,
        settings=settings if name is None else check_settings(kind_of(name), settings),
        backbones={kind: given[kind] for kind in backbone_kinds() if kind in given},
    )


@contextmanager
def open_to_judge(
    db: Path | None,
    images: str,
    generated: Path | None,
    references: Path | None,
    prepare: Callable[[Sequence[Target]], T],
) -> Iterator[tuple[Store, list[Target], T]]:
    """Open the database to write, with the pictures that are meant and what is prepared for them.

    It is a new one, if need be, for pictures of one's own folders, once these are found and ``prepare`` has not refused
    them; else one that has pictures.

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
            targets = from_store(store, images)
            yield store, targets, prepare(targets)
    else:
        prepared = prepare(plain)
        with Store(db) as store:
            yield store, plain_collection(store, plain, generated), prepared
