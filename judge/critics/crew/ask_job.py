"""A part of the questions, asked by one worker: in the batches in which a run without workers asks it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from judge.critics.crew.held_critic import CriticOrder
from judge.pair_questions import AnyQuestion, PairQuestion
from judge.questions import Reply
from lorarar.workers.errors import WorkersError
from lorarar.workers.job import Job
from lorarar.workers.parcel import Parcel
from lorarar.workers.workbench import Workbench

SEND_SECONDS = 1.0  # for which a reply waits at most for others to travel with it

Replies = tuple[tuple[int, Reply], ...]  # each with its question's number


@dataclass(frozen=True)
class AskJob(Job[Replies]):
    """Questions, by their numbers."""

    order: CriticOrder
    identity: Mapping[str, str]  # of the first worker's critic
    questions: Mapping[int, AnyQuestion]
    pictures: Mapping[Path, Parcel]  # those that could be read

    @classmethod
    def of(cls, order: CriticOrder, identity: Mapping[str, str], questions: Mapping[int, AnyQuestion]) -> AskJob:
        """The job of asking some questions."""
        paths = dict.fromkeys(path for question in questions.values() for path in question.pictures)
        pictures = {}
        for path in paths:
            try:
                pictures[path] = Parcel.of(path)
            except OSError:
                continue  # a worker will say that it is not there
        return cls(order, identity, questions, pictures)

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return tuple(self.pictures.values())

    def run(self, bench: Workbench) -> Iterator[Replies]:
        critic = self.order.held(bench)
        if others := [f"{name} {value}" for name, value in critic.identity.items() if self.identity.get(name) != value]:
            raise WorkersError(
                f"a worker's critic has another {', '.join(others)} than the first; have the same everywhere, or name "
                "--device and --dtype"
            )
        places = {path: bench.place(parcel) for path, parcel in self.pictures.items()}
        numbers, questions = list(self.questions), [placed(one, places) for one in self.questions.values()]
        replies: list[tuple[int, Reply]] = []
        sent = time.monotonic()
        for index, reply in critic.ask(questions):
            replies.append((numbers[index], reply))
            if bench.is_stopped:
                break
            if time.monotonic() - sent > SEND_SECONDS:
                yield tuple(replies)
                replies, sent = [], time.monotonic()
        if replies:
            yield tuple(replies)

    def without(self, result: Replies) -> AskJob | None:
        answered = {number for number, _ in result}
        left = {number: question for number, question in self.questions.items() if number not in answered}
        return replace(self, questions=left) if left else None


def placed(question: AnyQuestion, places: Mapping[Path, Path]) -> AnyQuestion:
    """A question about the same pictures where they lie here."""
    if isinstance(question, PairQuestion):
        return replace(
            question,
            references=tuple(places.get(path, path) for path in question.references),
            first=places.get(question.first, question.first),
            second=places.get(question.second, question.second),
        )
    reference, test = (places.get(path, path) for path in question.pictures)
    return replace(question, reference=reference, test=test)
