"""Stage ``report``: how well LoRAs draw what they should.

- A content LoRA should draw its own design, not just its class: pictures of "a sks <class>" are matched
  to all artists' designs of that class.
- A style LoRA should draw its own look, not just its family: pictures of other things are matched to
  true pictures in its look and in eight random looks of the family.

Matching is by the smallest mean squared difference of slightly blurred pixels, a crude measure that
nothing was trained on. Each figure stands beside chance and beside the base without the LoRA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lorarar.families import Base
from lorarar.generation.studio import Studio
from lorarar.pocket import shipped
from lorarar.pocket.art import draw_all
from lorarar.pocket.build_context import Clock, Workshop
from lorarar.pocket.canvas import Pose, place
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, slug
from lorarar.pocket.demo import GUIDANCE, STEPS
from lorarar.pocket.difference import mean_difference
from lorarar.pocket.styles import paint
from lorarar.pocket.training_pictures import SIDE, Designs, caption, plain, random_look
from lorarar.util.progress import Ticker

PICTURES = 4  # pictures for each LoRA
LOOKS = 8  # random looks beside a style's own
THINGS = ("dog", "teapot", "rocket", "house")  # what a style LoRA is asked to draw
Candidates = Mapping[str, Image.Image]


def run_report(workshop: Workshop) -> None:
    """Measure and record."""
    clock, designs = Clock(), draw_all(workshop.folder / "art")
    with Studio(Base("pocket", str(shipped.BASE))) as studio:
        content, style = measure_contents(studio, designs), measure_styles(studio, designs)
    chance = {"content": round(_chance(designs), 3), "style": round(1 / (LOOKS + 1), 3)}
    shipped.record(
        "report", content_top1=content, style_top1=style, chance=chance, seed=workshop.seed, seconds=clock.seconds()
    )


def measure_contents(studio: Studio, designs: Designs) -> dict[str, float]:
    """Share of pictures of "a sks <class>" whose nearest design of the class is the subject's own."""
    hits: dict[str, list[bool]] = {"base": [], "lora": []}
    with Ticker("contents", len(SUBJECTS)) as ticker:
        for subject in SUBJECTS:
            candidates = {
                artist: plain(design, Pose(), (1.0, 1.0, 1.0))
                for (name, artist), design in designs.items()
                if name == subject.class_name
            }
            prompts = [(subject.prompt, seed, candidates) for seed in range(PICTURES)]
            _match(studio, shipped.content_lora(slug(subject.name)), prompts, subject.artist, hits)
            ticker.advance()
    return _shares(hits)


def measure_styles(studio: Studio, designs: Designs) -> dict[str, float]:
    """Share of pictures of other things in a style whose nearest look is the style's own."""
    hits: dict[str, list[bool]] = {"base": [], "lora": []}
    with Ticker("styles", len(STYLES)) as ticker:
        for number, style in enumerate(STYLES):
            prompts = [
                (caption(thing, style.family), seed, _looks(style, number, thing, designs))
                for seed, thing in enumerate(THINGS)
            ]
            _match(studio, shipped.style_lora(slug(style.name)), prompts, "own", hits)
            ticker.advance()
    return _shares(hits)


def nearest(picture: Image.Image, candidates: Candidates) -> str:
    """The candidate with the smallest mean squared difference, both slightly blurred."""
    return min(candidates, key=lambda name: mean_difference(picture, candidates[name]))


def mean_picture(pictures: Sequence[Image.Image]) -> Image.Image:
    """The pixelwise mean of pictures of one size."""
    return Image.fromarray(np.mean([np.asarray(one) for one in pictures], axis=0).round().astype(np.uint8))


def _match(
    studio: Studio, lora: Path, prompts: Sequence[tuple[str, int, Candidates]], own: str, hits: dict[str, list[bool]]
) -> None:
    """Draw the prompts with their seeds, without and with a LoRA, and note where the nearest candidate is ``own``."""
    for name, attached in (("base", None), ("lora", lora)):
        studio.load_lora(attached)
        for prompt, seed, candidates in prompts:
            picture = next(studio.generate(prompt, [seed], steps=STEPS, guidance=GUIDANCE))
            hits[name].append(nearest(picture.image, candidates) == own)


def _looks(style: Style, number: int, thing: str, designs: Designs) -> Candidates:
    """A thing, as the mean over its designs, in a style's own look and in random ones of its family."""
    rng = np.random.default_rng((7, number))
    looks = {"own": style.look} | {str(k): random_look(rng, style.family) for k in range(LOOKS)}
    drawings = [place(design) for (name, _), design in designs.items() if name == thing]
    return {
        name: mean_picture([paint(style.family, drawing, look, SIDE) for drawing in drawings])
        for name, look in looks.items()
    }


def _shares(hits: Mapping[str, Sequence[bool]]) -> dict[str, float]:
    return {name: round(float(np.mean(values)), 3) for name, values in hits.items()}


def _chance(designs: Designs) -> float:
    counts = [sum(name == subject.class_name for name, _ in designs) for subject in SUBJECTS]
    return float(np.mean([1 / count for count in counts]))
