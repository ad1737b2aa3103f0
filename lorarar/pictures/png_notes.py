"""PNG files without the notes that stop them from being read: what a picture shows does not hang on them.

Pillow unpacks every note and colour profile of a PNG, gives up on one of more than a mebibyte, and on one whose
checksum is wrong; viewers show such a picture.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

from lorarar.pictures.notes import SIGNATURE

LARGEST_NOTE = 2**20  # bytes, unpacked
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # what pixels are made of
_XMP = b"XML:com.adobe.xmp\0\0"  # how an unpacked note of XMP begins, which may say how a picture is turned


def bare_png(file: BinaryIO) -> io.BytesIO | None:
    """A copy of a PNG without large and broken notes, to be read in its place; None where a file is no PNG."""
    file.seek(0)
    if file.read(len(SIGNATURE)) != SIGNATURE:
        return None
    copy = io.BytesIO(SIGNATURE)
    copy.seek(0, io.SEEK_END)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in _PIXELS:
            copy.write(head + file.read(length + 4))
        elif length > LARGEST_NOTE:
            file.seek(length + 4, io.SEEK_CUR)
        else:
            data, checksum = file.read(length), file.read(4)
            if _is_needed(kind, data) and checksum == struct.pack(">I", zlib.crc32(kind + data)):
                copy.write(head + data + checksum)
    copy.seek(0)
    return copy


def _is_needed(kind: bytes, data: bytes) -> bool:
    """Whether a note may change how the picture is shown, and is one that Pillow reads."""
    if kind == b"iCCP":
        return _unpacks(data.partition(b"\0")[2][1:])
    return kind == b"eXIf" or (kind == b"iTXt" and data.startswith(_XMP))


def _unpacks(packed: bytes) -> bool:
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(packed, LARGEST_NOTE)
    except zlib.error:
        return False
    return unpacking.eof
