"""The canvas of the style functions: a design placed on it, and the textures they share.

All arrays are float32 in 0..1, ``(SIZE, SIZE)`` for masks and heights, ``(SIZE, SIZE, 3)`` for colour.
Textures are deterministic: a cell has exactly one true picture.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lorarar.pocket.art import SIZE

Array = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]  # red, green and blue in 0..1

WHITE: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class PlacedDesign:
    """A design on the canvas: straight (not premultiplied) colour and its coverage."""

    colour: Array  # (SIZE, SIZE, 3)
    alpha: Array  # (SIZE, SIZE)


@dataclass(frozen=True)
class Pose:
    """How a design lies on the canvas: mirrored, scaled (1 = as drawn), turned (degrees), shifted (pixels)."""

    mirrored: bool = False
    scale: float = 1.0
    turn: float = 0.0
    shift: tuple[int, int] = (0, 0)


def place(design: Image.Image, pose: Pose = Pose()) -> PlacedDesign:
    """Put an RGBA design on the canvas. Colours are carried outwards so that edges do not darken."""
    picture = design.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if pose.mirrored else design
    if pose.turn:
        picture = picture.rotate(pose.turn, Image.Resampling.BICUBIC)
    side = round(SIZE * pose.scale)
    picture = picture.resize((side, side), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (SIZE, SIZE))
    canvas.paste(picture, ((SIZE - side) // 2 + pose.shift[0], (SIZE - side) // 2 + pose.shift[1]))
    pixels = np.asarray(canvas, np.float32) / 255
    alpha = np.ascontiguousarray(pixels[..., 3])
    nearest = ndimage.distance_transform_edt(alpha < 0.5, return_distances=False, return_indices=True)
    return PlacedDesign(np.ascontiguousarray(pixels[nearest[0], nearest[1], :3]), alpha)


def over(colour: Array, alpha: Array, ground: Array) -> Array:
    """``colour`` with coverage ``alpha`` over ``ground``."""
    return ground + (colour - ground) * alpha[..., None]


def flat(rgb: Colour) -> Array:
    """A canvas of one colour."""
    return np.broadcast_to(np.asarray(rgb, np.float32), (SIZE, SIZE, 3)).copy()


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour by hue (turns), saturation and value."""
    return colorsys.hsv_to_rgb(hue % 1, saturation, value)


def grey(colour: Array) -> Array:
    """Luma of a colour canvas."""
    return colour @ np.asarray((0.299, 0.587, 0.114), np.float32)


def blur(values: Array, sigma: float) -> Array:
    """Gaussian blur over the two spatial axes."""
    blurred: Array = ndimage.gaussian_filter(values, (sigma, sigma, 0)[: values.ndim], mode="nearest")
    return blurred


def edges(design: PlacedDesign, sigma: float = 1.0) -> Array:
    """Strength of the design's lines: colour edges inside and the silhouette, about 0..1."""
    on_white = over(design.colour, design.alpha, flat(WHITE))
    layers = (*np.moveaxis(on_white, 2, 0), design.alpha)
    strengths = [ndimage.gaussian_gradient_magnitude(layer, sigma) for layer in layers]
    strongest: Array = np.max(strengths, axis=0).astype(np.float32)
    lines: Array = np.clip(strongest * sigma * 3.2, 0, 1)
    return lines


def shift_pixels(values: Array, dx: Array, dy: Array) -> Array:
    """Sample ``values`` at positions displaced by ``dx``, ``dy`` pixels."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    positions = [rows + dy, columns + dx]
    layers = [values] if values.ndim == 2 else list(np.moveaxis(values, 2, 0))
    shifted = [ndimage.map_coordinates(layer, positions, order=1, mode="nearest") for layer in layers]
    return shifted[0] if values.ndim == 2 else np.stack(shifted, axis=2)


@cache
def noise(seed: int, sigma: float | tuple[float, float]) -> Array:
    """A fixed smooth texture of mean 0 and deviation 1; ``sigma`` in pixels, one or (down, across)."""
    rough = np.random.default_rng(seed).standard_normal((SIZE, SIZE)).astype(np.float32)
    smooth: Array = ndimage.gaussian_filter(rough, sigma, mode="wrap")
    standard: Array = (smooth - smooth.mean()) / smooth.std()
    return standard


def relief(design: PlacedDesign, bevel: float, detail: float) -> Array:
    """Height field in pixels: a rounded bevel along the silhouette plus the design's own light and dark."""
    depth = ndimage.distance_transform_edt(design.alpha > 0.5).astype(np.float32)
    rounded = bevel * np.sqrt(1 - (1 - np.clip(depth / bevel, 0, 1)) ** 2)
    return blur(rounded + detail * grey(design.colour) * design.alpha, 1.2).astype(np.float32)


def shade(height: Array, angle: float, shine: float) -> tuple[Array, Array]:
    """Phong light on a height field: (diffuse, specular), light from ``angle`` (turns), seen from above."""
    down, across = np.gradient(height)
    normal = np.stack([-across, -down, np.ones_like(height)], axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    turn = 2 * np.pi * angle
    light = np.asarray((np.cos(turn), -np.sin(turn), 1.1), np.float32)
    light /= np.linalg.norm(light)
    half = light + np.asarray((0, 0, 1), np.float32)
    half /= np.linalg.norm(half)
    diffuse = np.clip(normal @ light, 0, 1)
    return diffuse.astype(np.float32), (np.clip(normal @ half, 0, 1) ** shine).astype(np.float32)
