"""Rows of the judge's tables that cannot be used."""

from judge.check.part import Part
from judge.critics.critic import Critic
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
NO_TEXT = CriticKind(
    "no-text", "a no-text critic", "no-text:", lambda name: name == "no-text:", "lorarar_bad.judging:Unasked"
)
RUNS_NOT = critic("runs-not", runs=raises)
TAKES_PROMPTS = critic("takes-prompts", Option("prompts", "Of its own.", "text"))


class Unasked(Critic):
    """Has a number in its identity, and fails when it is asked."""

    def __init__(self, name, settings):
        self.identity = {"critic": name} | ({"version": 1} if name == "no-text:" else {})
        self.preparation = None

    def ask(self, questions):
        yield from map(raises, questions)


ASKED_NOT = CriticKind(
    "asked-not", "an asked-not critic", "asked-not:", lambda name: name == "asked-not:", "lorarar_bad.judging:Unasked"
)

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
