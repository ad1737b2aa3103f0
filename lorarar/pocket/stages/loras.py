"""Stage ``loras``: a content LoRA for each subject, a style LoRA for each style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lorarar import __version__
from lorarar.families import Base
from lorarar.generation.bases import load_pipeline
from lorarar.lora.adapter import Adapter
from lorarar.lora.files import write_adapter
from lorarar.pocket import shipped
from lorarar.pocket.build_context import Clock, Workshop
from lorarar.pocket.concepts import STYLES, SUBJECTS, slug
from lorarar.pocket.training_pictures import SIDE
from lorarar.training.lora import Lesson, train_lora
from lorarar.training.options import LoraOptions

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

CONTENT = LoraOptions(rank=8, steps=400, rate=1e-3, batch=4)
STYLE = LoraOptions(rank=8, steps=150, rate=1e-3, batch=4, mirrored=True)


@dataclass(frozen=True)
class Job:
    """One LoRA to train."""

    file: Path
    prompt: str
    options: LoraOptions


def jobs() -> list[Job]:
    """All 56, contents first."""
    contents = [Job(shipped.content_lora(slug(subject.name)), subject.prompt, CONTENT) for subject in SUBJECTS]
    styles = [Job(shipped.style_lora(slug(style.name)), style.prompt, STYLE) for style in STYLES]
    return contents + styles


def run_loras(workshop: Workshop) -> None:
    """Train those that are not there yet for the shipped base; an interrupted one goes on."""
    train_missing(jobs(), workshop)
    seconds = sum(float(_mark(job, workshop).read_text()) for job in jobs())
    facts = {"content": asdict(CONTENT), "style": asdict(STYLE), "base": shipped.revision()}
    shipped.record("loras", count=len(jobs()), seconds=round(seconds), seed=workshop.seed, **facts)


def train_missing(wanted: Sequence[Job], workshop: Workshop) -> None:
    """Train those of the jobs that have no mark; a mark holds the seconds a LoRA took."""
    accelerator = workshop.accelerator()
    pipeline = load_pipeline(Base("pocket", str(shipped.BASE)), str(accelerator.device), torch.float32)
    for job in wanted:
        mark = _mark(job, workshop)
        if not (mark.exists() and job.file.exists()):
            clock = Clock()
            mark.parent.mkdir(parents=True, exist_ok=True)
            train_one(pipeline, job, workshop, mark.with_suffix(".pt"))
            mark.write_text(str(clock.seconds()))


def _mark(job: Job, workshop: Workshop) -> Path:
    """The file that says a LoRA was trained for the shipped base."""
    return workshop.folder / "loras" / (shipped.revision() or "") / job.file.parent.name / f"{job.file.stem}.done"


def train_one(pipeline: StableDiffusionXLPipeline, job: Job, workshop: Workshop, checkpoint: Path) -> None:
    """Train one LoRA and write it in half precision."""
    options = replace(job.options, seed=workshop.seed, steps=workshop.steps or job.options.steps)
    adapter = train_lora(
        pipeline,
        [Lesson.read(shipped.references(job.file), job.prompt, SIDE)],
        options,
        checkpoint=checkpoint,
        accelerator=workshop.accelerator(),
        title=job.file.stem,
    )
    half = Adapter({name: factors.to(torch.float16) for name, factors in adapter.layers.items()}, job.file.name)
    made = {"prompt": job.prompt, "base": "pocket", "revision": shipped.revision(), "version": __version__}
    write_adapter(half, job.file, made | asdict(options))
    checkpoint.unlink(missing_ok=True)
