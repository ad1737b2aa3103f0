"""Generate pictures from a prompt, a base and LoRAs; every picture has its own seed.

Picture k of a call is generated from ``seed + k`` alone, by a generator of its own on the CPU, so it is
the same alone, in another batch size and on another device (up to that device's rounding).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from PIL import Image

from lorarar.families import Base, family_of
from lorarar.families.layer_table import Layers, layers_of_model
from lorarar.generation.attached_loras import AttachedLora, attached_text, summed
from lorarar.generation.base_digest import pinned
from lorarar.generation.decoding import decode
from lorarar.generation.denoisers.table import denoiser_of, pipeline_kind
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.drawing_pipeline import load_for_drawing
from lorarar.generation.noise import NoiseCell, noise_seed
from lorarar.generation.offload import Offload
from lorarar.generation.out_of_memory import memory_in_one_line
from lorarar.generation.picture import Picture
from lorarar.generation.placement import Placement
from lorarar.generation.schedulers import scheduler_like
from lorarar.generation.settings import DrawingOptions, DrawingSettings
from lorarar.generation.switching import SwitchedLoras, unswitched
from lorarar.lora.adapter import Adapter
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.drawn_methods import DrawnMethod
from lorarar.util.dtype import Dtype
from lorarar.util.errors import AdapterError, DrawingError, reason
from lorarar.util.seeds import check_seeds

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

Shapes = Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]  # of both factors, by layer
BATCH = 4
ATTACHED = "attached"  # what diffusers knows the LoRA on the base by


def _adapter(base: Base, lora: str | Path | Adapter) -> Adapter:
    """An adapter, or what a file holds for a base."""
    return lora if isinstance(lora, Adapter) else read_adapter_for(base, lora)


class Studio:
    """A loaded base that generates many pictures, with the same LoRAs until others are loaded; a context manager."""

    def __init__(
        self,
        base: Base,
        device: str | None = None,
        pipeline: StableDiffusionXLPipeline | None = None,
        *,
        dtype: Dtype | None = None,
        offload: Offload = "none",
    ) -> None:
        """Load a base, unless it is loaded.

        Args:
            base: which one.
            device: by default CUDA if there is some.
            pipeline: the base as it is loaded and placed already.
            dtype: of its numbers; by default on CUDA the half precision of the base's family, else single.
            offload: what is kept off the GPU while it is not needed: nothing, whole models, or single layers.

        Raises:
            BaseError: the base cannot be loaded, or this machine lacks the place.
            DrawingError: it has not enough memory.
        """
        if pipeline is None:
            self.base, self.place = pinned(base), Placement.of(base, device, dtype, offload)
            self.pipeline = load_for_drawing(self.base, self.place)
        else:
            self.base, self.place = base, Placement(str(pipeline.device), denoiser_of(pipeline).dtype)
            self.pipeline = pipeline
        self._own_scheduler, self._kind = self.pipeline.scheduler, pipeline_kind(self.pipeline)
        self._loras: tuple[AttachedLora, ...] = ()
        self._switched: SwitchedLoras | None = None
        self._shapes: Shapes = {}

    @cached_property
    def drawing(self) -> DrawingFacts:
        """What decides every picture of this base, as it is loaded.

        Raises:
            BaseError: the base's files cannot be read.
        """
        return DrawingFacts.of(self.base, self.place)

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
            AdapterError: the LoRA cannot be read or does not fit the base; then there is none.
        """
        try:
            loras = [] if lora is None else [AttachedLora(_adapter(self.base, lora))]
        except BaseException:
            self._unload()
            raise
        self.load_loras(loras)

    def load_loras(self, loras: Sequence[AttachedLora], method: DrawnMethod | None = None) -> None:
        """Generate with these LoRAs from now on, together, or by a method that draws with a content and a style.

        A LoRA of the same layers and ranks as that before it takes its place in milliseconds, where attaching one takes
        a second for a hundred layers.

        Raises:
            AdapterError: they do not fit the base, or each other; then there is none.
            MethodError: the method draws with another number of them.
        """
        from lorarar.lora.fit import check_layers

        try:
            for lora in loras:
                check_layers(lora.adapter, self.base, self.layers)
            switched = SwitchedLoras.of(method, loras, self.place) if method else None
            adapter = unswitched(loras, switched.times) if switched else summed(loras) if loras else None
            shapes = _shapes(adapter) if adapter else {}
            swapped = f"{self._kind.component}."  # layers whose weights diffusers can exchange in place
            if shapes != self._shapes or not all(layer.startswith(swapped) for layer in shapes):
                self._unload()
            if adapter:
                self._attach(adapter)
        except BaseException:
            self._unload()  # a part may be attached already
            raise
        self._loras, self._shapes = tuple(loras), shapes
        self._switched = switched

    def _attach(self, adapter: Adapter) -> None:
        """Put an adapter on the base: in place of one of its shapes, or where there is none.

        Raises:
            AdapterError: it does not fit.
        """
        from lorarar.lora.layout_tensors import state_dict

        try:
            with _quiet():
                # what is attached becomes the base's own memory, into which the next one is written
                own = {key: half.clone() for key, half in state_dict(adapter.layers).items()}
                self.pipeline.load_lora_weights(own, adapter_name=ATTACHED, hotswap=bool(self._shapes))
        except (RuntimeError, ValueError, KeyError) as error:
            why = next(reversed(str(error).strip().splitlines()), type(error).__name__).strip()
            raise AdapterError(f"{adapter.name} does not fit base {self.base.name}: {why}") from None
        if self.place.offload != "none":
            self.place.put(self.pipeline)  # which diffusers has put on the first GPU, whichever it was on

    def _unload(self) -> None:
        """Take off whatever LoRA is on the base."""
        self.pipeline.unload_lora_weights()
        self._loras, self._shapes, self._switched = (), {}, None

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
            prompt: what to generate, of any length.
            seeds: each picture's own.
            batch: pictures that run through the denoiser together; it changes no picture but in its last bits.
            noise_of: names of the content and the style of the cell whose noise they begin with; None: each seed's.
            on_step: called after every step of every batch, as many times as there are steps.
            options: of the sampler, as in ``lorarar generate``; what is left out is as the base's family has it.

        Raises:
            DrawingError: a picture is no finite numbers, or takes more memory than there is.
            SeedError: a number that can be no seed.
        """
        check_seeds(seeds)
        settings = DrawingSettings.of(self.base, options)
        for first in range(0, len(seeds), batch):
            part = list(seeds[first : first + batch])
            started = time.perf_counter()
            with memory_in_one_line(len(part), self.place):
                images = self._run_pipeline(prompt, part, noise_of, settings, on_step)
            seconds = (time.perf_counter() - started) / len(part)
            for seed, image in zip(part, images, strict=True):
                yield Picture(
                    image=image,
                    prompt=prompt,
                    seed=seed,
                    settings=settings,
                    base=self.base,
                    lora=attached_text(self._loras, self._switched.method if self._switched else ""),
                    seconds=seconds,
                    drawing=self.drawing,
                    noise=noise_of,
                )

    def _run_pipeline(
        self,
        prompt: str,
        seeds: list[int],
        noise_of: NoiseCell | None,
        settings: DrawingSettings,
        on_step: Callable[[], None] | None,
    ) -> list[Image.Image]:
        """The pictures of one batch, each from a generator of its own."""
        import torch

        def tick(pipeline: Any, number: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            before, now = (count * settings.steps // pipeline.num_timesteps for count in (number, number + 1))
            if self._switched:
                self._switched.moment = (number + 1) / pipeline.num_timesteps  # of the step that comes
            if on_step and now > before:  # some schedulers run the denoiser twice a step
                on_step()
            return values

        size = settings.size or self._kind.own_size(self.pipeline)
        if size:
            self._kind.check_size(self.pipeline, size)
        width, height = size or (None, None)
        self.pipeline.scheduler = scheduler_like(self._own_scheduler, settings.scheduler)
        arguments = {
            **self._kind.call_arguments(self.pipeline, prompt, settings.negative, settings.guidance, self.place.device),
            "width": width,
            "height": height,
            "num_images_per_prompt": len(seeds),
            "generator": [torch.Generator().manual_seed(noise_seed(seed, noise_of)) for seed in seeds],
            "num_inference_steps": settings.steps,
            "callback_on_step_end": tick,
            "output_type": "latent",
        }
        try:
            with self._switched.attached(denoiser_of(self.pipeline)) if self._switched else nullcontext():
                output = self.pipeline(**arguments).images
        except (ValueError, IndexError) as error:  # as schedulers say that they cannot do so few steps
            name = type(self.pipeline.scheduler).__name__
            raise DrawingError(f"{name} cannot draw with --steps {settings.steps}: {reason(error)}") from None
        return decode(self.pipeline, self._kind.latents(self.pipeline, output, size), seeds)


def _shapes(adapter: Adapter) -> Shapes:
    """The shapes of an adapter's factors, by layer."""
    return {layer: (tuple(factors.down.shape), tuple(factors.up.shape)) for layer, factors in adapter.layers.items()}


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
