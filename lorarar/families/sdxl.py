"""SDXL, the family of the paper."""

from __future__ import annotations

from lorarar.families.family import Base, Family


def base() -> Base:
    """Stability AI's base model, version 1.0, on the hub."""
    return Base("sdxl", "stabilityai/stable-diffusion-xl-base-1.0")


SDXL = Family(name="sdxl", base="lorarar.families.sdxl:base")
