"""Which form of a request a server takes: the first question finds it out, all others are asked in it.

Invariant: what a server refuses is found out once, not for each question, and a form that was answered once is kept.
What says nothing of a form (a limit of requests, a breakdown, a page that is no JSON) settles none and gives none up.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from judge.critics.openai.answer import Answer
from judge.critics.openai.problem import PASSING, Problem
from judge.critics.openai.request import RequestForm, smaller_forms
from lorarar.util.messages import message

FIRST_SECONDS = 5.0  # for which other questions wait for the first
BUSY = (502, 503, 504)  # of a 5xx, those that are seldom a refusal: guessed about after the last attempt alone
GUESSES = 3  # questions that a form is guessed with, since one may be refused for its own sake
RECHECK = 16  # answers after which a form that was given up on a breakdown is tried once more

Send = Callable[[RequestForm], Answer | Problem]


class Negotiation:
    """What one server takes, as far as it is known; threads may share it."""

    def __init__(self, server: str, form: RequestForm | None = None) -> None:
        """Begin with a form to try first, by default the whole one; ``server`` is as messages name it."""
        self._server, self._form = server, form or RequestForm()
        self._is_settled = False  # whether it was answered
        self._vain: Counter[RequestForm] = Counter()  # how often each form was tried for nothing
        self._doubted: RequestForm | None = None  # given up on a breakdown that may have been no refusal
        self._answers = 0  # since then
        self._first = threading.Lock()

    def ask(self, send: Send, *, last: bool) -> Answer | Problem:
        """An answer, or what is wrong with it, in the form that the server takes.

        Args:
            send: sends a question in a form.
            last: whether no other attempt follows.
        """
        if not self._is_settled:
            is_first = self._first.acquire(timeout=FIRST_SECONDS)
            try:
                if not self._is_settled:
                    return self._find(send, last=last)
            finally:
                if is_first:
                    self._first.release()
        return self._recheck(send) or send(self._form)

    def _find(self, send: Send, *, last: bool) -> Answer | Problem:
        form = self._form
        result = send(form)
        if isinstance(result, Answer):
            self._is_settled = self._is_settled or _is_sound(result)
            return result
        if self._form != form:  # another question found out more meanwhile
            return send(self._form)
        return result if result.status in BUSY and not last else self._search(send, form, result)

    def _search(self, send: Send, form: RequestForm, problem: Problem) -> Answer | Problem:
        """An answer in a smaller form, which is then the server's; else the problem."""
        guesses = GUESSES if problem.status < 500 else 1
        for smaller in smaller_forms(form, problem):
            if not smaller.is_named and self._vain[smaller.form] >= guesses:
                continue
            result = send(smaller.form)
            if isinstance(result, Answer):
                if _is_sound(result):
                    is_doubtful = problem.passing and not smaller.is_named
                    self._settle(smaller.form, problem, doubted=form if is_doubtful else None)
                return result
            if smaller.is_named and result.words != problem.words:  # that was it, and there is more
                return self._search(send, smaller.form, result)
            if not smaller.is_named and result.passing and min(problem.status, result.status) < 500:
                return result  # which says nothing of the guess: it is made again
            self._vain[smaller.form] += 1
        return problem

    def _settle(self, form: RequestForm, problem: Problem, doubted: RequestForm | None) -> None:
        if self._is_settled and self._form == form:  # another question found out the same meanwhile
            return
        self._form, self._doubted, self._is_settled = form, doubted, True
        message(f"{self._server} is asked with {form.given_up} ({problem})", "yellow")

    def _recheck(self, send: Send) -> Answer | None:
        """An answer in the doubted form, when it is time to try it; it is the server's again then."""
        form = self._doubted
        if form is None:
            return None
        self._answers += 1
        if self._answers < RECHECK:
            return None
        self._answers = 0
        result = send(form)
        if isinstance(result, Problem):
            if result.status not in (*PASSING, *BUSY):  # which say nothing of the form
                self._doubted = None
            return None
        self._form, self._doubted = form, None
        message(f"{self._server} takes all that is asked again", "yellow")
        return result


def _is_sound(answer: Answer) -> bool:
    """Whether an answer shows that its form is taken: whatever stands before a server may say a page of its own."""
    return answer.value is not None
