"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from judge.critics.settings import CriticSettings

CriticOption = Annotated[
    str, typer.Option("--critic", help="pocket, llava-critic-7b, a folder, a hub id, or http(s)://…/v1.")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Which of a server's models.", show_default="its first")
]
PromptsOption = Annotated[str, typer.Option("--prompts", help="paper, code, or a TOML file.")]
ImageModeOption = Annotated[
    str | None, typer.Option("--image-mode", help="anyres or pad.", show_default="the critic's own")
]
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
BatchOption = Annotated[int, typer.Option("--batch", help="Questions at a time, on this machine.", min=1)]
ConcurrencyOption = Annotated[int, typer.Option("--concurrency", help="Questions in flight, to a server.", min=1)]
QuantisationOption = Annotated[
    str | None, typer.Option("--quantisation", help="8bit or 4bit (needs bitsandbytes).", show_default="none")
]
DTypeOption = Annotated[
    str | None, typer.Option("--dtype", help="float32, bfloat16 or float16.", show_default="by device")
]


def critic_settings(**options: Any) -> CriticSettings:
    """The settings of a critic from the options of a command, which have the same names.

    Raises:
        CriticError: one is not accepted.
    """
    from judge.critics.settings import CriticSettings

    return CriticSettings(**options)
