"""Rows of the judge's tables that cannot be used."""

from judge.check.part import Part
from judge.critics.kind import CriticKind
from judge.metrics.table import BackboneKind, Metric
from lorarar.util.options import Option


def critic(name, *options, runs=lambda name: False):
    return CriticKind(name, f"a {name} critic", f"{name}:", runs, "lorarar_bad.judging:raises", options)


def raises(*_):
    raise RuntimeError("no such luck")


LIKE_OURS = critic("local")
OTHER_BATCH = critic("other-batch", Option("batch", "Pictures.", "integer", default=1))
OPENS_NOT = critic("opens-not", runs=lambda name: name == "opens-not:")
RUNS_NOT = critic("runs-not", runs=raises)
TAKES_PROMPTS = critic("takes-prompts", Option("prompts", "Of its own.", "text"))

METRIC_LIKE_OURS = Metric("dino", "DINO", "", "lorarar_bad.judging:raises")
METRIC_MARS2 = Metric("mars2", "MARS2", "", "lorarar_bad.judging:raises")
METRIC_OTHER_CLIP = Metric("other-clip", "", "", "", backbone=BackboneKind("clip", "CLIP", "owner/other"))
METRIC_FAILS = Metric("fails", "Fails", "", "lorarar_bad.judging:raises")


class Fails(Part):
    name = "fails"

    def questions(self, plan, sample):
        raise RuntimeError("no such luck")

    measure = findings = questions


class Prompts(Fails):
    name = "prompts"


FAILS, PROMPTS, NO_PART = Fails(), Prompts(), Fails
