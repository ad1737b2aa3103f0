"""Generate pictures from a prompt, a base and at most one LoRA; every picture has its own seed.

Picture k of a call is generated from ``seed + k`` alone, by a generator of its own on the CPU, so it is
the same alone, in another batch size and on another device (up to that device's rounding).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from PIL import Image

from lorarar import __version__
from lorarar.families import DEFAULT_BASE, Base, family_of, find_base
from lorarar.families.layer_table import Layers, layers_of_model
from lorarar.generation.base_digest import pinned
from lorarar.generation.bases import load_pipeline
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.noise import NoiseCell, noise_facts, noise_seeds
from lorarar.generation.picture_names import picture_stem
from lorarar.generation.settings import DrawingOptions, DrawingSettings
from lorarar.pictures.images import write_png
from lorarar.util.errors import AdapterError
from lorarar.util.libraries import full_versions
from lorarar.util.outputs import check_output_folder
from lorarar.util.seeds import check_seeds

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

    from lorarar.lora.adapter import Adapter

BATCH = 4


@dataclass(frozen=True)
class Picture:
    """A generated picture and what made it."""

    image: Image.Image
    prompt: str
    seed: int
    settings: DrawingSettings
    base: Base
    lora: str  # sha256 of the LoRA file, or of its factors where it is in none; empty without a LoRA
    seconds: float
    drawing: DrawingFacts
    noise: NoiseCell | None = None  # whose noise it has; None: its seed's
    path: Path | None = None
    sha256: str = ""

    def notes(self) -> dict[str, str]:
        """The text chunks of the PNG, which say what made the picture."""
        return {
            "prompt": self.prompt,
            "seed": str(self.seed),
            **{name: str(value) for name, value in self.settings.makings().items()},
            **({"noise": ",".join(self.noise)} if self.noise else {}),
            "base": self.base.name,
            "base_revision": self.base.revision or "",
            "base_digest": self.drawing.base,
            **{f"base_{name}": value for name, value in self.base.choices().items()},
            "dtype": self.drawing.dtype,
            "device": self.drawing.device_name or self.drawing.device,
            "lora_sha256": self.lora,
            "lorarar_version": __version__,
            **{f"{name}_version": version for name, version in full_versions().items()},
        }

    def makings(self) -> dict[str, object]:
        """All facts that decide the picture."""
        return {
            "prompt": self.prompt,
            "seed": self.seed,
            **self.settings.makings(),
            **noise_facts(self.noise),
            "lora": self.lora,
            "side": [self.image.width, self.image.height],
            **self.drawing.makings(),
        }

    def record(self) -> dict[str, object]:
        """All facts that decide the picture, and what is known of it besides."""
        return {**self.makings(), "recorded": self.drawing.recorded()}

    def row(self) -> dict[str, Any]:
        """The picture as a row of the store's table of images."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "prompt": self.prompt,
            "base": self.base.name,
            "base_revision": self.base.revision,
            "seed": self.seed,
            "steps": self.settings.steps,
            "guidance": self.settings.guidance,
            "width": self.image.width,
            "height": self.image.height,
            "seconds": self.seconds,
            "version": __version__,
        }


def generate(
    prompt: str,
    *,
    lora: str | Path | Adapter | None = None,
    base: str | Base = DEFAULT_BASE,
    n: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    device: str | None = None,
    noise_of: NoiseCell | None = None,
    **options: Unpack[DrawingOptions],
) -> list[Picture]:
    """Generate ``n`` pictures with seeds ``seed``, ``seed + 1``, …; with ``out``, write them there as PNG.

    ``base`` is a name as ``--base`` takes it, or what ``lorarar.families.find_base`` made of one and a VAE;
    ``options`` are those of ``DrawingOptions``, ``noise_of`` is as of ``Studio.generate``.

    Raises:
        BaseError, AdapterError, ImageError, OutputError: each names what was wrong and what is accepted.
    """
    if out is not None:
        check_output_folder(Path(out))
    check_seeds(range(seed, seed + n))
    with Studio(base if isinstance(base, Base) else find_base(base), device) as studio:
        studio.load_lora(lora)
        seeds = range(seed, seed + n)
        pictures = studio.generate(prompt, seeds, noise_of=noise_of, **options)
        return [save(picture, Path(out)) if out is not None else picture for picture in pictures]


