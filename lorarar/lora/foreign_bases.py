"""Bases that a LoRA is recognised to be for by the names and widths of its tensors, also where it cannot be read.

Bases with a table of layers are recognised by that (``lorarar.lora.made_for``); these rows are for all others, and for
files of which only the spelling gives a hint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

Shapes = Mapping[str, tuple[int, ...]]  # of tensors, or of layers' weights, by name


@dataclass(frozen=True)
class Trait:
    """What tells a base by a key of a file, spelt with dots or flattened as kohya does."""

    base: str  # as people write it
    names: str  # a regular expression that is found in the key
    widths: tuple[int, ...] = ()  # of which one has to be among the tensor's dimensions; empty: any

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression, of which a dot stands for the separator between two parts of a name."""
        return re.compile(self.names.replace(r"\.", "[._]"))

    def fits(self, key: str, shape: tuple[int, ...]) -> bool:
        """Whether a tensor has it."""
        return bool(self.pattern.search(key)) and (not self.widths or bool({*shape} & {*self.widths}))


_JOINT = r"(?<!single_)transformer_blocks\.\d+\."  # of the transformers that read text and picture together
_WAN = r"(?:(?<!\w)|lora_unet_)blocks\.\d+\."
_Z = r"(?:layers|noise_refiner|context_refiner)\.\d+\.(?:attention|feed_forward|adaLN_modulation)\."
_TEXT = r"(?:attentions\.\d+|blocks\.\d+\.1)\.transformer_blocks\.\d+\.attn2\.to_[kv](?:\.|$)"

#: The first that a file has tells its base.
TRAITS = (
    Trait("FLUX.3", r"(?:^|\.|_)mode_blocks\.\d"),
    Trait("FLUX.2", r"to_qkv_mlp_proj|(?:double|single)_stream_modulation|ff(?:_context)?\.linear_(?:in|out)"),
    Trait("FLUX.2", r"(?:double|single)(?:_transformer)?_blocks\.\d", (4096, 6144, 27648, 36864, 55296)),
    Trait("FLUX.2", r"double_blocks\.\d+\.(?:img|txt)_mlp\.0", (18432,)),
    Trait("Chroma", r"distilled_guidance_layer"),
    Trait("Qwen-Image", _JOINT + r"(?:img|txt)_(?:mlp|mod)\."),
    Trait("Qwen-Image", r"(?<!single_)transformer_blocks\.(?:19|[2-5]\d)\.attn\.(?:to|add)_", (3072,)),
    Trait("SD3", r"joint_blocks\.\d"),
    Trait("SD3", _JOINT + r"attn2?\.(?:to|add)_", (1536, 2432)),
    Trait("Z-Image", _Z, (3840,)),
    Trait("Lumina 2", _Z, (2304,)),
    Trait("Wan", _WAN + r"(?:(?:self|cross)_attn\.[qkvo](?:\.|$)|attn[12]\.(?:to|add)_|ffn\.)"),
    Trait("FLUX.1", r"(?:double_blocks|single_blocks|single_transformer_blocks)\.\d"),
    Trait("FLUX.1", _JOINT + r"(?:attn\.(?:to|add)_|ff_context\.|norm1_context\.)", (3072,)),
    Trait("SD 1.5", _TEXT, (768,)),
    Trait("SD 2", _TEXT, (1024,)),
    Trait("SDXL", _TEXT, (2048,)),
)

#: What headers call bases, at the beginning of ``modelspec.architecture`` or ``ss_base_model_version``.
_DECLARED = {
    "SDXL": r"sdxl|stable-diffusion-xl",
    "SD 1.5": r"sd_?v?1|stable-diffusion-v1",
    "SD 2": r"sd_?v?2|stable-diffusion-v2",
    "SD3": r"sd_?v?3|stable-diffusion-(?:v)?3",
    "FLUX.1": r"flux[-.]?1|flux$",
    "FLUX.2": r"flux[-_.]?2",
    "Qwen-Image": r"qwen[-_]?image",
    "Z-Image": r"z[-_]?image",
    "Wan": r"wan",
}
_FIELDS = ("modelspec.architecture", "ss_base_model_version")


def base_of_names(shapes: Shapes) -> str | None:
    """The base that the names and shapes of a file's tensors tell; None where they tell none."""
    return next(
        (trait.base for trait in TRAITS if any(trait.fits(key, shape) for key, shape in shapes.items())),
        None,
    )


def declared_base(metadata: Mapping[str, str]) -> str | None:
    """The base that a file's header names; None where it names none that is known."""
    words = [metadata.get(field, "").lower() for field in _FIELDS]
    return next(
        (base for word in words for base, pattern in _DECLARED.items() if re.match(pattern, word)),
        None,
    )
