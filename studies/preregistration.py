"""Registering a study before anybody votes, and what a report says of whether the study kept to it."""

from __future__ import annotations

from collections.abc import Sequence

from lorarar import __version__
from lorarar.store import Store
from lorarar.util.digest import differing
from lorarar.util.formatting import count, in_words
from studies.errors import StudyError
from studies.figures import ASPECT_TITLES, metric_title
from studies.power import PAPERS_R, StudySize
from studies.rater.votes import today
from studies.store import Study
from studies.store.preregistration import Preregistration, add_preregistration, preregistration_of

MOST_HYPOTHESES, LONGEST = 20, 1000  # sentences, and characters of one


def preregister(
    store: Store, study: Study, raters: int, hypotheses: Sequence[str] = (), *, after_votes: bool = False
) -> Preregistration:
    """Register a study; what is registered once stays as it is.

    Args:
        store: the database of results.
        study: what is registered.
        raters: how many are planned.
        hypotheses: sentences; without one, what the study's rules and methods say.
        after_votes: whether it is registered though people have voted, which is then sentences.

    Raises:
        StudyError: something else is registered already, people have voted, or a sentence or a number is out of bounds.
    """
    if (registered := preregistration_of(store, study)) is not None:
        check_same(registered, raters, hypotheses)
        return registered
    made = _registration(store, study, raters, _sentences(study, hypotheses))
    if made.votes and not after_votes:
        raise StudyError(
            f"people have voted on the study {study.name} already ({count(made.votes, 'vote')}), so this is no "
            "preregistration; --after-votes registers it all the same, and says so on the page and in the report"
        )
    add_preregistration(store, study, made)
    return made


def check_same(registered: Preregistration, raters: int | None, hypotheses: Sequence[str]) -> None:
    """Refuse to register something else than what is registered; what is not named is the same.

    Raises:
        StudyError: the raters or the hypotheses are others.
    """
    others = tuple(one.strip() for one in hypotheses)
    if raters not in (None, registered.raters) or others not in ((), registered.hypotheses):
        raise StudyError(
            f"the study {registered.study} was registered on {registered.day} with "
            f"{count(registered.raters, 'rater')} and {_hypotheses(len(registered.hypotheses))}, and that stays as it "
            "is; without --raters and --hypothesis it is written again"
        )


def deviations(store: Store, study: Study) -> list[str]:
    """In what a study did not keep to what was registered of it, a sentence each; none where it did, or nothing was.

    Compared are, of people alone: whether votes were there when it was registered, or were given on an earlier day and
    came in later; whether as many raters voted as were planned; whether each rule that was fixed (exclusions, margin,
    primary figure, pairing) is the same; whether the study shows the same (its digest), and by the same seed. Whether
    the hypotheses hold is for the figures to say.

    Raises:
        StudyError: what was registered was changed afterwards.
    """
    registered = preregistration_of(store, study)
    if registered is None:
        return []
    sentences = _changed(study, registered)
    if registered.votes:
        sentences.append(f"it was registered when people had given {count(registered.votes, 'vote')}")
    early = _count(store, study, "count(*)", "AND day < ?", registered.day) - registered.votes
    if early > 0:
        sentences.append(f"{count(early, 'vote')} that came in later had been given before it was registered")
    voted = _count(store, study, "count(DISTINCT rater)")
    if voted != registered.raters:
        sentences.append(f"{count(registered.raters, 'rater')} planned, {voted} voted")
    return sentences


def _changed(study: Study, registered: Preregistration) -> list[str]:
    """What is no longer as it was registered."""
    rules = study.rules.record()
    sentences = [
        f"{name} was {registered.rules.get(name)!r} and is {rules.get(name)!r}"
        for name in differing(rules, registered.rules)
    ]
    if study.design.digest != registered.study_digest:
        sentences.append("the study shows something else")
    if study.seed != registered.seed:
        sentences.append(f"the seed was {registered.seed} and is {study.seed}")
    return sentences


def _registration(store: Store, study: Study, raters: int, hypotheses: tuple[str, ...]) -> Preregistration:
    size = StudySize.of_study(study)
    power = size.power(raters)
    absolute = {"r": PAPERS_R, "interval": size.r_interval()}
    share = {"effect": power.effect, "share": round(power.share, 3)}
    return Preregistration(
        study=study.name,
        study_digest=study.design.digest,
        kind=study.kind,
        scenario=study.scenario,
        methods=study.methods,
        collection=study.collection.label if study.collection else "",
        seed=study.seed,
        items=study.item_count,
        pairs=len(study.pairs),
        checks=len(study.checks),
        repeats=study.design.repeats,
        drawing=study.drawing.record(),
        rules=study.rules.record(),
        hypotheses=hypotheses,
        raters=raters,
        power=absolute if study.kind == "absolute" else share,
        version=__version__,
        day=today(),
        votes=_count(store, study, "count(*)"),
    )


def _count(store: Store, study: Study, what: str, where: str = "", *values: str) -> int:
    """A count over the standing votes of people, without practice."""
    people = "FROM study_current_votes WHERE study = ? AND NOT simulated AND purpose <> 'practice'"
    rows = store.rows(f"SELECT {what} AS n {people} {where}", study.id, *values)
    return int(rows[0]["n"])


def _sentences(study: Study, hypotheses: Sequence[str]) -> tuple[str, ...]:
    """The hypotheses, or those that follow from the study.

    Raises:
        StudyError: there are too many, or one is empty, too long or holds control codes.
    """
    sentences = tuple(one.strip() for one in hypotheses) or tuple(default_hypotheses(study))
    if len(sentences) > MOST_HYPOTHESES:
        raise StudyError(f"{_hypotheses(len(sentences))}; at most {MOST_HYPOTHESES} are taken")
    for one in sentences:
        if not 0 < len(one) <= LONGEST or not one.isprintable():
            raise StudyError(f"a hypothesis is a line of 1 to {LONGEST} characters, not {one[:40]!r}")
    return sentences


def default_hypotheses(study: Study) -> list[str]:
    """What the methods, the primary figure and the margin of a study say is to be found out."""
    methods, margin, several = in_words(study.methods), study.rules.margin, len(study.methods) > 2
    first = _primary_hypothesis(study, methods, several)
    if margin is None:
        return [first]
    each = "of every two each" if several else "each"
    return [first, f"{methods} are equivalent: {each} is comparable or better in more than {margin:.0%} of the votes."]


def _primary_hypothesis(study: Study, methods: str, several: bool) -> str:
    primary = study.rules.primary or ("preference" if study.kind == "ab" else "shown")
    if primary == "preference":
        return f"Of {'every two of ' if several else ''}{methods}, people prefer one to the other (two-sided)."
    if primary == "comparable":
        first, others = study.methods[0], in_words(study.methods[1:])
        return f"{first} is comparable to {others} or better in more than half of the votes."
    if primary == "shown":
        return f"It is estimated how often people see {ASPECT_TITLES['both']} in pictures of {methods}."
    metric = metric_title(primary)
    return f"{metric} says of pictures of {methods} what people say: Pearson's r of people with it is above 0."


def _hypotheses(number: int) -> str:
    return f"{number} {'hypothesis' if number == 1 else 'hypotheses'}"
