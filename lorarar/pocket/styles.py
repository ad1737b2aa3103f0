"""The style families: each a pure function from a placed design and five parameters to a picture.

Every family reads the parameters, in 0..1, in its own way, so that a style is a family plus five numbers. The
functions exaggerate on purpose: a style has to read at a glance at 64 pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from lorarar.pocket.art import SIZE
from lorarar.pocket.canvas import (
    WHITE,
    Array,
    PlacedDesign,
    blur,
    edges,
    flat,
    grey,
    hsv,
    noise,
    over,
    relief,
    shade,
    shift_pixels,
)


@dataclass(frozen=True)
class StyleParams:
    """The parameters of one style of a family; each runs from 0 to 1."""

    hue: float  # colour of the ground, the tint or the glow
    light: float  # direction of the light or of the strokes
    weight: float  # width of lines, rims, bevels or brushes
    grain: float  # amount of texture
    tone: float  # lightness or strength of the ground

    @classmethod
    def from_knobs(cls, knobs: Iterable[float]) -> StyleParams:
        """The parameters that five numbers stand for, in the order of the fields."""
        return cls(*map(float, knobs))

    def knobs(self) -> tuple[float, float, float, float, float]:
        """The five numbers, in the order of the fields."""
        return self.hue, self.light, self.weight, self.grain, self.tone


StyleFunction = Callable[[PlacedDesign, StyleParams], Array]


def rendering_3d(design: PlacedDesign, params: StyleParams) -> Array:
    """Clay-like solid under a soft light, with a cast shadow on a coloured studio ground."""
    height = relief(design, 7 + 9 * params.weight, 7)
    diffuse, specular = shade(height, 0.08 + 0.34 * params.light, 18)
    ground = flat(hsv(params.hue, 0.45, 0.62 + 0.33 * params.tone)) * (1.12 - 0.3 * _down())[..., None]
    dx, dy = (-8, 9) if params.light < 0.5 else (8, 9)
    shadow = blur(np.roll(design.alpha, (dy, dx), (0, 1)), 4)
    ground = ground * (1 - 0.5 * shadow[..., None])
    solid = design.colour * (0.25 + 0.95 * diffuse[..., None]) + 0.55 * specular[..., None]
    return over(solid, design.alpha, ground)


def glowing_3d(design: PlacedDesign, params: StyleParams) -> Array:
    """A dark solid lit from behind: bright coloured rim and halo on a deep ground."""
    height = relief(design, 9 + 8 * params.weight, 6)
    diffuse, specular = shade(height, params.light, 12)
    glow = np.asarray(hsv(params.hue, 0.75, 1), np.float32)
    inside = ndimage.distance_transform_edt(design.alpha > 0.5).astype(np.float32)
    rim = np.exp(-inside / (3 + 4 * params.weight)) * design.alpha
    halo = blur(design.alpha, 9)
    ground = flat(hsv(params.hue + 0.12, 0.7, 0.1 + 0.18 * params.tone)) + 0.85 * halo[..., None] * glow
    solid = design.colour * (0.15 + 0.55 * diffuse[..., None]) + (1.1 * rim + 0.4 * specular)[..., None] * glow
    return over(solid, design.alpha, ground)


def oil_painting(design: PlacedDesign, params: StyleParams) -> Array:
    """Flat daubs of thick paint, turned along strokes, on a painted ground with canvas ridges."""
    across, along = 1.6, 6.0 + 4 * params.grain
    angle = np.pi * (0.25 + 0.5 * params.light)
    ridges = ndimage.rotate(noise(3, (across, along)), np.degrees(angle), reshape=False, mode="wrap")
    ground = flat(hsv(params.hue, 0.55, 0.4 + 0.4 * params.tone)) * (1 + 0.16 * noise(4, 7.0))[..., None]
    wander = 2.0 + 3 * params.weight
    picture = over(design.colour, design.alpha, ground)
    picture = shift_pixels(picture, wander * noise(5, 4.0) * 0.6, wander * noise(6, 4.0) * 0.6)
    daubed = _filter(picture, ImageFilter.ModeFilter(5 + 2 * round(2 * params.weight)))
    daubed = _saturate(daubed, 1.25)
    slope, _ = shade(0.45 * ridges, 0.3, 8)
    return daubed * (0.1 + 1.2 * slope[..., None])


def watercolor(design: PlacedDesign, params: StyleParams) -> Array:
    """Pale washes that bleed, darker pigment at their edges, white paper with a tinted wash around."""
    bleed = 1.0 + 1.5 * params.weight
    colour = shift_pixels(design.colour, bleed * noise(7, 5.0), bleed * noise(8, 5.0))
    alpha = blur(shift_pixels(design.alpha, bleed * noise(7, 5.0), bleed * noise(8, 5.0)), 0.9)
    tint = np.asarray(hsv(params.hue, 0.5, 1), np.float32)
    pigment = 0.74 + 0.1 * noise(9, 5.0) + 0.05 * params.grain * noise(10, 1.5)
    inside = ndimage.distance_transform_edt(alpha > 0.5).astype(np.float32)
    pigment = pigment + 0.5 * np.exp(-inside / 2.0)
    washed = 1 - np.clip(pigment, 0.2, 1)[..., None] * (1 - blur(_saturate(colour, 1.2), 1.0) * (0.65 + 0.35 * tint))
    wash = np.clip(0.75 * blur(design.alpha, 13) + 0.28 * noise(11, 9.0), 0, 1) * (0.35 + 0.65 * params.tone)
    paper = 0.985 - 0.018 * np.abs(noise(12, 0.8))
    ground = paper[..., None] * (1 - wash[..., None] * (1 - tint))
    return over(washed, alpha, ground)


def flat_cartoon(design: PlacedDesign, params: StyleParams) -> Array:
    """Few flat colours, a thick dark outline, a disc on a saturated ground."""
    levels = 3.0
    posterised = np.round(_saturate(blur(design.colour, 1.2), 1.5) * levels) / levels
    grown = blur(ndimage.grey_dilation(design.alpha, 3 + 2 * round(1 + 2 * params.weight)), 0.6)
    ground = flat(hsv(params.hue, 0.75, 0.55 + 0.4 * params.tone))
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] - SIZE / 2
    disc = np.clip((0.47 * SIZE - np.hypot(rows, columns)) + 0.5, 0, 1).astype(np.float32)
    ground = over(flat(hsv(params.hue + 0.08 + 0.3 * params.light, 0.45, 1)), disc, ground)
    return over(posterised, design.alpha, over(flat((0.08, 0.06, 0.12)), grown, ground))


def line_drawing(design: PlacedDesign, params: StyleParams) -> Array:
    """Thin ink lines on white paper, with hatching where the drawing is dark."""
    ink = np.clip(edges(design, 0.8 + 0.5 * params.weight) * 1.9 - 0.25, 0, 1)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    slant = columns * np.cos(np.pi * params.light) + rows * np.sin(np.pi * params.light)
    dark = np.clip(0.5 - grey(design.colour), 0, 0.5) * 2 * design.alpha
    hatch = (np.sin(slant * 2 * np.pi / 6) > 0.2) * dark * (0.4 + 0.5 * params.grain)
    stroke = np.asarray(hsv(params.hue, 0.5, 0.18), np.float32)
    return over(
        flat((0, 0, 0)) + stroke, np.maximum(ink, hatch).astype(np.float32), flat((1, 1, 0.94 + 0.06 * params.tone))
    )


def cartoon_line(design: PlacedDesign, params: StyleParams) -> Array:
    """Comic drawing: bold black contour, pale colours, halftone dots on a pastel ground."""
    ink = np.clip(edges(design, 1.5 + 0.8 * params.weight) * 2.2 - 0.35, 0, 1)
    pale = 0.35 + 0.65 * _saturate(design.colour, 0.9)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    period = 10 + 6 * params.light
    dots = (np.sin(rows * 2 * np.pi / period) * np.sin(columns * 2 * np.pi / period) > 0.35).astype(np.float32)
    ground = over(
        flat(hsv(params.hue, 0.6, 0.95)), blur(dots, 0.7) * 0.75, flat(hsv(params.hue, 0.22, 0.9 + 0.1 * params.tone))
    )
    return over(flat((0.02, 0.02, 0.05)), ink, over(pale, design.alpha, ground))


def crayon(design: PlacedDesign, params: StyleParams) -> Array:
    """Wobbly wax strokes in bright colours that leave the paper showing."""
    wobble = 1.5 + 1.5 * params.weight
    colour = shift_pixels(design.colour, wobble * noise(13, 6.0), wobble * noise(14, 6.0))
    alpha = shift_pixels(design.alpha, wobble * noise(13, 6.0), wobble * noise(14, 6.0))
    strokes = ndimage.rotate(noise(15, (1.1, 14.0)), 20 + 50 * params.light, reshape=False, mode="wrap")
    wax = np.clip(0.8 + (0.22 + 0.2 * params.grain) * strokes, 0, 1).astype(np.float32)
    contour = np.clip(edges(PlacedDesign(colour, alpha), 1.6) * 1.8 - 0.4, 0, 1) * np.clip(0.75 + 0.3 * strokes, 0, 1)
    paper = flat(hsv(params.hue, 0.16 + 0.12 * params.tone, 0.97))
    strokes_on_paper = over(_saturate(colour, 1.5), alpha * wax, paper)
    return over(_saturate(colour, 1.3) * 0.45, contour.astype(np.float32), strokes_on_paper)


def sticker(design: PlacedDesign, params: StyleParams) -> Array:
    """Die-cut sticker: wide white rim and a soft shadow on a coloured ground."""
    outside = ndimage.distance_transform_edt(design.alpha < 0.5).astype(np.float32)
    rim = np.clip(5 + 4 * params.weight - outside, 0, 1).astype(np.float32)
    shadow = blur(np.roll(rim, (6, 5 if params.light > 0.5 else -5), (0, 1)), 2.5)
    ground = flat(hsv(params.hue, 0.65, 0.5 + 0.4 * params.tone)) * (1 - 0.6 * shadow[..., None])
    gloss = 0.18 * np.clip(1 - 2.2 * _down(), 0, 1)[..., None]
    return over(design.colour + gloss, design.alpha, over(flat(WHITE), rim, ground))


def glowing(design: PlacedDesign, params: StyleParams) -> Array:
    """Neon tubes along the drawing's lines, glowing on black."""
    tube: Array = np.clip(edges(design, 1.0 + 0.5 * params.weight) * 1.7 - 0.3, 0, 1)
    neon: Array = np.asarray(hsv(params.hue, 0.85, 1), np.float32)
    own = _saturate(design.colour, 1.6) * (0.1 + 0.2 * params.tone) * design.alpha[..., None]
    halo = blur(tube, 3.5) * 1.5 + blur(tube, 9) * 1.2
    return own + halo[..., None] * neon * 0.9 + (tube**2)[..., None] * (0.35 + 0.65 * neon)


