"""``lorarar judge critics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import help_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from judge.critics.presets.preset import CriticPreset
    from lorarar.util.tables import Table


@help_page(
    "lorarar judge critics",
    "lorarar judge critics llava-critic-7b",
)
@command
def critics(
    name: Annotated[str, typer.Argument(help="One of them, with its prompts in full.", show_default="all")] = "",
    as_json: JsonOption = False,
) -> None:
    """Say which critics are known by name: what each answers, takes and is licensed under, and how vLLM serves it."""
    from judge.critics.presets.matching import find_preset
    from judge.critics.presets.table import PRESETS
    from lorarar.cli.table_layout import print_table

    presets = [find_preset(name)] if name else list(PRESETS.values())
    if as_json:
        print_json([preset.record() for preset in presets])
        return
    print_table(_table(presets))
    for preset in presets:
        _print_serving(preset)
    if name:
        _print_prompts(presets[0])
    else:
        print_text("The prompts of one in full: lorarar judge critics NAME")


def _table(presets: Sequence[CriticPreset]) -> Table:
    """The presets, one a row."""
    from judge.critics.presets.preset import SHOWN_IN
    from lorarar.util.tables import Table

    rows = [
        [
            preset.name,
            preset.title,
            " and ".join(preset.protocols),
            *(f"{preset.gigabytes(numbers):.0f} GB" for numbers in SHOWN_IN),
            preset.licence,
            preset.repository,
        ]
        for preset in presets
    ]
    notes = ["Memory is that of the weights; a server takes some more for pictures and words."]
    return Table("", ["critic", "what", "answers", *SHOWN_IN, "licence", "on the hub"], rows, notes)


def _print_serving(preset: CriticPreset) -> None:
    print_text(f"{preset.name} ({preset.paper}), served and asked:")
    print_text(f"  {preset.serve}")
    print_text(f"  lorarar judge run {preset.ask}")
    if preset.serving.note:
        print_text(f"  {preset.serving.note}.")
    print_text("")


def _print_prompts(preset: CriticPreset) -> None:
    """How it is asked, word for word."""
    record = preset.record()
    for protocol in preset.protocols:
        prompts = record[protocol]
        print_text(f"{protocol}, prompts {prompts['prompts']}; accepted is {prompts['answer']}.")
        for part in ("system", "subject", "style"):
            if prompts[part]:
                print_text(f"\n{part}:\n{prompts[part]}")
        print_text("")
