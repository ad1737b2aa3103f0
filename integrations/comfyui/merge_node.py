"""The node that merges: two LoRAs or more, a method, and a name under which ComfyUI lists the result."""

from __future__ import annotations

from typing import Any

from lorarar.families import FAMILIES
from lorarar.lora.admission import Admission

from .loras_folder import lora_names
from .merge_request import MergeRequest, methods

NONE = "none"  # of LoRAs beside the two
MORE = ("third", "fourth")
_STRENGTH = ("FLOAT", {"default": 1.0, "min": -10.0, "max": 10.0, "step": 0.05})


class MergeLoras:
    """Merges LoRAs into one file in ComfyUI's folder of LoRAs, and returns its name."""

    CATEGORY = "loaders/lorarar"
    DESCRIPTION = "Merge a content and a style LoRA, or more, into one ordinary LoRA."
    FUNCTION = "merge"
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("lora_name",)
    OUTPUT_NODE = True  # a merge may be all that is wanted

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802 (ComfyUI's name)
        """What the node shows: the LoRAs that there are now, methods and bases."""
        loras = lora_names()
        others: dict[str, Any] = {}
        for place in MORE:
            others[place] = ([NONE, *loras], {"default": NONE})
            others[f"{place}_strength"] = _STRENGTH
        return {
            "required": {
                "content": (loras,),
                "content_strength": _STRENGTH,
                "style": (loras,),
                "style_strength": _STRENGTH,
                "method": (methods(), {"default": "direct"}),
                "base": (list(FAMILIES), {"default": "sdxl"}),
                "save_as": ("STRING", {"default": "", "tooltip": "Empty: a name of what it is made of."}),
            },
            "optional": {
                **others,
                "options": ("STRING", {"default": "", "multiline": True, "tooltip": "Lines like density = 0.3."}),
                "anyway": ("BOOLEAN", {"default": False, "tooltip": "Take LoRAs for few steps (Turbo, LCM …) too."}),
                "drop_missing": ("BOOLEAN", {"default": False, "tooltip": "Leave out layers that the base lacks."}),
            },
        }

    @classmethod
    def IS_CHANGED(cls, **inputs: Any) -> str:  # noqa: N802 (ComfyUI's name)
        """What tells two askings apart beside the node's inputs: what is in the files."""
        return request_of(**inputs).digest

    def merge(self, **inputs: Any) -> tuple[str]:
        """Merge, unless the same is there already.

        Raises:
            LorarError: it cannot be done, in one line.
        """
        return (request_of(**inputs).answered(),)


def request_of(
    content: str,
    style: str,
    method: str,
    base: str,
    content_strength: float = 1.0,
    style_strength: float = 1.0,
    save_as: str = "",
    options: str = "",
    anyway: bool = False,
    drop_missing: bool = False,
    **more: Any,
) -> MergeRequest:
    """The request of a node's inputs, of which ComfyUI leaves out those optional ones that are not there."""
    loras = [(content, content_strength), (style, style_strength)]
    loras += [(more[place], more.get(f"{place}_strength", 1.0)) for place in MORE if more.get(place, NONE) != NONE]
    return MergeRequest(tuple(loras), method, base, options, save_as, Admission(anyway, drop_missing))
