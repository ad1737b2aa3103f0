"""One LoRA from pictures on disk to its file, which says what made it and is known by that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, all_finite
from lorarar.lora.files import read_provenance, write_adapter
from lorarar.merging.recipe import DTYPES
from lorarar.pictures.captions import check_beside_no_caption
from lorarar.training.lesson_files import LessonFiles
from lorarar.training.lora import train_lora
from lorarar.training.makings import Facts, made_by, training_makings
from lorarar.training.options import LoraOptions, options_facts
from lorarar.training.out_of_memory import memory_in_one_line
from lorarar.training.place import Surroundings
from lorarar.training.sampling import Sampling
from lorarar.training.setup import native_side
from lorarar.util.digest import differing
from lorarar.util.dtype import Dtype
from lorarar.util.errors import AdapterError
from lorarar.util.files import training_checkpoint
from lorarar.util.messages import message
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from accelerate import Accelerator
    from diffusers import StableDiffusionXLPipeline

LESSON = "lesson"  # what the one lesson of a LoRA is called in its facts
PROMPT_PLACE = "{prompt}"
WRITTEN: Dtype = "float16"  # of a LoRA's file, where nothing else is asked for: what other programs read it in


@dataclass(frozen=True)
class LoraTraining:
    """All that decides a LoRA and its file, but the place that it is trained in."""

    out: Path
    lessons: Mapping[str, LessonFiles]  # by what they are called in the facts
    options: LoraOptions
    base: Base  # at its commit (``pinned``)
    provenance: Mapping[str, object] = field(default_factory=dict)  # what the header says beside what made it
    side: int | None = None  # pixels a side of the pictures; None: the base's own
    dtype: Dtype = WRITTEN  # of the file
    sample_every: int | None = None  # steps from one picture that is drawn meanwhile to the next; None: none is
    sample_prompt: str | None = None  # of these pictures, the lesson's prompt at {prompt}; None: that prompt

    @property
    def checkpoint(self) -> Path:
        """Where its state is kept until it is done."""
        return training_checkpoint(self.out)

    @property
    def sampling(self) -> Sampling | None:
        """What is drawn meanwhile, into the folder ``NAME.samples`` beside the file."""
        if self.sample_every is None:
            return None
        prompt = next(iter(self.lessons.values())).prompt
        words = (self.sample_prompt or PROMPT_PLACE).replace(PROMPT_PLACE, prompt)
        return Sampling(self.sample_every, words, self.out.with_suffix(".samples"), self.base, self.options.seed)

    def check(self) -> None:
        """Refuse a place for the result that is unsound.

        Raises:
            OutputError: its name does not end in .safetensors, it cannot be written, or a caption would describe it.
        """
        check_output(self.out, ".safetensors")
        for lesson in self.lessons.values():
            check_beside_no_caption(self.out, lesson.pictures)

    def makings(self, accelerator: Accelerator | Surroundings) -> Facts:
        """All facts that decide the training, here or in the surroundings of another machine.

        Raises:
            ImageError, BaseError: a picture, or the base, cannot be read.
        """
        inputs = {name: lesson.facts() for name, lesson in self.lessons.items()}
        return training_makings(inputs, self.options, self.base, accelerator, self.side)

    def differences(self, makings: Facts) -> list[str] | None:
        """By which facts the file that stands there is another training's; none if it is this one's, None without one.

        Args:
            makings: this training's.
        """
        try:
            says = read_provenance(self.out)
        except AdapterError:
            return None
        as_read: Facts = json.loads(json.dumps(makings | {"dtype": self.dtype}))
        training = says.get("training")
        theirs = (training if isinstance(training, dict) else {}) | {"dtype": says.get("dtype")}
        return differing(as_read, theirs)

    def run(
        self, pipeline: StableDiffusionXLPipeline, accelerator: Accelerator, makings: Facts, title: str = ""
    ) -> None:
        """Train, or go on from the checkpoint, and write the file.

        Args:
            pipeline: the base, loaded; left as it was.
            accelerator: device, precision and processes.
            makings: this training's.
            title: in the progress display; by default the name of the file.

        Raises:
            TrainingError, ImageError, AdapterError: it cannot be trained, a picture read, or the file written.
        """
        side = self.side or native_side(pipeline)
        with memory_in_one_line(self.options, accelerator):
            adapter = train_lora(
                pipeline,
                [lesson.read(side) for lesson in self.lessons.values()],
                self.options,
                checkpoint=self.checkpoint,
                makings=makings,
                accelerator=accelerator,
                title=title or self.out.stem,
                sampling=self.sampling,
            )
        if accelerator.is_main_process:
            write_adapter(in_dtype(adapter, self.dtype), self.out, self._header(makings, accelerator))
            self.checkpoint.unlink(missing_ok=True)

    def _header(self, makings: Facts, accelerator: Accelerator) -> Facts:
        return {
            **self.provenance,
            **made_by(makings, self.base, accelerator),
            "dtype": self.dtype,
            **options_facts(self.options),
        }


def in_dtype(adapter: Adapter, dtype: Dtype) -> Adapter:
    """A LoRA in the numbers of its file; as it is, and said so, where these cannot hold it: no training is lost."""
    written = adapter.to(DTYPES[dtype])
    if all(all_finite(half) for factors in written.layers.values() for half in (factors.down, factors.up)):
        return written
    message(f"{dtype} does not hold all of its numbers; it is written in float32", "yellow")
    return adapter
