"""The app in a terminal: first paint, key to paint and memory on 10,000 pictures with 100,000 verdicts.

Each program runs in a pseudo-terminal of 120 x 40 and is timed from outside: from its start to the first frame that
shows its content, and from a key to the next bytes it writes. Harlequin, where it is installed (``$HARLEQUIN`` or on
the path), is timed the same way, in turn with ours, on the same database.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import select
import shutil
import signal
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from benchmarks.page import seconds, section, size, table
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.queries import Collection
from lorarar.util.files import sha256_of

COLUMNS, ROWS = 120, 40
PATIENCE = 60.0
OURS, THEIRS = "lorarar-tui", "Harlequin"
GOAL = 0.6  # of Harlequin's first paint
KEYS: Sequence[tuple[str, str]] = (
    ("down", "\x1b[B"),
    ("right", "\x1b[C"),
    (". (next method)", "."),
    ("a (average or best)", "a"),
    ("x (swap)", "x"),
    ("Enter (open the cell)", "\r"),
    ("right, in the gallery", "\x1b[C"),
    ("Enter (zoom)", "\r"),
    ("Space (flip two methods)", " "),
    ("Backspace (to the gallery)", "\x7f"),
    ("s (seed across methods)", "s"),
    ("Backspace (back)", "\x7f"),
    ("2 (scores)", "2"),
    ("s (sort)", "s"),
    ("4 (study)", "4"),
    ("5 (agreement)", "5"),
    ("1 (matrix)", "1"),
)


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.started = time.perf_counter()
        pid, self.master = pty.fork()
        if pid == 0:
            home = {"HOME": str(folder), "TERM": "xterm-256color", "LORARAR_CACHE": str(folder / "cache")}
            # an empty value lets the start that is not counted compile modules, as those of an installed program are
            home |= {"COLORTERM": "truecolor", "PYTHONDONTWRITEBYTECODE": ""}
            os.execve(command[0], list(command), {**os.environ, **home})
        self.pid = pid
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def until(self, text: str, patience: float = PATIENCE) -> float:
        """Seconds since the start until the program has written a text, for whose next bytes so many are waited."""
        seen = b""
        while text.encode() not in seen:
            if not self._readable(patience):
                raise RuntimeError(f"{text!r} did not come within {patience:.0f} seconds")
            seen = seen[-200_000:] + os.read(self.master, 1 << 16)
        return time.perf_counter() - self.started

    def quiet(self, for_seconds: float = 0.5) -> None:
        """Wait until nothing more is written."""
        while self._readable(for_seconds):
            os.read(self.master, 1 << 16)

    def press(self, key: str) -> float:
        """Seconds from a key to the next bytes."""
        started = time.perf_counter()
        os.write(self.master, key.encode())
        if not self._readable(PATIENCE):
            raise RuntimeError(f"nothing came after {key!r}")
        os.read(self.master, 1 << 16)
        return time.perf_counter() - started

    def memory(self) -> int:
        """Bytes that the process holds resident."""
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            return 0
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def work(self) -> float:
        """Seconds that cores worked for the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)

    def _readable(self, timeout: float) -> bool:
        return bool(select.select([self.master], [], [], timeout)[0])


def run(quick: bool = False) -> str:
    """Measure and describe."""
    subjects, styles, seeds, references = (3, 2, 2, 2) if quick else (25, 10, 10, 9)
    repeats = 2 if quick else 9
    with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name:
        folder = Path(name)
        database = make_database(folder, subjects, styles, seeds, references)
        with sqlite3.connect(database) as db:
            pictures, verdicts = (db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("images", "verdicts"))
        ours = [sys.executable, "-m", "tui.cli.main", "--db", str(database), "--images", "half"]
        theirs = _harlequin(database)
        starts = _starts(ours, theirs, folder, repeats)
        answers, painted, walked = _keys(ours, folder, repeats)
    return section(
        "The app",
        f"`lorarar-tui` on {pictures} pictures with {verdicts} verdicts, in a pseudo-terminal of "
        f"{COLUMNS} x {ROWS}, with half cells. First paint: from the start of the process to the first frame with "
        f"content (ours: the matrix with its subjects, then with its verdicts counted); {repeats} starts in turn, "
        "after one that is not counted.",
        table(
            ["program", "first paint, median", "fastest", "slowest"],
            [
                [label, *map(seconds, (statistics.median(times), min(times), max(times)))]
                for label, times in starts.items()
            ],
        ),
        _against(starts) if theirs else "Harlequin: not measured, it is not installed (`$HARLEQUIN`).",
        f"From a key to the next bytes on the terminal, {repeats} times each:",
        table(
            ["key", "median", "slowest"],
            [[label, seconds(statistics.median(times)), seconds(max(times))] for label, times in answers.items()],
        ),
        _slowest(answers),
        f"Memory: {size(painted)} resident once all is counted, {size(walked)} after these keys.",
    )


def _against(starts: dict[str, list[float]]) -> str:
    """How long ours takes beside Harlequin, and the goal."""
    ours, theirs = (statistics.median(starts[label]) for label in (OURS, THEIRS))
    return f"First paint is {ours / theirs:.2f} of Harlequin's; the goal is {GOAL} at the most."


def _slowest(answers: dict[str, list[float]]) -> str:
    """The key with the largest median, and the goal."""
    label, times = max(answers.items(), key=lambda item: statistics.median(item[1]))
    return f"The slowest median is that of {label}, {seconds(statistics.median(times))}; the goal is 50 ms at the most."


