"""Answers a second from a server that takes 50 ms, with 16 questions in flight: how many reach the database."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from benchmarks.page import seconds, section, table
from judge.critics import find_critic
from judge.questions import PAPER
from judge.runner import judge
from judge.targets import Target, from_folders
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store

ANSWER_SECONDS, CONCURRENCY = 0.05, 16
CAN_GIVE = CONCURRENCY / ANSWER_SECONDS  # answers a second
PICTURES, SIDE = 200, 512
SUBJECT_REFERENCES, STYLE_REFERENCES = 4, 1  # of each picture
REFERENCES = SUBJECT_REFERENCES + STYLE_REFERENCES  # a question each


@dataclass(frozen=True)
class Run:
    """What asking all questions took."""

    questions: int
    whole: float  # seconds
    processor: float  # seconds of the client's process, all its threads together

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.questions / self.whole

    def row(self, title: str, most: Run) -> tuple[str, ...]:
        """The run as a row of the table, beside what can be had at most."""
        shares = [f"{self.rate / rate:.0%}" for rate in (CAN_GIVE, most.rate)]
        return title, f"{self.rate:.0f}", *shares, seconds(self.processor / self.questions)


def run(quick: bool = False) -> str:
    """Measure and describe."""
    with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name, serving() as address:
        folder = Path(name)
        size = _write_folders(folder, 16 if quick else PICTURES)
        targets = from_folders(folder / "made", folder / "given")
        questions, body = REFERENCES * len(targets), round(2 * size * 4 / 3)  # two pictures in base64
        before = _send_bare(address, questions, body)
        first, again = (_ask(address, targets, folder / "lorarar.db", words) for words in ("first", "again"))
        most = min(before, _send_bare(address, questions, body), key=lambda one: one.whole)
    return section(
        "Served",
        f"{again.questions} questions about {len(targets)} pictures of {SIDE} px ({size / 1e6:.2f} MB a file on "
        f"average), five references each, to a server in a process of its own on this machine that answers after "
        f"{seconds(ANSWER_SECONDS)}, whatever it is asked; `--concurrency {CONCURRENCY}`, so that it can give "
        f"{CAN_GIVE:.0f} answers a second if requests came in no time. From the first question to the last verdict in "
        "the database; two pictures are sent with each question. What it can give to a client on this machine is what "
        "bare sockets get that send as many bytes (`benchmarks/bare_client.py`, before and after, the faster counts).",
        table(
            ["", "answers a second", f"of {CAN_GIVE:.0f}", "of what bare sockets get", "processor time an answer"],
            [
                again.row("asking", most),
                first.row("asking, and looking at every picture for the first time", most),
                most.row("bare sockets", most),
            ],
        ),
    )


@contextmanager
def serving(answer_seconds: float = ANSWER_SECONDS) -> Iterator[str]:
    """The address of a server in a process of its own, which ends with the context."""
    command = [sys.executable, "-m", "benchmarks.instant_server", str(answer_seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()


def _send_bare(address: str, requests: int, size: int) -> Run:
    """Send as many requests of ``size`` bytes over bare sockets, in a process of its own."""
    values = map(str, (urlsplit(address).port, size, requests, CONCURRENCY))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bare_client", *values], check=True, capture_output=True, text=True
    )
    whole, processor = map(float, done.stdout.split())
    return Run(requests, whole, processor)


def _ask(address: str, targets: Sequence[Target], database: Path, words: str) -> Run:
    """Ask all questions, in words that make them others than before."""
    prompts = replace(PAPER, name=words, system=f"{PAPER.system} ({words})")
    with Store(database) as store, find_critic(address, concurrency=CONCURRENCY) as critic:
        started, busy = time.perf_counter(), time.process_time()
        outcome = judge(targets, critic, prompts, VerdictStore(store))
        took = time.perf_counter() - started, time.process_time() - busy
    if not outcome.questions == outcome.replies == outcome.clear:
        raise RuntimeError(f"the server did not answer all: {outcome}")
    return Run(outcome.questions, *took)


def _write_folders(folder: Path, pictures: int) -> float:
    """Write pictures and references as plain folders; the mean size of a picture's file, in bytes."""
    random = np.random.default_rng(0)
    for number in range(SUBJECT_REFERENCES):
        write_png(_picture(random), folder / "given" / "subjects" / "dog" / f"{number}.png")
    for number in range(STYLE_REFERENCES):
        write_png(_picture(random), folder / "given" / "styles" / "oil" / f"{number}.png")
    made = folder / "made" / "dog" / "oil"
    paths = [write_png(_picture(random), made / f"{number:04}.png") for number in range(pictures)]
    return sum(path.stat().st_size for path in paths) / len(paths)


def _picture(random: np.random.Generator) -> Image.Image:
    """A picture about as hard to pack as a photograph: soft shapes under a little grain."""
    blots = Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    shapes = np.asarray(blots.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    grain = random.normal(0, 3, (SIDE, SIDE, 1))
    return Image.fromarray((shapes + grain).clip(0, 255).astype(np.uint8))
