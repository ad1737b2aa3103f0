"""Stage ``base``: the UNet and both text encoders, trained together from captions.

Latents of all pictures and their mirror images are kept in memory (fp16), captions as token ids; a
tenth of the captions is dropped for classifier-free guidance.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from diffusers import (
    AutoencoderKL,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from lorarar.generation.denoisers.conditioning import Conditioning, square_time_ids
from lorarar.generation.denoisers.table import predict
from lorarar.generation.forward_process import Diffusion
from lorarar.generation.latents import encode_images
from lorarar.pictures.prompts import RARE_TOKEN
from lorarar.pocket import shipped
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.growth import grow
from lorarar.pocket.image_tensors import to_tensor
from lorarar.pocket.text_encoders import LENGTH, encode, new_encoders, write_tokenizer
from lorarar.pocket.training_pictures import SIDE, STYLE_FAMILIES, TrainingPictures, caption
from lorarar.training.loop import Objective, Schedule
from lorarar.util.files import sha256_of

SCHEDULE = Schedule(steps=10_000, rate=4e-4, warmup=200, decay=0.3, ema=0.999, save_every=250)
BATCH = 32
LAYERS = 2  # of each block, as SDXL has

NOISE_SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}
TEXT_DROP = 0.1
RARE = 1 / 3  # share of captions with a rare token before the class, which so means nothing by itself, as in SDXL
RARE_TOKENS = (RARE_TOKEN, "zwx", "shs", "ukj")  # the first comes up as often as the others together
MIRRORED = 0.15  # share of mirror images: enough for subjects' mirrored references, few enough to learn fast


def new_unet() -> UNet2DConditionModel:
    """SDXL's architecture in small: no attention at the first width, text and time embedding."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(48, 96, 160),
        layers_per_block=LAYERS,
        transformer_layers_per_block=(1, 1, 1),
        attention_head_dim=(2, 3, 5),
        cross_attention_dim=128,
        norm_num_groups=16,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 128,
    )


def sampling_scheduler() -> DPMSolverMultistepScheduler:
    """The scheduler that Pocket ships."""
    return DPMSolverMultistepScheduler(**NOISE_SCHEDULE)


def encode_pictures(vae: AutoencoderKL, pictures: TrainingPictures) -> Tensor:
    """fp16 latents (2, N, 4, 16, 16) of the pictures and of their mirror images."""
    pixels = torch.from_numpy(pictures.pixels)
    return torch.stack([encode_images(vae, to_tensor(view)).half() for view in (pixels, pixels.flip(2))])


def caption_tokens(tokenizer: CLIPTokenizer) -> Tensor:
    """Token ids (rare tokens + 1, classes, families, LENGTH) of every caption, first without a rare token."""
    classes = [[" ".join((*rare, name)) for name in CLASS_NAMES] for rare in ((), *zip(RARE_TOKENS, strict=True))]
    captions = [caption(name, family) for names in classes for name in names for family in STYLE_FAMILIES]
    ids: Tensor = tokenizer(captions, padding="max_length", max_length=LENGTH, return_tensors="pt").input_ids
    return ids.view(len(RARE_TOKENS) + 1, len(CLASS_NAMES), len(STYLE_FAMILIES), LENGTH)


