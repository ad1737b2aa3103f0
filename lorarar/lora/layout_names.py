"""Names of layers in the layouts that are not diffusers': kohya's flat ones, and ComfyUI's own.

A transformer's come in with the names of its first authors' modules (``lorarar.lora.original_modules``).
"""

from __future__ import annotations

from lorarar.families import Family
from lorarar.families.original_names import Numbering, numbering_of
from lorarar.lora.dialects import KOHYA_EMBEDDINGS
from lorarar.util.errors import AdapterError

_COMFY_TEXT = {"text_encoder": "text_encoders.clip_l.transformer", "text_encoder_2": "text_encoders.clip_g.transformer"}


def has_original_names(family: Family | None) -> bool:
    """Whether kohya's names of a base's UNet are those of checkpoint files: of SDXL, and of what is counted like it."""
    numbering = numbering_of(family)
    return family is not None and numbering == Numbering() and len(family.modules.text_encoders) > 1


def kohya_name(layer: str, family: Family | None) -> str:
    """A layer's name as kohya's trainer has it.

    That trains SDXL by the names of checkpoint files and SD 1.5 by diffusers', and has one prefix for the only text
    encoder. Where neither is known the names are diffusers', which need no numbering to be read.
    """
    component, _, name = layer.partition(".")
    if component == "unet":
        numbering = numbering_of(family) if has_original_names(family) else None
        flat = ((numbering and numbering.original_name(name)) or name).replace(".", "_")
        return f"lora_unet_{KOHYA_EMBEDDINGS.get(flat, flat)}"
    only = family is not None and len((*family.modules.text_encoders, *family.modules.unchanged)) == 1
    text = {"text_encoder": "lora_te" if only else "lora_te1", "text_encoder_2": "lora_te2"}
    prefix = text.get(component, "lora_unet")
    return f"{prefix}_{name.replace('.', '_')}"


def comfy_name(layer: str, family: Family | None) -> str:
    """A layer's name as ComfyUI has it itself: in the UNet its name in checkpoint files.

    Of a UNet that is not counted as SDXL's and SD 1.5's are, which no reader of a file could tell, it is kohya's by the
    names of diffusers' blocks, which ComfyUI finds in every UNet.

    Raises:
        AdapterError: it has none.
    """
    component, _, name = layer.partition(".")
    if component in _COMFY_TEXT:
        return f"{_COMFY_TEXT[component]}.{name}"
    if component != "unet":
        return f"diffusion_model.{name}"
    numbering = numbering_of(family) or Numbering()
    if numbering.resnets != Numbering().resnets:
        return kohya_name(layer, family)
    original = numbering.original_name(name)
    if original is None:
        raise AdapterError(f"{layer} has no name in ComfyUI; accepted are layers as SDXL's UNet has them")
    return f"diffusion_model.{original}"
