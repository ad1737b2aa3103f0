"""Open question 4: how robust MARS2 is to wording, order and settings, by the check of its judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.checks.request import SAMPLE, CheckRequest, check_judge
from judge.judges import Judges
from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

QUICK = 6  # pictures of a smoke test
ASPECTS = ("subject", "style")
GRADES = {"good": "good", "fair": "fair", "poor": "poor", "": "not graded"}


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid, whose judge is checked."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """What the check of the judge finds, part by part, with how many verdicts each change turns."""
    plan = test_grid(work.request)
    sample = QUICK if work.request.quick else SAMPLE
    settings = {"device": work.request.device} if work.request.device else {}
    facts = {"plan": plan.title, "sample": sample, "pictures": _pictures(work, plan)}
    request = CheckRequest(work.choice(plan), Judges(settings=settings), sample=sample)
    check = work.kept("check", facts, lambda: check_judge(request).record())
    changes = list(_turned(check))
    return PaperSection(
        title="Open question 4: how robust the judge is",
        paragraphs=[
            f"The check of {check['critic']['critic']}, which judges {grid_words(plan)}: {check['pictures']} of "
            f"{check['of']} pictures, even over methods and cells, are asked about again with the two pictures in the "
            "other order, in other words that mean the same, at other settings of the model, and with pictures whose "
            f"right answer is known. The same with other sizes: lorarar judge check --images plan={plan.title}.",
            *([check["brand"]] if check["brand"] else []),
        ],
        tables=[_table(check), _turned_table(changes)],
        figures=[work.chart(_chart(changes), "Verdicts that a change turns, with 95 % intervals.")],
        says=[f"{one['part'].capitalize()} ({GRADES[one['grade']]}): {one['text']}." for one in check["findings"]],
        says_not=[
            "How robust another model is, LLaVA-Critic among them: how much wording matters is this one's training.",
            "That a wording is the right one: how far answers are right is in the part on the truth.",
            "That grades are tests: they are rules of thumb on the figures, whose intervals stand beside them.",
        ],
        numbers={"check": check, "turned": {name: dict(rate) for name, rate in changes}},
    )


def _pictures(work: PaperWork, plan: Plan) -> str:
    """A digest of the pictures that are checked, and of who judges them."""
    from lorarar.util.digest import digest_of_facts

    report = work.report(plan)
    of = sorted(picture.target.digest for picture in report.pictures)
    return digest_of_facts({"pictures": of, "judge": report.judge and vars(report.judge)})


def _turned(check: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The share of verdicts that each change turns, by its name."""
    for aspect in ASPECTS:
        if of := (check.get("order") or {}).get(aspect):
            yield f"other order, {aspect}", of["rate"]
    for template in (check.get("wording") or {}).get("templates", ()):
        if template["version"] != check["prompts"]:  # its own words agree with themselves
            yield f"wording {template['name']}", _complement(template["agreement"])
    for setting in check.get("settings") or ():
        if setting.get("flips"):
            yield str(setting["name"]), setting["flips"]["rate"]


def _complement(agreement: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of a share."""
    value, low, high = (agreement[name] for name in ("value", "low", "high"))
    ends = [None if end is None else 1 - end for end in (value, high, low)]
    return {
        **agreement,
        **dict(zip(("value", "low", "high"), ends, strict=True)),
        "hits": agreement["n"] - agreement["hits"],
    }


def _table(check: Mapping[str, Any]) -> Table:
    rows = [[one["part"], GRADES[one["grade"]], one["text"]] for one in check["findings"]]
    return Table("What the check finds", ["part", "grade", "finding"], rows)


def _turned_table(changes: Sequence[tuple[str, Mapping[str, Any]]]) -> Table:
    rows = [[name, f"{rate['hits']} of {rate['n']}", _text(rate)] for name, rate in changes]
    return Table("Verdicts that a change turns", ["change", "turned", "share"], rows)


def _text(rate: Mapping[str, Any]) -> str:
    if rate["value"] is None:
        return ""
    ends = f" ({rate['low']:.0%} to {rate['high']:.0%})" if rate["low"] is not None else ""
    return f"{rate['value']:.0%}{ends}"


def _chart(changes: Sequence[tuple[str, Mapping[str, Any]]]) -> DotChart:
    there = [(name, rate) for name, rate in changes if rate["value"] is not None]
    marks = [
        Mark(row, 0, rate["value"], *(rate["value"] if rate[end] is None else rate[end] for end in ("low", "high")))
        for row, (_, rate) in enumerate(there)
    ]
    panel = Panel("share of verdicts turned", marks)
    return DotChart("Verdicts that a change turns", [name for name, _ in there], ["turned"], [panel])
