"""What the module of an item works with: the grids as they were judged, things kept between runs, files of figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.choice import PictureChoice
from judge.paper.errors import PaperError
from judge.paper.request import PaperRequest
from judge.paper.section import PaperFigure
from judge.reports.groups import By
from judge.reports.report import JudgeReport
from judge.reports.request import ReportRequest, read_report
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import reason
from lorarar.util.files import replacing
from lorarar.util.json_text import as_json
from lorarar.util.messages import message

if TYPE_CHECKING:
    from PIL.Image import Image

    from lorarar.bench.plan import Plan
    from lorarar.pictures.dot_chart import DotChart
    from lorarar.pictures.scatter_chart import ScatterChart


@dataclass(frozen=True)
class PaperWork:
    """An item at work."""

    item: str  # its name
    request: PaperRequest

    def choice(self, plan: Plan) -> PictureChoice:
        """The pictures of a grid, as judges and reports choose them."""
        return PictureChoice(self.request.db, f"plan={plan.title}")

    def report(
        self, plan: Plan, by: By = "method", against: str | None = None, *, confidence: bool = False
    ) -> JudgeReport:
        """The report on a grid, the same that ``lorarar judge report`` makes.

        Raises:
            JudgeError: no picture of it was judged.
        """
        return read_report(ReportRequest(self.choice(plan), by, against, confidence=confidence))

    def kept(self, name: str, facts: Mapping[str, Any], make: Callable[[], Any]) -> Any:
        """What was made once of these facts, as JSON has it; it is made now where it is not there yet.

        So what takes long and is no picture is not done again by a run that goes on.

        Args:
            name: of the thing, among the item's.
            facts: all that decides it.
            make: makes it.

        Raises:
            PaperError: its file cannot be read or written.
        """
        path = self._kept_file(name, facts)
        value = _read(path)
        return self.keep(name, facts, make()) if value is None else value

    def find(self, name: str, facts: Mapping[str, Any]) -> Any:
        """What any item keeps under this name of these facts; None where none does.

        Raises:
            PaperError: a file cannot be read.
        """
        own = self._kept_file(name, facts)
        others = sorted(own.parent.parent.glob(f"*/{own.name}"))
        return next((value for path in (own, *others) if (value := _read(path)) is not None), None)

    def keep(self, name: str, facts: Mapping[str, Any], made: Any) -> Any:
        """Keep what was made of these facts; it comes back as JSON has it.

        Raises:
            PaperError: its file cannot be written.
        """
        path, text = self._kept_file(name, facts), as_json(made)
        try:
            with replacing(path) as partial:
                partial.write_text(text)
        except OSError as error:
            raise PaperError(f"{path} cannot be written: {reason(error)}") from None
        return json.loads(text)

    def _kept_file(self, name: str, facts: Mapping[str, Any]) -> Path:
        return self.request.out / "kept" / self.item / f"{name}-{digest_of_facts(dict(facts))[:8]}.json"

    def chart(self, chart: DotChart | ScatterChart, caption: str, name: str = "") -> PaperFigure:
        """Write a chart beside the results; ``name`` tells it from others of the item.

        Raises:
            ChartError: it cannot be drawn or written.
        """
        file = self._file(name, ".svg")
        chart.write(self.request.out / file)
        return PaperFigure(file, caption)

    def picture(self, picture: Image, caption: str, name: str = "") -> PaperFigure:
        """Write a sheet of pictures, or a heatmap, beside the results.

        Raises:
            ImageError: it cannot be written.
        """
        from lorarar.pictures.images import write_png

        file = self._file(name, ".png")
        write_png(picture, self.request.out / file)
        return PaperFigure(file, caption)

    @property
    def networks(self) -> Path:
        """The folder of networks that are trained for items."""
        return self.request.out / "networks"

    def _file(self, name: str, ending: str) -> str:
        return f"{self.item}{f'-{name}' if name else ''}{ending}"


def _read(path: Path) -> Any:
    """What a file of something kept holds; None where there is none, or a damaged one, which is said.

    Raises:
        PaperError: it cannot be read.
    """
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        message(f"{path} is damaged; it is made again", "yellow")
        return None
    except OSError as error:
        raise PaperError(f"{path} cannot be read: {reason(error)}") from None
