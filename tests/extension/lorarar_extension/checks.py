"""A part of the check: how often the judge says yes to whatever it is shown."""

from judge.checks.findings import Finding
from judge.checks.part import Part


class YesPart(Part):
    """The share of yes among the sample's ordinary questions; it asks none of its own."""

    name = "yes"
    order = 7

    def questions(self, plan, sample):
        return []

    def measure(self, baseline, questions, verdicts):
        answers = [verdict.answer for verdict in baseline.verdicts if verdict.answer is not None]
        return {"share": sum(answers) / len(answers), "of": len(answers)}

    def findings(self, result, average):
        yield Finding(self.name, "", f"{result['share']:.0%} of {result['of']} answers are yes")


YES = YesPart()