class BaseObjective(Objective):
    """The diffusion loss over captioned pictures, UNet and text encoders together."""

    def __init__(self, latents: Tensor, pictures: TrainingPictures, tokenizer: CLIPTokenizer, size: int) -> None:
        """Take the latents (2, N, 4, 16, 16) of the pictures and their mirror images; ``size`` of them are a batch."""
        super().__init__()
        self.unet = new_unet().to(memory_format=torch.channels_last)
        self.text_one, self.text_two = new_encoders(tokenizer)
        self.latents, self.size = latents, size
        self.tokens = caption_tokens(tokenizer)
        self.nothing = tokenizer([""], padding="max_length", max_length=LENGTH, return_tensors="pt").input_ids
        self.classes = torch.from_numpy(pictures.classes)
        self.families = torch.from_numpy(pictures.families)
        self.weights = 1 / torch.bincount(self.classes)[self.classes].float()  # classes come up equally often
        self.process = Diffusion(DDPMScheduler(**NOISE_SCHEDULE))

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Noisy latents (N, 4, 16, 16), timesteps (N,), token ids (N, LENGTH) and what the UNet should predict."""
        rows = torch.multinomial(self.weights, self.size, replacement=True, generator=generator)
        mirrored = (torch.rand(self.size, generator=generator) < MIRRORED).long()
        latents = self.latents[mirrored, rows].float()
        tokens = self.tokens[self._rare(generator), self.classes[rows], self.families[rows]]
        dropped = torch.rand(self.size, generator=generator) < TEXT_DROP
        tokens = torch.where(dropped[:, None], self.nothing, tokens)
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = self.process.draw(latents, generator)
        noisy = self.process.noised(latents, noise, timesteps)
        aims = self.process.target(latents, noise, timesteps)
        device = self.unet.device
        return tuple(part.to(device) for part in (noisy, timesteps, tokens, aims))

    def _rare(self, generator: torch.Generator) -> Tensor:
        """Which rare token each caption (size,) has, counted from 1; 0 is none."""
        others = len(RARE_TOKENS) - 1
        weights = torch.tensor([1 - RARE, RARE / 2, *[RARE / 2 / others] * others])
        return torch.multinomial(weights, self.size, replacement=True, generator=generator)

    def forward(self, noisy: Tensor, timesteps: Tensor, tokens: Tensor, aims: Tensor) -> Tensor:
        """The loss of one batch."""
        text, pooled = encode(tokens, self.text_one, self.text_two)
        time_ids = square_time_ids(SIDE, len(noisy)).to(noisy.device)
        return F.mse_loss(predict(self.unet, noisy, timesteps, Conditioning.of_sdxl(text, pooled, time_ids)), aims)


def run_base(context: BuildContext) -> None:
    """Train UNet and text encoders, from what is shipped if anything is, and ship the whole pipeline."""
    pictures = TrainingPictures.load(context.pictures)
    vae = AutoencoderKL.from_pretrained(shipped.BASE / "vae")
    torch.manual_seed(context.seed)
    tokenizer = write_tokenizer(context.folder / "tokenizer")
    objective = BaseObjective(encode_pictures(vae, pictures), pictures, tokenizer, BATCH)
    going_on = (shipped.BASE / "unet").is_dir() and not context.fresh
    earlier_steps = load_shipped(objective) if going_on else 0
    schedule = replace(context.adjust(SCHEDULE), seed=context.seed + earlier_steps)
    run = context.train("base", objective, schedule)
    ship(objective, vae, tokenizer)
    shipped.MANIFEST.record(
        "base",
        steps=earlier_steps + run.step,
        batch=BATCH,
        seconds=round(run.seconds),
        seed=context.seed,
        sha256=sha256_of(shipped.BASE / "unet" / "diffusion_pytorch_model.safetensors"),
    )


def ship(objective: BaseObjective, vae: AutoencoderKL, tokenizer: CLIPTokenizer) -> None:
    """Write the standard pipeline folder.

    UNet and VAE are written in half precision, which diffusers loads as single again unless told otherwise; the
    text encoders are not, since transformers would keep them half.
    """
    pipeline = StableDiffusionXLPipeline(
        vae=vae.half(),
        text_encoder=objective.text_one.cpu(),
        text_encoder_2=objective.text_two.cpu(),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=objective.unet.cpu().half(),
        scheduler=sampling_scheduler(),
        add_watermarker=False,
    )
    pipeline.save_pretrained(shipped.BASE)
    shipped.remove_local_paths(shipped.BASE)


def load_shipped(objective: BaseObjective) -> int:
    """Load the shipped UNet, grown if it is smaller than the recipe's, and text encoders; the steps they had."""
    unet = UNet2DConditionModel.from_pretrained(shipped.BASE / "unet", dtype=torch.float32)
    if unet.config.layers_per_block < LAYERS:
        grow(unet, objective.unet)
    else:
        objective.unet = unet
    objective.text_one = CLIPTextModel.from_pretrained(shipped.BASE / "text_encoder", dtype=torch.float32)
    objective.text_two = CLIPTextModelWithProjection.from_pretrained(
        shipped.BASE / "text_encoder_2", dtype=torch.float32
    )
    return int(shipped.stages()["base"]["steps"])
