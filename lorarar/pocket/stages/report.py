"""Stage ``report``: how well LoRAs and merges draw what they should, and the sheet of the README.

- A content LoRA should draw its own design, not just its class: pictures of "a sks <class>" are matched
  to all artists' designs of that class.
- A style LoRA should draw its own look, not just its family: pictures of other things are matched to
  true pictures in its look and in eight random looks of the family.
- A merge should keep class and family: what the probe says of the 5 x 5 test cells, by method.

Matching is by the smallest mean squared difference of slightly blurred pixels, a crude measure that
nothing was trained on. Each figure stands beside chance and beside the base without the LoRA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageFilter

from lorarar.adapter import Adapter
from lorarar.bases import Base
from lorarar.generation import Studio
from lorarar.images import read_image, write_png
from lorarar.merging import merge
from lorarar.pocket import shipped
from lorarar.pocket.art import draw_all
from lorarar.pocket.canvas import Pose, place
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.demo import GUIDANCE, METHODS, STEPS
from lorarar.pocket.painters import paint
from lorarar.pocket.pictures import FAMILIES, SIDE, Designs, caption, plain, random_look
from lorarar.pocket.stages.probe import accuracy, as_tensor, load_probe
from lorarar.pocket.truth import truth
from lorarar.pocket.workshop import Workshop
from lorarar.pocket.zoo import STYLES, SUBJECTS, Style, Subject, cell_prompt, slug
from lorarar.progress import Ticker
from lorarar.sheet import Sheet

PICTURES = 4  # pictures for each LoRA
LOOKS = 8  # random looks beside a style's own
THINGS = ("dog", "teapot", "rocket", "house")  # what a style LoRA is asked to draw


def run_report(workshop: Workshop) -> None:
    """Measure, and write ``sheet.png`` into the workshop."""
    designs = draw_all(workshop.folder / "art")
    with Studio(Base("pocket", str(shipped.BASE))) as studio:
        content = {
            name: measure_contents(studio, designs, with_lora=on) for name, on in (("base", False), ("lora", True))
        }
        style = {name: measure_styles(studio, designs, with_lora=on) for name, on in (("base", False), ("lora", True))}
        merges, sheet = measure_merges(studio)
    write_png(sheet, workshop.folder / "sheet.png")
    chance = {"content": round(_chance(designs), 3), "style": round(1 / (LOOKS + 1), 3)}
    shipped.record(
        "report", content_top1=content, style_top1=style, chance=chance, test_cells=merges, seed=workshop.seed
    )


def measure_contents(studio: Studio, designs: Designs, *, with_lora: bool) -> float:
    """Share of pictures of "a sks <class>" whose nearest design of the class is the subject's own."""
    hits = []
    with Ticker(f"contents {'with' if with_lora else 'without'} LoRA", len(SUBJECTS)) as ticker:
        for subject in SUBJECTS:
            studio.attach(shipped.content_lora(slug(subject.name)) if with_lora else None)
            candidates = {
                artist: plain(design, Pose(), (1.0, 1.0, 1.0))
                for (name, artist), design in designs.items()
                if name == subject.class_name
            }
            for picture in studio.draw(subject.prompt, range(PICTURES), steps=STEPS, guidance=GUIDANCE):
                hits.append(nearest(picture.image, candidates) == subject.artist)
            ticker.advance()
    return round(float(np.mean(hits)), 3)


def measure_styles(studio: Studio, designs: Designs, *, with_lora: bool) -> float:
    """Share of pictures of other things in a style whose nearest look is the style's own."""
    hits = []
    with Ticker(f"styles {'with' if with_lora else 'without'} LoRA", len(STYLES)) as ticker:
        for number, style in enumerate(STYLES):
            rng = np.random.default_rng((7, number))
            looks = {"own": style.look} | {str(k): random_look(rng, style.family) for k in range(LOOKS)}
            studio.attach(shipped.style_lora(slug(style.name)) if with_lora else None)
            for seed, thing in enumerate(THINGS):
                drawings = [place(design) for (name, _), design in designs.items() if name == thing]
                candidates = {
                    name: mean_picture([paint(style.family, drawing, look, SIDE) for drawing in drawings])
                    for name, look in looks.items()
                }
                prompt = caption(thing, style.family)
                picture = next(studio.draw(prompt, [seed], steps=STEPS, guidance=GUIDANCE))
                hits.append(nearest(picture.image, candidates) == "own")
            ticker.advance()
    return round(float(np.mean(hits)), 3)


