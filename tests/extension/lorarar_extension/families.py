"""A family: a base of one's own in the folder that an environment variable names, judged by Pocket's CLIP."""

import os

from lorarar.families import Base, Family, Modules


def base():
    """The base, where this machine has it."""
    return Base("elsewhere", os.environ["LORARAR_ELSEWHERE"])


ELSEWHERE = Family(
    name="elsewhere",
    base=base,
    pipeline="diffusers:StableDiffusionXLPipeline",
    modules=Modules(denoiser="unet", text_encoders=("text_encoder", "text_encoder_2")),
    pipeline_options={"add_watermarker": False},
    backbones={"clip": "judge.pocket.shipped:CLIP"},
)
