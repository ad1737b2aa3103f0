"""A new study: pictures sampled from the database, checked, frozen with the words that go with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from judge.metrics import MARS2, METRICS
from lorarar.store import Store
from studies.creation.acceptance import accepted, find_judge, judge_record
from studies.creation.album import Album
from studies.creation.candidates import Candidates, find_candidates
from studies.creation.new_items import NewItem, attention_items, plain_items, practice_item
from studies.creation.sampling import SampledItem, by_cell, groups_of, most_items, one_each, sample_items
from studies.errors import StudyError
from studies.rater.design import Design, most_repeats
from studies.rater.names import study_name
from studies.rater.votes import today
from studies.rater.wording import StudyKind, StudyWording
from studies.rules import StudyRules, accepted_primaries
from studies.store import Scenario, Study, StudyStore

ITEMS, REPEATS = 25, 3  # 25 of each group of methods, as in the paper; repeats as good practice has it


@dataclass(frozen=True)
class StudyRequest:
    """The wishes for a new study; None leaves a number to the default that fits."""

    name: str
    kind: StudyKind
    methods: tuple[str, ...]
    scenario: Scenario
    items: int | None = None
    seed: int = 0
    repeats: int | None = None
    attention: int | None = None
    tie: str = "Comparable"
    critic: str | None = None  # whose verdicts `best` goes by
    images: str = ""  # a filter; needed where several collections have these methods
    instruction: str | None = None  # instead of the paper's
    consent: str | None = None
    rules: StudyRules = field(default_factory=StudyRules)  # a primary figure that is not named is the kind's default


def new_study(store: Store, request: StudyRequest) -> Study:
    """Sample a study from the database and store it.

    Raises:
        ImageError: a picture cannot be read.
        StudyError: there are not the pictures that it asks for, or its name is taken.
    """
    studies = StudyStore(store)
    studies.check_name(study_name(request.name))
    wording = StudyWording.of(request.kind, request.tie, request.instruction, request.consent)
    groups_of(request.kind, request.methods)  # refuses a wrong number of methods before pictures are read
    rules = _rules(request)
    candidates = find_candidates(store, request.methods, request.images)
    bases = [picture.base for picture in candidates.pictures]
    judge = find_judge(store, request.critic, bases) if request.scenario == "best" else None
    if judge is not None:
        candidates = accepted(store, judge, candidates)
        if not candidates.pictures:
            raise StudyError(f"MARS2 by {judge.critic} accepts no picture of {', '.join(request.methods)}")
    sampled, album = _sample(request, candidates), Album()
    items = _items(request, candidates, sampled, album)
    repeats = min(REPEATS, most_repeats(len(sampled))) if request.repeats is None else request.repeats
    study = Study(
        id=0,
        name=request.name,
        scenario=request.scenario,
        methods=request.methods,
        seed=request.seed,
        judge={} if judge is None else judge_record(store, judge, bases),
        design=Design(
            kind=request.kind,
            wording=wording,
            items=tuple(item.numbered(number) for number, item in enumerate(items)),
            repeats=repeats,
        ),
        origins=tuple(item.origin for item in items),
        created=today(),
        collection=candidates.collection,
        rules=rules,
    )
    return studies.add(study, album.pictures)


def _rules(request: StudyRequest) -> StudyRules:
    """The request's rules with the primary figure named; of a ``best`` study MARS2 cannot be it, for it is constant.

    Raises:
        StudyError: there is no such figure, or a margin for single pictures.
    """
    metrics = [*([MARS2] if request.scenario == "random" else []), *(name for name in METRICS if name != MARS2)]
    accepted_names = accepted_primaries(request.kind, metrics)
    if request.kind == "absolute" and request.rules.margin is not None:
        raise StudyError("--margin is for ab studies: it says when two methods are equivalent")
    default = "shown" if (request.kind, request.scenario) == ("absolute", "best") else accepted_names[0]
    primary = request.rules.primary or default
    if primary not in accepted_names:
        raise StudyError(f"--primary is {primary[:60]!r}; accepted here are {', '.join(accepted_names)}")
    return replace(request.rules, primary=primary)


def _sample(request: StudyRequest, candidates: Candidates) -> list[SampledItem]:
    """The items to ask about; by default one of each pair and group of methods, up to ``ITEMS`` a group."""
    cells, groups = by_cell(candidates.pictures), groups_of(request.kind, request.methods)
    if not most_items(cells, groups):
        raise StudyError(
            f"no subject-style pair has pictures of {' and of '.join(request.methods)} that could be shown"
        )
    count = min(one_each(cells, groups), ITEMS * len(groups)) if request.items is None else request.items
    return sample_items(cells, groups, count, request.seed)


def _items(request: StudyRequest, candidates: Candidates, sampled: list[SampledItem], album: Album) -> list[NewItem]:
    """The item for practice, then the sampled ones, then attention checks."""
    pairs = [item.pair for item in sampled]
    references = candidates.references
    return [
        practice_item(request.kind, album),
        *plain_items(sampled, references, album),
        *attention_items(request.kind, pairs, references, album, count=request.attention, seed=request.seed),
    ]
