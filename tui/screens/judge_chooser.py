"""Choosing whose verdicts all screens show: a critic with its prompts, and how much it answered of these pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType

from judge.verdicts import Judge
from tui.screens.menu import MenuRow, MenuScreen


@dataclass(frozen=True)
class JudgePick:
    """A judge; None for the one that the report takes, whichever it is then."""

    judge: Judge | None


class JudgeChooser(MenuScreen[JudgePick]):
    """The menu of judges."""

    HELP = (
        "Judges: Enter shows one's verdicts on all screens. The report takes the one who answered most about these "
        "pictures, those that know them before others."
    )
    QUESTION = "Whose verdicts? Enter shows a judge on all screens."
    HEADS = ("number", "critic", "prompts", "answers on these pictures", "")
    BINDINGS: ClassVar[list[BindingType]] = [("J", "dismiss", "Close")]

    def rows(self) -> Sequence[MenuRow[JudgePick]]:
        """Read the judges that have verdicts, with their clear answers on the collection's pictures."""
        snapshot = self.context.snapshot
        if snapshot is None:
            return []
        catalog, chosen = self.context.catalog, self.context.judge
        judges = catalog.judges()
        answers = catalog.answers_by_judge(snapshot.pictures)
        first: MenuRow[JudgePick] = MenuRow(
            JudgePick(None), ("", "as the report", "", "", "the one with the most answers"), current=chosen is None
        )
        return [
            first,
            *(
                MenuRow(
                    JudgePick(judge),
                    (
                        str(judge.id),
                        judge.critic,
                        judge.prompts,
                        str(answers.get(judge, 0)),
                        "on show" if judge == snapshot.judge else "",
                    ),
                    current=judge == chosen,
                )
                for judge in judges
            ),
        ]
