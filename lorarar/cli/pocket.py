"""``lorarar pocket``: true pictures, the zoo; ``build`` and ``info`` come from the judge, whose models they include."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import command, print_path, show_images
from lorarar.cli.help_pages import DRAWING, help_page
from lorarar.cli.pocket_zoo import zoo
from lorarar.util.outputs import check_output

app = typer.Typer(
    no_args_is_help=True, rich_help_panel=DRAWING, help="Pocket, the embedded model family: build, info, truth, zoo."
)
app.command()(zoo)


@app.command()
@help_page("lorarar pocket truth dog-8 watercolor-painting-3 -o truth.png")
@command
def truth(
    subject: Annotated[str, typer.Argument(help='A subject, like "dog #8".')],
    style: Annotated[str, typer.Argument(help='A style, like "watercolor painting #3".')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the picture goes (PNG).")],
    side: Annotated[int, typer.Option("--side", help="Pixels a side.", min=8, max=128)] = 64,
) -> None:
    """Draw the true picture of a subject in a style: what a perfect merge would draw."""
    check_output(out, ".png")
    from lorarar.families.pocket import POCKET
    from lorarar.pictures.images import write_png
    from lorarar.pocket.concepts import style_named, subject_named
    from lorarar.pocket.ground_truth import true_picture

    picture = true_picture(subject_named(subject), style_named(style), side)
    write_png(picture, out, {"subject": subject, "style": style, "base": POCKET.name})
    show_images([picture])
    print_path(out)
