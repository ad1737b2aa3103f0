"""PNG files that show the very pixels they hold: such a picture can be passed on without being decoded.

Invariant: what is passed on is read as the file is, pixel by pixel, and says nothing of it besides.
"""

from __future__ import annotations

import struct
import zlib

from lorarar.pictures.notes import SIGNATURE

_HEADER = struct.Struct(">IIBBBBB")  # width, height, bits, kind of colours, packing, filter, interlacing
_PLAIN = (8, 2, 0, 0, 0)  # RGB of eight bits, row by row
_PIXELS = {b"IHDR", b"IDAT", b"IEND"}
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_IDLE = {b"tIME", b"pHYs", b"sRGB"}  # notes that change nothing of what is shown
_TURNING = (b"exif\0", b"xmp\0", b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")  # texts that may turn it


def plain_png(data: bytes, side: int) -> bytes | None:
    """A file's picture as a PNG without notes; None where it has to be decoded.

    Args:
        data: the file's bytes.
        side: of the picture at most, in pixels.
    """
    if not data.startswith(SIGNATURE):
        return None
    at, kept, kind = len(SIGNATURE), [SIGNATURE], b""
    while at < len(data) and kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + length
        body = data[at + 4 : end - 4]
        if len(kind) < 4 or data[end - 4 : end] != struct.pack(">I", zlib.crc32(body)):
            return None
        if (len(kept) == 1) != (kind == b"IHDR") or not _is_harmless(kind, body[4:], side):
            return None
        if kind in _PIXELS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept) if kind == b"IEND" else None


def _is_harmless(kind: bytes, body: bytes, side: int) -> bool:
    """Whether a chunk is what a plain picture has, or leaves what is shown alone."""
    if kind == b"IHDR":
        width, height, *rest = _HEADER.unpack(body) if len(body) == _HEADER.size else (0, 0)
        return tuple(rest) == _PLAIN and 0 < max(width, height) <= side
    if kind in _TEXTS:
        return not body.startswith(_TURNING)
    return kind in _PIXELS or kind in _IDLE
