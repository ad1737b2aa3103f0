"""Rows of the judge's tables that cannot be used."""

from judge.checks.part import Part
from judge.critics.critic import Critic
from judge.critics.kind import CriticKind
from judge.critics.preparation import Preparation
from judge.metrics.table import BackboneKind, Metric
from judge.questions import Reply
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
ANSWERS = {
    name: CriticKind(name, f"a {name} critic", f"{name}:", f"{name}:".__eq__, "lorarar_bad.judging:Unasked")
    for name in ("unprepared", "answers-beyond", "answers-twice", "answers-words", "answers-oddly", "answers-some")
}
(UNPREPARED, BEYOND, TWICE, WORDS, ODDLY, SOME) = ANSWERS.values()
NAMES_NONE = CriticKind("names-none", "a names-none critic", "", lambda name: False, "", named=raises)
RUNS_NOT = critic("runs-not", runs=raises)
TAKES_PROMPTS = critic("takes-prompts", Option("prompts", "Of its own.", "text"))
TAKES_METRICS = critic("takes-metrics", Option("metrics", "Of its own.", "text"))
TAKES_CLIP = critic("takes-clip", Option("clip", "Of its own.", "text"))
NO_TITLE = CriticKind("no-title", 3, "", lambda name: False, "")


class Unasked(Critic):
    """Has a number in its identity, and fails when it is asked."""

    def __init__(self, name, settings):
        self.identity = {"critic": name} | ({"version": 1} if name == "no-text:" else {})
        self.preparation = None if name == "unprepared:" else Preparation()
        self.kind = name.removesuffix(":")

    def ask(self, questions):
        yes = Reply.from_probability(0.9)
        replies = {
            "asked-not": (raises(one) for one in questions),
            "answers-beyond": [(len(questions), yes)],
            "answers-twice": [(0, yes), (0, yes)],
            "answers-words": [(0, "yes")],
            "answers-oddly": [(0, Reply("perhaps"))],
            "answers-some": [(0, yes)],
        }
        yield from replies[self.kind]


ASKED_NOT = CriticKind(
    "asked-not", "an asked-not critic", "asked-not:", lambda name: name == "asked-not:", "lorarar_bad.judging:Unasked"
)

METRIC_LIKE_OURS = Metric("dino", "DINO", "", "lorarar_bad.judging:raises")
METRIC_MARS2 = Metric("mars2", "MARS2", "", "lorarar_bad.judging:raises")
METRIC_OTHER_CLIP = Metric("other-clip", "", "", "", backbone=BackboneKind("clip", "CLIP", "owner/other"))
METRIC_DEVICE = Metric("by-device", "", "", "", backbone=BackboneKind("device", "Device", "owner/other"))
METRIC_FIRST = Metric("first", "First", "", "", order="first")
METRIC_UNFOUND = Metric(
    "unfound",
    "Unfound",
    "",
    "judge.metrics.measure:cosines",
    against="subject",
    backbone=BackboneKind("unfound", "Unfound", "owner/other", find="lorarar_bad.judging:raises"),
)
METRIC_FAILS = Metric("fails", "Fails", "", "lorarar_bad.judging:raises")


class Fails(Part):
    name = "fails"

    def questions(self, plan, sample):
        raise RuntimeError("no such luck")

    measure = findings = questions


class Prompts(Fails):
    name = "prompts"


class NoQuestions(Part):
    """Asks what is no question."""

    name = "no_questions"

    def questions(self, plan, sample):
        return ["is it right?"]

    def measure(self, baseline, questions, verdicts):
        return {1, 2}

    def findings(self, result, average):
        return [result]


class NoJson(NoQuestions):
    """Has a result that JSON cannot hold."""

    name = "no_json"

    def questions(self, plan, sample):
        return []


class NoFinding(NoJson):
    """Says what is no finding."""

    name = "no_finding"

    def measure(self, baseline, questions, verdicts):
        return "well"


FAILS, PROMPTS, NO_PART = Fails(), Prompts(), Fails
NO_QUESTIONS, NO_JSON, NO_FINDING = NoQuestions(), NoJson(), NoFinding()