def melting_gold(design: PlacedDesign, params: StyleParams) -> Array:
    """Polished gold relief whose lower edge runs down in drops."""
    columns = noise(16, 3.0)[64]
    run = (10 + 12 * params.weight) * np.clip(columns, 0, 1.6) / 1.6
    rows = np.arange(SIZE)[:, None]
    alpha = design.alpha.copy()
    for step in range(1, 23):
        fallen = np.where(rows >= step, np.roll(design.alpha, step, 0), 0) * (step <= run)[None, :]
        alpha = np.maximum(alpha, fallen)
    alpha = np.clip(blur(alpha, 1.6) * 2.2 - 0.6, 0, 1).astype(np.float32)
    melted = PlacedDesign(design.colour, alpha)
    diffuse, specular = shade(relief(melted, 9, 9) + 0.8 * noise(17, 4.0), 0.1 + 0.3 * params.light, 10)
    tone = np.clip(0.15 + 0.75 * diffuse**1.5, 0, 1)[..., None]
    dark, bright = np.asarray((0.42, 0.2, 0.02), np.float32), np.asarray((1.0, 0.8, 0.25), np.float32)
    gold = dark + (bright - dark) * tone + 0.7 * specular[..., None]
    ground = flat(hsv(params.hue, 0.35, 0.15 + 0.35 * params.tone))
    return over(gold, alpha, ground)


