"""When a run gives a critic up: after so many questions in a row that fail alike."""

from __future__ import annotations

import re

from judge.critics.critic import GivenUpError
from judge.non_answers import non_answer_of
from judge.questions import Reply

STOP_AFTER = 50  # like failures in a row: more than the questions that share one bad reference

_CHANGING = re.compile(r"\S*\d\S*")  # words with numbers: of a request, of a moment


class Patience:
    """Sees replies as they come."""

    def __init__(self, most: int = STOP_AFTER) -> None:
        """``most`` is the number of like failures in a row; 0: as many as there are."""
        self._most = most
        self._kind, self._count = "", 0

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


def kind_of_failure(reply: Reply) -> str:
    """What failures that are alike have in common; empty for a clear reply."""
    if reply.status == "ok":
        return ""
    kind = non_answer_of(reply.reason) if reply.status == "unparsed" else _CHANGING.sub("#", reply.reason)
    return f"{reply.status}: {kind}"
