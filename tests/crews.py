"""Workers of this very process, as deterministic as a test wants them: no engine, but jobs that travel as bytes."""

from __future__ import annotations

import pickle
from collections import deque
from pathlib import Path
from shutil import rmtree
from weakref import finalize

from lorarar.workers.crew import Crew, Report
from lorarar.workers.errors import WorkersError
from lorarar.workers.hand import Hand


class CrewHere(Crew):
    """Workers that do one step of their jobs each time they are waited for; some die at a step of their own."""

    def __init__(self, workers, dies=None, elsewhere=True, deadly=lambda job, result: False):
        """``dies``: after how many results a worker is lost, by number; ``elsewhere``: it sees no file of ours."""
        folder = str(Path.cwd())
        self.hands = {number: Hand(folder, None) for number in range(workers)}
        self.dies, self.deadly, self.given, self.sent = dict(dies or {}), deadly, 0, []
        for hand in self.hands.values():
            finalize(self, rmtree, hand.bench.folder, ignore_errors=True)
        self.lines = {number: deque() for number in self.hands}
        self._stops = 0
        if elsewhere:
            for hand in self.hands.values():
                hand.bench._is_own = lambda parcel: False

    size = property(lambda self: len(self.hands))
    ready = property(lambda self: list(self.hands))
    in_hand = property(lambda self: sum(map(len, self.lines.values())))

    def load(self, worker):
        return len(self.lines[worker])

    def give(self, worker, job, digests=(), files=()):
        self.given += 1
        data = pickle.dumps(job)
        self.lines[worker].append([job, self._work(worker, data, digests, files)])

    def _work(self, worker, data, digests, files):
        yield from self.hands[worker].work(data, self._stops, 0.0, list(digests), *files)

    def wait(self, seconds=0.0):
        if not self.hands:
            raise WorkersError("no worker is left")
        return [report for worker in list(self.hands) if self.lines[worker] for report in self._step(worker)]

    def _step(self, worker):
        job, work = self.lines[worker][0]
        letter = next(work, None)
        if letter is None:
            self.lines[worker].popleft()
            return [Report(worker, job, is_last=True)]
        letter = pickle.loads(pickle.dumps(letter))
        if letter.kind == "lacks":
            self.lines[worker].popleft()
            self.sent += letter.body
            self.give(worker, job, list(letter.body), [path.read_bytes() for path in letter.body.values()])
            return []
        if letter.kind == "fault":
            return [Report(worker, job, error=letter.body)]
        if letter.kind == "words":
            return []
        (result,) = letter.body
        if self.dies.get(worker) == 0 or self.deadly(job, result):
            del self.hands[worker]
            self.lines[worker].clear()
            return [Report(worker, job, is_lost=True, error=WorkersError("it was killed"))]
        if worker in self.dies:
            self.dies[worker] -= 1
        return [Report(worker, job, result)]

    def stop(self):
        self._stops += 1
        for hand in self.hands.values():
            hand.stop(self._stops - 1)

    def abandon(self):
        self.stop()
        for line in self.lines.values():
            line.clear()

    def close(self):
        self.abandon()
        for hand in self.hands.values():
            hand.close()
