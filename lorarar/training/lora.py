"""Train a LoRA by the DreamBooth protocol: a few pictures, one prompt, the text encoders frozen.

A picture that has a caption is bound to that instead of the prompt. Several such lessons for one LoRA are the paper's
joint training (multi-concept DreamBooth).
Content is bound to a rare token ("a sks dog"), style to its description ("a house in watercolor
painting style"). Latents and text embeddings are computed once, before the first step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from peft import LoraConfig
from torch import Tensor, nn

from lorarar.generation.checkpointing import checkpointed, is_checkpointed
from lorarar.generation.denoisers.table import denoiser_of, kind_of, predict
from lorarar.generation.forward_process import forward_process
from lorarar.generation.latents import images_to_tensor, read_images
from lorarar.lora.adapter import Adapter, Factors
from lorarar.pictures.captions import Captions
from lorarar.training.checks import check_rank
from lorarar.training.encoding import NamedPicture, encode_pictures, encode_texts
from lorarar.training.loop import Objective, Schedule, train
from lorarar.training.options import LoraOptions
from lorarar.training.sampling import Sampler, Sampling
from lorarar.training.share import ALONE, Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline
    from PIL.Image import Image


@dataclass(frozen=True)
class Lesson:
    """Pictures (N, 3, H, W) in -1..1, and the prompt that they are bound to but for those that have a caption."""

    images: Tensor
    prompt: str
    captions: Captions = ()  # one a picture, None where it has none; empty where none has
    files: tuple[Path, ...] = ()  # the pictures' own, where they come from files

    @classmethod
    def read(cls, files: Sequence[Path], prompt: str, side: int, captions: Captions = ()) -> Lesson:
        """A lesson from picture files, cropped and resized to squares of ``side`` pixels."""
        return cls(read_images(files, side), prompt, captions, tuple(files))

    @classmethod
    def of_images(cls, images: Sequence[Image], prompt: str, side: int) -> Lesson:
        """A lesson from pictures, cropped and resized as ``read`` does it."""
        return cls(images_to_tensor(images, side), prompt)

    @property
    def prompts(self) -> list[str]:
        """What each picture is bound to: its caption, else the prompt."""
        return [caption or self.prompt for caption in self.captions or [None] * len(self.images)]

    def pictures(self, mirrored: bool) -> list[list[NamedPicture]]:
        """The pictures, and as a second group their mirror images if those are wanted."""
        numbered = (f"picture {number} of {self.prompt!r}" for number in range(1, len(self.images) + 1))
        named = list(zip(map(str, self.files) if self.files else numbered, self.images, strict=True))
        return [named, [(name, image.flip(2)) for name, image in named]] if mirrored else [named]


class LoraDenoising(Objective):
    """The base's own diffusion loss on the pictures of one or several lessons, through LoRA layers.

    Every lesson is drawn equally often, however many pictures it has.
    """

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        lessons: Sequence[Lesson],
        options: LoraOptions,
        checkpointing: bool | None = None,
    ) -> None:
        """Encode the lessons and put LoRA layers on the denoiser; whatever fails leaves none of them there.

        Args:
            pipeline: the base, whose denoiser is frozen.
            lessons: pictures and prompts, all of one size.
            options: rank, batch, seed, layers.
            checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        """
        super().__init__()
        prompts, prompts_of = _distinct_prompts(lessons)
        side = lessons[0].images.shape[-1]
        self.denoiser: Any = denoiser_of(pipeline)
        kind = kind_of(self.denoiser)
        targets = kind.targets(self.denoiser, options.feed_forward)
        check_rank(self.denoiser, targets, options.rank)
        self.component = kind.component
        self.size, self.checkpointing = options.batch, is_checkpointed(self.denoiser, checkpointing)
        self.process = forward_process(pipeline)
        [self.conditioning] = encode_texts(pipeline, [prompts], side)
        latents = [torch.cat(encode_pictures(pipeline, lesson.pictures(options.mirrored))) for lesson in lessons]
        self.latents = torch.cat(latents)
        both = 2 if options.mirrored else 1
        self.prompt_of = torch.cat([torch.tensor(numbers).repeat(both) for numbers in prompts_of])
        self.chances = torch.cat([torch.full((len(part),), 1 / len(part)) for part in latents])
        self._add_layers(targets, options)

    def _add_layers(self, targets: list[str], options: LoraOptions) -> None:
        """Freeze the denoiser, and put LoRA layers in single precision on it."""
        self.denoiser.requires_grad_(False)
        torch.manual_seed(options.seed)
        config = LoraConfig(
            r=options.rank, lora_alpha=options.rank, init_lora_weights="gaussian", target_modules=targets
        )
        try:
            self.denoiser.add_adapter(config)
            for parameter in self.denoiser.parameters():
                if parameter.requires_grad:
                    parameter.data = parameter.data.float()
        except BaseException:
            self.close()
            raise

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """A share of one batch for all, so that processes train as one alone does with a batch of them all."""
        return self.batch(generator_of(0), share)

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """Noisy latents, their timesteps, what is to be predicted, and the number of each one's prompt."""
        size = self.size * share.count
        indices = torch.multinomial(self.chances, size, replacement=True, generator=generator)
        latents = self.latents[indices]
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = self.process.draw(latents, generator)
        indices, latents, noise, timesteps = map(share.of, (indices, latents, noise, timesteps))
        noisy = self.process.noised(latents, noise, timesteps)
        targets = self.process.target(latents, noise, timesteps)
        device, dtype = self.denoiser.device, self.conditioning.text.dtype
        return noisy.to(device, dtype), timesteps.to(device), targets.to(device), self.prompt_of[indices].to(device)

    def forward(self, noisy: Tensor, timesteps: Tensor, targets: Tensor, prompt: Tensor) -> Tensor:
        """Mean squared error of the denoiser's prediction."""
        with checkpointed(self.denoiser) if self.checkpointing else nullcontext():
            prediction = predict(self.denoiser, noisy, timesteps, self.conditioning.at(prompt))
        return F.mse_loss(prediction.float(), targets)

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters of the LoRA layers, by names that begin as their layers' do."""
        weights = self.denoiser.named_parameters()
        return {f"{self.component}.{name}": weight for name, weight in weights if weight.requires_grad}

    def adapter(self) -> Adapter:
        """The LoRA as it is now."""
        return _adapter(self.trained())

    def close(self) -> None:
        """Take the LoRA layers off the denoiser again, which leaves the pipeline as it was."""
        self.denoiser.unload_lora()


