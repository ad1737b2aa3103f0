"""What is known already: a run, a report and the app on 100,000 verdicts, with what files show kept and without."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from benchmarks.page import ratio, seconds, section, table
from judge.critics import Critic, find_critic
from judge.pair_questions import AnyQuestion
from judge.questions import PAPER, Reply
from judge.runner import judge
from judge.targets import from_folders, plain_collection
from judge.verdicts import VerdictStore
from lorarar.imports.request import import_folder
from lorarar.pictures.images import write_png
from lorarar.store import Store

REFERENCES = 5  # of each subject and of each style
SIDE = 256  # pixels
LOAD = """
from pathlib import Path
from tui.catalog import Catalog
catalog = Catalog(Path({!r}))
catalog.snapshot(catalog.collections()[0].collection)"""


class Instant(Critic):
    """Replies at once, in the name of another critic; what it says means nothing."""

    def __init__(self, critic: Critic) -> None:
        self.identity, self.preparation = critic.identity, critic.preparation

    def ask(self, questions: Sequence[AnyQuestion]) -> Iterator[tuple[int, Reply]]:
        for index, question in enumerate(questions):
            digest = hashlib.sha256(f"{question.pictures[-1]} {question.aspect}".encode()).digest()
            yield index, Reply.from_probability(0.9 if digest[0] % 3 else 0.1)


def run(quick: bool = False) -> str:
    """Measure and describe."""
    subjects, styles, pictures = (2, 2, 2) if quick else (25, 10, 40)
    with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name:
        folder = Path(name)
        _draw(folder, subjects, styles, pictures)
        verdicts = _judge(folder)
        rows = _rows(folder)
    (_, _, kept), (_, _, afresh), *_ = rows
    return section(
        "Verdicts that are known",
        f"{subjects * styles * pictures} pictures of {SIDE} px with {verdicts} verdicts by Pocket's critic, "
        "MARS2 alone; each command is a process of its own that loads no model. Work is the time of all cores. "
        "Files were written just before, so all are read from the page cache.",
        table(["", "time", "work"], [[label, seconds(wall), seconds(work)] for label, wall, work in rows]),
        "With nothing kept every file is read for its digest, and decoded for that of what is shown, as at every start "
        f"before: {ratio(afresh, kept)} the work. The larger the pictures, the larger the ratio.",
    )


def _draw(folder: Path, subjects: int, styles: int, pictures: int) -> None:
    """Pictures and references, each another one."""
    for kind, count in (("subjects", subjects), ("styles", styles)):
        for number in range(count):
            for reference in range(REFERENCES):
                _picture(folder / "given" / kind / f"{kind[:-1]}-{number:02}" / f"{reference}.png")
    for subject in range(subjects):
        for style in range(styles):
            for number in range(pictures):
                _picture(folder / "made" / f"subject-{subject:02}" / f"style-{style:02}" / f"{number:03}.png")


def _picture(path: Path) -> None:
    digest = hashlib.sha256(str(path).encode()).digest()
    image = Image.frombytes("RGB", (8, 8), 6 * digest).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    write_png(image, path)


def _judge(folder: Path) -> int:
    """Fill a database with verdicts on the pictures; how many they are."""
    made, given = folder / "made", folder / "given"
    with Store(folder / "known.db") as store, find_critic("pocket", device="cpu") as critic:
        targets = plain_collection(store, from_folders(made, given), made)
        import_folder(store, made, given)
        return judge(targets, Instant(critic), PAPER, VerdictStore(store)).clear


def _rows(folder: Path) -> list[tuple[str, float, float]]:
    """What was done, its time, and the time of all cores."""
    database = folder / "known.db"
    again = ["judge", "run", "--generated", str(folder / "made"), "--references", str(folder / "given")]
    again += ["--critic", "pocket", "--metrics", "mars2", "--db", str(database), "--json"]
    report = ("judge", "report", "--images", f"import={folder / 'made'}", "--db", str(database), "--json")
    _command("-m", "lorarar", *again)  # the files have settled by now
    rows = [("`lorarar judge run`, all kept", *_command("-m", "lorarar", *again))]
    with Store(database) as store, store.writing():
        for kept in ("file_digests", "pixel_digests"):
            store.db.execute(f"DELETE FROM {kept}")
    rows.append(("`lorarar judge run`, nothing kept", *_command("-m", "lorarar", *again)))
    rows.append(("`lorarar judge report`", *_command("-m", "lorarar", *report)))
    rows.append(("the app: pictures and verdicts counted", *_command("-c", LOAD.format(str(database)))))
    return rows


def _command(*arguments: str) -> tuple[float, float]:
    """The time of a process, and of all cores for it.

    Raises:
        CalledProcessError: it failed; what it said stands on stderr.
        RuntimeError: a run asked something, so that not all was known.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if "run" in arguments and json.loads(done.stdout)["mars2"]["asked"]:
        raise RuntimeError("not all verdicts are known")
    return wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
