"""What one file of weights is, as its header tells: whose architecture, what it predicts, or why it is no base."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lorarar.families.architecture import Architecture, Blueprint, blueprint_of
from lorarar.families.family import Prediction
from lorarar.util.errors import BaseError
from lorarar.util.tensor_header import TensorHeader, read_tensor_header

#: What a file is that has a key like this; the first that fits is meant.
OTHER_FILES = {
    r"^lora_(unet|te)|\.lora(_linear_layer)?[._](A|B|up|down)\b|\.hada_w1|\.lokr_w": (
        "a LoRA, which goes on a base: name it with --lora"
    ),
    r"^control_model\.|controlnet_cond_embedding": "a ControlNet",
    r"^edm_(mean|vpred)": "an EDM model, as Playground 2.5 and CosXL are",
    r"double_blocks\.0\.img_attn\.": "FLUX",
    r"joint_blocks\.0\.": "Stable Diffusion 3",
    r"transformer_blocks\.0\.(img_mlp|attn\.add_q_proj)|cap_embedder": "a diffusion transformer",
}
OTHER_INPUTS = {9: "an inpainting checkpoint", 8: "a checkpoint that edits pictures, as InstructPix2Pix does"}
OTHER_CONTEXTS = {1280: "SDXL's refiner, which draws no picture alone", 1024: "Stable Diffusion 2"}
MODEL_SPEC = "modelspec.prediction_type"  # a key of a header's metadata
PREDICTIONS: dict[str, Prediction] = {"epsilon": "epsilon", "eps": "epsilon", "v": "v", "v_prediction": "v"}


@dataclass(frozen=True)
class CheckpointFile:
    """What a checkpoint file says of itself in its header."""

    header: TensorHeader

    @property
    def blueprint(self) -> Blueprint | None:
        """How its UNet is built; None where it has none."""
        return blueprint_of(self.header.shapes)

    @property
    def prediction(self) -> Prediction | None:
        """What its UNet predicts; None where it says nothing."""
        if "v_pred" in self.header.shapes:
            return "v"
        return PREDICTIONS.get(self.header.metadata.get(MODEL_SPEC, "").strip().lower())

    @property
    def zero_snr(self) -> bool:
        """Whether it was trained with noise that leaves nothing of the picture at the last step (zero terminal SNR)."""
        return "ztsnr" in self.header.shapes

    def missing(self, architecture: Architecture) -> list[str]:
        """The components of an architecture that the file has no weights of."""
        return [
            name
            for name, component in architecture.components.items()
            if component.original and not any(key.startswith(component.original) for key in self.header.shapes)
        ]

    def refusal(self, architecture: Architecture | None, own_vae: bool) -> str | None:
        """What the file is, where it cannot be loaded as a base; None where it can.

        Args:
            architecture: the one that its UNet has; None where it is none of ours.
            own_vae: whether it has to have a VAE.
        """
        blueprint = self.blueprint
        other = _other_file(self.header.shapes) or _other_unet(blueprint)
        if other or architecture is None:
            return other or f"of an architecture that is not known here ({blueprint})"
        missing = self.missing(architecture)
        if missing == ["vae"]:
            return f"{architecture.title} without its VAE, which --vae would name" if own_vae else None
        return f"a part of {architecture.title} alone, without {', '.join(missing)}" if missing else None


def read_checkpoint(path: Path) -> CheckpointFile:
    """Read what a file of weights says of itself.

    Raises:
        BaseError: it is no sound safetensors file.
    """
    return CheckpointFile(read_tensor_header(path, BaseError))


def _other_file(names: Iterable[str]) -> str | None:
    """What a file with tensors of these names is, where it is known to be no checkpoint."""
    names = list(names)
    return next((kind for key, kind in OTHER_FILES.items() if any(re.search(key, name) for name in names)), None)


def _other_unet(blueprint: Blueprint | None) -> str | None:
    """What a UNet is, where there is none or it is known to draw no picture of text alone."""
    if blueprint is None:
        return "no checkpoint of Stable Diffusion"
    return OTHER_INPUTS.get(blueprint.channels) or OTHER_CONTEXTS.get(blueprint.context)