def _distinct_prompts(lessons: Sequence[Lesson]) -> tuple[list[str], list[list[int]]]:
    """The prompts of all lessons, each once a lesson, and of every lesson's pictures the numbers of theirs."""
    prompts: list[str] = []
    numbers: list[list[int]] = []
    for lesson in lessons:
        own = list(dict.fromkeys(lesson.prompts))
        numbers.append([len(prompts) + own.index(prompt) for prompt in lesson.prompts])
        prompts += own
    return prompts, numbers


def train_lora(
    pipeline: StableDiffusionXLPipeline,
    lessons: Sequence[Lesson],
    options: LoraOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
    checkpointing: bool | None = None,
    title: str = "lora",
    sampling: Sampling | None = None,
) -> Adapter:
    """Train one LoRA on one lesson, a subject or a style, or on several jointly; return it as exact factors.

    Args:
        pipeline: the base; left as it was.
        lessons: pictures and prompts, all of one size.
        options: rank, steps, rate, batch, seed.
        checkpoint: a file to resume from and to keep the state in.
        makings: all that decides the training; the checkpoint of another one is refused.
        accelerator: device, precision and processes; by default what accelerate finds.
        checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        title: name in the progress display.
        sampling: what is drawn meanwhile; by default nothing. It changes no bit of the LoRA.
    """
    sampler = _sampler(pipeline, lessons, options, sampling, accelerator)
    objective = LoraDenoising(pipeline, lessons, options, checkpointing)

    def on_step(step: int, loss: float) -> None:
        if sampler and sampler.is_due(step):
            sampler.draw(step, objective.adapter())

    try:
        run = train(
            objective,
            lora_schedule(options),
            checkpoint,
            title=title,
            makings=makings,
            accelerator=accelerator,
            on_step=on_step,
        )
    finally:
        objective.close()
    return _adapter(run.result())


def _sampler(
    pipeline: StableDiffusionXLPipeline,
    lessons: Sequence[Lesson],
    options: LoraOptions,
    sampling: Sampling | None,
    accelerator: Accelerator | None,
) -> Sampler | None:
    """What draws meanwhile, in one process alone; None where nothing is drawn."""
    if sampling is None or (accelerator and not accelerator.is_main_process):
        return None
    return Sampler(pipeline, sampling, lessons[0].images.shape[-1], options.steps)


def lora_schedule(options: LoraOptions) -> Schedule:
    """At a constant rate, as in the DreamBooth protocol, but for the decay that is asked for."""
    return Schedule(
        steps=options.steps,
        rate=options.rate,
        seed=options.seed,
        decay=options.decay,
        save_every=200,
        weight_decay=1e-4,
        optimiser=options.optimiser,
    )


def _adapter(weights: Mapping[str, Tensor]) -> Adapter:
    """PEFT's parameters (``unet.….lora_A.default.weight``) as factors; alpha equals the rank, so the scale is 1."""
    layers = {}
    for name, down in weights.items():
        if ".lora_A." in name:
            up = weights[name.replace(".lora_A.", ".lora_B.")]
            layers[name.split(".lora_A.")[0]] = Factors(down.detach().cpu(), up.detach().cpu())
    return Adapter(layers)
