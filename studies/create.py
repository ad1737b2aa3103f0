"""A new study: pictures drawn from the database, checked, frozen with the words that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from judge.pictures import correct_on
from judge.verdicts import VerdictStore
from lorarar.store import Store
from studies.candidates import Candidate, Pair, References, candidates, find_judge
from studies.errors import StudyError
from studies.rater.blind_pictures import blind_picture, blind_reference, png_digest, png_size
from studies.rater.design import Answer, Design, Item, Purpose, most_repeats
from studies.rater.example import practice
from studies.rater.names import study_name
from studies.rater.votes import today
from studies.rater.wording import Kind, StudyWording
from studies.sampling import Drawn, available, by_cell, draw, groups_of, ranked
from studies.store import Origin, Scenario, Source, Study, StudyStore

ITEMS, REPEATS, ATTENTION = 25, 3, 1  # 25 of each group of methods, as in the paper; the rest as good practice has it


@dataclass(frozen=True)
class Request:
    """What a new study should be; None leaves a number to the default that fits."""

    name: str
    kind: Kind
    methods: tuple[str, ...]
    scenario: Scenario
    items: int | None = None
    seed: int = 0
    repeats: int | None = None
    attention: int | None = None
    tie: str = "Comparable"
    critic: str | None = None  # whose verdicts `best` goes by
    plan: str | None = None  # of the grid, where several have these methods
    instruction: str | None = None  # instead of the paper's
    consent: str | None = None


class _Album:
    """Pictures as they are shown, gathered by digest."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self._references: dict[object, str] = {}

    def add(self, png: bytes) -> str:
        digest = png_digest(png)
        self.pictures[digest] = png
        return digest

    def reference(self, references: References, aspect: str, which: int = 0) -> str:
        """One of a pair's references, or the first where there are not so many."""
        paths = references.subject if aspect == "subject" else references.style
        path = paths[which] if which < len(paths) else paths[0]
        if path not in self._references:
            self._references[path] = self.add(blind_reference(path))
        return self._references[path]


def new_study(store: Store, request: Request) -> Study:
    """Draw and keep a study.

    Raises:
        ImageError: a picture cannot be read.
        StudyError: it cannot be drawn as asked, or its name is taken.
    """
    studies = StudyStore(store)
    study_name(request.name)
    if request.name in studies.names():
        raise StudyError(f"there is a study {request.name} already; choose another name")
    wording = StudyWording.of(request.kind, request.tie, request.instruction, request.consent)
    groups = groups_of(request.kind, request.methods)
    found, references = candidates(store, request.methods, request.plan)
    digests = {pair: of_pair.digests() for pair, of_pair in references.items()}
    judge = None
    if request.scenario == "best":
        judge = find_judge(store, request.critic)
        verdicts = VerdictStore(store).of(judge)
        found = [one for one in found if correct_on(verdicts, one.sha256, digests[one.pair])]
        if not found:
            raise StudyError(f"MARS2 by {judge.critic} accepts no picture of {', '.join(request.methods)}")
    cells = by_cell(found)
    if not available(cells, groups):
        raise StudyError(
            f"no subject-style pair has pictures of {' and of '.join(request.methods)} that could be shown"
        )
    once = sum(all(method in cell for method in group) for cell in cells.values() for group in groups)
    items = min(once, ITEMS * len(groups)) if request.items is None else request.items
    drawn = draw(cells, groups, items, request.seed)
    album = _Album()
    entries = [_practice(request.kind, album)]
    entries += [_plain(one, references[one.pair], digests[one.pair], album) for one in drawn]
    _check_sizes(drawn, entries[1:], album)
    entries += _attention(request, drawn, references, album)
    numbered = tuple(Item(number, *bare) for number, (bare, _) in enumerate(entries))
    repeats = min(REPEATS, most_repeats(len(drawn))) if request.repeats is None else request.repeats
    design = Design(request.kind, wording, numbered, repeats)
    made_by = {} if judge is None else asdict(judge) | {"identity": dict(judge.identity)}
    origins = tuple(origin for _, origin in entries)
    study = Study(0, request.name, request.scenario, request.methods, request.seed, made_by, design, origins, today())
    return studies.add(study, album.pictures)


class _Bare(NamedTuple):
    """An item without its number."""

    purpose: Purpose
    subject: str
    style: str
    options: tuple[str, ...]


_Entry = tuple[_Bare, Origin]


def _practice(kind: Kind, album: _Album) -> _Entry:
    shipped = practice(kind)
    options = tuple(album.add(png) for png in shipped.options)
    sources = tuple(Source("", "") for _ in options)
    item = _Bare("practice", album.add(shipped.subject), album.add(shipped.style), options)
    return item, Origin("", "", {}, sources, shipped.answer)


def _plain(one: Drawn, references: References, digests: Mapping[str, Sequence[str]], album: _Album) -> _Entry:
    pngs = [blind_picture(picture.path, picture.sha256) for picture in one.pictures]
    options = tuple(map(album.add, pngs))
    item = _Bare("plain", album.reference(references, "subject"), album.reference(references, "style"), options)
    return item, Origin(*one.pair, digests, tuple(Source(picture.method, picture.sha256) for picture in one.pictures))


def _check_sizes(drawn: Sequence[Drawn], entries: Sequence[_Entry], album: _Album) -> None:
    """That the pictures of a pair are of one size, whatever made them."""
    sizes: dict[tuple[Pair, tuple[int, int]], Candidate] = {}
    for one, (item, _) in zip(drawn, entries, strict=True):
        for picture, digest in zip(one.pictures, item.options, strict=True):
            sizes.setdefault((one.pair, png_size(album.pictures[digest])), picture)
    pairs = [pair for pair, _ in sizes]
    for pair in pairs:
        if pairs.count(pair) > 1:
            differing = [picture for (other, _), picture in sizes.items() if other == pair]
            raise StudyError(
                f"{' and '.join(map(_said, differing[:2]))} have different sizes, which would tell the methods apart; "
                "draw them with the same resolution"
            )


def _attention(
    request: Request, drawn: Sequence[Drawn], references: Mapping[Pair, References], album: _Album
) -> list[_Entry]:
    """Checks with one right answer: the subject itself beside another subject; or another subject alone.

    Both pictures are references, so no method can be so bad that the check becomes unfair.
    """
    pairs = ranked(sorted({one.pair for one in drawn}), request.seed, "attention")
    against = {pair: [other for other in pairs if other[0] != pair[0]] for pair in pairs}
    able = [pair for pair in pairs if against[pair]]
    wanted = min(ATTENTION, len(able)) if request.attention is None else request.attention
    if not 0 <= wanted <= len(able):
        raise StudyError(
            f"{wanted} attention checks; accepted are 0 to {len(able)}, the pairs that another subject goes with"
        )
    made: list[_Entry] = []
    for pair in able[:wanted]:
        right = album.reference(references[pair], "subject", 1)
        wrong = album.reference(references[against[pair][-1]], "subject", 1)
        # by digest: the order must say nothing
        options = tuple(sorted((right, wrong))) if request.kind == "ab" else (wrong,)
        expected: Answer = "neither" if request.kind == "absolute" else "left" if options[0] == right else "right"
        subject, style = (album.reference(references[pair], aspect) for aspect in ("subject", "style"))
        made.append(
            (
                _Bare("attention", subject, style, options),
                Origin(*pair, {}, tuple(Source("", "") for _ in options), expected),
            )
        )
    return made


def _said(picture: Candidate) -> str:
    return f"{picture.method}'s picture {picture.seed} of {picture.subject} in {picture.style}"
