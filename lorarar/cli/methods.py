"""``lorarar methods``"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from lorarar.cli.console import JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import MERGING, help_page

if TYPE_CHECKING:
    from lorarar.merging.methods import MethodInfo
    from lorarar.util.options import Option, Spelling


@help_page("lorarar methods", panel=MERGING)
@command
def methods(as_json: JsonOption = False) -> None:
    """List the methods of ``lorarar merge`` and of plans, with their options, defaults and accepted values."""
    from lorarar.lora.drawn_methods import DRAWN
    from lorarar.merging.methods import METHODS
    from lorarar.merging.methods.method import COMMON, JOINT, NO_MERGES
    from lorarar.training.options import OF_PAIRS

    if as_json:
        print_json([_record(method) for method in (*METHODS.values(), *NO_MERGES.values())])
        return
    for method in METHODS.values():
        many = ", of two LoRAs or more" if method.loras == "many" else ""
        base = ", with the base's weights and prompts of the LoRAs" if method.calibrated else ""
        print_text(f"{method.name}: {method.title} ({method.paper}){many}{base}")
        _print_options([option for name, option in method.all_options.items() if name not in COMMON])
        if method.name in OF_PAIRS:
            print_text(f"{method.name}, in a plan that gives no {method.per_pair[0].name}:")
            _print_options(OF_PAIRS[method.name].options.values(), "key")
    print_text("every method of lorarar merge:")
    _print_options(COMMON.values())
    print_text(f"{JOINT.name}, in plans alone: {JOINT.title} ({JOINT.paper})")
    _print_options(OF_PAIRS[JOINT.name].options.values(), "key")
    for one in DRAWN.values():
        print_text(f"{one.name}, draws only, in plans and by lorarar generate: {one.title} ({one.paper})")


def _record(method: MethodInfo) -> dict[str, object]:
    """A method for machines; ``training`` are the options of a plan's row that trains."""
    from lorarar.lora.drawn_methods import DRAWN
    from lorarar.merging.methods import Method
    from lorarar.merging.methods.method import described
    from lorarar.training.options import OF_PAIRS

    options = method.all_options if isinstance(method, Method) else {}
    training = OF_PAIRS[method.name].options if method.name in OF_PAIRS else {}
    return {
        "name": method.name,
        "title": method.title,
        "paper": method.paper,
        "draws_only": method.name in DRAWN,
        "loras": method.loras if isinstance(method, Method) else "two",
        "calibrated": isinstance(method, Method) and method.calibrated,
        "options": [described(option) for option in options.values()],
        "training": [described(option) for option in training.values()],
    }


def _print_options(options: Collection[Option], spelling: Spelling = "flag") -> None:
    """A line for each option; whole lines, however wide, so that a pipe gets all of them."""
    names = [f"{option.said_as(spelling)} {option.metavar}".strip() for option in options]
    width = max(map(len, names), default=0)
    for name, option in zip(names, options, strict=True):
        print_text(f"  {name:{width}}  {option.help} Default {option.shown_default}; accepted {option.accepted}.")
