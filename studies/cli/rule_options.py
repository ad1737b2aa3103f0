"""Options of ``lorarar study new`` for the rules that are fixed before anybody votes."""

from __future__ import annotations

from typing import Annotated

import typer

PANEL = "Fixed before voting"

MostFailedChecksOption = Annotated[
    int | None,
    typer.Option(
        "--most-failed-checks", help="Leave out raters who fail more.", metavar="K", rich_help_panel=PANEL, min=0
    ),
]
LeastSecondsOption = Annotated[
    float | None,
    typer.Option(
        "--least-seconds", help="Leave out raters whose median answer is faster.", metavar="S", rich_help_panel=PANEL
    ),
]
LeastRepeatsAlikeOption = Annotated[
    float | None,
    typer.Option(
        "--least-repeats-alike",
        help="Leave out raters who answer fewer repeats alike, from 0 to 1.",
        metavar="R",
        rich_help_panel=PANEL,
    ),
]
ExcludeSmallPicturesOption = Annotated[
    bool,
    typer.Option(
        "--exclude-small-pictures", help="Leave out votes on pictures shown too small.", rich_help_panel=PANEL
    ),
]
FinishedOnlyOption = Annotated[
    bool,
    typer.Option("--finished-only", help="Leave out raters who did not answer everything.", rich_help_panel=PANEL),
]
MarginOption = Annotated[
    float | None,
    typer.Option(
        "--margin",
        help="Share of votes, as 0.5, in which each of two equivalent methods is comparable or better.",
        metavar="M",
        rich_help_panel=PANEL,
    ),
]
PairingOption = Annotated[
    str,
    typer.Option(
        "--pairing",
        help="independent: any picture of each method; seed: two of one seed where both have it.",
        rich_help_panel=PANEL,
    ),
]
PrimaryOption = Annotated[
    str,
    typer.Option(
        "--primary",
        help="The figure that counts: preference, comparable, shown, or a metric.",
        show_default="preference; of absolute studies mars2",
        metavar="FIGURE",
        rich_help_panel=PANEL,
    ),
]
