"""A study in a zip for raters elsewhere: pictures named by digest, words, no method.

Reading writes nothing: a packet is checked whole and kept in memory. What it may be is counted before it is
unpacked: names, number, sizes, ratio; each picture's bytes have to be those of its name, which makes everything
else (links, other files, changed pictures) impossible rather than filtered.
"""

from __future__ import annotations

import lzma
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from lorarar.pictures.images import read_image
from lorarar.util.errors import ImageError
from lorarar.util.files import missing, replacing
from studies.errors import PacketError
from studies.rater.blind_pictures import png_digest
from studies.rater.design import Design
from studies.rater.packet_format import read_manifest, write_manifest
from studies.rater.patterns import DIGEST, matches

MANIFEST = "manifest.json"
MOST_FILES = 10_000
LARGEST_MANIFEST = 8 * 2**20  # bytes
LARGEST_PICTURE = 64 * 2**20
LARGEST = 2 * 2**30  # of all pictures
LARGEST_RATIO = 100  # unpacked to packed; PNG does not shrink
SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: The errors that reading an unsound zip raises.
UNSOUND = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    UserWarning,
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file, since the time a picture was made could tell its method


def write_packet(design: Design, pictures: Mapping[str, bytes], path: Path) -> Path:
    """Write a packet; equal studies are equal bytes, and the file appears whole or not at all.

    Args:
        design: what raters see.
        pictures: PNG bytes by digest.
        path: where the packet goes.

    Raises:
        PacketError: it cannot be written.
    """
    try:
        with replacing(path) as partial, zipfile.ZipFile(partial, "w") as archive:
            archive.writestr(zipfile.ZipInfo(MANIFEST, EPOCH), write_manifest(design))
            for digest in design.pictures:
                archive.writestr(zipfile.ZipInfo(f"{digest}.png", EPOCH), pictures[digest])
    except OSError as error:
        raise PacketError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def read_packet(path: Path) -> tuple[Design, dict[str, bytes]]:
    """Read a packet and check all of it.

    Returns:
        The design, and the PNG bytes of its pictures by digest.

    Raises:
        PacketError: the file is not what ``write_packet`` makes.
    """
    try:
        with warnings.catch_warnings(), zipfile.ZipFile(path) as archive:
            warnings.simplefilter("error")
            members = archive.infolist()
            _check_members(path, members)
            manifest = archive.read(MANIFEST)
            design = read_manifest(manifest)
            needed = set(design.pictures)
            named = {info.filename.removesuffix(".png") for info in members} - {MANIFEST}
            if needed != named:
                raise PacketError(f"{path} lacks {len(needed - named)} pictures and has {len(named - needed)} too many")
            pictures = {digest: _picture(path, archive, digest) for digest in design.pictures}
    except FileNotFoundError:
        raise PacketError(missing(path)) from None
    except UNSOUND as error:
        raise PacketError(f"{path} is not a sound zip: {error}") from None
    return design, pictures


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that holds more than a manifest and pictures of sane sizes, before any of it is unpacked."""
    names = [info.filename for info in members]
    if len(names) > MOST_FILES or sum(info.file_size for info in members) > LARGEST:
        raise PacketError(f"{path} holds {len(names)} files, too many or too large; at most {MOST_FILES} are read")
    if len(set(names)) < len(names):
        raise PacketError(f"{path} holds a name twice")
    if MANIFEST not in names:
        raise PacketError(f"{path} is not a packet: it has no {MANIFEST}")
    for info in members:
        name = info.filename
        if name != MANIFEST and not matches(rf"{DIGEST}\.png", name):
            raise PacketError(f"{path} holds {name[:80]!r}; a packet has {MANIFEST} and pictures named by digest")
        if info.file_size > (LARGEST_MANIFEST if name == MANIFEST else LARGEST_PICTURE):
            raise PacketError(f"{path}: {name[:80]} has {info.file_size} bytes, more than is read")
        if info.file_size > LARGEST_RATIO * max(info.compress_size, 1):
            raise PacketError(f"{path}: {name[:80]} would grow {info.file_size // max(info.compress_size, 1)} times")


def _picture(path: Path, archive: zipfile.ZipFile, digest: str) -> bytes:
    """The picture of a digest, whose bytes have to be those of its name."""
    png = archive.read(f"{digest}.png")
    if png_digest(png) != digest:
        raise PacketError(f"{path}: the picture {digest[:12]} was changed")
    try:
        read_image(png)
        if not png.startswith(SIGNATURE):
            raise ImageError("not a PNG")
    except ImageError:
        raise PacketError(f"{path}: {digest[:12]} is no sound picture of a size that is read") from None
    return png
