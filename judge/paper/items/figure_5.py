"""Figure 5: what the metrics choose, beside what the judge accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from judge.metrics.stored_scores import best_scores
from judge.metrics.table import METRICS
from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from judge.paper.sentences import record
from judge.reports.verdict_sheet import judged_tile, reference_tile, verdict_sheet
from lorarar.store.opening import open_for_reading
from lorarar.util.formatting import interval, number
from lorarar.util.grouping import group_by
from lorarar.util.statistics.crossed import Difference, difference_over_pairs, over_pairs
from lorarar.util.statistics.holm import APART, with_holm
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from PIL.Image import Image

    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.pictures import JudgedPicture
    from judge.reports.report import JudgeReport
    from lorarar.bench.plan import Plan
    from lorarar.store.queries import Pair

SHOWN = 5  # pairs of the sheet


class Chosen(NamedTuple):
    """The pictures of a pair, by all methods, with what a metric chooses of them."""

    pictures: Sequence[JudgedPicture]  # all that the judge has a clear verdict on
    best: Mapping[str, tuple[JudgedPicture, float]]  # by metric: the picture that it finds best, and its score


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """How often the picture that a metric finds best is one that the judge accepts, beside any picture of the pair."""
    plan = test_grid(work.request)
    report = work.report(plan)
    chosen = _choices(work, report)
    metrics = [name for name in METRICS if any(name in of.best for of in chosen.values())]
    share = {pair: _share(of.pictures) for pair, of in chosen.items()}
    of_best = {
        name: {pair: float(bool(of.best[name][0].correct)) for pair, of in chosen.items() if name in of.best}
        for name in metrics
    }
    parts = {name: {part: _part(chosen, name, part) for part in ("subject", "style")} for name in metrics}
    any_part = {part: {pair: _share(of.pictures, part) for pair, of in chosen.items()} for part in ("subject", "style")}
    differences = with_holm({name: difference_over_pairs(of, share) for name, of in of_best.items()})
    return PaperSection(
        title="Figure 5: what the metrics choose",
        paragraphs=[
            f"Of all pictures of a pair, by all methods, the one that a metric finds best: {grid_words(plan)}. It is "
            "set beside what MARS2 accepts: were a metric a good judge of both subject and style, its choice would be "
            "accepted more often than any picture of the pair. The sheet has the first pairs of the diagonal of "
            "subjects and styles, whatever came out there."
        ],
        tables=[_table(metrics, of_best, parts, share, any_part)],
        figures=[
            work.picture(_sheet(chosen, metrics), "What each metric finds best of a pair, with MARS2's verdicts.")
        ],
        says=[_sentence(name, of_best[name], differences[name], share) for name in metrics]
        + [_one_sided(name, parts[name], any_part) for name in metrics],
        says_not=[
            "That the judge is right: its own mistakes are in the figures, and people are the measure of both.",
            "Anything of metrics as means over many pictures: Table A2 has those.",
        ],
        numbers={
            "any": vars(over_pairs(share)),
            "best": {name: vars(over_pairs(of)) for name, of in of_best.items()},
            "best_beyond_any": record({name: of for name, of in differences.items() if of is not None}),
            "parts": {name: {part: vars(over_pairs(of)) for part, of in both.items()} for name, both in parts.items()},
        },
    )


def _choices(work: PaperWork, report: JudgeReport) -> dict[Pair, Chosen]:
    """The choices of every metric that was measured, pair by pair."""
    pictures = [picture for picture in report.pictures if picture.correct is not None]
    scores = {}
    with open_for_reading(work.request.database) as store, store.reading() as database:
        for name in report.backbones:
            values = best_scores(database, METRICS[name], [picture.target for picture in pictures]).values
            scores[name] = dict(zip(map(id, pictures), values, strict=True))
    choices = {}
    for pair, members in sorted(group_by(pictures, lambda picture: picture.pair).items()):
        best = {}
        for name, of in scores.items():
            sign = 1 if METRICS[name].higher_is_better else -1
            scored = [(value, one) for one in members if (value := of[id(one)]) is not None]
            if scored and not METRICS[name].yes_or_no:  # of yes and no there is no best
                value, one = max(scored, key=lambda item: sign * item[0])
                best[name] = one, value
        choices[pair] = Chosen(members, best)
    return choices


def _share(pictures: Sequence[JudgedPicture], part: str = "") -> float:
    """The share of pictures that are accepted, or whose subject or style alone is."""
    answers = [_answer(picture, part) for picture in pictures]
    return sum(answers) / len(answers)


def _answer(picture: JudgedPicture, part: str) -> bool:
    if part == "subject":
        return bool(picture.answer("subject"))
    return bool(picture.answer("style") if part == "style" else picture.correct)


def _part(chosen: Mapping[Pair, Chosen], name: str, part: str) -> dict[Pair, float]:
    return {pair: float(_answer(of.best[name][0], part)) for pair, of in chosen.items() if name in of.best}


def _sentence(
    name: str, of_best: Mapping[Pair, float], difference: Difference | None, share: Mapping[Pair, float]
) -> str:
    """Whether a metric's choice is accepted more often than any picture."""
    told = difference is not None and difference.p is not None and difference.p < APART
    verb = "is not told to be"
    if told and difference is not None:
        verb = "is"
    than = "less" if told and difference is not None and difference.value < 0 else "more"
    return (
        f"The picture that {METRICS[name].title} finds best {verb} {than} often accepted than any picture of its pair: "
        f"{interval(over_pairs(of_best))} against {interval(over_pairs(share))}, {interval(difference, signed=True)}."
    )


