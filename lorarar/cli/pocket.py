"""``lorarar pocket``: make Pocket, say what is shipped, draw true pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import JsonOption, SeedOption, command, print_json, show, talk

app = typer.Typer(no_args_is_help=True, help="Pocket, the embedded model family: build, info, truth.")


@app.command()
@command
def build(
    stages: Annotated[list[str] | None, typer.Argument(help="Stages to run; all of them if none is named.")] = None,
    work: Annotated[Path, typer.Option("--work", help="Folder for half-done things.")] = Path("pocket-build"),
    steps: Annotated[
        int | None, typer.Option("--steps", help="Training steps instead of the stage's own.", min=1)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start from nothing, not from what is shipped.")] = False,
    precision: Annotated[str | None, typer.Option("--precision", help="Mixed precision: no, fp16 or bf16.")] = None,
    seed: SeedOption = 0,
) -> None:
    """Make Pocket from its art, stage by stage; killed and started again, it goes on where it was."""
    from judge.pocket.recipe import STAGES as JUDGES
    from lorarar.pocket.recipe import STAGES, run
    from lorarar.pocket.workshop import Workshop

    run(
        stages or [],
        Workshop(work, seed, steps, fresh, precision),
        lambda stage: talk().rule(f"{stage.name}: {stage.what}"),
        (*STAGES, *JUDGES),
    )


@app.command()
@command
def info(as_json: JsonOption = False) -> None:
    """Say what is shipped: from which art, under which licences, trained how long, with which seed."""
    from judge.pocket.shipped import WEIGHTS, manifest
    from lorarar.pocket.info import describe, facts

    said = facts(WEIGHTS, manifest())
    if as_json:
        print_json(said)
    else:
        describe(said)


@app.command()
@command
def truth(
    subject: Annotated[str, typer.Argument(help='A subject, like "dog #8".')],
    style: Annotated[str, typer.Argument(help='A style, like "watercolor painting #3".')],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the picture goes (PNG).")],
    side: Annotated[int, typer.Option("--side", help="Pixels a side.", min=8, max=128)] = 64,
) -> None:
    """Draw the true picture of a subject in a style: what a perfect merge would draw."""
    from lorarar.images import write_png
    from lorarar.pocket.truth import truth as draw
    from lorarar.pocket.zoo import style_named, subject_named

    picture = draw(subject_named(subject), style_named(style), side)
    write_png(picture, out, {"subject": subject, "style": style})
    show([picture])
    print(out)