def wooden_sculpture(design: PlacedDesign, params: StyleParams) -> Array:
    """Carved relief of one piece of brown wood with the grain running through."""
    diffuse, _ = shade(relief(design, 8 + 5 * params.weight, 14), 0.1 + 0.3 * params.light, 8)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    rings = np.sin((rows + 5 * noise(18, (16.0, 10.0)) + 0.1 * columns) * 2 * np.pi / (7 + 5 * params.grain))
    wood = flat((0.66, 0.4, 0.18)) + 0.09 * rings[..., None] * np.asarray((1, 0.8, 0.5), np.float32)
    shadow = blur(np.roll(design.alpha, (6, -5), (0, 1)), 3)
    ground = flat(hsv(params.hue, 0.14, 0.75 + 0.2 * params.tone)) * (1 - 0.5 * shadow[..., None])
    return over(wood * (0.15 + 1.05 * diffuse[..., None]), design.alpha, ground)


def black_statue(design: PlacedDesign, params: StyleParams) -> Array:
    """Polished black stone: dark relief with sharp highlights on a light wall."""
    diffuse, specular = shade(relief(design, 8 + 5 * params.weight, 13), 0.1 + 0.3 * params.light, 9)
    stone = (0.03 + 0.16 * diffuse + 0.62 * specular**1.5)[..., None] * np.asarray((0.92, 0.96, 1.0), np.float32)
    shadow = blur(np.roll(design.alpha, (7, -6), (0, 1)), 4)
    ground = flat(hsv(params.hue, 0.1, 0.7 + 0.25 * params.tone)) * (1.08 - 0.3 * _down())[..., None]
    return over(stone, design.alpha, ground * (1 - 0.45 * shadow[..., None]))


