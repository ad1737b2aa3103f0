"""``lorarar merge``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lorarar.cli.console import BaseOption, DbOption, JsonOption, SeedOption, clean, command, print_json, talk
from lorarar.errors import MethodError

if TYPE_CHECKING:
    from lorarar.hypernet import KeyValue
    from lorarar.merging import Merge


@command
def merge(
    content: Annotated[Path, typer.Argument(help="Content LoRA (safetensors).")],
    style: Annotated[Path, typer.Argument(help="Style LoRA (safetensors).")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the merged LoRA goes.")],
    method: Annotated[str, typer.Option("--method", help="direct or lorarar.")] = "lorarar",
    hypernet: Annotated[
        Path | None,
        typer.Option("--hypernet", help="Hypernetwork, ours or the authors' .pth.", show_default="the base's own"),
    ] = None,
    base: BaseOption = "pocket",
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="Weights of content and style (direct).", metavar="C,S", show_default="1,1"),
    ] = None,
    key_value: Annotated[
        str | None,
        typer.Option(
            "--key-value", help="Rule for keys and values: mean or sum.", show_default="the hypernetwork's own"
        ),
    ] = None,
    seed: SeedOption = 0,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge a content and a style LoRA into one ordinary LoRA file."""
    pair, rule = parse_weights(weights), parse_key_value(key_value)
    from lorarar.bases import find_base
    from lorarar.merging import merge as run
    from lorarar.store import Store

    with Store(db) as store:
        done = run(
            content, style, out, method=method, base=base, hypernet=hypernet, weights=pair, key_value=rule, seed=seed
        )
        merge_id = store.add_merge(done, content, style, find_base(base).revision)
    if as_json:
        print_json(summary(done) | {"id": merge_id})
    else:
        describe(done)
        print(done.path)


def parse_weights(text: str | None) -> tuple[float, float] | None:
    """``"0.5,0.5"`` as two numbers.

    Raises:
        MethodError: not two finite numbers.
    """
    if text is None:
        return None
    from math import isfinite

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 2 or not all(map(isfinite, numbers)):
        raise MethodError(f"--weights is {text!r}; accepted are two numbers like 1,1 or 0.5,0.5")
    return numbers[0], numbers[1]


def parse_key_value(text: str | None) -> KeyValue | None:
    """``mean`` or ``sum``.

    Raises:
        MethodError: anything else.
    """
    if text not in (None, "mean", "sum"):
        raise MethodError(f"--key-value is {text!r}; accepted are mean and sum")
    return cast("KeyValue | None", text)


def summary(done: Merge) -> dict[str, object]:
    """A merge for machines."""
    return {
        "path": str(done.path),
        "sha256": done.adapter.sha256,
        "method": done.method.name,
        "options": done.options,
        "base": done.base,
        "content": {"name": done.content.name, "sha256": done.content.sha256},
        "style": {"name": done.style.name, "sha256": done.style.sha256},
        "layers": len(done.adapter.layers),
        "ranks": list(done.adapter.ranks),
        "seconds": {name: round(value, 6) for name, value in done.seconds.items()},
        "version": done.version,
    }


def describe(done: Merge) -> None:
    """A merge for people, on stderr."""
    seconds = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in done.seconds.items())
    ranks = ", ".join(map(str, done.adapter.ranks))
    talk().print(
        f"[bold]{done.method.title}[/bold] of {clean(done.content.name)} and {clean(done.style.name)}: "
        f"{len(done.adapter.layers)} layers of rank {ranks} ({seconds})"
    )
