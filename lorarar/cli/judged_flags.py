"""Flags that say whose verdicts on which pictures a training learns from; those of the judge are ``judge report``'s."""

from __future__ import annotations

from typing import Annotated

import typer

AcceptedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--accepted",
        help="For --objective accepted: the pictures of this plan that its judge accepts, a filter like "
        "plan=pool,row=ties, or several. Their LoRAs and prompts are those that they were drawn with.",
        metavar="TITLE",
        rich_help_panel="Learning from a judge",
    ),
]
CriticOption = Annotated[
    list[str] | None,
    typer.Option(
        "--critic",
        help="By this critic, as it is recorded; given several times: by a jury.",
        rich_help_panel="Learning from a judge",
    ),
]
PromptsOption = Annotated[
    str | None,
    typer.Option(
        "--prompts",
        help="Only with these prompts: a name or a version.",
        rich_help_panel="Learning from a judge",
    ),
]
JudgeOption = Annotated[
    list[int] | None,
    typer.Option(
        "--judge",
        help="By its number in the database; several are a jury.",
        show_default="who judged most",
        rich_help_panel="Learning from a judge",
    ),
]
