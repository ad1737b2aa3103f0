"""Stage ``report``: how well LoRAs show what they were trained on.

- A content LoRA should give its own design, not just its class: pictures of "a sks <class>" are matched
  to all artists' designs of that class.
- A style LoRA should give its own parameters, not just its family: pictures of other objects are matched to
  true pictures with its parameters and with eight random ones of the family.

Matching is by the smallest mean squared difference of slightly blurred pixels, a crude measure that
nothing was trained on. Each figure stands beside chance and beside the base without the LoRA.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lorarar.generation.studio import Studio
from lorarar.pocket import shipped
from lorarar.pocket.art import Designs, fetch_designs
from lorarar.pocket.build_context import BuildContext, Stopwatch
from lorarar.pocket.canvas import WHITE, Pose, place
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject
from lorarar.pocket.difference import mean_squared_difference
from lorarar.pocket.styles import apply_style
from lorarar.pocket.training_pictures import SIDE, caption, plain_picture, random_params
from lorarar.util.progress import Ticker

PICTURES = 4  # pictures for each LoRA
RANDOM_LOOKS = 8  # random parameters beside a style's own
STYLED_CLASSES = ("dog", "teapot", "rocket", "house")  # what a style LoRA is asked to show

Candidates = Mapping[str, Image.Image]  # by name


@dataclass(frozen=True)
class MatchingTask:
    """A LoRA, the prompts to test it with, and the candidate that each picture should match."""

    lora: Path
    prompts: Sequence[tuple[str, int, Candidates]]  # prompt, seed, candidates
    target: str  # a candidate's name

    def hits(self, studio: Studio) -> Iterator[bool]:
        """For each prompt, whether the picture is nearest to the target, by the studio as it is."""
        for prompt, seed, candidates in self.prompts:
            picture = next(studio.generate(prompt, [seed]))
            yield nearest(picture.image, candidates) == self.target


def run_report(context: BuildContext) -> None:
    """Measure the LoRAs and record the figures."""
    stopwatch, designs = Stopwatch(), fetch_designs(context.art)
    with Studio(shipped.PIPELINE) as studio:
        with Ticker("contents", len(SUBJECTS)) as ticker:
            content = hit_rates(studio, (content_task(subject, designs) for subject in SUBJECTS), ticker)
        with Ticker("styles", len(STYLES)) as ticker:
            style = hit_rates(studio, (style_task(style, k, designs) for k, style in enumerate(STYLES)), ticker)
    shipped.MANIFEST.record(
        "report",
        content_top1=content,
        style_top1=style,
        chance={"content": round(_content_chance(designs), 3), "style": round(1 / (RANDOM_LOOKS + 1), 3)},
        seed=context.seed,
        seconds=stopwatch.seconds(),
    )


def content_task(subject: Subject, designs: Designs) -> MatchingTask:
    """Pictures of "a sks <class>", to be matched to the subject's own design among all of the class."""
    candidates = {
        artist: plain_picture(design, Pose(), WHITE)
        for (class_name, artist), design in designs.items()
        if class_name == subject.class_name
    }
    prompts = [(subject.prompt, seed, candidates) for seed in range(PICTURES)]
    return MatchingTask(shipped.content_lora(subject.slug), prompts, target=subject.artist)


def style_task(style: Style, number: int, designs: Designs) -> MatchingTask:
    """Pictures of other objects in a style, to be matched to its own parameters among random ones of the family."""
    prompts = [
        (caption(class_name, style.family), seed, _style_candidates(style, number, class_name, designs))
        for seed, class_name in enumerate(STYLED_CLASSES)
    ]
    return MatchingTask(shipped.style_lora(style.slug), prompts, target="own")


def hit_rates(studio: Studio, tasks: Iterable[MatchingTask], ticker: Ticker) -> dict[str, float]:
    """The share of pictures that match their target, of the base alone and with the LoRA."""
    hits: dict[str, list[bool]] = {"base": [], "lora": []}
    for task in tasks:
        for name, lora in (("base", None), ("lora", task.lora)):
            studio.load_lora(lora)
            hits[name] += task.hits(studio)
        ticker.advance()
    return {name: round(float(np.mean(values)), 3) for name, values in hits.items()}


def nearest(picture: Image.Image, candidates: Candidates) -> str:
    """The name of the candidate with the smallest mean squared difference to a picture."""
    return min(candidates, key=lambda name: mean_squared_difference(picture, candidates[name]))


def mean_picture(pictures: Sequence[Image.Image]) -> Image.Image:
    """The pixelwise mean of pictures of one size."""
    return Image.fromarray(np.mean([np.asarray(one) for one in pictures], axis=0).round().astype(np.uint8))


def _style_candidates(style: Style, number: int, class_name: str, designs: Designs) -> Candidates:
    """An object, as the mean over its designs, with a style's own parameters and with random ones of its family."""
    rng = np.random.default_rng((7, number))
    looks = {"own": style.params} | {str(k): random_params(rng, style.family) for k in range(RANDOM_LOOKS)}
    placed = [place(design) for (name, _), design in designs.items() if name == class_name]
    return {
        name: mean_picture([apply_style(style.family, design, params, SIDE) for design in placed])
        for name, params in looks.items()
    }


def _content_chance(designs: Designs) -> float:
    """The chance that a random design of a subject's class is its own, mean over subjects."""
    counts = [sum(class_name == subject.class_name for class_name, _ in designs) for subject in SUBJECTS]
    return float(np.mean([1 / count for count in counts]))
