"""The section "record": what a report needs to be made again, to the last digit."""

from __future__ import annotations

from lorarar.version import __version__
from studies.figures import Figure
from studies.rater.votes import today
from studies.statistics.draws import current_draws
from studies.store import Study


def record(study: Study) -> list[Figure]:
    """The study's digest, seed and day; by which version, on which day and by which resamples it is reported."""
    draws = current_draws()
    rows: list[tuple[str, float | str, str]] = [
        ("digest", study.design.digest, "of all that raters see"),
        ("seed", study.seed, "of the sample"),
        ("made", study.created, "the day"),
        ("version", __version__, "of lorarar, by which this report is made"),
        ("day", today(), "of this report, in UTC"),
        ("resamples", draws.count, "of the votes; where each takes long, a half or a fourth of them"),
        ("resampling seed", draws.seed, ""),
        *(("rule", rule, "fixed when the study was made") for rule in study.rules.words),
    ]
    return [Figure("record", "", name, value, note=note) for name, value, note in rows]
