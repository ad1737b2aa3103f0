"""The whole check of a judge: its parts, the questions they take, and what the verdicts come to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from judge.brand import brands
from judge.checks.ask import CheckQuestion, Interview, ordinary_questions
from judge.checks.findings import Finding
from judge.checks.part import Baseline, CheckPlan, Configuration, Opener, Part
from judge.checks.sample import sample_targets
from judge.checks.settings import rival
from judge.checks.table import parts
from judge.critics import Critic
from judge.outcome import JudgeOutcome
from judge.pictures import JudgedPicture, JudgedTargets
from judge.trust import Trust, worst_grades
from judge.verdicts import Verdict, VerdictStore
from lorarar.util.clock import now
from lorarar.util.errors import LorarError

SAMPLE = "sample"  # the name of the ordinary questions beside those of the parts

QuestionsByPart = Mapping[str, Sequence[CheckQuestion]]  # under the part's name
VerdictsByPart = Mapping[str, Sequence[Verdict]]


class CheckError(LorarError):
    """A check that has nothing to go on."""

    title = "Judge"


@dataclass(frozen=True)
class Check:
    """The figures of all parts."""

    critic: Mapping[str, str]
    brand: str  # what stands with all of it where a critic does not know the pictures; else empty
    prompts: str
    seed: int
    pictures: int  # in the sample
    of: int
    average: float | None  # MARS2 of the sample
    tally: JudgeOutcome  # of all its questions, over all critics
    results: Mapping[str, Any]  # by the part's name
    findings: Sequence[Finding]  # the results in sentences, part by part

    def trust(self, collection: str) -> Trust:
        """What the check came to, as it is kept for reports; ``collection`` is whose pictures they are, in words."""
        grades = worst_grades((finding.part, finding.grade) for finding in self.findings)
        return Trust(created=now(), collection=collection, pictures=self.pictures, grades=grades)

    def record(self) -> dict[str, Any]:
        """The check as JSON has it: every part's result under its name, and the sentences."""
        fields = asdict(self)
        results, findings = fields.pop("results"), fields.pop("findings")
        tally = self.tally.record()
        return {**fields, "tally": {"questions": tally.pop("cases"), **tally}, **results, "findings": findings}


def run_check(plan: CheckPlan, interview: Interview, open_critic: Opener = Configuration.open) -> Check:
    """Ask the critic that is checked, and then every other one, what has no clear verdict yet; measure each part.

    Raises:
        CheckError: no ordinary question has an answer.
        CriticError: the critic, or the one to compare with, cannot be found or cannot work at all.
        ImageError: a blank picture cannot be written.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    every = [part for part in parts() if plan.size or not part.of_sample]
    baseline, questions, verdicts = _ask(plan, interview, open_critic, every)
    results = {part.name: part.measure(baseline, questions[part.name], verdicts[part.name]) for part in every}
    critics = filter(None, (baseline.identity["critic"], plan.against))
    rated = plan.ratings.targets if plan.ratings else []
    return Check(
        critic=baseline.identity,
        brand=" ".join(brands(critics, [target.base for target in (*plan.targets, *rated)])),
        prompts=plan.prompts.version,
        seed=plan.seed,
        pictures=len(baseline.sample),
        of=len(plan.targets),
        average=baseline.average,
        tally=interview.tally,
        results=results,
        findings=[finding for part in every for finding in part.findings(results[part.name], baseline.average)],
    )


def _ask(
    plan: CheckPlan, interview: Interview, open_critic: Opener, every: Sequence[Part[Any, Any]]
) -> tuple[Baseline, QuestionsByPart, VerdictsByPart]:
    """Ask the critic that is checked about the sample, and each part's questions."""
    sample = sample_targets(plan.targets, plan.size, plan.seed)
    with open_critic(plan.configuration) as critic:
        if plan.against is not None:  # fail early on an unknown critic
            open_critic(rival(plan.configuration.settings, plan.against)).close()
        questions: dict[str, Sequence[CheckQuestion]] = {SAMPLE: ordinary_questions(sample, plan.prompts)}
        questions |= {part.name: part.questions(plan, sample) for part in every}
        first = {SAMPLE, *(part.name for part in every if part.asked_by_run)}
        verdicts = _ask_all(questions, critic, interview, first)
        identity = dict(critic.identity)
    baseline = Baseline(
        plan=plan,
        sample=sample,
        questions=questions[SAMPLE],
        verdicts=verdicts[SAMPLE],
        results=_results(plan, interview.verdicts, identity),
        identity=identity,
        interview=interview,
        open_critic=open_critic,
    )
    return baseline, questions, verdicts


def _ask_all(
    questions: QuestionsByPart, critic: Critic, interview: Interview, first: Collection[str]
) -> VerdictsByPart:
    """The verdicts on the sample's and every part's questions; the ``first`` ones are those of ``judge run`` too."""
    ordinary = {name: part for name, part in questions.items() if name in first}
    verdicts = interview.ask_parts(critic, ordinary, "judge")
    if questions[SAMPLE] and all(verdict.answer is None for verdict in verdicts[SAMPLE]):
        count, why = len(verdicts[SAMPLE]), interview.tally.main_reason
        raise CheckError(f"none of {count} questions has an answer; mostly: {why}")
    others = {name: part for name, part in questions.items() if name not in first}
    return verdicts | interview.ask_parts(critic, others)


def _results(plan: CheckPlan, verdicts: VerdictStore, identity: Mapping[str, str]) -> list[JudgedPicture]:
    """The pictures that ``judge run`` has judged by this critic in these words; rates are corrected over them."""
    judge = verdicts.find_judge(identity, plan.prompts.version)
    pictures = JudgedTargets(plan.targets, verdicts).pictures(judge) if judge else []
    return [picture for picture in pictures if picture.correct is not None]
