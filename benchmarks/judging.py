"""Verdicts a second: the authors' way, one pair and a text at a time, against ours; a run that knows all answers."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from benchmarks.critic_shape import CRITIC_7B, TOY, Shape
from benchmarks.critics import new_reader
from benchmarks.measure import cost, isolated
from benchmarks.page import ratio, seconds, section, size, table
from judge.critics import find_critic
from judge.critics.local.reader import PreparedQuestion
from judge.critics.local.settings import ImageMode
from judge.critics.preparation import prepare
from judge.questions import PAPER, Question
from judge.target_questions import questions_about
from judge.targets import from_folders
from lorarar.pictures.images import read_image, write_png
from lorarar.pocket import shipped
from lorarar.pocket.concepts import STYLES, SUBJECTS, slug
from lorarar.pocket.ground_truth import true_picture

VERDICTS = 2000  # of the run whose answers are known
PAIRS = 16  # verdicts by the large critic
TEXT = 16  # tokens of a text that does not end by itself, as a critic's that was trained on the first token alone


def run(quick: bool = False) -> str:
    """Measure and describe."""
    with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name:
        folder = Path(name)
        copies = _folders(folder, 1 if quick else 3)
        asked = list(questions_about(from_folders(folder / "made", folder / "given"), PAPER))[: 24 if quick else None]
        ways = _ways(asked)
        known = _known(folder, 60 if quick else VERDICTS)
    slowest = len(asked) / ways[0][1]
    rows = [(way, f"{len(asked) / took:.1f}", ratio(len(asked) / took, slowest)) for way, took in ways]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = CRITIC_7B if device == "cuda" and not quick else TOY
    large = (
        _large(shape, device) if device == "cuda" or quick else "No GPU here: not measured at LLaVA-Critic-7B's size."
    )
    return section(
        "Judging",
        f"Pocket's critic on {len(asked)} questions of the paper about {copies} pictures, in one process, the model "
        "already loaded. The authors' way is one pair of pictures at a time and a text generated; ours reads Yes "
        "against No at the first token, in batches, with what questions share computed once.",
        table(["way", "verdicts a second", "faster"], rows),
        known,
        large,
    )


def _folders(folder: Path, copies: int) -> int:
    """Pictures of test cells as plain folders, with their references; how many there are."""
    count = 0
    subjects = [subject for subject in SUBJECTS if subject.split == "test"]
    styles = [style for style in STYLES if style.split == "test"]
    for subject in subjects:
        _copy(shipped.content_lora(slug(subject.name)), folder / "given" / "subjects" / slug(subject.name))
        for style in styles:
            picture = true_picture(subject, style)
            for number in range(copies):
                picture.putpixel((0, 0), (number, number, number))  # another picture, and nobody can see it
                write_png(picture, folder / "made" / slug(subject.name) / slug(style.name) / f"{number}.png")
                count += 1
    for style in styles:
        _copy(shipped.style_lora(slug(style.name)), folder / "given" / "styles" / slug(style.name))
    return count


def _copy(lora: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for path in shipped.references(lora):
        (folder / path.name).write_bytes(path.read_bytes())


def _ways(asked: Sequence[Question]) -> list[tuple[str, float]]:
    """Seconds for all questions, way by way."""
    ways = {
        "authors': one at a time, text generated": {"generate": True, "max_tokens": TEXT},
        "one at a time, first token": {"batch": 1, "reuse": False},
        "batches of 32": {"batch": 32, "reuse": False},
        "batches of 32, shared parts once (the default)": {"batch": 32},
    }
    found = []
    for way, settings in ways.items():
        with find_critic("pocket", device="cpu", **settings) as critic:
            list(critic.ask(asked[:4]))  # loads
            started = time.perf_counter()
            list(critic.ask(asked))
            found.append((way, time.perf_counter() - started))
    return found


def _known(folder: Path, verdicts: int) -> str:
    """The whole command over verdicts that are all in the database already."""
    (picture,) = list((folder / "made").rglob("0.png"))[:1]
    made, cell = folder / "many", Path("teapot") / "glowing"
    image = read_image(picture)
    for number in range(verdicts // 6):
        image.putpixel((1, 1), (number % 256, number // 256, 0))
        write_png(image, made / cell / f"{number:04}.png", {"base": "pocket"})
    command = [sys.executable, "-m", "lorarar", "judge", "run", "--generated", str(made), "--references"]
    command += [str(folder / "given"), "--db", str(folder / "known.db"), "--json"]
    times = []
    for _ in range(2):
        started = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        times.append(time.perf_counter() - started)
    said = json.loads(done.stdout)["mars2"]
    return (
        f"`lorarar judge run` on {verdicts // 6} pictures, all metrics: {seconds(times[0])} the first time; the second "
        f"time, with {said['found']} of {said['cases']} verdicts known and no model loaded, {seconds(times[1])}."
    )


def _large(shape: Shape, device: str) -> str:
    rows = [_row(mode, shape, device) for mode in ("anyres", "pad")]
    return f"Random weights of LLaVA-Critic-7B's shape, pictures of 512 px, on {device}:\n\n" + table(
        ["image mode", "way", "verdicts a second", "peak memory"], [row for part in rows for row in part]
    )


def _row(mode: ImageMode, shape: Shape, device: str) -> list[tuple[str, ...]]:
    return isolated(_measure, mode, shape, device)


def _measure(mode: ImageMode, shape: Shape, device: str) -> list[tuple[str, ...]]:
    reader = new_reader(shape, device, mode)
    reference = prepare(Image.effect_noise((512, 512), 40).convert("RGB"))
    questions = [
        PreparedQuestion(
            Question(
                aspect="subject",
                rendered=PAPER.render("subject"),
                system=PAPER.system,
                reference=Path("reference"),
                test=Path(str(number)),
            ),
            (reference, prepare(Image.effect_noise((512, 512), 10 + number).convert("RGB"))),
        )
        for number in range(PAIRS)
    ]
    reader.score(questions[:1])
    rows: list[tuple[str, ...]] = []
    for way, function in (
        ("one at a time, text generated", lambda: [reader.write([question], TEXT) for question in questions]),
        (
            "batches, shared parts once",
            lambda: [reader.score_with_prefix_cache(questions[k : k + 4]) for k in range(0, PAIRS, 4)],
        ),
    ):
        took = cost(function, device)
        rows.append((mode, way, f"{PAIRS / took.seconds:.2f}", size(took.peak)))
    return rows
