"""What other programs read of a LoRA: under which names each looks for a layer, written down as rules of our own.

A program takes a layer where the file has both halves of it under one of the names that the program looks for. It
scales by alpha / rank, and by 1 where the file has no alpha. The rules were found by reading the programs: ComfyUI and
Forge of 2026, AUTOMATIC1111's web UI 1.10, diffusers 0.42 and PEFT; tests hold them against the last two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lorarar.families.module_names import ModuleNames
from lorarar.families.original_names import Numbering, name_outside

OriginalNames = Numbering | ModuleNames  # of a UNet's layers, of a transformer's modules

LINEAR = (".lora_down.weight", ".lora_up.weight")  # endings of the keys of A and B
PEFT_HALVES = (".lora_A.weight", ".lora_B.weight")
PROCESSOR = ("_lora.down.weight", "_lora.up.weight")
DOTTED = (".lora.down.weight", ".lora.up.weight")
DOTTED_TEXT = (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight")


class Keys(NamedTuple):
    """The keys of one layer in a file."""

    down: str
    up: str
    alpha: str | None


@dataclass(frozen=True)
class Lookup:
    """Names that a program looks for, by component, and the endings of both halves that may follow each.

    A name is a template of the forms that ``name_forms`` gives of a layer.
    """

    names: Mapping[str, tuple[str, ...]]
    halves: tuple[tuple[str, str], ...]
    families: tuple[str, ...] = ()  # of which it looks so; empty: of all

    def names_of(self, layer: str, numbering: OriginalNames | None) -> Iterator[str]:
        """The names under which a layer is looked for."""
        forms = name_forms(layer, numbering)
        for template in self.names.get(layer.partition(".")[0], ()):
            if "original" in forms or "{original" not in template:
                yield template.format(**forms)


@dataclass(frozen=True)
class Gap:
    """Names under which a program does not take a layer after all."""

    layer: str  # regular expressions of the whole
    name: str = ".*"
    families: tuple[str, ...] = ()  # of which this is so; empty: of all


@dataclass(frozen=True)
class Program:
    """A program that reads LoRAs."""

    name: str
    lookups: tuple[Lookup, ...]
    families: tuple[str, ...] = ()  # the bases it has; empty: any
    reads_folders: bool = False  # and no files
    gaps: tuple[Gap, ...] = ()
    together: str = ""  # layers that it takes all four or none of: the expression's group says which belong together
    most_unknown: int | None = None  # so many keys may be unknown to it; with more it takes nothing
    never_mixed: bool = False  # whether flat names count only where all names of the file are flat

    def taken(
        self, keys: Collection[str], layers: Iterable[str], family: str | None, numbering: OriginalNames | None
    ) -> dict[str, Keys]:
        """The layers that the program takes from a file, each with its keys there.

        Args:
            keys: of the file; in a folder with a file for each component, ``COMPONENT/`` stands before each.
            layers: that the base has.
            family: the base's, by name; None where it is none of ours.
            numbering: of the base's UNet in checkpoint files, or its transformer's names, where it has one.
        """
        if self.families and family not in self.families:
            return {}
        present = set(keys)
        lookups = [one for one in self.lookups if not one.families or family in one.families]
        halves = [_pairs(present, lookup.halves) for lookup in lookups]
        if self.never_mixed and not all(key.startswith("lora_") for key in present):
            halves = [{name: pair for name, pair in pairs.items() if not name.startswith("lora_")} for pairs in halves]
        taken: dict[str, Keys] = {}
        for layer in layers:
            for lookup, pairs in zip(lookups, halves, strict=True):
                for name in lookup.names_of(layer, numbering):
                    if name in pairs and layer not in taken and not self._misses(layer, name, family):
                        taken[layer] = pairs[name]
        unknown = present.difference(*taken.values())
        if self.most_unknown is not None and len(unknown) > self.most_unknown:
            return {}
        return self._whole_groups(taken)

    def _misses(self, layer: str, name: str, family: str | None) -> bool:
        """Whether it does not take a layer under this name after all."""
        return any(
            re.fullmatch(gap.layer, layer) and re.fullmatch(gap.name, name)
            for gap in self.gaps
            if not gap.families or family in gap.families
        )

    def _whole_groups(self, taken: dict[str, Keys]) -> dict[str, Keys]:
        if not self.together:
            return taken
        groups: dict[str, list[str]] = {}
        for layer in taken:
            if match := re.match(self.together, layer):
                groups.setdefault(match[1], []).append(layer)
        partial = {layer for group in groups.values() if len(group) < 4 for layer in group}
        return {layer: keys for layer, keys in taken.items() if layer not in partial}


def _pairs(present: Collection[str], halves: Iterable[tuple[str, str]]) -> dict[str, Keys]:
    """The keys of every name of which both halves are there."""
    return {
        (name := key.removesuffix(down)): Keys(key, name + up, alpha if (alpha := f"{name}.alpha") in present else None)
        for down, up in halves
        for key in present
        if key.endswith(down) and key.removesuffix(down) + up in present
    }


@lru_cache(maxsize=8192)  # every program asks for the same layers
def name_forms(layer: str, numbering: OriginalNames | None) -> dict[str, str]:
    """The forms of a layer's name that programs use, its component left out.

    Returns:
        ``name``, ``flat`` (underscores for dots), ``bare`` (without ``text_model``), ``processor`` (of diffusers before
        0.18), and where the checkpoint files of the base have one, ``original`` and ``original_flat``.
    """
    component, _, name = layer.partition(".")
    processor = name.replace(".to_", ".processor.to_")
    forms = {
        "name": name,
        "flat": name.replace(".", "_"),
        "bare": name.removeprefix("text_model."),
        "processor": processor.removesuffix(".0") if processor.endswith(".to_out.0") else processor,
    }
    has = isinstance(numbering, ModuleNames) if component == "transformer" else component == "unet"
    original = (numbering.original_name if numbering else name_outside)(name) if has else None
    return forms | ({"original": original, "original_flat": original.replace(".", "_")} if original else {})


_FLAT_TEXT = {"text_encoder": ("lora_te1_{flat}", "lora_te_{flat}"), "text_encoder_2": ("lora_te2_{flat}",)}
_FLAT = {"unet": ("lora_unet_{original_flat}", "lora_unet_{flat}"), **_FLAT_TEXT}
_DIFFUSERS_TEXT = {"text_encoder": ("text_encoder.{name}",), "text_encoder_2": ("text_encoder_2.{name}",)}
_ALL_HALVES = (LINEAR, PROCESSOR, PEFT_HALVES, DOTTED, DOTTED_TEXT)

#: Of transformers, which programs know by diffusers' names too; gaps say which have not all of these.
_COMFY_TRANSFORMER = (
    "diffusion_model.{original}",
    "lora_unet_{original_flat}",
    "transformer.{name}",
    "lora_transformer_{flat}",
    "lycoris_{flat}",
    "diffusion_model.{name}",
    "{name}",
)
_TRANSFORMERS = ("flux1", "flux2-klein", "flux2-klein-9b", "qwen-image", "z-image")
_ORIGINAL = r"(lora_unet_|diffusion_model\.).*"
_FLUX1_ENDS = r"transformer\.(x_embedder|context_embedder|proj_out|(time_text_embed|norm_out)\..*)"
_FLUX2 = ("flux2-klein", "flux2-klein-9b")
_BY_DIFFUSERS_NAME = r"(transformer\.|lora_transformer_|lycoris_|[a-z_]+(?<!diffusion_model)\.).*"

_COMFY_UNET = ("diffusion_model.{original}", *_FLAT["unet"], "unet.{processor}", "{processor}")
_NO_DOTTED_PROJECTION = Gap(r"text_encoder_2\.text_projection", r"text_encoder_2\..*")

COMFYUI = Program(
    "ComfyUI",
    (
        Lookup(
            {
                "unet": _COMFY_UNET,
                "transformer": _COMFY_TRANSFORMER,
                "text_encoder": (
                    "text_encoders.clip_l.transformer.{name}",
                    *_FLAT_TEXT["text_encoder"],
                    "text_encoder.{name}",
                ),
                "text_encoder_2": (
                    "text_encoders.clip_g.transformer.{name}",
                    "lora_te2_{flat}",
                    "text_encoder_2.{name}",
                ),
            },
            _ALL_HALVES,
        ),
    ),
    families=("sdxl", "ssd-1b", "koala-700m", "sd15", *_TRANSFORMERS),
    gaps=(
        _NO_DOTTED_PROJECTION,
        Gap(r"transformer\..*", r"lora_transformer_.*", families=("qwen-image", "z-image")),
        Gap(r"transformer\.[a-z]+_stream_modulation.*", _BY_DIFFUSERS_NAME, families=_FLUX2),
        Gap(r"transformer\.time_guidance_embed.*", _BY_DIFFUSERS_NAME, families=_FLUX2),
        Gap(r"transformer\.all_.*", r"lora_unet_.*", families=("z-image",)),
    ),
)
FORGE = Program(
    "Forge",
    (
        Lookup(
            {
                "unet": _COMFY_UNET,
                "text_encoder": (*_FLAT_TEXT["text_encoder"], "text_encoder.{name}"),
                "text_encoder_2": ("lora_te2_{flat}", "text_encoder_2.{name}"),
            },
            _ALL_HALVES,
        ),
    ),
    families=("sdxl", "sd15"),
    gaps=(_NO_DOTTED_PROJECTION,),
    most_unknown=12,
)
A1111 = Program(
    "A1111",
    (Lookup(_FLAT, (LINEAR,)),),
    families=("sdxl", "sd15"),
    gaps=(
        Gap(r"text_encoder\..*", r"lora_te_.*", families=("sdxl",)),
        Gap(r"unet\.add_embedding\..*", r"lora_unet_add_.*"),
        Gap(r"unet\.up_blocks\.0\.upsamplers\.0\.conv", r"lora_unet_up_.*", families=("sdxl",)),
        Gap(r"text_encoder_2\.text_projection"),  # a bare parameter there, no module
    ),
    together=r"text_encoder_2\.text_model\.encoder\.layers\.(\d+)\.self_attn\.",
)
DIFFUSERS = Program(
    "diffusers",
    (
        Lookup({"unet": ("unet.{name}",), **_DIFFUSERS_TEXT}, (PEFT_HALVES, DOTTED)),
        Lookup({"unet": ("unet.{processor}",)}, (PROCESSOR,)),
        Lookup(_FLAT, (LINEAR,)),
        Lookup({"transformer": ("transformer.{name}",)}, (PEFT_HALVES,)),
        Lookup({"transformer": ("lora_unet_{original_flat}",)}, (LINEAR,)),
        Lookup({"transformer": ("diffusion_model.{original}",)}, (LINEAR, PEFT_HALVES, DOTTED)),
        Lookup({"text_encoder": ("text_encoders.clip_l.transformer.{name}",)}, (LINEAR,), ("flux1",)),
    ),
    gaps=(
        Gap(r"unet\.add_embedding\..*", r"lora_unet_add_.*"),
        # its converter leaves these without the component
        Gap(_FLUX1_ENDS, _ORIGINAL, ("flux1",)),
        Gap(r"transformer\.([a-z]+_stream_modulation|norm_out|time_guidance_embed\.g).*", r"lora_unet_.*", _FLUX2),
    ),
    never_mixed=True,
)
PEFT = Program(
    "PEFT",
    (
        Lookup(
            {
                "unet": ("unet/base_model.model.{name}",),
                "text_encoder": ("text_encoder/base_model.model.{bare}",),
                "text_encoder_2": ("text_encoder_2/base_model.model.{name}",),
            },
            (PEFT_HALVES,),
        ),
    ),
    reads_folders=True,
)
PROGRAMS = (DIFFUSERS, PEFT, COMFYUI, A1111, FORGE)
