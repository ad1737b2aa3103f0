"""What came of a tryout: its pictures, judged if a critic was named, as a sheet and as a page of one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.choice import PictureChoice
from judge.metrics.table import MARS2
from judge.reports.report import JudgeReport, unjudged_report
from lorarar.pictures.images import write_png
from lorarar.store.opening import open_for_reading
from lorarar.tryout.rows import ignored_words, lacking_words
from lorarar.util.grouping import group_by
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from judge.judges import Judges
    from judge.pictures import JudgedPicture
    from judge.reports.verdict_sheet import VerdictTile
    from lorarar.tryout.request import Tryout

REFERENCES = 2  # of each side on the sheet; the page has all
SEEDS = 8  # columns of the sheet; the page has all pictures


@dataclass(frozen=True)
class TryoutResult:
    """The pictures of a tryout, and what is said of them."""

    tryout: Tryout
    report: JudgeReport
    failures: Sequence[str] = ()  # rows that could not be drawn, and why

    @property
    def pictures(self) -> Sequence[JudgedPicture]:
        """Method by method, in the order of the plan."""
        order = [row.row_name for row in self.tryout.plan.methods]
        return sorted(self.report.pictures, key=lambda one: (order.index(one.target.row), one.target.seed or 0))

    @property
    def notes(self) -> list[str]:
        """What the pictures are of, and which methods are not among them, for want of what."""
        tryout = self.tryout
        remarks = [*lacking_words(tryout.rows.lacking), *ignored_words(tryout.rows.ignored)]
        failed = [f"Failed: {failure}" for failure in self.failures]
        prompts = dict.fromkeys(one.target.prompt for one in self.report.pictures)
        return [f"Prompt: {', '.join(prompts)}. Base: {tryout.plan.base}.", *failed, *remarks]

    def record(self) -> dict[str, Any]:
        """The result under the keys of ``lorarar try --json``."""
        judge = self.report.judge
        return {
            "title": self.tryout.title,
            "prompt": self.pictures[0].target.prompt,
            "judge": judge and judge.critic,
            "pictures": [self._picture(one) for one in self.pictures],
            "lacking": dict(self.tryout.rows.lacking),
        }

    def _picture(self, one: JudgedPicture) -> dict[str, Any]:
        """A picture, with what the judge says of it if there is one."""
        place = {"method": one.target.row, "seed": one.target.seed, "path": str(one.target.image)}
        if self.report.judge is None:
            return place
        return {**place, "subject": one.answer("subject"), "style": one.answer("style"), "correct": one.correct}

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the sheet and the page; where they are.

        Raises:
            ImageError, JudgeError: one cannot be written.
        """
        from judge.reports.gallery import write_gallery
        from judge.reports.verdict_sheet import reference_tile, verdict_sheet

        is_judged = self.report.judge is not None
        rows: list[tuple[str, Sequence[VerdictTile | None]]] = []
        first = self.pictures[0].target
        given = [*first.subject_references[:REFERENCES], *first.style_references[:REFERENCES]]
        if given:
            rows.append(("given: content, style", [reference_tile(file) for file in given]))
        titles = {row.row_name: row.info.title for row in self.tryout.plan.methods}
        for row, members in group_by(self.pictures, lambda one: one.target.row).items():
            correct = sum(one.correct is True for one in members)
            label = f"{titles[row]}, {correct} of {len(members)} correct" if is_judged else titles[row]
            rows.append((label, [_tile(one, judged=is_judged) for one in members[:SEEDS]]))
        columns = [""] * max(len(tiles) for _, tiles in rows)
        sheet = verdict_sheet(columns, rows, one_line(f"{first.subject} and {first.style}: {first.prompt}"))
        page = replace(self.report, pictures=self.pictures)
        title = self.tryout.title
        return (
            write_png(sheet, folder / f"{title}.png"),
            write_gallery(page, folder / f"{title}.html", self.notes),
        )


def _tile(picture: JudgedPicture, *, judged: bool) -> VerdictTile:
    """A picture of the sheet, with its seed and what the judge says of it if there is one."""
    from judge.reports.verdict_sheet import VerdictTile, judged_tile

    seed = f"seed {picture.target.seed}"
    return judged_tile(picture, [seed]) if judged else VerdictTile(picture.target.image, (seed,), framed=False)


def read_tryout(tryout: Tryout, db: Path | None, failures: Sequence[str] = ()) -> TryoutResult | None:
    """The pictures of a tryout, of which nothing is judged; None where none could be drawn.

    Raises:
        StoreError: the database cannot be read.
    """
    from judge.metrics.scores import ScoreStore
    from judge.pictures import JudgedTargets
    from judge.targets import target_of
    from judge.verdicts import VerdictStore
    from lorarar.store.picture_references import ReferenceFinder
    from lorarar.store.queries import collection_pictures

    with open_for_reading(db) as store:
        with store.reading() as database:
            rows = collection_pictures(database, tryout.plan.collection)
            finder = ReferenceFinder(store.path, database)
            targets = [target_of(row, finder) for row in rows]
        if not targets:
            return None
        why = f"Nothing was judged here; lorarar judge run --images plan={tryout.title} does, or lorarar try --critic"
        report = unjudged_report(JudgedTargets(targets, VerdictStore(store)), ScoreStore(store), "method", why)
    return TryoutResult(tryout, report, failures)


def judge_tryout(tryout: Tryout, db: Path | None, judges: Judges, failures: Sequence[str] = ()) -> TryoutResult:
    """The pictures of a tryout, judged by MARS2 as far as they are not yet.

    Raises:
        CriticError: a critic cannot be opened or cannot work at all.
        JudgeError, TargetError: nothing has any verdict, or no references are there.
    """
    from judge.errors import JudgeError
    from judge.full_run import judge_all
    from judge.reports.request import ReportRequest, read_report
    from judge.run_request import RunRequest
    from lorarar.util.messages import message

    pictures = PictureChoice(db, f"plan={tryout.title}")
    run = judge_all(RunRequest(pictures, judges, metrics=[MARS2]))
    for words in run.brands:
        message(words, "yellow")
    numbers = tuple(one.judge.id for one in run.critics or () if one.judge)
    if not numbers:
        raise JudgeError(run.shortfall)
    if run.shortfall:
        message(run.shortfall, "yellow")
    return TryoutResult(tryout, read_report(ReportRequest(pictures, judges=numbers)), failures)
