"""A base as pictures are drawn with it: loaded, its VAE in numbers that hold, and put in its place."""

from __future__ import annotations

from typing import Any

from lorarar.families import Base
from lorarar.generation.bases import load_pipeline, load_weights
from lorarar.generation.decoding import keep_vae_exact
from lorarar.generation.out_of_memory import memory_in_one_line
from lorarar.generation.placement import Placement


def load_for_drawing(base: Base, place: Placement) -> Any:
    """The base's pipeline at a place.

    Raises:
        BaseError: the model cannot be found or loaded.
        DrawingError: the place has not enough memory for it.
    """
    with memory_in_one_line(1, place):
        on_gpu = place.is_gpu  # where weights get memory of their own anyway
        pipeline = load_weights(base, place.dtype) if on_gpu else load_pipeline(base, place.device, place.dtype)
        keep_vae_exact(pipeline.vae)
        return place.put(pipeline)
