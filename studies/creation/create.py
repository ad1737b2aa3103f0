"""A new study: pictures sampled from the database, checked, frozen with the words that go with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from judge.metrics import MARS2, METRICS
from lorarar.store import Store
from lorarar.store.queries import Pair
from lorarar.util.formatting import count
from lorarar.util.suggestion import did_you_mean
from studies.creation.acceptance import accepted, find_judge, judge_record
from studies.creation.album import Album
from studies.creation.attention_checks import attention_items
from studies.creation.candidates import Candidates, find_candidates
from studies.creation.new_items import NewItem, plain_items, practice_item
from studies.creation.sampling import Sample, SampledItem, by_cell, groups_of, most_items, sample_items
from studies.errors import StudyError
from studies.rater.design import Design, most_repeats
from studies.rater.names import study_name
from studies.rater.votes import today
from studies.rater.wording import StudyKind, StudyWording
from studies.rules import Drawing, StudyRules, accepted_primaries
from studies.store import Scenario, Study, StudyStore

REPEATS = 3  # as good practice has it
#: Pairs of which nothing can be told from chance are fewer than these: where five all lean to one side, the sign test
#: still has p 0.06. A study whose judge accepts so few is not made unless its size is said.
LEAST_PAIRS = 6


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
    pairs = {picture.pair for picture in candidates.pictures}
    judge = find_judge(store, request.critic, bases) if request.scenario == "best" else None
    if judge is not None:
        candidates = accepted(store, judge, candidates)
        if not candidates.pictures:
            raise StudyError(f"MARS2 by {judge.critic} accepts no picture of {', '.join(request.methods)}")
    album = Album()
    sample = _sample(request, candidates, album, pairs)
    items = _items(request, candidates, sample.items, album)
    repeats = min(REPEATS, most_repeats(len(sample.items))) if request.repeats is None else request.repeats
    design = Design(
        kind=request.kind,
        wording=wording,
        items=tuple(item.numbered(number) for number, item in enumerate(items)),
        repeats=repeats,
    )
    study = Study(
        id=0,
        name=request.name,
        scenario=request.scenario,
        methods=request.methods,
        seed=request.seed,
        judge={} if judge is None else judge_record(store, judge, bases),
        design=design,
        origins=tuple(item.origin for item in items),
        created=today(),
        collection=candidates.collection,
        rules=rules,
        drawing=Drawing(pairs=len(pairs), identical=sample.identical, unpaired=_unpaired(rules, sample)),
    )
    return studies.add(study, {digest: album.pictures[digest] for digest in design.pictures})


def _rules(request: StudyRequest) -> StudyRules:
    """The request's rules with the primary figure named; of a ``best`` study MARS2 cannot be it, for it is constant.

    Raises:
        StudyError: there is no such figure, or a margin for single pictures.
    """
    metrics = [*([MARS2] if request.scenario == "random" else []), *(name for name in METRICS if name != MARS2)]
    accepted_names = accepted_primaries(request.kind, metrics)
    if request.kind == "absolute" and request.rules.margin is not None:
        raise StudyError("--margin is for ab studies: it says when two methods are equivalent")
    if request.kind == "absolute" and request.rules.pairing != "independent":
        raise StudyError("--pairing is for ab studies: it says which two pictures are compared")
    default = "shown" if (request.kind, request.scenario) == ("absolute", "best") else accepted_names[0]
    primary = request.rules.primary or default
    if primary not in accepted_names:
        near = did_you_mean(primary, accepted_names)
        raise StudyError(f"--primary is {primary[:60]!r}; accepted here are {', '.join(accepted_names)}{near}")
    return replace(request.rules, primary=primary)


def _sample(request: StudyRequest, candidates: Candidates, album: Album, pairs: Collection[Pair]) -> Sample:
    """The items to ask about.

    Args:
        request: the study's.
        candidates: the pictures that may be shown.
        album: takes those that are looked at.
        pairs: all that there are pictures of, whether or not they may be shown.

    Raises:
        StudyError: there are not the pictures, or too few where no number was asked for.
    """
    cells, groups = by_cell(candidates.pictures), groups_of(request.kind, request.methods)
    if not most_items(cells, groups):
        raise StudyError(
            f"no subject-style pair has pictures of {' and of '.join(request.methods)} that could be shown"
        )
    sample = sample_items(cells, groups, request.items, request.seed, album.same, request.rules.pairing)
    if not sample.items:
        raise StudyError(f"the pictures of {' and of '.join(request.methods)} are the same: there is nothing to prefer")
    if request.items is None and request.scenario == "best":
        _check_size(request, sample, candidates, len(pairs))
    return sample


def _check_size(request: StudyRequest, sample: Sample, candidates: Candidates, pairs: int) -> None:
    """Raise StudyError where a judge accepts so few that a study, which nobody wanted so small, could tell nothing."""
    of_methods = Counter(frozenset(picture.method for picture in item.pictures) for item in sample.items)
    groups = groups_of(request.kind, request.methods)
    fewest, group = min((of_methods[frozenset(group)], group) for group in groups)
    if fewest >= LEAST_PAIRS:
        return
    of_method = {
        method: {picture.pair for picture in candidates.pictures if picture.method == method}
        for method in request.methods
    }
    having = ", ".join(f"{method} {len(there)}" for method, there in of_method.items())
    identical = f"; {sample.identical} comparisons of identical pictures are left out" if sample.identical else ""
    raise StudyError(
        f"{' and '.join(group)} can be shown of {count(fewest, 'pair')} alone, and of fewer than {LEAST_PAIRS} nothing "
        f"can be told from chance (pairs with an accepted picture, of {pairs}: {having}{identical}); draw and judge "
        f"more pictures, or ask for so few with --items {len(sample.items)}"
    )


def _unpaired(rules: StudyRules, sample: Sample) -> int:
    """How many items of a study that pairs by seed show pictures of different seeds."""
    if rules.pairing != "seed":
        return 0
    return sum(len({picture.seed for picture in item.pictures}) > 1 for item in sample.items)


def _items(request: StudyRequest, candidates: Candidates, sampled: list[SampledItem], album: Album) -> list[NewItem]:
    """The item for practice, then the sampled ones, then attention checks."""
    pairs = [item.pair for item in sampled]
    references = candidates.references
    return [
        practice_item(request.kind, album),
        *plain_items(sampled, references, album),
        *attention_items(request.kind, pairs, references, album, count=request.attention, seed=request.seed),
    ]
