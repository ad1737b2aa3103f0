"""The sizes that are rehearsed: the true ones, and tiny ones of the same kinds, for a test of the rehearsal itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks.critic_shape import CRITIC_7B, TOY, Shape
from lorarar.families import Architecture
from lorarar.families.sdxl import SDXL

_CLIP = {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_TINY: Mapping[str, Mapping[str, object]] = {
    "unet": {
        "sample_size": 8,
        "norm_num_groups": 4,
        "block_out_channels": [8, 16, 32],
        "attention_head_dim": [1, 2, 4],
        "cross_attention_dim": 96,
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 64,
    },
    "vae": {"block_out_channels": [8] * 4, "norm_num_groups": 4, "layers_per_block": 1, "sample_size": 64},
    "text_encoder": {**_CLIP, "hidden_size": 32, "projection_dim": 32},
    "text_encoder_2": {**_CLIP, "hidden_size": 64, "projection_dim": 64},
    "scheduler": {},
}


#: Names and prompts of what the LoRAs are of.
CONTENTS = {"dog": "a sks dog", "teapot": "a ohwx teapot", "backpack": "a sks backpack"}
STYLES = {
    "watercolor": "a house in watercolor painting style",
    "glowing": "a cat in glowing style",
    "cartoon": "a tree in flat cartoon illustration style",
}


@dataclass(frozen=True)
class Scale:
    """A size of everything."""

    name: str
    architecture: Architecture
    critic: Shape
    rank: int  # of the LoRAs
    side: int  # pixels of pictures
    base_gigabytes: float  # on disk, in half precision
    lora_gigabytes: float
    critic_gigabytes: float
    memory: float = 1.0  # that commands take, by what they take at true size

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths of the UNet's levels that have attention."""
        unet = self.architecture.components["unet"].config
        levels = zip(unet["block_out_channels"], unet["down_block_types"], strict=True)
        return tuple(width for width, kind in levels if "CrossAttn" in kind)


def _tiny(architecture: Architecture) -> Architecture:
    """The same models, a few numbers wide."""
    components = {
        name: replace(component, config={**component.config, **_TINY[name]})
        for name, component in architecture.components.items()
    }
    return replace(architecture, components=components)


assert SDXL.architecture is not None
SCALES: Mapping[str, Scale] = {
    "true": Scale(
        name="true",
        architecture=SDXL.architecture,
        critic=CRITIC_7B,
        rank=64,
        side=1024,
        base_gigabytes=SDXL.architecture.gigabytes,
        lora_gigabytes=0.19,
        critic_gigabytes=16.1,
    ),
    "tiny": Scale(
        name="tiny",
        architecture=_tiny(SDXL.architecture),
        critic=TOY,
        rank=2,
        side=64,
        base_gigabytes=0.01,
        lora_gigabytes=0.001,
        critic_gigabytes=0.1,
        memory=0.0,
    ),
}
