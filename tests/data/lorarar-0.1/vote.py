"""``vote.py DATABASE STUDY ANSWER,… RATER…``: ordinary raters vote in a study, by the code of commit f806d89."""

import sys

from studies.opening import open_study
from studies.vote import Screen

from lorarar.store import Store

SCREEN = Screen("kitty", 140, 45, 10, 20, 400, 400)

database, name, answers, *codes = sys.argv[1:]
accepted = answers.split(",")
with Store(database) as store:
    for code in codes:
        session = open_study(store, name, code)
        session.consent()
        while (trial := session.current()) is not None:
            answer = trial.expected or accepted[(sum(map(ord, code)) + 7 * trial.number // 3) % len(accepted)]
            session.vote(answer, 1.5 + trial.number / 4, SCREEN)
            if trial.number == 2:  # an answer that is changed
                session.undo()
                session.vote(accepted[0], 2.25, SCREEN)
