"""Stage ``loras``: a content LoRA for each subject, a style LoRA for each style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lorarar.generation.bases import load_pipeline
from lorarar.lora.adapter import Adapter
from lorarar.lora.files import write_adapter
from lorarar.pocket import shipped
from lorarar.pocket.build_context import BuildContext, Stopwatch
from lorarar.pocket.concepts import STYLES, SUBJECTS
from lorarar.pocket.training_pictures import SIDE
from lorarar.training.lesson import Lesson
from lorarar.training.lora import train_lora
from lorarar.training.makings import lesson_facts, training_makings
from lorarar.training.options import LoraOptions

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

CONTENT = LoraOptions(rank=4, steps=400, rate=1e-3, batch=4, decay=1.0, feed_forward=True)
STYLE = replace(CONTENT, steps=150, mirrored=True)


@dataclass(frozen=True)
class LoraJob:
    """One LoRA to train."""

    file: Path
    prompt: str
    options: LoraOptions

    def mark(self, context: BuildContext) -> Path:
        """The file that tells it was trained for the shipped base, and holds the seconds it took."""
        marks = context.folder / "loras" / (shipped.revision() or "")
        return marks / self.file.parent.name / f"{self.file.stem}.done"


def lora_jobs() -> list[LoraJob]:
    """The training jobs of all 56 LoRAs, contents first."""
    contents = [LoraJob(shipped.content_lora(subject.slug), subject.prompt, CONTENT) for subject in SUBJECTS]
    styles = [LoraJob(shipped.style_lora(style.slug), style.prompt, STYLE) for style in STYLES]
    return contents + styles


def run_loras(context: BuildContext) -> None:
    """Train the LoRAs that do not exist yet for the shipped base; an interrupted training goes on."""
    jobs = lora_jobs()
    train_missing(jobs, context)
    seconds = sum(float(job.mark(context).read_text()) for job in jobs)
    facts = {"content": asdict(CONTENT), "style": asdict(STYLE), "base": shipped.revision()}
    shipped.MANIFEST.record("loras", count=len(jobs), seconds=round(seconds), seed=context.seed, **facts)


def train_missing(jobs: Sequence[LoraJob], context: BuildContext) -> None:
    """Train the LoRAs whose mark file is missing."""
    pipeline = load_pipeline(shipped.PIPELINE, str(context.accelerator().device), torch.float32)
    for job in jobs:
        mark = job.mark(context)
        if not (mark.exists() and job.file.exists()):
            stopwatch = Stopwatch()
            mark.parent.mkdir(parents=True, exist_ok=True)
            train_one(pipeline, job, context, mark.with_suffix(".pt"))
            mark.write_text(str(stopwatch.seconds()))


def train_one(pipeline: StableDiffusionXLPipeline, job: LoraJob, context: BuildContext, checkpoint: Path) -> None:
    """Train one LoRA and write it in half precision."""
    options, accelerator = context.adjust(job.options), context.accelerator()
    pictures = shipped.references(job.file)
    lesson = {"lesson": lesson_facts(pictures, job.prompt)}
    adapter = train_lora(
        pipeline,
        [Lesson.read(pictures, job.prompt, SIDE)],
        options,
        checkpoint=checkpoint,
        makings=training_makings(lesson, options, shipped.PIPELINE, accelerator, SIDE),
        accelerator=accelerator,
        title=job.file.stem,
    )
    half = Adapter({name: factors.to(torch.float16) for name, factors in adapter.layers.items()}, job.file.name)
    write_adapter(half, job.file, {"prompt": job.prompt} | shipped.provenance() | asdict(options))
    checkpoint.unlink(missing_ok=True)
