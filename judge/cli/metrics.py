"""``lorarar judge metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from judge.metrics.table import METRICS, Metric
from lorarar.cli.console import JsonOption, command, print_json
from lorarar.cli.help_pages import help_page
from lorarar.cli.table_layout import print_table
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.backbone_kind import BackboneKind


@help_page("lorarar judge metrics")
@command
def metrics(as_json: JsonOption = False) -> None:
    """List the metrics beside MARS2: what each is, what it is measured by, and who brought it or uses it."""
    if as_json:
        print_json([_record(metric) for metric in METRICS.values()])
        return
    rows = [
        [metric.name, f"{metric.help}; {metric.direction}", _measured_by(metric.backbone), metric.paper]
        for metric in METRICS.values()
    ]
    notes = [metric.caution for metric in METRICS.values() if metric.caution]
    by_default = ", ".join(metric.name for metric in METRICS.values() if metric.default)
    notes.append(f"Measured where nothing is named: {by_default}; others with lorarar judge run --metrics A,B.")
    print_table(Table("Metrics beside MARS2", ["--metrics", "what", "by", "paper"], rows, notes))


def _measured_by(kind: BackboneKind | None) -> str:
    """The flag that chooses the backbone, with the customary one."""
    if kind is None:
        return ""
    return f"--{kind.name}, {f'else {kind.customary}' if kind.customary else 'which has to be named'}"


def _record(metric: Metric) -> dict[str, Any]:
    """A metric as JSON has it."""
    kind = metric.backbone
    return {
        "name": metric.name,
        "title": metric.title,
        "help": metric.help,
        "against": metric.against,
        "higher_is_better": metric.higher_is_better,
        "default": metric.default,
        "paper": metric.paper,
        "caution": metric.caution,
        "backbone": kind and kind.name,
        "customary": kind and (kind.customary or None),
    }
