"""Merge content and style LoRAs with a hypernetwork (LoRA.rar, arXiv 2412.05148).

``import lorarar`` is instant; torch and diffusers load with the first function that needs them. ``lorarar.judge`` and
``lorarar.studies`` are the packages of these names, which give themselves by the entry points ``lorarar.packages``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.util.lazy import load_on_use
from lorarar.util.library_hints import leave_out_hints
from lorarar.util.moved import find_moved_modules
from lorarar.version import __version__

if TYPE_CHECKING:
    from lorarar.calls.drawing import generate
    from lorarar.generation.picture import Picture
    from lorarar.merge_files import ConvertedLora, Merge, convert, merge
    from lorarar.store import Store
    from lorarar.util.errors import LorarError

_HOMES = {
    "convert": "lorarar.merge_files",
    "ConvertedLora": "lorarar.merge_files",
    "merge": "lorarar.merge_files",
    "Merge": "lorarar.merge_files",
    "generate": "lorarar.calls.drawing",
    "LorarError": "lorarar.util.errors",
    "Picture": "lorarar.generation.picture",
    "Store": "lorarar.store",
}
__all__ = ["ConvertedLora", "LorarError", "Merge", "Picture", "Store", "__version__", "convert", "generate", "merge"]

leave_out_hints()
__getattr__ = load_on_use(__name__, _HOMES, "lorarar.packages")  # lorarar.judge, lorarar.studies
find_moved_modules(
    {
        "lorarar.files": "lorarar.util.files",
        "lorarar.inspection": "lorarar.lora.inspection",
        "lorarar.methods": "lorarar.merging.methods",
        "lorarar.recipe": "lorarar.merging.recipe",
    }
)
