"""Simulated raters, for trying things out and for tests. They are marked in the database and in every report.

A simulated rater sees what MARS2 says of a picture, as the shares of references that say yes for the subject and
for the style, through noise: a normal deviate of the size asked for, new for every look. Where a picture has no
verdicts, a quality drawn from its digest takes their place. Without noise, raters follow MARS2 to the letter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from random import Random

from lorarar.store import Store
from studies.errors import StudyError
from studies.rater.design import Answer, mirrored_answer
from studies.rater.names import SIMULATED
from studies.rater.trials import Trial, trials_of
from studies.rater.votes import Screen, Vote, today
from studies.store import Origin, Study, StudyStore

SIMILAR = 0.25  # of subject plus style, in 0..2: less of a difference is called comparable
SCREEN = Screen("simulated", 0, 0, 0, 0, 0, 0)
Quality = Callable[[str, Origin], tuple[float, float]]  # of subject and style, in 0..1


def simulate(store: Store, name: str, raters: int, noise: float, seed: int = 0) -> list[str]:
    """Write the votes of new simulated raters, all or nothing; their codes.

    Raises:
        StudyError: no such study, or numbers that cannot be.
    """
    if not 1 <= raters <= 10_000 or not 0 <= noise < float("inf"):
        raise StudyError(f"{raters} raters with noise {noise}; accepted are 1 to 10000, and noise from 0")
    studies = StudyStore(store)
    study = studies.get(name)
    quality = _quality(store, study)
    with store.writing():
        before = [rater.code for rater in studies.raters(study) if rater.simulated]
        first = max((int(code.removeprefix(SIMULATED)) for code in before), default=0) + 1
        codes = [f"{SIMULATED}{number:04d}" for number in range(first, first + raters)]
        for code in codes:
            rater = studies.enrol(study, code, today(), simulated=True)
            random = Random(f"{seed}/{study.design.digest}/{code}")
            for trial in trials_of(study.design, code):
                vote = _vote(study, trial, quality, noise, random)
                studies.insert(study, rater, vote, trial)
    return codes


def _vote(study: Study, trial: Trial, quality: Quality, noise: float, random: Random) -> Vote:
    origin = study.origins[trial.item.number]
    if origin.expected is not None:
        answer: Answer = origin.expected  # practice and checks are easy
    else:
        seen = [
            tuple(value + random.gauss(0, noise) for value in quality(source.image, origin))
            for source in origin.sources
        ]
        answer = _compare(*map(sum, seen)) if study.kind == "ab" else _judge(*seen[0])
    seconds = random.lognormvariate(1.5, 0.4)
    return Vote(
        f"{random.getrandbits(128):032x}",
        trial.number,
        mirrored_answer(answer, trial.mirrored),
        seconds,
        SCREEN,
        None,
        today(),
    )


def _compare(one: float, two: float) -> Answer:
    if abs(one - two) < SIMILAR:
        return "similar"
    return "left" if one > two else "right"


def _judge(subject: float, style: float) -> Answer:
    said: dict[tuple[bool, bool], Answer] = {
        (True, True): "both",
        (True, False): "subject",
        (False, True): "style",
        (False, False): "neither",
    }
    return said[subject > 0.5, style > 0.5]


def _quality(store: Store, study: Study) -> Quality:
    from judge.pictures import answers_on
    from judge.verdicts import VerdictStore

    stored = VerdictStore(store)
    judges = stored.judges()
    verdicts = stored.of(judges[0]) if judges else {}

    def of(image: str, origin: Origin) -> tuple[float, float]:
        shares = []
        for aspect in ("subject", "style"):
            answers = answers_on(verdicts, image, origin.references, aspect)
            said = [answer for answer in answers if answer is not None]
            drawn = hashlib.sha256(f"{study.design.digest}/{aspect}/{image}".encode()).digest()
            shares.append(sum(said) / len(said) if said else drawn[0] / 255)
        return shares[0], shares[1]

    return of
