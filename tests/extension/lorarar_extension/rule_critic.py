"""The critic by a rule; it is imported when it is used."""

from judge.critics.critic import Critic
from judge.critics.preparation import Preparation
from judge.questions import Reply


class RuleCritic(Critic):
    """Says Yes to pictures that are bright enough, whatever the reference."""

    def __init__(self, threshold):
        self.threshold = threshold
        self.preparation = Preparation()
        self.identity = {"critic": "rule:brighter", "threshold": str(threshold)}

    def ask(self, questions):
        for index, question in enumerate(questions):
            values = self.preparation(question.test).image.convert("L").tobytes()
            bright = sum(values) / len(values) >= self.threshold
            yield index, Reply.from_text("Yes" if bright else "No")


def open_rule(name, settings):
    """The critic of the only name, with all its settings."""
    return RuleCritic(settings["threshold"])
