"""A2.5: new subjects in new styles, whose LoRAs are trained of a single picture each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.paper.grid_values import ByMethod
from judge.paper.grids import MEANS_ROW, Row, constants_row, grid, grid_words
from judge.paper.mars2_views import mars2_chart, mars2_table
from judge.paper.new_concepts import lora_seconds, new_contents, new_styles, ready_concepts
from judge.paper.section import PaperSection
from judge.paper.sentences import beyond, record, standing
from judge.paper.standings import OURS, WITHOUT_JUDGE, stand
from judge.published import NEW_CONCEPTS
from judge.reports.tables import PAPERS, records
from lorarar.pictures.images import read_image
from lorarar.pictures.sheet import Sheet
from lorarar.pocket.difference import mean_squared_difference
from lorarar.pocket.zoo_truth import true_picture_of_loras
from lorarar.util.formatting import interval
from lorarar.util.statistics.crossed import over_pairs
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image

    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import JudgeReport
    from lorarar.bench.plan import Plan
    from lorarar.store.queries import Pair

ROWS: tuple[Row, ...] = (
    {"method": "direct"},
    {"method": "ties", "density": 0.5},
    {"method": "ziplora", "batch": 2},
    {"method": OURS},
    MEANS_ROW,
)
TRUTH = WITHOUT_JUDGE["rms-truth"]


def plans(request: PaperRequest) -> Sequence[Plan]:
    """All new subjects in all new styles; their LoRAs are trained now where they are not there."""
    ready_concepts(request)
    return [_plan(request)]


def _plan(request: PaperRequest) -> Plan:
    folder = request.out / f"concepts{'-quick' if request.quick else ''}"
    folders = folder / "contents", folder / "styles"
    return grid(request, "new", [*ROWS, constants_row()], contents=new_contents(), styles=new_styles(), folders=folders)


def section(work: PaperWork) -> PaperSection:
    """MARS2 and the difference to the truth by method, and a sheet of what was drawn."""
    plan = _plan(work.request)
    report = work.report(plan)
    standings = stand(report, work.request.database, OURS)
    truths = {pair: truth for pair in _pairs(plan) if (truth := _truth(plan, pair)) is not None}
    nearness = _rms(report, truths)
    differences = beyond(OURS, nearness) if OURS in nearness else {}
    seconds = lora_seconds(work.request)
    took = ", ".join(f"{value:.0f} s a LoRA of {side}" for side, value in seconds.items())
    return PaperSection(
        title="A2.5: new subjects and styles",
        paragraphs=[
            f"New subjects ({', '.join(new_contents())}) in new styles ({', '.join(new_styles())}), all drawn for "
            f"this; each LoRA was trained of a single picture ({took}). {grid_words(plan)}.",
        ],
        tables=[mars2_table(report, "MARS2 on new subjects and styles"), _table(report, nearness)],
        figures=[
            work.chart(
                mars2_chart(report, "A2.5: new subjects and styles"),
                "MARS2 on new subjects and styles, with 95 % intervals.",
            ),
            work.picture(_sheet(report, truths), "First seed of every pair; nothing chosen.", "sheet"),
        ],
        says=[
            *standings.sentences,
            *standing(OURS, differences, TRUTH.words, places=TRUTH.places, lower=True),
        ],
        says_not=[
            "How well the judge knows these: their designs were in none of its training pictures. The difference to "
            "the true picture knows no judge.",
            "Anything of a style of a kind that the base has never drawn: the looks are new, their families are not.",
        ],
        numbers={
            "rows": records(report),
            **standings.numbers,
            "rms": nearness_record(nearness),
            "rms_beyond": record(differences),
            "seconds_of_a_lora": seconds,
        },
    )


def nearness_record(nearness: ByMethod) -> dict[str, dict[str, float]]:
    """The differences to the truth by method and pair, as JSON has them."""
    return {
        name: {f"{subject} in {style}": value for (subject, style), value in of.items()}
        for name, of in nearness.items()
    }


def _pairs(plan: Plan) -> list[Pair]:
    return [(one, other) for one in plan.contents.names or () for other in plan.styles.names or ()]


def _truth(plan: Plan, pair: Pair) -> Image | None:
    """The true picture of a pair of the grid."""
    content, style = (
        (side.folder or side.loras[name].parent) / f"{name}.safetensors"
        for side, name in zip((plan.contents, plan.styles), pair, strict=True)
    )
    return true_picture_of_loras(content, style)


def _rms(report: JudgeReport, truths: dict[Pair, Image]) -> ByMethod:
    """The root mean squared difference to the truth of each pair's pictures, by method."""
    squares: dict[str, dict[Pair, list[float]]] = {}
    for picture in report.pictures:
        if picture.pair in truths:
            value = mean_squared_difference(read_image(picture.target.image), truths[picture.pair])
            squares.setdefault(picture.target.row, {}).setdefault(picture.pair, []).append(value)
    return {name: {pair: (sum(of) / len(of)) ** 0.5 for pair, of in pairs.items()} for name, pairs in squares.items()}


def _table(report: JudgeReport, nearness: ByMethod) -> Table:
    rows = []
    for line in report.lines:
        own = nearness.get(line.method)
        paper = NEW_CONCEPTS.get(line.method)
        rows.append(
            [line.method, interval(over_pairs(own), TRUTH.places) if own else "", f"{paper:.1f}" if paper else ""]
        )
    head = ["method", "RMS to the truth", f"MARS2, {PAPERS}"]
    return Table("Nearness to the true pictures", head, rows, ["Of 255, slightly blurred, lower is better."])


def _sheet(report: JudgeReport, truths: dict[Pair, Image]) -> Image:
    """The truth above, and the first picture of each pair by every method."""
    pairs = list(dict.fromkeys(picture.pair for picture in report.pictures))
    pictures_of: dict[str, dict[Pair, Image]] = {}
    for picture in report.pictures:
        of_row = pictures_of.setdefault(picture.target.row, {})
        if picture.pair not in of_row:
            of_row[picture.pair] = read_image(picture.target.image)
    rows = [("wanted", [truths.get(pair) for pair in pairs])]
    rows += [(name, [of.get(pair) for pair in pairs]) for name, of in pictures_of.items()]
    return Sheet([f"{subject} in {style}" for subject, style in pairs], rows, "New subjects and styles").draw()
