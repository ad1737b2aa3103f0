"""Kinds of models that metrics measure by, and our own of them: what their flags are called, and what makes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BackboneKind:
    """A kind of models that metrics measure by; ``--NAME`` chooses one.

    Where ``find`` is ours, ``build`` makes the backbone of a folder or a repository of the hub that has a configuration
    of one of the ``types``; or, of a kind that is published as weights alone, of the first of the files ``weights``.
    """

    name: str  # of its flag, and of the field in a family that has one of its own
    title: str
    customary: str  # the model where the pictures' family has none of its own: a hub id; empty: users name theirs
    find: str = "judge.metrics.registry:find_backbone"  # its place: a function of kind, model and device
    gigabytes: float = 0  # of the customary model's weights, in single precision; 0 where that is not known
    build: str = ""  # the place of a function of source, configuration and target, a ``judge.metrics.registry.Build``
    types: tuple[str, ...] = ()  # of models, as transformers calls them
    weights: tuple[str, ...] = ()  # names of files, the likeliest first

    @property
    def accepted(self) -> str:
        """What its flag takes, in words."""
        return f"{'a file, ' if self.weights else ''}a folder or a hub id"


_BACKBONES = "judge.metrics.backbones"
CLIP = BackboneKind(
    "clip",
    "CLIP",
    customary="openai/clip-vit-base-patch32",
    gigabytes=0.61,
    build=f"{_BACKBONES}.clip:build_clip",
    types=("clip",),
)
DINO = BackboneKind(
    "dino",
    "DINO",
    customary="facebook/dino-vits16",  # the paper names none
    gigabytes=0.09,
    build=f"{_BACKBONES}.dino:build_dino",
    types=("vit", "dinov2"),
)
DINOV2 = BackboneKind(
    "dinov2",
    "DINOv2",
    customary="facebook/dinov2-base",
    gigabytes=0.35,
    build=f"{_BACKBONES}.dino:build_dinov2",
    types=("dinov2", "dinov2_with_registers"),
)
SIGLIP = BackboneKind(
    "siglip",
    "SigLIP",
    customary="google/siglip2-base-patch16-224",
    gigabytes=1.5,
    build=f"{_BACKBONES}.siglip:build_siglip",
    types=("siglip", "siglip2"),
)
CSD = BackboneKind(
    "csd",
    "CSD",
    customary="",
    build=f"{_BACKBONES}.csd:build_csd",
    weights=("model.safetensors", "pytorch_model.bin", "checkpoint.pth"),
)
KINDS = (CLIP, DINO, DINOV2, SIGLIP, CSD)
