"""What the figures mean, in sentences: one or two lines for each part, each with a grade.

The grades are rules of thumb, said in docs/trust.md, and made of point estimates alone; the figures beside
them carry the intervals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from judge.check.check import Check
from judge.check.controls import Controlled
from judge.check.settings import Setting
from judge.check.statistics.agreement import Flips
from judge.check.statistics.calibration import Calibration
from judge.check.statistics.discrimination import Auroc
from judge.check.statistics.proportions import Proportion
from judge.check.truth import Aspected
from lorarar.util.statistics.bootstrap import Interval

Grade = Literal["good", "fair", "poor", ""]
P = 0.05  # below it a lean is said to be one
FEWEST = 5  # cells, below which nothing is made of them
TOO_WIDE = 0.5  # an interval of a rate that leaves nothing to say


@dataclass(frozen=True)
class Finding:
    """One line of the page."""

    part: str
    grade: Grade
    text: str


def findings(check: Check) -> list[Finding]:
    """All lines, part by part."""
    return [
        *_order(check),
        *_wording(check),
        *_controls(check),
        *(_setting(setting, check.average) for setting in check.settings),
        *_truth(check),
        *_people(check),
    ]


def _order(check: Check) -> Iterator[Finding]:
    for aspect, flips in (("subject", check.order.subject), ("style", check.order.style)):
        grade = _at_most(flips.rate.value, 0.02, 0.1)
        much = {"good": "little", "fair": "somewhat", "poor": "much"}.get(grade)
        if much is None:
            yield Finding("order", "", f"{aspect}: nothing to compare")
            continue
        lean = ""
        if flips.p is not None and flips.p < P:
            lean = f", mostly to {'Yes' if flips.to_yes > flips.to_no else 'No'} (McNemar p {_p(flips.p)})"
        logit = f"; logit {_signed(flips.logit)}" if flips.logit else ""
        yield Finding("order", grade, f"{aspect}: order matters {much}: {_flipped(flips)}{lean}{logit}")


def _wording(check: Check) -> Iterator[Finding]:
    found = check.wording
    first = found.templates[0]
    if found.low is not None and found.high is not None and first.average is not None:
        grade = _at_most(found.high - found.low, 0.05, 0.15)
        much = {"good": "little", "fair": "somewhat", "poor": "much"}[grade]
        yield Finding(
            "wording",
            grade,
            f"wording matters {much}: MARS2 from {found.low:.2f} to {found.high:.2f} over {len(found.templates)} "
            f"wordings, {first.average:.2f} with {first.name}'s",
        )
    if found.alpha is not None:
        text = f"all wordings agree on {_share(found.consistent)} questions; alpha {_interval(found.alpha)}"
        yield Finding("wording", _at_least(found.alpha.value, 0.8, 0.667), text)
    else:
        yield Finding("wording", "", "every answer in every wording is the same one, so that agreement says nothing")
    taus = {template.name: template.tau for template in found.templates[1:] if template.tau is not None}
    if found.tau is None:
        why = "there is one method" if found.methods < 2 else "the methods' MARS2 does not differ"
        yield Finding("wording", "", f"no ranking to compare: {why}")
    else:
        lowest = min(taus, key=lambda name: taus[name] or 0.0)
        grade = _at_least(found.tau, 0.8, 0.5)
        holds = {"good": "holds", "fair": "mostly holds", "poor": "does not hold"}[grade]
        yield Finding(
            "wording",
            grade,
            f"the ranking of {found.methods} methods {holds}: Kendall's tau {found.tau:.2f} on average, "
            f"{taus[lowest]:.2f} with {lowest}'s",
        )


def _controls(check: Check) -> Iterator[Finding]:
    for aspect, found in (("subject", check.controls.subject), ("style", check.controls.style)):
        worst = [one.value for one in (found.sensitivity, found.specificity) if one.value is not None]
        yield Finding("controls", _at_least(min(worst, default=None), 0.95, 0.8), f"{aspect}: {_plain(found)}")
    priors = {"subject": check.controls.subject.prior, "style": check.controls.style.prior}
    known = {aspect: prior for aspect, prior in priors.items() if prior is not None}
    if known:
        biased = [aspect for aspect, prior in known.items() if prior.value > 0]
        unsure = any(prior.high > 0 for prior in known.values())
        grade: Grade = "poor" if biased else "fair" if unsure else "good"
        leans = {
            "poor": f"leans to Yes about {' and '.join(biased)}: a yes-bias",
            "fair": "hardly leans to No",
            "good": "leans to No, as it should",
        }[grade]
        logits = ", ".join(f"{aspect} {_signed(prior)}" for aspect, prior in known.items())
        yield Finding("controls", grade, f"shown a blank picture it {leans}; logit {logits}")


def _plain(found: Controlled) -> str:
    text = f"Yes to {_share(found.sensitivity)} that must be Yes, No to {_share(found.specificity)} that must be No"
    return f"{text}; AUROC {_area(found.area)}" if found.area else text


def _setting(setting: Setting, reference: float | None) -> Finding:
    if setting.flips is None:
        return Finding("settings", "", f"{setting.name}: could not be tried: {setting.failure}")
    flips = setting.flips
    if flips.rate.value is None:
        return Finding("settings", "", f"{setting.name}: no clear verdicts to compare")
    agreement = f", kappa {flips.kappa:.2f}" if flips.kappa is not None else ""
    averages = (
        f"; MARS2 {reference:.2f} becomes {setting.average:.2f}"
        if reference is not None and setting.average is not None
        else ""
    )
    grade = _at_most(flips.rate.value, 0.02, 0.1)
    return Finding("settings", grade, f"{setting.name}: {_flipped(flips)}{agreement}{averages}")


def _truth(check: Check) -> Iterator[Finding]:
    if check.truth is None:
        yield Finding("truth", "", "not known of these pictures")
        return
    for aspect, found in (("subject", check.truth.subject), ("style", check.truth.style)):
        worst = [one.value for one in (found.sensitivity, found.specificity) if one.value is not None]
        yield Finding("truth", _at_least(min(worst, default=None), 0.9, 0.75), f"{aspect}: {_true(found)}")
    yield _corrected("truth", "correct pictures", check.truth.rates["correct"])
    if (near := check.truth.nearness) is not None:
        text = (
            f"of two pictures of a cell, the one judged correct is nearer to the true one in {near.value:.0%} "
            f"({near.low:.0%} to {near.high:.0%} over {near.cells} cells)"
        )
        yield Finding("truth", _at_least(near.value, 0.75, 0.6) if near.cells >= FEWEST else "", text)
    named = {row: rate for row, rate in check.truth.methods.items() if row}
    if named and all(rate.high - rate.low <= TOO_WIDE for rate in named.values()):
        best = sorted(named.items(), key=lambda item: -item[1].value)
        text = ", ".join(f"{row} {rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%})" for row, rate in best)
        yield Finding("truth", "", f"without the judge's mistakes, by method: {text}")


def _true(found: Aspected) -> str:
    text = f"sensitivity {_share(found.sensitivity)}, specificity {_share(found.specificity)}"
    if found.hard.value is not None:
        text += f" ({found.hard.value:.0%} of nearly right ones)"
    return f"{text}; AUROC {_area(found.area)}" if found.area else text


def _people(check: Check) -> Iterator[Finding]:
    if check.people is None:
        yield Finding("people", "", "there are no human votes on these pictures yet")
        return
    for aspect, found in (("subject", check.people.subject), ("style", check.people.style)):
        if not found.n:
            yield Finding("people", "", f"{aspect}: no votes")
            continue
        yield _corrected("people", f"right {aspect}s", found, f"{found.n} pictures, {_calibrated(found)}; ")


def _calibrated(found: Calibration) -> str:
    parts = [f"Brier {found.brier:.3f}" if found.brier is not None else ""]
    parts.append(f"ECE {found.ece:.3f}" if found.ece is not None else "")
    parts.append(f"temperature {found.temperature:.2f}" if found.temperature is not None else "")
    return ", ".join(part for part in parts if part) or "no probabilities"


def _corrected(part: str, what: str, found: Calibration, before: str = "") -> Finding:
    fixed = found.corrected
    if fixed is None:
        why = "known answers are too few or the judge no better than chance"
        return Finding(part, "", f"{before}{what}: cannot be corrected, {why}")
    span = f"{fixed.low:.0%} to {fixed.high:.0%}"
    judged = f"{before}{what}: {fixed.reported:.0%} of {fixed.n} as judged"
    if fixed.high - fixed.low > TOO_WIDE:
        return Finding(part, "poor", f"{judged}, and anything from {span} without the judge's mistakes")
    grade = _at_most(abs(fixed.value - fixed.reported), 0.05, 0.15)
    return Finding(part, grade, f"{judged}, {fixed.value:.0%} ({span}) without the judge's mistakes")


def _at_most(value: float | None, good: float, fair: float) -> Grade:
    if value is None:
        return ""
    return "good" if value <= good else "fair" if value <= fair else "poor"


def _at_least(value: float | None, good: float, fair: float) -> Grade:
    if value is None:
        return ""
    return "good" if value >= good else "fair" if value >= fair else "poor"


def _flipped(flips: Flips) -> str:
    rate = flips.rate
    return f"{rate.hits} of {rate.n} verdicts flip ({_percent(rate)})"


def _share(share: Proportion) -> str:
    return "none" if share.value is None else f"{share.value:.0%} of {share.n}"


def _percent(share: Proportion) -> str:
    return f"{share.value or 0:.1%}, {100 * (share.low or 0):.1f} to {100 * (share.high or 0):.1f}"


def _interval(found: Interval) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _signed(found: Interval) -> str:
    return f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def _area(found: Auroc | None) -> str:
    return "" if found is None else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.3f}"
