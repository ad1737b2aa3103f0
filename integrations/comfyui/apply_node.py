"""The node that loads a LoRA by its name, which a merge node hands on, into a model and its text encoders."""

from __future__ import annotations

from typing import Any

import comfy.sd
import comfy.utils

from .loras_folder import lora_path

_STRENGTH = ("FLOAT", {"default": 1.0, "min": -10.0, "max": 10.0, "step": 0.05})


class ApplyMergedLora:
    """Does what ComfyUI's own loader does, for a name that comes from another node."""

    CATEGORY = "loaders/lorarar"
    DESCRIPTION = "Load a LoRA whose name another node gives."
    FUNCTION = "load"
    RETURN_TYPES = ("MODEL", "CLIP")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802 (ComfyUI's name)
        """What the node shows."""
        return {
            "required": {
                "model": ("MODEL",),
                "lora_name": ("STRING", {"forceInput": True}),
                "strength_model": _STRENGTH,
            },
            "optional": {"clip": ("CLIP",), "strength_clip": _STRENGTH},
        }

    def load(
        self, model: Any, lora_name: str, strength_model: float, clip: Any = None, strength_clip: float = 1.0
    ) -> tuple[Any, Any]:
        """The model and the text encoders with the LoRA; without text encoders the model alone.

        Raises:
            AdapterError: ComfyUI has no such LoRA.
        """
        tensors = comfy.utils.load_torch_file(str(lora_path(lora_name)), safe_load=True)
        changed: tuple[Any, Any] = comfy.sd.load_lora_for_models(model, clip, tensors, strength_model, strength_clip)
        return changed
