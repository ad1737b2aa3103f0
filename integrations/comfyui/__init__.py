"""Nodes for ComfyUI: merge LoRAs by lorarar, and load what was merged. See README.md for how it is installed."""

from __future__ import annotations

from .apply_node import ApplyMergedLora
from .merge_node import MergeLoras

NODE_CLASS_MAPPINGS = {"LorararMerge": MergeLoras, "LorararApply": ApplyMergedLora}
NODE_DISPLAY_NAME_MAPPINGS = {"LorararMerge": "Merge LoRAs (lorarar)", "LorararApply": "Load merged LoRA (lorarar)"}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
