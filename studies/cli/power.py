"""``lorarar study power``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorarar.cli.console import JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import help_page
from lorarar.cli.table_layout import print_table
from studies.errors import StudyError

if TYPE_CHECKING:
    from lorarar.util.statistics.power import Power
    from studies.power import StudySize


@help_page("lorarar study power --items 25 --raters 10")
@command
def power(
    items: Annotated[
        int | None, typer.Option("--items", help="Items to show, all methods' together.", show_default="one a pair")
    ] = None,
    pairs: Annotated[
        int | None, typer.Option("--pairs", help="Subject-style pairs that they are of.", show_default="one an item")
    ] = None,
    raters: Annotated[
        int | None, typer.Option("--raters", help="Who vote on all items.", show_default="5, 10, 25, 50")
    ] = None,
    effect: Annotated[float, typer.Option("--effect", help="Log odds of the better of two methods.")] = 0.5,
    ties: Annotated[
        float | None, typer.Option("--ties", help="Share of ties between equals.", show_default="a third")
    ] = None,
    methods: Annotated[int, typer.Option("--methods", help="How many are compared, two at a time.")] = 2,
    wanted: Annotated[
        float, typer.Option("--power", help="Share of studies that is to find it, for the numbers needed.")
    ] = 0.8,
    r: Annotated[float, typer.Option("--r", help="A correlation, for the width of its interval.")] = 0.76,
    as_json: JsonOption = False,
) -> None:
    """Say what a study of some size could find out, and how large it has to be; without pictures or a database."""
    from lorarar.util.statistics.power import TIES
    from studies.power import RATERS, StudySize

    if items is None and pairs is None:
        raise StudyError("say how large the study is: --items, --pairs, or both")
    if not 0 < wanted < 1 or not -1 < r < 1:
        raise StudyError(f"--power {wanted:g}, --r {r:g}; accepted are shares between 0 and 1, and an r from -1 to 1")
    groups = max(1, methods * (methods - 1) // 2)
    size = StudySize(
        items=(pairs or 0) * groups if items is None else items,
        pairs=max(1, (items or 0) // groups) if pairs is None else pairs,
        methods=methods,
        effect=effect,
        ties=TIES if ties is None else ties,
    )
    powers = [size.power(number) for number in (RATERS if raters is None else (raters,))]
    needed = _needed(size, powers, wanted)
    if as_json:
        print_json(_record(size, powers, wanted, needed, r))
    else:
        _print(size, powers, wanted, needed, r)


def _needed(size: StudySize, powers: list[Power], wanted: float) -> dict[str, Any]:
    """Raters needed for these items, and pairs needed for each number of raters; None: more than is looked at."""
    from lorarar.util.statistics.power import pairs_needed, raters_needed

    each = max(1, round(size.items_of_two / size.pairs_of_two))
    return {
        "raters": raters_needed(size.items_of_two, size.effect, wanted, pairs=size.pairs_of_two, ties=size.ties),
        "pairs": [pairs_needed(size.effect, one.raters, wanted, each=each, ties=size.ties) for one in powers],
    }


def _record(size: StudySize, powers: list[Power], wanted: float, needed: dict[str, Any], r: float) -> dict[str, Any]:
    return size.record() | {
        "power": [vars(one) | {"pairs_needed": pairs} for one, pairs in zip(powers, needed["pairs"], strict=True)],
        "wanted": wanted,
        "raters_needed": needed["raters"],
        "r": {"value": r, "interval": size.r_interval(r)},
    }


def _print(size: StudySize, powers: list[Power], wanted: float, needed: dict[str, Any], r: float) -> None:
    from lorarar.util.formatting import count
    from lorarar.util.statistics.power import RATERS, SIZES
    from lorarar.util.tables import Table
    from studies.power import ADVICE, ASSUMED, correlation_sentence, effect_in_words

    several = size.comparisons > 1
    of_two = f"{count(size.items_of_two, 'item')} of {count(size.pairs_of_two, 'pair')}"
    head = ["raters", "found", *(["found after Holm, at least"] if several else []), f"pairs for {wanted:.0%}"]
    rows = [
        [
            str(one.raters),
            f"{one.share:.0%}",
            *([f"{one.corrected:.0%}"] if several else []),
            f"over {SIZES[-1]}" if pairs is None else str(pairs),
        ]
        for one, pairs in zip(powers, needed["pairs"], strict=True)
    ]
    title = f"A preference of {effect_in_words(size.effect)}, {of_two}" + (" for each two methods" if several else "")
    print_table(Table(title=title, head=head, rows=rows))
    enough = needed["raters"]
    with_these = f"more than {RATERS[-1]}" if enough is None else f"some {enough}"
    print_text(f"{wanted:.0%} with these items takes {with_these} raters. {ADVICE}")
    print_text(correlation_sentence(size, r))
    print_text(f"Simulated; {ASSUMED}.")
