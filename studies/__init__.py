"""Blind human studies of generated pictures: designed, held and reported; any front end can show them.

``import studies`` is instant; the database and the statistics load with the first name that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.util.lazy import load_on_use
from lorarar.util.moved import find_moved_modules

if TYPE_CHECKING:
    from studies.calls import report
    from studies.creation.create import StudyRequest, new_study
    from studies.figures import Figure
    from studies.importing import import_vote_file
    from studies.rater.session import Session
    from studies.rater.votes import Screen
    from studies.reports.item_table import ItemRow
    from studies.reports.rater_table import RaterRow
    from studies.rules import StudyRules
    from studies.sessions import open_packet, open_study
    from studies.store import StudyStore

_HOMES = {
    "Figure": "studies.figures",
    "ItemRow": "studies.reports.item_table",
    "RaterRow": "studies.reports.rater_table",
    "Screen": "studies.rater.votes",
    "Session": "studies.rater.session",
    "StudyRequest": "studies.creation.create",
    "StudyRules": "studies.rules",
    "StudyStore": "studies.store",
    "import_vote_file": "studies.importing",
    "new_study": "studies.creation.create",
    "open_packet": "studies.sessions",
    "open_study": "studies.sessions",
    "report": "studies.calls",
}
__all__ = [
    "Figure",
    "ItemRow",
    "RaterRow",
    "Screen",
    "Session",
    "StudyRequest",
    "StudyRules",
    "StudyStore",
    "import_vote_file",
    "new_study",
    "open_packet",
    "open_study",
    "report",
]

__getattr__ = load_on_use(__name__, _HOMES)
find_moved_modules(
    {
        "studies.opening": "studies.sessions",
        "studies.session": "studies.rater.session",
        "studies.vote": "studies.rater.votes",
    }
)
