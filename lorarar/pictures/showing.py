"""A picture as viewers show it, for whatever is in its file: turned, over white, in eight bits a channel."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import ExifTags, Image

WHITE = (255, 255, 255)
FIRST_SIDEWAYS = 5  # of EXIF's orientations: from it on width and height change places
_GREY_16 = 257  # 65535 / 255
_NOTES = {"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"}  # where a PNG may say its orientation

#: How a picture is turned upright, by EXIF's orientation.
_TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def as_shown(image: Image.Image) -> Image.Image:
    """An opened picture as RGB, decoded; one in plain RGB keeps its pixels."""
    image.load()
    turn = _TURNS.get(orientation(image))
    flat = _flat(image)
    return flat if turn is None else flat.transpose(turn)


def is_plain(image: Image.Image) -> bool:
    """Whether a picture is shown by its file's own pixels: upright, opaque, in eight bits."""
    return orientation(image) not in _TURNS and not _is_deep(image) and not _is_see_through(image)


def orientation(image: Image.Image) -> int:
    """EXIF's orientation of an opened picture, from 1 to 8; 1 where none is given or it cannot be read.

    Of a picture that is not decoded yet, what stands behind a PNG's pixels is not known.
    """
    if image.format == "PNG" and not _NOTES & image.info.keys():
        return 1  # Pillow would decode it to look behind the pixels
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # of bytes that anybody may have written: whatever the parser trips over
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _flat(image: Image.Image) -> Image.Image:
    """RGB without transparency: what is see-through shows white, whatever colour its file hides there."""
    if _is_deep(image):
        return _from_deep(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    white = Image.new("RGB", seen.size, WHITE)
    white.paste(seen, mask=seen.getchannel("A"))
    return white


def _is_deep(image: Image.Image) -> bool:
    """Whether a picture has greys of 16 bits or more, which plain conversion would clip to white."""
    return image.mode.startswith("I")


def _is_see_through(image: Image.Image) -> bool:
    """Whether any pixel of a picture is; one that only could be is decoded to see."""
    return image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] != 255


def _from_deep(image: Image.Image) -> Image.Image:
    """Greys of 16 bits as RGB: a value v is round(v / 257)."""
    import numpy as np

    values = np.asarray(image).astype(np.int64).clip(0, 255 * _GREY_16)
    greys = ((values + _GREY_16 // 2) // _GREY_16).astype(np.uint8)
    hidden = image.info.get("transparency")
    if isinstance(hidden, int):
        greys[values == hidden] = 255
    return Image.fromarray(greys).convert("RGB")
