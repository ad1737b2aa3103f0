"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.flags import Flag
from lorarar.util.options import Option

PromptsOption = Annotated[
    str | None,
    typer.Option(
        "--prompts",
        help="paper, code, or a TOML file.",
        show_default="the critic's own, else paper",
    ),
]
ImagesOption = Annotated[
    str, typer.Option("--images", help="Only these of the database: row=lorarar,style=glowing.", metavar="FILTER")
]
GeneratedOption = Annotated[
    Path | None,
    typer.Option(
        "--generated", help="Folder SUBJECT/STYLE/ or METHOD/SUBJECT/STYLE/, instead of the database's pictures."
    ),
]
ReferencesOption = Annotated[
    Path | None, typer.Option("--references", help="Folder with subjects/SUBJECT/ and styles/STYLE/, with --generated.")
]

#: What several critics are to ``--critic``.
JURY = "Given several times: a jury, each of whom judges all; A,B in one are replicas of one served critic."
_PRESET = "Whose prompts and reading of answers the critic has: a name of judge critics."
StopAfterOption = Annotated[
    int,
    typer.Option(
        "--stop-after", help="Give the critic up after so many like failures in a row; 0: never.", min=0, metavar="N"
    ),
]


def critic_flags() -> list[Flag]:
    """The flags that name a critic and set it: ``--critic``, ``--preset`` and the settings of every kind of critics."""
    from judge.critics.local.named import LLAVA_CRITIC
    from judge.critics.table import CRITICS
    from judge.default_judges import CRITIC, PRESET, variable

    kinds = list(CRITICS.values())
    accepted = ", ".join(kind.accepted for kind in kinds)
    default = f"the own one of the pictures' family, or ${variable(CRITIC)}, or {LLAVA_CRITIC}"
    flags = [Flag(Option(CRITIC, f"{accepted}. {JURY}", "text", default_words=default), several=True)]
    flags.append(Flag(Option(PRESET, _PRESET, "text", default_words="that of the critic's name", words="NAME")))
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
        default = f"the own one of the pictures' family, or ${variable(kind.name)}"
        default += f", or {kind.customary}" if kind.customary else "; else it has to be named"
        words = f"{kind.title} backbone: a family's name, {kind.accepted}."
        yield Flag(Option(kind.name, words, "text", default_words=default))
