"""Stage ``loras``: a content LoRA for each subject, a style LoRA for each style."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lorarar import __version__
from lorarar.adapter import Adapter
from lorarar.adapter_file import write_adapter
from lorarar.bases import Base, load_pipeline
from lorarar.pocket import shipped
from lorarar.pocket.pictures import SIDE
from lorarar.pocket.workshop import Clock, Workshop
from lorarar.pocket.zoo import STYLES, SUBJECTS, slug
from lorarar.training.lora import LoraOptions, train_lora

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

CONTENT = LoraOptions(rank=8, steps=400, rate=1e-3, batch=4)
STYLE = LoraOptions(rank=8, steps=300, rate=1e-3, batch=4)


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
    clock, revision = Clock(), shipped.revision() or ""
    accelerator = workshop.accelerator()
    pipeline = load_pipeline(Base("pocket", str(shipped.BASE)), str(accelerator.device), torch.float32)
    done = workshop.folder / "loras" / revision
    for job in jobs():
        mark = done / job.file.parent.name / f"{job.file.stem}.done"
        if mark.exists() and job.file.exists():
            continue
        mark.parent.mkdir(parents=True, exist_ok=True)
        train_one(pipeline, job, workshop, mark.with_suffix(".pt"))
        mark.touch()
    facts = {"content": asdict(CONTENT), "style": asdict(STYLE), "base": revision}
    shipped.record("loras", count=len(jobs()), seconds=clock.seconds(), seed=workshop.seed, **facts)


def train_one(pipeline: StableDiffusionXLPipeline, job: Job, workshop: Workshop, checkpoint: Path) -> None:
    """Train one LoRA and write it in half precision."""
    options = replace(job.options, seed=workshop.seed, steps=workshop.steps or job.options.steps)
    adapter = train_lora(
        pipeline,
        shipped.references(job.file),
        job.prompt,
        options,
        checkpoint=checkpoint,
        accelerator=workshop.accelerator(),
        side=SIDE,
        title=job.file.stem,
    )
    half = Adapter({name: factors.to(torch.float16) for name, factors in adapter.layers.items()}, job.file.name)
    made = {"prompt": job.prompt, "base": "pocket", "revision": shipped.revision(), "version": __version__}
    write_adapter(half, job.file, made | asdict(options))
    checkpoint.unlink(missing_ok=True)
