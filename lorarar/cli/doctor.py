"""``lorarar doctor``"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import LOOKING, help_page
from lorarar.util.errors import LorarError
from lorarar.util.messages import message
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from lorarar.doctor.observation import Observation

MARKS = {"ok": "ok", "lacking": "--", "fault": "!!"}


class DoctorError(LorarError):
    """Pocket cannot run here."""

    title = "Doctor"


@help_page("lorarar doctor", panel=LOOKING)
@command
def doctor(db: DbOption = None, as_json: JsonOption = False) -> None:
    """Say what this machine has for lorarar, and for each thing that is lacking the command that mends it.

    Exit code 0 when Pocket can run, 1 otherwise; what only other bases or extras need is no fault. No model is loaded,
    and no network is asked.
    """
    from lorarar.doctor.table import checkups

    seen: dict[str, list[Observation]] = {}
    for heading, look in checkups(db).items():
        seen[heading] = list(look())
        if not as_json:
            _print(heading, seen[heading])
    faults = [one.name for observations in seen.values() for one in observations if one.state == "fault"]
    if as_json:
        record = {heading: [one.record() for one in observations] for heading, observations in seen.items()}
        print_json({"pocket": not faults, "checkups": record})
    if faults:
        raise DoctorError(f"Pocket cannot run here as it is: {', '.join(faults)}; what mends it is said above")
    message("Pocket can run here: lorarar demo")


def _print(heading: str, observations: list[Observation]) -> None:
    """The lines of a heading, each thing with what mends it below."""
    print_text(heading)
    width = max(len(one.name) for one in observations)
    for one in observations:
        print_text(f"  {MARKS[one.state]} {one.name:{width}}  {one_line(one.words)}")
        if one.mend:
            print_text(f"  {'':{width + 2}}   mend: {one_line(one.mend)}")