class Studio:
    """A loaded base that generates many pictures, with one LoRA at a time; use it as a context manager."""

    def __init__(
        self, base: Base, device: str | None = None, pipeline: StableDiffusionXLPipeline | None = None
    ) -> None:
        self.base = pinned(base) if pipeline is None else base
        self.pipeline = pipeline or load_pipeline(self.base, device)
        self.lora = ""

    @cached_property
    def drawing(self) -> DrawingFacts:
        """What decides every picture of this base, as it is loaded.

        Raises:
            BaseError: the base's files cannot be read.
        """
        return DrawingFacts.of_loaded(self.base, str(self.pipeline.device), self.pipeline.dtype)

    @cached_property
    def layers(self) -> Layers:
        """The layers of the loaded base that a LoRA can change; first asked for while no LoRA is on it."""
        models = {name: getattr(self.pipeline, name) for name in family_of(self.base).modules.adapted}
        return {layer: shape for name, model in models.items() for layer, shape in layers_of_model(name, model).items()}

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.load_lora(None)

    def load_lora(self, lora: str | Path | Adapter | None) -> None:
        """Generate with this LoRA from now on, or with none.

        Raises:
            AdapterError: the LoRA cannot be read or does not fit the base.
        """
        from lorarar.lora.adapter import Adapter
        from lorarar.lora.base_weights import read_adapter_for
        from lorarar.lora.fit import check_layers
        from lorarar.lora.layout_tensors import state_dict

        if self.lora:
            self.pipeline.unload_lora_weights()
            self.lora = ""
        if lora is None:
            return
        adapter = lora if isinstance(lora, Adapter) else read_adapter_for(self.base, lora)
        check_layers(adapter, self.base, self.layers)
        self.lora = adapter.identity  # from before anything is attached: a part of it has to come off too
        try:
            with _quiet():
                self.pipeline.load_lora_weights(state_dict(adapter.layers))
        except (RuntimeError, ValueError, KeyError) as error:
            self.load_lora(None)
            why = next(reversed(str(error).strip().splitlines()), type(error).__name__).strip()
            raise AdapterError(f"{adapter.name} does not fit base {self.base.name}: {why}") from None

    def generate(
        self,
        prompt: str,
        seeds: range | list[int],
        *,
        batch: int = BATCH,
        noise_of: NoiseCell | None = None,
        on_step: Callable[[], None] | None = None,
        **options: Unpack[DrawingOptions],
    ) -> Iterator[Picture]:
        """Generate pictures of a prompt, one for each seed, in order; a batch at a time.

        Args:
            prompt: what to generate.
            seeds: each picture's own.
            batch: pictures that run through the UNet together; it changes no picture but in its last bits.
            noise_of: names of the content and the style of the cell whose noise they begin with; None: each seed's.
            on_step: called after every step of every batch.
            options: of the sampler, as in ``lorarar generate``; what is left out is as the base's family has it.

        Raises:
            SeedError: a number that can be no seed.
        """
        check_seeds(seeds)
        settings = DrawingSettings.of(self.base, options)
        for first in range(0, len(seeds), batch):
            part = list(seeds[first : first + batch])
            started = time.perf_counter()
            images = self._run_pipeline(prompt, noise_seeds(part, noise_of), settings, on_step)
            seconds = (time.perf_counter() - started) / len(part)
            for seed, image in zip(part, images, strict=True):
                yield Picture(
                    image=image,
                    prompt=prompt,
                    seed=seed,
                    settings=settings,
                    base=self.base,
                    lora=self.lora,
                    seconds=seconds,
                    drawing=self.drawing,
                    noise=noise_of,
                )

    def _run_pipeline(
        self, prompt: str, seeds: list[int], settings: DrawingSettings, on_step: Callable[[], None] | None
    ) -> list[Image.Image]:
        """The pictures of one batch, each from a generator of its own with its own seed."""
        import torch

        def tick(pipeline: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            if on_step:
                on_step()
            return values

        result: Any = self.pipeline(
            prompt=prompt,
            num_images_per_prompt=len(seeds),
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance,
            callback_on_step_end=tick,
        )
        images: list[Image.Image] = result.images
        return images


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence diffusers' hints that a LoRA has no part for a text encoder: most have none."""
    from diffusers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def save(picture: Picture, folder: Path, name: str | None = None) -> Picture:
    """Write a picture as ``folder/name.png``, by default named after what made it.

    Raises:
        ImageError: the file cannot be written.
    """
    from dataclasses import replace

    from lorarar.util.files import sha256_of

    stem = name or picture_stem(picture.prompt, picture.seed, picture.makings())
    path = write_png(picture.image, folder / f"{stem}.png", picture.notes())
    return replace(picture, path=path, sha256=sha256_of(path))
