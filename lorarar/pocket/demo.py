"""The demo: one test pair of Pocket by several methods, laid beside its references and its true picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np
from PIL import Image

from lorarar.families import find_base
from lorarar.generation.picture import Picture, save
from lorarar.generation.settings import DrawingOptions, DrawingSettings
from lorarar.generation.studio import BATCH, Studio
from lorarar.lora.axis import AXES
from lorarar.lora.names import pair_stem
from lorarar.merge_files import Merge, merge
from lorarar.merging.coefficient_statistics import block_of
from lorarar.merging.coefficients import Coefficients, axis_of
from lorarar.pictures.heatmap_chart import HeatmapChart
from lorarar.pictures.images import read_image, write_png
from lorarar.pictures.sheet import Sheet
from lorarar.pocket import shipped
from lorarar.pocket.concepts import Style, Subject, cell_prompt
from lorarar.pocket.ground_truth import true_picture
from lorarar.store import Store
from lorarar.store.cells import Place
from lorarar.store.queries import Collection

METHODS = ("direct", "ties", "np-lora", "lorarar")  # none that trains for the pair


@dataclass(frozen=True)
class DemoPair:
    """The subject and the style of a demo."""

    subject: Subject
    style: Style

    @property
    def content_lora(self) -> Path:
        """The subject's shipped LoRA."""
        return shipped.content_lora(self.subject.slug)

    @property
    def style_lora(self) -> Path:
        """The style's shipped LoRA."""
        return shipped.style_lora(self.style.slug)

    @property
    def collection(self) -> Collection:
        """The collection of its pictures, a row a method."""
        return Collection("demo", pair_stem(self.content_lora.stem, self.style_lora.stem))

    def stem(self, method: str) -> str:
        """The start of the names of files that a method makes of it."""
        return f"{self.subject.slug}-{self.style.slug}-{method}"


@dataclass(frozen=True)
class DemoRow:
    """The merge and the pictures of one method."""

    merge: Merge
    pictures: list[Picture]
    merge_seconds: float
    draw_seconds: float


@dataclass(frozen=True)
class Demo:
    """A pair by several methods."""

    pair: DemoPair
    rows: dict[str, DemoRow]  # by method

    @property
    def seconds(self) -> dict[str, dict[str, float]]:
        """By method, the seconds that merging and generating took."""
        return {method: {"merge": row.merge_seconds, "draw": row.draw_seconds} for method, row in self.rows.items()}

    def sheet(self) -> Image.Image:
        """References and true picture above, a row of pictures for each method below."""
        subject, style = self.pair.subject, self.pair.style
        references = [
            read_image(shipped.references(lora)[0]) for lora in (self.pair.content_lora, self.pair.style_lora)
        ]
        lines: list[tuple[str, Sequence[Image.Image]]] = [
            ("given: subject, style; wanted: their true picture", [*references, true_picture(subject, style)])
        ]
        for row in self.rows.values():
            seeds = f"seeds {row.pictures[0].seed} to {row.pictures[-1].seed}"
            lines.append((f"{row.merge.method.title}, {seeds}", [picture.image for picture in row.pictures]))
        count = max(len(pictures) for _, pictures in lines)
        return Sheet([""] * count, lines, f"{subject.name} in {style.name}").draw()


def run_demo(
    pair: DemoPair,
    out: Path,
    store: Store,
    *,
    seeds: range = range(4),
    on_step: Callable[[], None] | None = None,
    **options: Unpack[DrawingOptions],
) -> Demo:
    """Merge the pair by every method, generate a picture for each seed, and keep all in ``out`` and in the store.

    Args:
        pair: of which there are shipped LoRAs.
        out: folder of merges, pictures, ``demo.png`` and ``coefficients.png``.
        store: the database that merges, adapters and pictures are added to.
        seeds: of the pictures of each method.
        on_step: is called after each step of the sampler on a batch, ``steps_of_demo`` times.
        options: of the sampler; Pocket's own without them.
    """
    with Studio(find_base("pocket")) as studio:
        rows = {method: _run_method(pair, method, out, store, studio, seeds, on_step, options) for method in METHODS}
    demo = Demo(pair, rows)
    write_png(demo.sheet(), out / "demo.png")
    write_png(coefficient_picture(rows["lorarar"].merge.coefficients), out / "coefficients.png")
    return demo


def steps_of_demo(pictures: int) -> int:
    """How many steps a demo of so many pictures of each method takes, batch by batch."""
    return len(METHODS) * -(-pictures // BATCH) * DrawingSettings.of(find_base("pocket"), {}).steps


def _run_method(
    pair: DemoPair,
    method: str,
    out: Path,
    store: Store,
    studio: Studio,
    seeds: range,
    on_step: Callable[[], None] | None,
    options: DrawingOptions,
) -> DemoRow:
    content, style, stem = pair.content_lora, pair.style_lora, pair.stem(method)
    started = time.perf_counter()
    result = merge(content, style, out / f"{stem}.safetensors", method=method, progress=True)
    merge_end = time.perf_counter()
    merge_id = store.add_merge(result, content, style)
    adapter_id = store.add_adapter(result.adapter, result.path or "", "merged")
    studio.load_lora(result.adapter)
    prompt = cell_prompt(pair.subject, pair.style)
    cell = (content.stem, style.stem)
    generation = studio.generate(prompt, seeds, noise_of=cell, on_step=on_step, **options)
    pictures = [save(picture, out, f"{stem}-{picture.seed}") for picture in generation]
    places = {Place(method, *cell, picture.seed): picture for picture in pictures}
    store.add_pictures(pair.collection, places, adapter_id, merge_id)
    return DemoRow(result, pictures, merge_end - started, time.perf_counter() - merge_end)


def coefficient_picture(coefficients: Mapping[str, Coefficients], columns: int = 40) -> Image.Image:
    """m_c and m_s of layers as heatmaps: a row a layer, its sorted coefficients averaged into ``columns``, or fewer.

    Of layers those whose coefficients differ, which are those that are predicted; where none do, all.
    """
    differing = [layer for layer, pair in coefficients.items() if any(bool((m != m[0]).any()) for m in pair)]
    layers, of = differing or [*coefficients], AXES[axis_of(coefficients)]
    columns = min(columns, *(len(m) for layer in layers for m in coefficients[layer]))
    sides = [[_bin_means(coefficients[layer][which].tolist(), columns) for layer in layers] for which in (0, 1)]
    return HeatmapChart(
        title=f"What LoRA.rar predicts: one coefficient for each {of} of both LoRAs",
        maps=list(zip(("content, m_c", "style, m_s"), sides, strict=True)),
        groups=[block_of(layer) for layer in layers],
        x_axis=f"a layer's {of}s, smallest to largest",
        y_axis="layers, by block",
        scale="coefficient",
    ).draw()


def _bin_means(values: list[float], count: int) -> list[float]:
    """The means of ``count`` bins of the sorted values."""
    return [float(part.mean()) for part in np.array_split(np.sort(values), count)]
