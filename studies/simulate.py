"""Simulated raters, for trying things out and for tests. They are marked in the database and in every report.

A simulated rater sees what MARS2 says of a picture, as the shares of references that say yes for the subject and
for the style, through noise: a normal deviate of the size asked for, new for every look. Where a picture has no
verdicts, a quality computed from its digest takes their place. Without noise, raters follow MARS2 to the letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lorarar.store import Store
from studies.errors import StudyError
from studies.rater.design import VoteAnswer, mirrored_answer
from studies.rater.names import SIMULATED
from studies.rater.trials import Trial, trials_of
from studies.rater.votes import Screen, Vote, today
from studies.store import ItemOrigin, RaterStore, Study, StudyStore, VoteStore
from studies.store.gate import check_open

SIMILAR = 0.25  # of subject plus style, in 0..2: less of a difference is called comparable
SCREEN = Screen("simulated", columns=0, rows=0, cell_width=0, cell_height=0, picture_width=0, picture_height=0)

#: The quality of a picture's subject and of its style, in 0..1, by the picture's digest and its item.
Quality = Callable[[str, ItemOrigin], tuple[float, float]]


def simulate(store: Store, name: str, raters: int, noise: float, seed: int = 0) -> list[str]:
    """Write the votes of new simulated raters, all or nothing.

    Args:
        store: the database of results.
        name: the study's.
        raters: how many to add.
        noise: the standard deviation of what they see, where a quality lies in 0..1.
        seed: of the noise.

    Returns:
        The raters' codes.

    Raises:
        StudyError: there is no such study, it is closed, or a number is out of bounds.
    """
    if not 1 <= raters <= 10_000 or not 0 <= noise < float("inf"):
        raise StudyError(f"{raters} raters with noise {noise}; accepted are 1 to 10000, and noise from 0")
    study = StudyStore(store).get(name)
    quality = _quality(store, study)
    stored, votes = RaterStore(store, study), VoteStore(store, study)
    with store.writing():
        check_open(store, study)
        last = max((int(code.removeprefix(SIMULATED)) for code in stored.simulated()), default=0)
        codes = [f"{SIMULATED}{number:04d}" for number in range(last + 1, last + 1 + raters)]
        for code in codes:
            rater = stored.enrol(code, today(), simulated=True)
            simulated = _SimulatedRater(study, quality, noise, Random(f"{seed}/{study.design.digest}/{code}"))
            for trial in trials_of(study.design, code):
                votes.insert(rater, simulated.vote(trial), trial)
    return codes


@dataclass(frozen=True)
class _SimulatedRater:
    """One who sees the quality of pictures through noise."""

    study: Study
    quality: Quality
    noise: float
    random: Random

    def vote(self, trial: Trial) -> Vote:
        """The rater's vote on a trial."""
        answer = self._answer(self.study.origins[trial.item.number])
        seconds = self.random.lognormvariate(1.5, 0.4)
        return Vote(
            id=f"{self.random.getrandbits(128):032x}",
            trial=trial.number,
            answer=mirrored_answer(answer, trial.mirrored),
            seconds=seconds,
            screen=SCREEN,
            supersedes=None,
            day=today(),
        )

    def _answer(self, origin: ItemOrigin) -> VoteAnswer:
        """The answer by place."""
        if origin.expected is not None:
            return origin.expected  # practice and checks are easy
        looks = [self._look(source.image, origin) for source in origin.sources]
        return _compare(*map(sum, looks)) if self.study.kind == "ab" else _rate(*looks[0])

    def _look(self, image: str, origin: ItemOrigin) -> tuple[float, float]:
        """A picture's subject and style as they appear this time."""
        subject, style = self.quality(image, origin)
        return subject + self.random.gauss(0, self.noise), style + self.random.gauss(0, self.noise)


def _compare(one: float, two: float) -> VoteAnswer:
    if abs(one - two) < SIMILAR:
        return "similar"
    return "left" if one > two else "right"


def _rate(subject: float, style: float) -> VoteAnswer:
    answers: dict[tuple[bool, bool], VoteAnswer] = {
        (True, True): "both",
        (True, False): "subject",
        (False, True): "style",
        (False, False): "neither",
    }
    return answers[subject > 0.5, style > 0.5]


def _quality(store: Store, study: Study) -> Quality:
    """The shares of references that the latest judge says yes for."""
    from judge.pictures import answers_on
    from judge.questions import ASPECTS
    from judge.verdicts import JudgeVerdicts, VerdictStore

    stored = VerdictStore(store)
    judges = stored.judges()
    images = {source.image for origin in study.origins for source in origin.sources}
    verdicts = stored.of(judges[0], images) if judges else JudgeVerdicts([])

    def quality(image: str, origin: ItemOrigin) -> tuple[float, float]:
        shares = []
        for aspect in ASPECTS:
            answers = answers_on(verdicts, image, origin.references, aspect, origin.words)
            clear = [answer for answer in answers if answer is not None]
            shares.append(sum(clear) / len(clear) if clear else _invented(study, aspect, image))
        return shares[0], shares[1]

    return quality


def _invented(study: Study, aspect: str, image: str) -> float:
    """A quality in 0..1 for a picture without verdicts, always the same one."""
    return hashlib.sha256(f"{study.design.digest}/{aspect}/{image}".encode()).digest()[0] / 255
