"""A family: a base of one's own in the folder that an environment variable names, with Pocket's CLIP and critic."""

import os

from lorarar.families import Base, Family, Modules


def base():
    """The base, where this machine has it."""
    return Base("elsewhere", os.environ["LORARAR_ELSEWHERE"])


def critic():
    """The critic, in a folder."""
    from judge.critics.local.checkpoint import checkpoint_in
    from judge.pocket.shipped import CRITIC

    return checkpoint_in(CRITIC, "elsewhere", image_mode="pad")


ELSEWHERE = Family(
    name="elsewhere",
    base=base,
    pipeline="diffusers:StableDiffusionXLPipeline",
    modules=Modules(denoiser="unet", text_encoders=("text_encoder", "text_encoder_2")),
    pipeline_options={"add_watermarker": False},
    critic="lorarar_extension.families:critic",
    backbones={"clip": "judge.pocket.shipped:CLIP"},
    ground_truth="lorarar_extension.truth",
)