def abstract_rainbow(design: PlacedDesign, params: StyleParams) -> Array:
    """Rainbow smoke that flows through the drawing's light and dark, on near black."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    turn = 2 * np.pi * params.light
    phase = params.hue + 0.9 * (columns * np.cos(turn) + rows * np.sin(turn)) + 0.12 * noise(19, 9.0)
    wave = 2 * np.pi * (phase[..., None] + np.asarray((0, 1 / 3, 2 / 3)))
    rainbow = (0.5 + 0.5 * np.cos(wave)).astype(np.float32)
    body = rainbow * (0.25 + 0.85 * grey(design.colour))[..., None] + 0.5 * edges(design)[..., None] * rainbow
    flow = shift_pixels(design.alpha, 16 * noise(20, 8.0), 10 * noise(21, 8.0))
    smoke = blur(flow, 5) * (0.35 + 0.3 * params.weight)
    ground = flat((0.05, 0.04, 0.08 + 0.06 * params.tone)) + smoke[..., None] * rainbow
    return over(body, design.alpha, ground)


def _down() -> Array:
    """0 at the upper edge, 1 at the lower."""
    return np.broadcast_to(np.linspace(0, 1, SIZE, dtype=np.float32)[:, None], (SIZE, SIZE))


def _saturate(colour: Array, amount: float) -> Array:
    light = grey(colour)[..., None]
    return np.clip(light + (colour - light) * amount, 0, 1)


def _filter(colour: Array, image_filter: ImageFilter.Filter) -> Array:
    picture = Image.fromarray((np.clip(colour, 0, 1) * 255).astype(np.uint8))
    return np.asarray(picture.filter(image_filter), np.float32) / 255


#: The function of each style family, by its name in prompts ("a dog in <family> style").
STYLE_FUNCTIONS: dict[str, StyleFunction] = {
    "3d rendering": rendering_3d,
    "glowing 3d rendering": glowing_3d,
    "oil painting": oil_painting,
    "watercolor painting": watercolor,
    "flat cartoon illustration": flat_cartoon,
    "line drawing": line_drawing,
    "cartoon line drawing": cartoon_line,
    "kid crayon drawing": crayon,
    "sticker": sticker,
    "glowing": glowing,
    "melting golden rendering": melting_gold,
    "wooden sculpture": wooden_sculpture,
    "black statue": black_statue,
    "abstract rainbow": abstract_rainbow,
}


def apply_style(family: str, design: PlacedDesign, params: StyleParams, side: int = 64) -> Image.Image:
    """The design in a style of the family, reduced to ``side`` x ``side`` pixels."""
    colour = np.clip(STYLE_FUNCTIONS[family](design, params), 0, 1)
    return Image.fromarray((colour * 255).round().astype(np.uint8)).resize((side, side), Image.Resampling.BOX)
