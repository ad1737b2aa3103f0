"""The judge: MARS2 by a multimodal critic, with CLIP-I, CLIP-T and DINO beside it.

``judge.run``, ``judge.check`` and ``judge.report`` do what the commands of these names do, and return plain rows.
``import judge`` is instant; the database and the critics load with the first name that needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.util.lazy import load_on_use
from lorarar.util.moved import find_moved_modules

if TYPE_CHECKING:
    from judge.calls import check, report, run
    from judge.checks.figures import CheckFigure
    from judge.critics import find_critic
    from judge.pictures import JudgedPicture, JudgedTargets, mars2, mars2_by_method
    from judge.questions import CODE, PAPER, Prompts
    from judge.reports.figures import ReportFigure
    from judge.run_figures import RunFigure
    from judge.runner import judge_pictures
    from judge.targets import Target, from_folders, from_store
    from judge.verdicts import VerdictStore

_HOMES = {
    "CODE": "judge.questions",
    "CheckFigure": "judge.checks.figures",
    "JudgedPicture": "judge.pictures",
    "JudgedTargets": "judge.pictures",
    "PAPER": "judge.questions",
    "Prompts": "judge.questions",
    "ReportFigure": "judge.reports.figures",
    "RunFigure": "judge.run_figures",
    "Target": "judge.targets",
    "VerdictStore": "judge.verdicts",
    "check": "judge.calls",
    "find_critic": "judge.critics",
    "from_folders": "judge.targets",
    "from_store": "judge.targets",
    "judge_pictures": "judge.runner",
    "mars2": "judge.pictures",
    "mars2_by_method": "judge.pictures",
    "report": "judge.calls",
    "run": "judge.calls",
}
__all__ = [
    "CODE",
    "CheckFigure",
    "JudgedPicture",
    "JudgedTargets",
    "PAPER",
    "Prompts",
    "ReportFigure",
    "RunFigure",
    "Target",
    "VerdictStore",
    "check",
    "find_critic",
    "from_folders",
    "from_store",
    "judge_pictures",
    "mars2",
    "mars2_by_method",
    "report",
    "run",
]

__getattr__ = load_on_use(__name__, _HOMES)
find_moved_modules({"judge.prompts": "judge.questions"})
