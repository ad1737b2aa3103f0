"""From verdicts in the database back to pictures: what each reference answered, and what was left unanswered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from judge.digests import digest_of
from judge.prompts import Aspect
from judge.protocol import Answer
from judge.results import Judged
from judge.targets import Target
from judge.verdicts import Asked, Judge, VerdictStore

UNASKED = "not asked"


class Answers:
    """What the judges of a database answered about some pictures."""

    def __init__(self, targets: Sequence[Target], verdicts: VerdictStore) -> None:
        self.targets, self.verdicts = targets, verdicts
        self._asked = [(_asked(target, "subject"), _asked(target, "style")) for target in targets]

    def of(self, judge: Judge) -> list[Judged]:
        """The targets with one judge's answers; a reference that was not asked has none."""
        known = self.verdicts.of(judge)

        def answers(asked: Sequence[Asked]) -> tuple[Answer, ...]:
            return tuple(known[key].verdict if key in known else None for key in asked)

        def unclear(asked: Sequence[Asked]) -> Counter[str]:
            statuses = Counter(known[key].status if key in known else UNASKED for key in asked)
            del statuses["ok"]
            return statuses

        return [
            Judged(target, answers(subject), answers(style), unclear([*subject, *style]))
            for target, (subject, style) in zip(self.targets, self._asked, strict=True)
        ]

    def clear(self, judge: Judge) -> int:
        """How many of the questions about these pictures the judge has answered clearly."""
        known = self.verdicts.of(judge)
        asked = {key for pair in self._asked for keys in pair for key in keys}
        return sum(key in known and known[key].status == "ok" for key in asked)


def _asked(target: Target, aspect: Aspect) -> list[Asked]:
    references = target.subject_references if aspect == "subject" else target.style_references
    try:
        return [(digest_of(target.image), digest_of(reference), aspect) for reference in references]
    except OSError:  # gone since: nothing is known of it
        return [("", str(reference), aspect) for reference in references]
