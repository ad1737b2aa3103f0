"""A2.7: the paper's scenes and actions around two subjects, as further prompts of one merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from judge.paper.grid_values import mars2_by_pair, metric_by_pair
from judge.paper.grids import grid, grid_words
from judge.paper.section import PaperSection
from judge.paper.sentences import beyond, record, standing
from judge.paper.standings import OURS
from lorarar.bench.cells import prompt_row
from lorarar.pictures.images import read_image
from lorarar.pictures.prompts import PAIR_PROMPT
from lorarar.pictures.sheet import Sheet
from lorarar.util.formatting import interval
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import Difference, over_pairs
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image

    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import JudgeReport, ReportLine
    from judge.targets import Target
    from lorarar.bench.plan import Plan
    from lorarar.store.queries import Pair

#: What Figures A11 and A13 put between subject and style.
SCENES = (
    "playing with a ball",
    "riding a bicycle",
    "catching a frisbie",
    "sleeping",
    "wearing a hat",
    "in a boat",
    "with a crown",
    "driving a car",
)
PROMPTS = (PAIR_PROMPT, *(f"{{content}} {scene} in {{style}}" for scene in SCENES))
SUBJECTS = ("dog-8", "cat-2")  # those of the paper's figures that are of the test split
STYLES = ("3d-rendering-4", "oil-painting-2", "watercolor-painting-3", "flat-cartoon-illustration-2", "glowing")
ROWS = ({"method": "direct"}, {"method": "ties", "density": 0.5}, {"method": OURS})
SEEDS = 2
COLUMNS = 6  # of the sheet

Key = tuple[str, str, int]  # subject, style and seed


def plans(request: PaperRequest) -> Sequence[Plan]:
    """Two subjects in the test styles, with nine prompts each."""
    return [_plan(request)]


def _plan(request: PaperRequest) -> Plan:
    return grid(request, "scenes", ROWS, contents=SUBJECTS, styles=STYLES, prompts=PROMPTS, seeds=SEEDS)


def section(work: PaperWork) -> PaperSection:
    """MARS2 and CLIP-T by scene and method, and how far a scene's words move a picture."""
    plan = _plan(work.request)
    report = work.report(plan)
    lines = {line.method: line for line in report.lines}
    ours = next(row for row in plan.methods if row.row_name == OURS)
    names = [prompt_row(ours, prompt) for prompt in PROMPTS]
    plain, *scenes = names
    values = mars2_by_pair(report)
    differences = beyond(plain, {name: values[name] for name in names if name in values})
    moves = _moves(report, plain, scenes)
    clip_t = metric_by_pair(report, "clip-t", work.request.database) if "clip-t" in report.backbones else {}
    words = beyond(plain, {name: clip_t[name] for name in names if name in clip_t}) if clip_t else {}
    return PaperSection(
        title="A2.7: recontextualisation",
        paragraphs=[
            f"One merge of each pair, drawn with the paper's scenes and actions in its prompt: {grid_words(plan)}, "
            f"{len(SCENES)} scenes beside the plain prompt.",
        ],
        tables=[_table(plan, lines)],
        figures=[work.picture(_sheet(report, names), f"{OURS}, first seed, one prompt a row; nothing chosen.")],
        says=[
            *standing("the plain prompt", _of_scenes(differences), "By MARS2, average case"),
            *standing("the plain prompt", _of_scenes(words), "By CLIP-T, each to its own prompt", places=3),
            *_moved(moves),
        ],
        says_not=[
            "That a scene is drawn: MARS2 asks for subject and style alone, and this base's captions name neither "
            "scenes nor actions. The sheet shows what became of them.",
            "Anything of bases that know scenes, as the paper's.",
        ],
        numbers={
            "rows": {name: _figures(line) for name, line in lines.items()},
            "plain_beyond_scenes": record(_of_scenes(differences)),
            "clip_t_plain_beyond_scenes": record(_of_scenes(words)),
            "moves": {name: Interval.record("rms", one) for name, one in moves.items()},
        },
    )


