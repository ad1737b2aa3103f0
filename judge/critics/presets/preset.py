"""A preset: a critic that is known by name, with all that asking and serving it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from shlex import join
from typing import Any

from judge.critics.weight_bytes import BYTES
from judge.pair_questions import PairPrompts
from judge.questions import Prompts

SHOWN_IN = ("bfloat16", "8bit", "4bit")  # the numbers whose memory is told
ADDRESS = "http://localhost:8000/v1"  # where vLLM serves as it comes


@dataclass(frozen=True)
class Serving:
    """How vLLM serves a critic."""

    arguments: tuple[str, ...] = ()  # beside the model, its name and the limits that every critic has
    images: int = 8  # of a question, at most
    tokens: int = 8192  # of a question and its answer, at most
    model: str = ""  # what is served where it is not the repository as it is
    note: str = ""  # what else there is to know before


@dataclass(frozen=True)
class ServedAdapter:
    """What a critic that is a LoRA needs besides its own weights."""

    base: str  # the repository of its base
    rank: int


@dataclass(frozen=True)
class CriticPreset:
    """One critic; a row of ``PRESETS``."""

    name: str
    title: str  # what it is, in a line
    repository: str  # on the hub
    parameters: float  # weights, an adapter's among them
    licence: str  # of its weights
    paper: str  # where it is published
    singles: Prompts | None = None  # how it is asked about a picture and a reference; None: it is not
    pairs: PairPrompts | None = None  # how it is asked which of two pictures is better; None: it is not
    revision: str | None = None  # a commit of the repository; None: its newest
    adapter: ServedAdapter | None = None  # of a critic that is a LoRA
    serving: Serving = field(default_factory=Serving)

    @property
    def protocols(self) -> tuple[str, ...]:
        """What it answers."""
        return tuple(name for name, prompts in (("singles", self.singles), ("pairs", self.pairs)) if prompts)

    @property
    def runs_here(self) -> bool:
        """Whether it can be loaded on this machine by its name: whatever is no adapter."""
        return self.adapter is None

    def gigabytes(self, numbers: str) -> float:
        """What its weights take in memory, in these numbers; pictures and words take some more."""
        return self.parameters * BYTES[numbers] / 1e9

    @property
    def serve(self) -> str:
        """The command that serves it with vLLM, under the preset's name."""
        serving = self.serving
        images = f'{{"image": {serving.images}, "video": 0}}'
        limits = ("--limit-mm-per-prompt", images, "--max-model-len", str(serving.tokens))
        if self.adapter is None:
            named: Sequence[str] = ("--served-model-name", self.name)
        else:
            rank = str(self.adapter.rank)
            named = ("--enable-lora", "--max-lora-rank", rank, "--lora-modules", f"{self.name}={self.repository}")
        model = serving.model or (self.adapter.base if self.adapter else self.repository)
        return join(("vllm", "serve", model, *named, *limits, *serving.arguments))

    @property
    def ask(self) -> str:
        """The flags by which the served critic is asked."""
        model = f" --model {self.name}" if self.adapter else ""  # beside its base
        protocol = "" if self.singles else " --protocol pairwise --methods A,B"
        return f"--critic {ADDRESS}{model}{protocol}"

    def record(self) -> dict[str, Any]:
        """The preset under the keys of ``lorarar judge critics --json``."""
        return {
            "name": self.name,
            "title": self.title,
            "repository": self.repository,
            "revision": self.revision,
            "base": self.adapter and self.adapter.base,
            "protocols": list(self.protocols),
            "singles": self.singles and _wording(self.singles),
            "pairs": self.pairs and _wording(self.pairs),
            "parameters": self.parameters,
            "gigabytes": {numbers: round(self.gigabytes(numbers), 1) for numbers in SHOWN_IN},
            "licence": self.licence,
            "paper": self.paper,
            "runs_here": self.runs_here,
            "serve": self.serve,
            "serve_note": self.serving.note,
            "ask": self.ask,
        }


def _wording(prompts: Prompts | PairPrompts) -> dict[str, str]:
    words = {"subject": prompts.subject, "style": prompts.style, "system": prompts.system}
    return {"prompts": prompts.version, "answer": prompts.form.accepted, **words}
