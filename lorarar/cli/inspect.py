"""``lorarar inspect``"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorarar.cli.console import JsonOption, command, print_json, print_rich
from lorarar.cli.given_files import check_there
from lorarar.cli.help_pages import MERGING, help_page
from lorarar.util.text import clean

if TYPE_CHECKING:
    from rich.table import Table

    from lorarar.cli.trained_on import Account
    from lorarar.lora.inspection import Inspection
    from lorarar.lora.purpose import Purpose

LONGEST = 120  # characters of a value from a header in the table; --json has it whole


@help_page("lorarar inspect dog.safetensors --base sdxl", panel=MERGING)
@command
def inspect(
    file: Annotated[
        Path, typer.Argument(help="LoRA file or PEFT folder, of any dialect, a checkpoint file, or a hypernetwork.")
    ],
    base: Annotated[
        str | None, typer.Option("--base", help="Say whether it fits this base model.", metavar="BASE")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Describe a LoRA: dialect, ranks, targets, what it is for and was trained on, and why it cannot be used if so.

    Of a checkpoint file it says which base that is, of a hypernetwork its form and how much it looks at its input.
    """
    check_there(file)
    from lorarar.cli.inspect_checkpoint import checkpoint_facts
    from lorarar.cli.inspect_hypernet import hypernet_facts, hypernet_words
    from lorarar.cli.trained_on import trained_on
    from lorarar.families import find_base
    from lorarar.lora.inspection import inspect_adapter

    if checkpoint := checkpoint_facts(file):
        _show_checkpoint(checkpoint, as_json)
        return
    if hypernet := hypernet_facts(file):
        print_json(hypernet) if as_json else print_rich(_pairs(hypernet["path"], hypernet_words(hypernet), short=False))
        return
    inspection = inspect_adapter(file, find_base(base) if base else None)
    account, fault = trained_on(file)
    if as_json:
        print_json(asdict(inspection) | {"trained_on": account, "trained_on_fault": fault or None})
    else:
        show_inspection(inspection, account, fault)


def _show_checkpoint(facts: Mapping[str, Any], as_json: bool) -> None:
    """Print what a checkpoint file is, on stdout."""
    from lorarar.cli.inspect_checkpoint import checkpoint_words

    if as_json:
        print_json(facts)
        return
    print_rich(_pairs(facts["path"], checkpoint_words(facts)))
    if facts["metadata"]:
        print_rich(_pairs("Metadata", facts["metadata"]))
    if facts["unusable"]:
        _print_fault(f"Cannot be used: {facts['unusable']}")


def show_inspection(inspection: Inspection, account: Account, fault: str) -> None:
    """Print an inspection for people, on stdout, with what the LoRA was trained on."""
    from lorarar.cli.trained_on import in_words

    print_rich(_pairs(inspection.path, facts(inspection)))
    if inspection.targets:
        print_rich(_targets(inspection))
    print_rich(_pairs("Trained on", in_words(account)))
    if fault:
        _print_fault(fault)
    if inspection.record:
        record = {
            key: value if isinstance(value, str) else json.dumps(value) for key, value in inspection.record.items()
        }
        print_rich(_pairs("Made by LoRA.rar", record))
    if inspection.metadata:
        print_rich(_pairs("Metadata", inspection.metadata))
    if inspection.unread:
        counts = Counter(inspection.unread.values())
        first = {why: key for key, why in reversed(inspection.unread.items())}
        print_rich(_pairs("Not understood", {f"{first[why]} and {n - 1} more": why for why, n in counts.items()}))
    if misfit := inspection.purpose.misfit:
        _print_fault(f"Does not fit base {inspection.purpose.base}: {misfit}")
    if inspection.unusable:
        _print_fault(f"Cannot be used: {inspection.unusable}")


def facts(inspection: Inspection) -> dict[str, str]:
    """The short facts by name."""
    return {
        "dialect": ", ".join(inspection.dialects) or "unknown",
        **({"written by": " or ".join(inspection.writers)} if inspection.writers else {}),
        "ranks": ", ".join(map(str, inspection.ranks)) or "unknown",
        "alpha": ", ".join(f"{alpha:g}" for alpha in inspection.alphas) or "none (scale 1)",
        "tensors": f"{inspection.tensors:,} of {', '.join(inspection.dtypes) or 'nothing'}",
        "parameters": f"{inspection.parameters:,}",
        "bytes": f"{inspection.bytes:,}",
        "usable": "no" if inspection.unusable else _use(inspection.dialects),
        **({"left out": f"embeddings {', '.join(inspection.embeddings)}"} if inspection.embeddings else {}),
        **({"changes nothing": "; ".join(inspection.left_out)} if inspection.left_out else {}),
        **_purpose(inspection.purpose),
    }


def _use(dialects: Sequence[str]) -> str:
    """How a sound file is used: what is no plain LoRA becomes one when it is read."""
    others = [kind for kind in ("LoHa", "LoKr", "LoCon in Tucker form", "DoRA") if kind in dialects]
    if not others:
        return "yes"
    return f"yes, {', '.join(others)} read as LoRA{' with the weights of its base' if 'DoRA' in others else ''}"


def _purpose(purpose: Purpose) -> dict[str, str]:
    """What a LoRA is for; what nothing tells is left out."""
    titles = " or ".join(purpose.made_for) or "unknown"
    contradiction = purpose.declared and purpose.declared not in purpose.made_for
    told = {"made for": f"{titles} (its header says {purpose.declared})" if contradiction else titles}
    if purpose.few_steps:
        told["kind"] = purpose.few_steps
    if purpose.base:
        told[f"fits {purpose.base}"] = "no" if purpose.misfit else "yes"
    return told


def _print_fault(words: str) -> None:
    from rich.text import Text

    print_rich(Text(clean(words), "red"))


def _pairs(title: str, pairs: Mapping[str, str], *, short: bool = True) -> Table:
    """A table of names and values, which are cut where they are long and may be anybody's."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(clean(title)), title_justify="left", show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for key, value in pairs.items():
        table.add_row(Text(_short(key)), Text(_short(value) if short else clean(value)))
    return table


def _targets(inspection: Inspection) -> Table:
    from rich.table import Table

    table = Table("target", title="Targets", title_justify="left")
    table.add_column("layers", justify="right")
    table.add_column("parameters", justify="right")
    for target in inspection.targets:
        table.add_row(target.kind, f"{target.layers:,}", f"{target.parameters:,}")
    return table


def _short(text: str) -> str:
    """One line of text from outside, cut where it is long."""
    line = clean(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
