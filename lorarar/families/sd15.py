"""Stable Diffusion 1.5: one text encoder, and pictures of 512 pixels."""

from __future__ import annotations

from lorarar.families.architecture import ORIGINAL_DENOISER, Architecture, Blueprint, Component
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules
from lorarar.families.layer_table import TABLES
from lorarar.families.listing import Listing
from lorarar.families.sdxl import CLIP_L, END, NOISE, ORIGINAL_VAE, VAE

UNET = {
    "sample_size": 64,
    "block_out_channels": [320, 640, 1280, 1280],
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "layers_per_block": 2,
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
}
COMPONENTS = {
    "unet": Component("diffusers:UNet2DConditionModel", UNET, (ORIGINAL_DENOISER,)),
    "vae": Component("diffusers:AutoencoderKL", {**VAE, "sample_size": 512, "scaling_factor": 0.18215}, ORIGINAL_VAE),
    "text_encoder": Component("transformers:CLIPTextModel", CLIP_L, ("cond_stage_model.transformer.",)),
    "scheduler": Component("diffusers:PNDMScheduler", {**NOISE, "skip_prk_steps": True}),
}


def base() -> Base:
    """Runway's model, as it is kept on the hub today."""
    return Base("sd15", "stable-diffusion-v1-5/stable-diffusion-v1-5")


SD15 = Family(
    name="sd15",
    base=base,
    pipeline="diffusers:StableDiffusionPipeline",
    modules=Modules(denoiser="unet", text_encoders=("text_encoder",)),
    pipeline_options={"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False},
    defaults=DrawingDefaults(steps=50, guidance=7.5, side=512),
    architecture=Architecture(
        title="SD 1.5",
        layers=TABLES / "sd15.txt",
        blueprint=Blueprint(channels=4, width=320, context=768, down=(1,) * 6, middle=(1,), up=(1,) * 9),
        components=COMPONENTS,
        tokenizers={"tokenizer": END},
        gigabytes=2.1,
        listing=Listing("sd_v1", "stable-diffusion-v1", "512x512"),
        variant="fp16",
    ),
)
