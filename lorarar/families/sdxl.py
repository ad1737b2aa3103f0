"""SDXL, the family of the paper, and how its models are built."""

from __future__ import annotations

from lorarar.families.architecture import ORIGINAL_DENOISER, Architecture, Blueprint, Component
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules
from lorarar.families.layer_table import TABLES
from lorarar.families.listing import Listing

END = "<|endoftext|>"
NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "clip_sample": False,
    "set_alpha_to_one": False,
}  # the forward process of SD 1.5 and of all that came from it
CLIP_L = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
    "bos_token_id": 0,
    "eos_token_id": 2,  # as it was published: the text's end is then the largest token, which it is
    "pad_token_id": 1,
}
CLIP_G = {
    **CLIP_L,
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "hidden_act": "gelu",
    "projection_dim": 1280,
}
UNET = {
    "sample_size": 128,
    "block_out_channels": [320, 640, 1280],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
VAE = {
    "sample_size": 1024,
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "scaling_factor": 0.13025,
    "force_upcast": True,
}
ORIGINAL_VAE = ("first_stage_model.", "vae.")
COMPONENTS = {
    "unet": Component("diffusers:UNet2DConditionModel", UNET, (ORIGINAL_DENOISER,)),
    "vae": Component("diffusers:AutoencoderKL", VAE, ORIGINAL_VAE),
    "text_encoder": Component("transformers:CLIPTextModel", CLIP_L, ("conditioner.embedders.0.transformer.",)),
    "text_encoder_2": Component(
        "transformers:CLIPTextModelWithProjection", CLIP_G, ("conditioner.embedders.1.model.",)
    ),
    "scheduler": Component("diffusers:EulerDiscreteScheduler", {**NOISE, "timestep_spacing": "leading"}),
}
TOKENIZERS = {"tokenizer": END, "tokenizer_2": "!"}


LISTING = Listing("sdxl_base_v1-0", "stable-diffusion-xl-v1-base", "1024x1024")


def base() -> Base:
    """Stability AI's base model, version 1.0, on the hub."""
    return Base("sdxl", "stabilityai/stable-diffusion-xl-base-1.0")


SDXL = Family(
    name="sdxl",
    base=base,
    pipeline="diffusers:StableDiffusionXLPipeline",
    modules=Modules(denoiser="unet", text_encoders=("text_encoder", "text_encoder_2")),
    pipeline_options={"add_watermarker": False},
    defaults=DrawingDefaults(steps=50, guidance=5.0, side=1024),
    architecture=Architecture(
        title="SDXL",
        layers=TABLES / "sdxl.txt",
        blueprint=Blueprint(
            channels=4, width=320, context=2048, down=(2, 2, 10, 10), middle=(10,), up=(10, 10, 10, 2, 2, 2)
        ),
        components=COMPONENTS,
        tokenizers=TOKENIZERS,
        gigabytes=6.9,
        listing=LISTING,
        variant="fp16",
    ),
)
