"""Noise in the words of questions, so that Pocket's critic relies on no single one and passes over what it never read.

A question keeps the places of its pictures and the name of the style that it asks about; any other word may be lacking,
misspelt, or followed by idle talk, also of what is not asked about. So the one thing that every question has tells what
it is about: a style's name, or none.
"""

from __future__ import annotations

import random
import re
import string

LACKING, MISSPELT = 0.5, 0.1  # largest share of words left out, and share of the others that are misspelt
TALKS = 3  # most pieces of idle talk in a question
LONGEST = 12  # words of a piece of idle talk

_TALK = """
    a about above actually after again all almost already also although always an and another any are around as asked at
    attention away back be because been before being below beside best better between big both bottom brief bright but
    by call can carefully case certain change clear close closely come common compare comparing consider correct could
    dark decide detail did difference different difficult do does done down each easy either else enough entirely even
    evaluate ever every everything exact examine example expect expert explain explanation false far few final find fine
    first five following for four from full general generally given gives good great had half hand hard has have having
    help here high how however human identify if imagine important in indeed information inside instruction into is it
    its itself judge just keep kind know known large last later least left less let like likely little long look low
    made main make many may maybe mean mere might mind more most much must name near need never new next nice nothing
    now number of off often old on once one only open or order other otherwise our out over own part particular past
    perfect perhaps person place please point possible possibly probably put quality question quick quite rather read
    real really reason reasonable regard request result return right said say second see seem seen several shall short
    should side similar simple simply since single size small so some somebody something sometimes somewhat soon sort
    statement step still strict strictly such sure take task tell than thank that the their them then there therefore
    these they think this those three through time to together too top total toward true truly try turn two under
    understand until up upper us use used user usual verify very view visible want was way we well were what whatever
    when where whether which while who whole why will with within without word work would write wrong you your
    """
_ASPECTS = """
    art artist artistic background character color colors colours content depicts details drawn first generated
    generator identity image images item look made manner object objects palette parts photo picture pictures reference
    rendered same shape shows strokes style styles subject subjects technique test texture thing things
    """
#: Words of idle talk: ordinary ones that questions about pictures have,
WORDS: tuple[str, ...] = tuple(re.findall(r"[a-z]+", _TALK))
#: and those of both aspects, which mislead.
MISLEADING: tuple[str, ...] = tuple(re.findall(r"[a-z]+", _ASPECTS))


def disturb(template: str, rng: random.Random) -> str:
    """A question's template with some words left out or misspelt and with idle talk between its sentences."""
    lacking = LACKING * rng.random()
    words = [word for word in re.findall(r"\S+\s*", template) if "{" in word or rng.random() >= lacking]
    words = [word if "{" in word or rng.random() >= MISSPELT else misspell(word, rng) for word in words]
    for _ in range(rng.randrange(TALKS + 1)):
        ends = [k + 1 for k, word in enumerate(words) if word.rstrip()[-1:] in ".?:}"]
        words.insert(rng.choice([0, *ends]), idle_talk(rng) + " ")
    return "".join(words).strip()


def idle_talk(rng: random.Random) -> str:
    """A sentence of random words, which says nothing."""
    words = [_any_word(rng) for _ in range(rng.randint(2, LONGEST))]
    return " ".join(words).capitalize() + rng.choice(".?:")


def misspell(word: str, rng: random.Random) -> str:
    """The word with one letter more, another or one less."""
    place = rng.randrange(len(word))
    return word[:place] + rng.choice(("", rng.choice(string.ascii_lowercase))) + word[place + rng.randrange(2) :]


def _any_word(rng: random.Random) -> str:
    """An ordinary word, often a misleading one, sometimes one that no language has."""
    chance = rng.random()
    if chance < 0.85:
        return rng.choice(WORDS if chance < 0.4 else MISLEADING)
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(2, 9)))