def _moved(moves: Mapping[str, Interval]) -> list[str]:
    """How far a scene's words move a picture, beside how far another noise does; nothing with one seed alone."""
    if len(moves) < 2:
        return []
    return [
        f"A scene's words move {OURS}'s picture of the same noise by {interval(moves['scene'], 1)} of 255, another "
        f"noise under the plain prompt by {interval(moves['noise'], 1)}."
    ]


def _of_scenes(of: Mapping[str, Difference]) -> dict[str, Difference]:
    """Figures by scene instead of by row."""
    return {_scene(name): one for name, one in of.items()}


def _scene(name: str) -> str:
    """The scene of a row, from its prompt."""
    return next((scene for scene in SCENES if f" {scene} " in name), "the plain prompt")


def _table(plan: Plan, lines: Mapping[str, ReportLine]) -> Table:
    """A row a prompt: MARS2 by each method, and CLIP-T to the prompt."""
    rows = []
    for prompt in PROMPTS:
        own = [lines.get(prompt_row(row, prompt)) for row in plan.methods]
        cells = [interval(line.group.average) if line else "" for line in own]
        cells += [interval(line.metrics.get("clip-t"), 3) if line else "" for line in own]
        rows.append([_scene(f" {prompt} "), *cells])
    names = [row.row_name for row in plan.methods]
    head = ["scene", *(f"{name}, MARS2" for name in names), *(f"{name}, CLIP-T" for name in names)]
    return Table("MARS2, average case, and CLIP-T by scene", head, rows, ["CLIP-T is to each picture's own prompt."])


def _figures(line: ReportLine) -> dict[str, float | None]:
    of_metrics = {name: one.value for name, one in line.metrics.items()}
    return {**Interval.record("average", line.group.average), **of_metrics}


def _moves(report: JudgeReport, plain: str, scenes: Sequence[str]) -> dict[str, Interval]:
    """The difference between pictures of the same noise with and without a scene, and between two noises.

    Both are root mean squared differences of pixels, of 255, a mean over each pair's pictures.
    """
    pictures: dict[str, dict[Key, Target]] = {}
    for picture in report.pictures:
        target = picture.target
        pictures.setdefault(target.row, {})[target.subject, target.style, target.seed or 0] = target
    own = pictures[plain]
    of_scenes: dict[Pair, list[float]] = {}
    for name in scenes:
        for key, target in pictures.get(name, {}).items():
            if key in own:
                of_scenes.setdefault(key[:2], []).append(_distance(own[key], target))
    of_noises: dict[Pair, list[float]] = {}
    for (*pair, seed), target in own.items():
        for (*other, another), second in own.items():
            if pair == other and seed < another:
                of_noises.setdefault((pair[0], pair[1]), []).append(_distance(target, second))
    return {name: _mean(of) for name, of in (("scene", of_scenes), ("noise", of_noises)) if of}


def _mean(of: Mapping[Pair, Sequence[float]]) -> Interval:
    return over_pairs({pair: sum(values) / len(values) for pair, values in of.items()})


def _distance(one: Target, other: Target) -> float:
    pixels = [np.asarray(read_image(target.image), float) for target in (one, other)]
    return float(np.sqrt(np.mean((pixels[0] - pixels[1]) ** 2)))


def _sheet(report: JudgeReport, names: Sequence[str]) -> Image:
    """Rows of prompts, columns of pairs."""
    targets: dict[str, dict[Pair, Target]] = {name: {} for name in names}
    for picture in report.pictures:
        if picture.target.row in targets:
            targets[picture.target.row].setdefault(picture.pair, picture.target)
    pairs = list(dict.fromkeys(pair for of in targets.values() for pair in of))
    chosen = pairs[:: max(len(pairs) // COLUMNS, 1)][:COLUMNS]
    rows = [
        (_scene(name), [read_image(of[pair].image) if pair in of else None for pair in chosen])
        for name, of in targets.items()
    ]
    return Sheet([f"{subject} in {style}" for subject, style in chosen], rows, f"Scenes, by {OURS}").draw()