def make_database(folder: Path, subjects: int, styles: int, seeds: int, references: int, methods: int = 4) -> Path:
    """A grid of tiny pictures, a verdict on each reference: ``references`` of a subject and one of a style."""
    path = folder / "many.db"
    names = {
        "content": [f"subject-{n:02d}" for n in range(subjects)],
        "style": [f"style-{n:02d}" for n in range(styles)],
    }
    digests: dict[str, list[str]] = {}
    for side, concepts in names.items():
        for number, concept in enumerate(concepts):
            made = [
                write_png(Image.new("RGB", (64, 64), (9 * number, 20 * r, 90)), folder / concept / f"{r}.png")
                for r in range(references if side == "content" else 1)
            ]
            digests[concept] = [sha256_of(file) for file in made]
    with Store(path) as store:
        judge = VerdictStore(store).judge_id("benchmark", {"critic": "benchmark"})
        db = store.db.conn
        plan = store.collection_id(Collection("plan", "many"))
        with store.writing():
            for side, concepts in names.items():
                db.executemany(
                    "INSERT INTO adapters VALUES (NULL, ?, ?, ?, ?, '[8]', 56, 'now')",
                    [(concept, str(folder / f"{concept}.safetensors"), concept, side) for concept in concepts],
                )
            ids = dict(db.execute("SELECT name, id FROM adapters").fetchall())
            for method in (f"method-{n}" for n in range(methods)):
                for content in names["content"]:
                    for style in names["style"]:
                        _cell(db, plan, folder, method, content, style, seeds, ids, judge, digests)
    return path


def _cell(
    db: sqlite3.Connection,
    plan: int,
    folder: Path,
    method: str,
    content: str,
    style: str,
    seeds: int,
    ids: dict[str, int],
    judge: int,
    digests: dict[str, list[str]],
) -> None:
    name = f"{method}-{content}-{style}"
    adapter = db.execute(
        "INSERT INTO adapters VALUES (NULL, ?, '', ?, 'merged', '[16]', 56, 'now')", (name, name)
    ).lastrowid
    merge = db.execute(
        "INSERT INTO merges VALUES (NULL, ?, ?, ?, ?, '{}', 'pocket', NULL, '0', 0, 'now', 0, 'column')",
        (adapter, ids[content], ids[style], method),
    ).lastrowid
    for seed in range(seeds):
        digest = hashlib.sha256(f"{name}-{seed}".encode()).digest()
        file = write_png(_picture(digest), folder / "images" / f"{name}-{seed}.png")
        sha256, prompt = digest.hex(), f"a sks thing in {style} style"
        row = (str(file), sha256, prompt, adapter, merge, seed, sha256)
        image = db.execute(
            "INSERT INTO images VALUES "
            "(NULL, ?, ?, ?, 'pocket', NULL, ?, ?, ?, 25, 4, 64, 64, 0.3, '0', 'now', ?, NULL, 0)",
            row,
        ).lastrowid
        db.execute("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, 'now')", (plan, method, content, style, seed, image))
        asked = [("subject", d) for d in digests[content]] + [("style", d) for d in digests[style]]
        db.executemany(
            "INSERT INTO verdicts (key, judge, aspect, image, reference, prompt, verdict, words, prompts, status, "
            "probability, answer, reason, seconds, created) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'paper', 'ok', 0.9, 'Yes', '', 0.1, 'now')",
            [
                (
                    f"{sha256}-{at}",
                    judge,
                    aspect,
                    sha256,
                    reference,
                    "words of a question " * 25,
                    digest[at] > 100,
                    style if aspect == "style" else "",
                )
                for at, (aspect, reference) in enumerate(asked)
            ],
        )


def _picture(digest: bytes) -> Image.Image:
    """Smooth noise: hardly two cells of a terminal get the same colours."""
    return Image.frombytes("RGB", (8, 8), 6 * digest).resize((64, 64), Image.Resampling.BICUBIC)


def _starts(ours: list[str], theirs: list[str] | None, folder: Path, repeats: int) -> dict[str, list[float]]:
    wanted = {
        OURS: (ours, "subject-02"),
        "lorarar-tui --images auto, the terminal answers no question": ([*ours[:-1], "auto"], "subject-02"),
        "lorarar-tui, verdicts counted": (ours, "average"),
    }
    if theirs:
        wanted[THEIRS] = (theirs, "Query Editor")
    times: dict[str, list[float]] = {label: [] for label in wanted}
    for turn in range(repeats + 1):
        for label, (command, text) in wanted.items():
            terminal = Terminal(command, folder)
            try:
                took = terminal.until(text)
            finally:
                terminal.close()
            if turn:  # the first one reads files that are in no cache yet
                times[label].append(took)
    return times


def _keys(ours: list[str], folder: Path, repeats: int) -> tuple[dict[str, list[float]], int, int]:
    terminal = Terminal(ours, folder)
    answers: dict[str, list[float]] = {label: [] for label, _ in KEYS}
    try:
        terminal.until("average")
        terminal.quiet()
        painted = terminal.memory()
        for _ in range(repeats):
            for label, key in KEYS:
                answers[label].append(terminal.press(key))
                terminal.quiet()
        return answers, painted, terminal.memory()
    finally:
        terminal.close()


def _harlequin(database: Path) -> list[str] | None:
    found = os.environ.get("HARLEQUIN") or shutil.which("harlequin")
    if found is None or subprocess.run([found, "--version"], capture_output=True, check=False).returncode:
        return None
    return [found, "-a", "sqlite", str(database)]
