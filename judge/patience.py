"""When a run gives a critic up: after so many questions in a row that fail alike, or more of which none is clear."""

from __future__ import annotations

import re
from collections import Counter

from judge.critics.critic import GivenUpError
from judge.non_answers import non_answer_of
from judge.outcome import main_reason
from judge.questions import Reply

STOP_AFTER = 50  # like failures in a row: more than the questions that share one bad reference
VARIED = 4  # times as many failures of any kinds from the first question on: a critic that answers something else

_CHANGING = re.compile(r"\S*\d\S*")  # words with numbers: of a request, of a moment


class Patience:
    """Sees replies as they come."""

    def __init__(self, most: int = STOP_AFTER) -> None:
        """``most`` is the number of like failures in a row; 0: as many as there are."""
        self._most = most
        self._kind, self._count = "", 0
        self._vain: Counter[str] = Counter()  # reasons while nothing was clear yet
        self._any_clear = False

    def see(self, reply: Reply) -> None:
        """Take note of a reply.

        Raises:
            GivenUpError: the last ones failed alike, so many in a row.
        """
        kind = kind_of_failure(reply)
        self._count = self._count + 1 if kind == self._kind else 1
        self._kind = kind
        if kind and self._count == self._most:
            raise GivenUpError(f"{self._count} questions in a row had no clear answer: {reply.reason}")
        self._any_clear = self._any_clear or not kind
        if self._any_clear:
            return
        self._vain[reply.reason] += 1
        if self._most and self._vain.total() == VARIED * self._most:
            count, mostly = self._vain.total(), main_reason(self._vain)
            raise GivenUpError(f"none of the first {count} questions had a clear answer, mostly: {mostly}")


def kind_of_failure(reply: Reply) -> str:
    """What failures that are alike have in common; empty for a clear reply."""
    if reply.status == "ok":
        return ""
    kind = non_answer_of(reply.reason) if reply.status == "unparsed" else _CHANGING.sub("#", reply.reason)
    return f"{reply.status}: {kind}"
