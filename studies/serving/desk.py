"""Where raters' sessions meet the database.

What is read is read in one thread, and what is written is written in another, so that a database that somebody holds
locked keeps nobody from their pictures. A vote is committed before its answer. Raters are told nothing but what
``refusals`` has in words; what the database says goes to the operator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lorarar.store import Store
from lorarar.util.errors import LorarError, StoreError
from studies.errors import ClosedError, SettledVoteError, StudyError, UnsavedVoteError
from studies.rater.session import Session, introduction_of
from studies.serving.bodies import VoteBody
from studies.serving.complaints import Complaints
from studies.serving.picture_memory import PictureMemory
from studies.serving.places import RaterPlace
from studies.serving.reader import StoreReader
from studies.serving.refusals import (
    BEHIND,
    CLOSED,
    GONE,
    NOT_AGREED,
    SETTLED,
    UNREADABLE,
    UNWRITABLE,
    RefusalError,
)
from studies.serving.service import StudyService
from studies.serving.state import example_pictures, introduction_facts, picture_address, state_facts
from studies.serving.tokens import TokenFile
from studies.serving.vote_log import ServedVoteLog
from studies.serving.writer import StoreWriter
from studies.store import RaterStore, StoredVoteLog, StudyStore
from studies.store.gate import check_open

T = TypeVar("T")
State = dict[str, Any]


class StudyDesk:
    """What raters' pages ask of one study, each answered with the state that comes of it.

    A place is asked for one thing at a time, which the caller sees to.

    Raises:
        LorarError: the database cannot be opened, or has no such study.
    """

    def __init__(self, service: StudyService, complaints: Complaints) -> None:
        self._complaints = complaints
        self._writer = StoreWriter(service.database)  # the first: it brings an older file up to date
        self._reader = StoreReader(service.database)
        self.study = self._reader.begin(lambda store: StudyStore(store).get(service.study)).result()
        self._tokens = TokenFile(service.tokens, self.study.design.digest)
        introduction = introduction_of(self.study.design)
        self._introduction, self._example = introduction_facts(introduction), example_pictures(introduction)
        self._pictures = frozenset(self.study.design.pictures)
        self._memory = PictureMemory()

    def close(self) -> None:
        """Write what has come, and let go of the database."""
        self._writer.close()
        self._reader.close()

    async def check_rater(self, code: str) -> None:
        """Refuse a rater who was deleted; their token goes from its file."""
        await self._read(lambda store: self._check(store, code))

    async def state(self, place: RaterPlace) -> State:
        """Where the rater is, by what the database holds now."""
        return await self._read(lambda store: self._state(store, place))

    async def consent(self, place: RaterPlace) -> State:
        """Record that the rater agrees to take part."""
        session = await self._session(place)
        await self._write(place, lambda _: session.consent())
        return await self.state(place)

    async def undo(self, place: RaterPlace) -> State:
        """Go back to the answer before; until another one comes, it stands."""
        session = await self._session(place)

        def undo(store: Store) -> State:
            if self._state(store, place)["closed"]:
                raise RefusalError(403, CLOSED)
            session.undo()
            return self._facts(session)

        return await self._read(undo)

    async def vote(self, place: RaterPlace, body: VoteBody) -> State:
        """Answer the current trial; the vote is on disk when this returns."""
        session = await self._session(place)

        def vote(_: Store) -> State:
            trial = session.current()
            if not session.consented:
                raise RefusalError(409, NOT_AGREED, self._facts(session))
            if trial is None or trial.number != body.trial:
                raise RefusalError(409, BEHIND, self._facts(session))
            if body.answer not in self._introduction["answers"]:
                raise RefusalError(400, f"Accepted answers are {', '.join(self._introduction['answers'])}.")
            session.vote(body.answer, body.seconds, body.as_screen())
            return self._facts(session)

        return await self._write(place, vote)

    async def picture(self, digest: str) -> bytes:
        """The PNG bytes of a picture that this study shows."""
        png = self._example.get(digest) or self._memory.get(digest)
        if png is None:
            if digest not in self._pictures:
                raise RefusalError(404, "There is no such picture.")
            png = await self._read(lambda store: StudyStore(store).picture(digest))
            self._memory.put(digest, png)
        return png

    async def _session(self, place: RaterPlace) -> Session[str]:
        """The session of a place, which is opened where it is new."""
        if place.session is None:
            await self.state(place)
        assert place.session is not None
        return place.session

    async def _read(self, work: Callable[[Store], T]) -> T:
        try:
            return await self._reader.run(work)
        except LorarError as error:
            self._complaints.say(str(error))
            raise RefusalError(503, UNREADABLE) from None

    async def _write(self, place: RaterPlace, work: Callable[[Store], T]) -> T:
        """What writing gives; where the database holds something else than the session knows, where the rater is."""
        try:
            return await self._writer.run(work)
        except (StoreError, UnsavedVoteError) as error:
            cause = error.__cause__ if isinstance(error, UnsavedVoteError) else error  # which names the place
            self._complaints.say(str(cause))
            await self.state(place)  # of what the session took for written nothing may be
            raise RefusalError(503, UNWRITABLE) from None
        except ClosedError:
            raise RefusalError(403, CLOSED) from None
        except StudyError as error:
            words = SETTLED if isinstance(error, SettledVoteError) else BEHIND
            raise RefusalError(409, words, await self.state(place)) from None

    def _state(self, store: Store, place: RaterPlace) -> State:
        """The state as the database has it; in the thread that reads."""
        self._check(store, place.code)
        if place.session is None:
            reading, writing = (StoredVoteLog(one, self.study, place.code) for one in (store, self._writer.store))
            place.session = Session(self.study.design, place.code, picture_address, ServedVoteLog(reading, writing))
        else:
            place.session.reload()
        return self._facts(place.session, self._is_closed(store))

    def _facts(self, session: Session[str], closed: bool = False) -> State:
        return state_facts(session, self._introduction, closed)

    def _is_closed(self, store: Store) -> bool:
        try:
            check_open(store, self.study)
        except ClosedError:
            return True
        return False

    def _check(self, store: Store, code: str) -> None:
        if RaterStore(store, self.study).withdrawn_of([code]):
            try:
                with self._tokens.changing() as tokens:
                    tokens.withdraw(code)
                self._complaints.say(f"the rater {code} was deleted; their link is taken out of {self._tokens.path}")
            except StudyError as error:  # the link lets nobody in all the same
                self._complaints.say(f"the rater {code} was deleted, but their link stays: {error}")
            raise RefusalError(403, GONE)
