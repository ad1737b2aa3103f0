"""The demo: one test pair of Pocket merged by several methods, drawn, laid beside references and truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from lorarar.families import find_base
from lorarar.generation.studio import Picture, Studio, save
from lorarar.lora.adapter import part_of
from lorarar.merge_files import Merge, merge
from lorarar.merging.hypernet import Coefficients
from lorarar.pictures.images import read_image, write_png
from lorarar.pictures.sheet import Sheet, heatmap
from lorarar.pocket import shipped
from lorarar.pocket.concepts import Style, Subject, cell_prompt, slug
from lorarar.pocket.ground_truth import truth
from lorarar.store import Store

METHODS = ("direct", "ties", "np-lora", "lorarar")  # none that trains for the pair
STEPS, GUIDANCE = 25, 4.0


@dataclass
class Demo:
    """What the demo made."""

    subject: Subject
    style: Style
    merges: dict[str, Merge] = field(default_factory=dict)
    pictures: dict[str, list[Picture]] = field(default_factory=dict)
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)  # by method: merge, draw

    def sheet(self) -> Image.Image:
        """References and truth above, a row of pictures for each method below."""
        content, style = shipped.content_lora(slug(self.subject.name)), shipped.style_lora(slug(self.style.name))
        given: list[Image.Image | None] = [read_image(shipped.references(path)[0]) for path in (content, style)]
        rows: list[tuple[str, Sequence[Image.Image | None]]] = [
            ("given: subject, style; wanted: their true picture", [*given, truth(self.subject, self.style)])
        ]
        for name, pictures in self.pictures.items():
            seeds = f"seeds {pictures[0].seed} to {pictures[-1].seed}"
            rows.append((f"{self.merges[name].method.title}, {seeds}", [picture.image for picture in pictures]))
        count = max(len(pictures) for _, pictures in rows)
        return Sheet([""] * count, rows, f"{self.subject.name} in {self.style.name}").draw()


def run_demo(
    subject: Subject,
    style: Style,
    out: Path,
    store: Store,
    *,
    n: int = 4,
    seed: int = 0,
    on_step: Callable[[], None] | None = None,
) -> Demo:
    """Merge, draw, and keep everything in ``out`` and in the store."""
    content, look = shipped.content_lora(slug(subject.name)), shipped.style_lora(slug(style.name))
    demo, base = Demo(subject, style), find_base("pocket")
    with Studio(base) as studio:
        for method in METHODS:
            started = time.perf_counter()
            done = merge(
                content, look, out / f"{slug(subject.name)}-{slug(style.name)}-{method}.safetensors", method=method
            )
            merged = time.perf_counter()
            merge_id = store.add_merge(done, content, look)
            adapter_id = store.add_adapter(done.adapter, done.path or "", "merged")
            studio.load_lora(done.adapter)
            drawn = studio.generate(
                cell_prompt(subject, style), range(seed, seed + n), steps=STEPS, guidance=GUIDANCE, on_step=on_step
            )
            demo.pictures[method] = [
                save(picture, out, f"{slug(subject.name)}-{slug(style.name)}-{method}-{picture.seed}")
                for picture in drawn
            ]
            for picture in demo.pictures[method]:
                store.add_image(picture, adapter_id, merge_id)
            demo.merges[method] = done
            demo.seconds[method] = {"merge": merged - started, "draw": time.perf_counter() - merged}
    write_png(demo.sheet(), out / "demo.png")
    write_png(coefficient_picture(demo.merges["lorarar"].coefficients), out / "coefficients.png")
    return demo


def coefficient_picture(coefficients: Mapping[str, Coefficients], columns: int = 40, side: int = 280) -> Image.Image:
    """m_c and m_s of the predicted layers as heatmaps: a row a layer, its sorted columns averaged into ``columns``."""
    layers = [layer for layer in coefficients if part_of(layer) in ("query", "output")]
    values = [[_spread(coefficients[layer][which].tolist(), columns) for layer in layers] for which in (0, 1)]
    everything = [value for rows in values for row in rows for value in row]
    low, high = min(everything), max(everything)
    maps = [heatmap(rows, low, high).resize((side, side), Image.Resampling.NEAREST) for rows in values]
    title = f"coefficients of {len(layers)} layers, blue {low:.2f} to red {high:.2f}"
    return Sheet(["content m_c", "style m_s"], [("", maps)], title, side, label_width=8).draw()


def _spread(values: list[float], columns: int) -> list[float]:
    """The sorted values averaged into ``columns`` bins."""
    import numpy as np

    return [float(part.mean()) for part in np.array_split(np.sort(values), columns)]