def measure_merges(studio: Studio) -> tuple[dict[str, dict[str, float]], Image.Image]:
    """The probe's class and family shares over the test cells by method, and the sheet of first pictures."""
    subjects = [subject for subject in SUBJECTS if subject.split == "test"]
    styles = [style for style in STYLES if style.split == "test"]
    rows: list[tuple[str, Sequence[Image.Image | None]]] = []
    drawn: dict[str, list[tuple[Subject, Style, Image.Image]]] = {method: [] for method in METHODS}
    with Ticker("test cells", len(subjects) * len(styles) * len(METHODS)) as ticker:
        for subject in subjects:
            tiles: dict[str, list[Image.Image]] = {method: [] for method in METHODS}
            for style in styles:
                for method in METHODS:
                    pictures = _draw_cell(studio, subject, style, method)
                    drawn[method] += [(subject, style, picture) for picture in pictures]
                    tiles[method].append(pictures[0])
                    ticker.advance()
            reference = read_image(shipped.references(shipped.content_lora(slug(subject.name)))[0])
            rows.append((f"{subject.name}: true", [reference, *(truth(subject, style) for style in styles)]))
            rows.extend((_title(method), [None, *tiles[method]]) for method in METHODS)
    shown: list[Image.Image | None] = [
        None,
        *(read_image(shipped.references(shipped.style_lora(slug(style.name)))[0]) for style in styles),
    ]
    names = ["subject", *(style.name for style in styles)]
    sheet = Sheet(names, [("style references", shown), *rows], side=80).draw()
    true = [(subject, style, truth(subject, style)) for subject in subjects for style in styles]
    return {"truth": _probed(true)} | {method: _probed(cells) for method, cells in drawn.items()}, sheet


def nearest(picture: Image.Image, candidates: Mapping[str, Image.Image]) -> str:
    """The candidate with the smallest mean squared difference, both slightly blurred."""
    ours = _soft(picture)
    return min(candidates, key=lambda name: float(np.mean((ours - _soft(candidates[name])) ** 2)))


def mean_picture(pictures: Sequence[Image.Image]) -> Image.Image:
    """The pixelwise mean of pictures of one size."""
    return Image.fromarray(np.mean([np.asarray(one) for one in pictures], axis=0).round().astype(np.uint8))


def _soft(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(picture.convert("RGB").filter(ImageFilter.GaussianBlur(1.5)), np.float64)


def _draw_cell(studio: Studio, subject: Subject, style: Style, method: str) -> list[Image.Image]:
    made = merge(shipped.content_lora(slug(subject.name)), shipped.style_lora(slug(style.name)), method=method)
    studio.attach(Adapter(made.adapter.layers, method))
    pictures = studio.draw(cell_prompt(subject, style), range(PICTURES), steps=STEPS, guidance=GUIDANCE)
    return [picture.image for picture in pictures]


def _probed(cells: Sequence[tuple[Subject, Style, Image.Image]]) -> dict[str, float]:
    images = torch.stack([as_tensor(image) for _, _, image in cells])
    classes = torch.tensor([CLASS_NAMES.index(subject.class_name) for subject, _, _ in cells])
    families = torch.tensor([FAMILIES.index(style.family) for _, style, _ in cells])
    said = accuracy(load_probe(), images, classes, families)
    distance = [float(np.mean((_soft(image) - _soft(truth(subject, style))) ** 2)) for subject, style, image in cells]
    return {
        "class": said.class_top1,
        "family": said.family_top1,
        "rmse_to_truth": round(float(np.mean(distance)) ** 0.5, 2),
    }


def _title(method: str) -> str:
    from lorarar.methods import METHODS as TABLE

    return TABLE[method].title


def _chance(designs: Designs) -> float:
    counts = [sum(name == subject.class_name for name, _ in designs) for subject in SUBJECTS]
    return float(np.mean([1 / count for count in counts]))