def _one_sided(
    name: str, parts: Mapping[str, Mapping[Pair, float]], any_part: Mapping[str, Mapping[Pair, float]]
) -> str:
    """What a metric's choice gains of the subject and of the style."""
    gains = {
        part: interval(difference_over_pairs(parts[part], any_part[part]), signed=True) for part in ("subject", "style")
    }
    return (
        f"Beside any picture, {METRICS[name].title}'s choice has the subject right {gains['subject']} and the style "
        f"{gains['style']} more often."
    )


def _table(
    metrics: Sequence[str],
    of_best: Mapping[str, Mapping[Pair, float]],
    parts: Mapping[str, Mapping[str, Mapping[Pair, float]]],
    share: Mapping[Pair, float],
    any_part: Mapping[str, Mapping[Pair, float]],
) -> Table:
    def row(name: str, both: Mapping[Pair, float], of: Mapping[str, Mapping[Pair, float]]) -> list[str]:
        return [name, *(interval(over_pairs(values)) for values in (both, of["subject"], of["style"]))]

    rows = [row("any picture", share, any_part)]
    rows += [row(f"best by {METRICS[name].title}", of_best[name], parts[name]) for name in metrics]
    return Table("Accepted by MARS2", ["picture of a pair", "accepted", "subject", "style"], rows)


def _sheet(chosen: Mapping[Pair, Chosen], metrics: Sequence[str]) -> Image:
    """References and choices of the first pairs of the diagonal."""
    subjects, styles = (sorted({pair[side] for pair in chosen}) for side in (0, 1))
    pairs = [pair for pair in zip(subjects, styles, strict=False) if pair in chosen][:SHOWN]
    rows = []
    for pair in pairs:
        of = chosen[pair]
        target = of.pictures[0].target
        tiles = [reference_tile(paths[0]) for paths in (target.subject_references, target.style_references)]
        for name in metrics:
            if name in of.best:
                one, value = of.best[name]
                tiles.append(judged_tile(one, [f"{one.target.row}, {number(value, METRICS[name].places)}"]))
        rows.append((" in ".join(pair), tiles))
    columns = ["subject", "style", *(f"best by {METRICS[name].title}" for name in metrics)]
    return verdict_sheet(columns, rows, "What each metric finds best, and what MARS2 says of it")
