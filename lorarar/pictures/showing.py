"""A picture as viewers show it, for whatever is in its file: turned, over white, in sRGB of eight bits a channel."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import ExifTags, Image

from lorarar.pictures.colours import changes_colours, in_srgb

WHITE = (255, 255, 255)
_FIRST_SIDEWAYS = 5  # of EXIF's orientations: from it on width and height change places
_GREY_16 = 257  # 65535 / 255
_NOTES = {"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"}  # where a PNG may say its orientation
_FEW_BITS = {"L;2": 85, "L;4": 17}  # by how much Pillow multiplies greys of few bits, but not the see-through one
_DEEP_COLOURS = "RGB;16B"  # of a PNG; Pillow keeps their high bytes, but all of the see-through one

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
    """An opened picture as RGB, decoded; one in plain RGB keeps its pixels.

    Raises:
        ValueError: its values have no white, as floating point numbers have none.
    """
    if image.mode in ("F", "I"):
        raise ValueError("its pixels are numbers of 32 bits, which no viewer shows alike; save it with 8 or 16")
    _mend_transparency(image)
    image.load()
    turn = _TURNS.get(orientation(image))
    flat = _flat(image)
    return flat if turn is None else flat.transpose(turn)


def size_as_shown(image: Image.Image) -> tuple[int, int]:
    """Width and height of an opened picture as it is shown, by its header alone."""
    return image.size[::-1] if orientation(image) >= _FIRST_SIDEWAYS else image.size


def is_plain(image: Image.Image) -> bool:
    """Whether an opened picture is shown by its file's own pixels: upright, opaque, in sRGB of eight bits."""
    return (
        orientation(image) not in _TURNS
        and not _is_deep(image)
        and not changes_colours(_profile(image), _channels(image))
        and not _is_see_through(image)
    )


def orientation(image: Image.Image) -> int:
    """EXIF's orientation of an opened picture, from 1 to 8; 1 where none is given or it cannot be read.

    Of a picture that is not decoded yet, what stands behind a PNG's pixels is not known. TIFF and HEIC are turned
    by what decodes them.
    """
    if image.format in ("TIFF", "HEIF"):
        return 1
    if image.format == "PNG" and not _NOTES & image.info.keys():
        return 1  # Pillow would decode it to look behind the pixels
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # of bytes that anybody may have written: whatever the parser trips over
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _flat(image: Image.Image) -> Image.Image:
    """RGB in sRGB and without transparency."""
    profile, channels = _profile(image), _channels(image)
    if not changes_colours(profile, channels):
        return _over_white(image)
    return in_srgb(image if channels == "CMYK" else _over_white(image).convert(channels), profile)


def _profile(image: Image.Image) -> bytes:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else b""


def _channels(image: Image.Image) -> str:
    """The channels that a picture's colour profile is of."""
    if image.mode == "CMYK":
        return "CMYK"
    return "L" if image.mode in ("1", "L", "LA", "La") or _is_deep(image) else "RGB"


def _over_white(image: Image.Image) -> Image.Image:
    """RGB without transparency: what is see-through shows white, whatever colour its file hides there."""
    if _is_deep(image):
        return _from_deep(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = _with_alpha(image)
    white = Image.new("RGB", seen.size, WHITE)
    white.paste(seen, mask=seen.getchannel("A"))
    return white


def _with_alpha(image: Image.Image) -> Image.Image:
    """A picture that may be see-through as RGBA; of premultiplied greys Pillow knows no shorter way."""
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")


def _mend_transparency(image: Image.Image) -> None:
    """Bring the see-through colour of an undecoded PNG to the scale of its pixels as they will be decoded."""
    hidden, raw = image.info.get("transparency"), _raw_mode(image)
    if isinstance(hidden, int) and raw in _FEW_BITS:
        image.info["transparency"] = hidden * _FEW_BITS[raw]
    elif isinstance(hidden, tuple) and raw == _DEEP_COLOURS:
        image.info["transparency"] = tuple(value >> 8 for value in hidden)


def _raw_mode(image: Image.Image) -> str:
    """How the pixels of an undecoded picture lie in its file, as Pillow names it; empty where that is not told."""
    tiles = getattr(image, "tile", ())
    args = tiles[0][3] if tiles else ""
    return args if isinstance(args, str) else ""


def _is_deep(image: Image.Image) -> bool:
    """Whether a picture has greys of 16 bits, which plain conversion would clip to white."""
    return image.mode.startswith("I;16")


def _is_see_through(image: Image.Image) -> bool:
    """Whether any pixel of a picture is; one that only could be is decoded to see."""
    if not image.has_transparency_data:
        return False
    _mend_transparency(image)
    return _with_alpha(image).getchannel("A").getextrema()[0] != 255


def _from_deep(image: Image.Image) -> Image.Image:
    """Greys of 16 bits as RGB: a value v is round(v / 257)."""
    import numpy as np

    values = np.asarray(image).astype(np.int64)
    greys = ((values + _GREY_16 // 2) // _GREY_16).astype(np.uint8)
    hidden = image.info.get("transparency")
    if isinstance(hidden, int):
        greys[values == hidden] = 255
    return Image.fromarray(greys).convert("RGB")
