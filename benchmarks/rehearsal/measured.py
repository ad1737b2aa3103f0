"""One command of lorarar, measured from inside its process: ``python -m benchmarks.rehearsal.measured FILE ARGUMENT…``

The command is run as ``python -m lorarar`` runs it. FILE gets, whatever comes of it, its seconds, its peak memory, and
of everything that shows progress the seconds and the peak of GPU memory from one step to the next.
"""

from __future__ import annotations

import json
import runpy
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import wraps
from pathlib import Path
from unittest.mock import patch

from lorarar.util.files import replacing
from lorarar.util.progress import Ticker

STATUS = Path("/proc/self/status")
OWN = "RssAnon"  # memory that is the process's own, and no part of a file that was mapped
PAUSE = 0.05  # seconds between two looks at it
OFTEN = 40  # looks between two records that are kept
MOST = 200  # steps of one title that are kept


END = "end"  # the title of what comes after the last step


@dataclass
class Tick:
    """What came before a step of some progress was counted: since the last one, or since the start."""

    title: str
    seconds: float
    work: float  # seconds of all cores
    cuda: int  # bytes that torch had allocated at most


@dataclass
class Record:
    """What a command took."""

    seconds: float = 0.0
    work: float = 0.0  # seconds of all cores, which other programs change far less than the clock
    resident: int = 0  # bytes at most, with what is mapped of files
    own: int = 0  # bytes at most, without it
    cuda: int = 0  # bytes that torch had allocated at most
    cuda_reserved: int = 0
    gpu: str = ""  # its name
    ticks: list[Tick] = field(default_factory=list)


class Watch:
    """Looks at a process while its command runs, and keeps what it sees in a file."""

    def __init__(self, place: Path) -> None:
        self.place, self.record = place, Record()
        self._started = self._last = time.monotonic()
        self._worked = time.process_time()
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._counts: Counter[str] = Counter()
        self._counting = patch.object(Ticker, "advance", self._noting(Ticker.advance))

    def __enter__(self) -> Watch:
        self._looking.start()
        self._counting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()
        self._counting.stop()
        self._note(END)
        self._keep()

    def _look(self) -> None:
        looks = 0
        while not self._over.wait(PAUSE):
            self.record.own = max(self.record.own, _status(OWN))
            looks += 1
            if looks % OFTEN == 0:
                self._keep()

    def _keep(self) -> None:
        """Write the record as it stands: of a command that is killed, the last one stays."""
        self.record.seconds = time.monotonic() - self._started
        self.record.work = time.process_time()
        self.record.resident = _status("VmHWM")
        with replacing(self.place) as partial:
            partial.write_text(json.dumps(asdict(self.record)))

    def _noting(self, advance: Callable[..., None]) -> Callable[..., None]:
        """The way every progress counts a step, with a look at the process."""

        @wraps(advance)
        def noted(ticker: Ticker, steps: int = 1, **more: float | None) -> None:
            advance(ticker, steps, **more)
            self._note(ticker.title)

        return noted

    def _note(self, title: str) -> None:
        now, worked, cuda = time.monotonic(), time.process_time(), self._cuda()
        self._counts[title] += 1
        if self._counts[title] <= MOST:
            self.record.ticks.append(Tick(title, now - self._last, worked - self._worked, cuda))
        self._last, self._worked = now, worked

    def _cuda(self) -> int:
        """The peak of GPU memory since the last look, which is kept of the whole run too."""
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_initialized():
            return 0
        peak = int(torch.cuda.max_memory_allocated())
        self.record.cuda = max(self.record.cuda, peak)
        self.record.cuda_reserved = max(self.record.cuda_reserved, int(torch.cuda.max_memory_reserved()))
        self.record.gpu = torch.cuda.get_device_name()
        torch.cuda.reset_peak_memory_stats()
        return peak


def _status(name: str) -> int:
    """Bytes that the system counts of this process under a name; none where it has no such count."""
    with suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """Run the command of the arguments and write what it took."""
    place, *arguments = sys.argv[1:]
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory ends, this ends and nothing else
    sys.argv = ["lorarar", *arguments]
    with Watch(Path(place)):
        runpy.run_module("lorarar", run_name="__main__")


if __name__ == "__main__":
    main()
