"""The emoji art: which npm packages it comes from and how an artist's design becomes pixels.

Only data is taken from the packages (SVG bodies and WebP pictures); no JavaScript is run. Every
design is trimmed, centred and scaled to the same extent, so that no artist is recognised by margins.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from lorarar.pictures.images import read_layer
from lorarar.pocket.classes import CLASSES, ObjectClass
from lorarar.util.errors import PocketError

SIZE = 128  # side of a design in pixels; the longer side of what it shows fills EXTENT of it
EXTENT = 0.84

DesignKey = tuple[str, str]  # class name, artist name
Designs = Mapping[DesignKey, Image.Image]  # RGBA, SIZE x SIZE


@dataclass(frozen=True)
class Artist:
    """One icon set: its short name, npm package, and whose work under which licence it is."""

    name: str
    package: str
    version: str
    owner: str
    licence: str


ARTISTS = (
    Artist(name="noto", package="@iconify-json/noto", version="1.2.9", owner="Google", licence="Apache-2.0"),
    Artist(name="noto-v1", package="@iconify-json/noto-v1", version="1.2.5", owner="Google", licence="Apache-2.0"),
    Artist(
        name="fluent-flat", package="@iconify-json/fluent-emoji-flat", version="1.2.6", owner="Microsoft", licence="MIT"
    ),
    Artist(name="fluent-3d", package="@lobehub/fluent-emoji-3d", version="1.1.0", owner="Microsoft", licence="MIT"),
    Artist(name="fxemoji", package="@iconify-json/fxemoji", version="1.2.2", owner="Mozilla", licence="Apache-2.0"),
    Artist(name="twemoji", package="@iconify-json/twemoji", version="1.2.5", owner="Twitter", licence="CC-BY-4.0"),
    Artist(name="emojione", package="@iconify-json/emojione", version="1.2.3", owner="EmojiOne", licence="CC-BY-4.0"),
)


def fetch_package(artist: Artist, folder: Path) -> Path:
    """Unpack the artist's npm package below ``folder``, unless an earlier run has; the package's root.

    Raises:
        PocketError: npm is missing, or cannot fetch the package.
    """
    root = folder / artist.name
    if (root / "package").is_dir():
        return root / "package"
    root.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", f"{artist.package}@{artist.version}", "--silent", "--pack-destination", str(root)]
    try:
        process = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise PocketError("npm is not installed; the art stage takes its packages through npm") from None
    except subprocess.CalledProcessError as error:
        raise PocketError(f"npm could not fetch {artist.package}@{artist.version}: {error.stderr.strip()}") from None
    with tarfile.open(root / process.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(root, filter="data")
    return root / "package"


def read_design(artist: Artist, object_class: ObjectClass, package: Path) -> Image.Image | None:
    """The artist's design of a class as a centred ``SIZE`` x ``SIZE`` RGBA picture; None where there is none."""
    if artist.name in object_class.not_by:
        return None
    read = _read_webp if artist.name == "fluent-3d" else _render_svg
    picture = read(object_class, package)
    return None if picture is None else centre(picture)


def centre(picture: Image.Image) -> Image.Image:
    """Trim transparent margins and fit the rest into the middle of a ``SIZE`` x ``SIZE`` picture."""
    trimmed = picture.crop(picture.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox())
    scale = EXTENT * SIZE / max(trimmed.size)
    trimmed = trimmed.resize((round(trimmed.width * scale), round(trimmed.height * scale)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (SIZE, SIZE))
    canvas.paste(trimmed, ((SIZE - trimmed.width) // 2, (SIZE - trimmed.height) // 2))
    return canvas


def fetch_designs(folder: Path) -> dict[DesignKey, Image.Image]:
    """Every design of Pocket's classes, from npm packages below ``folder``."""
    designs = {}
    for artist in ARTISTS:
        package = fetch_package(artist, folder)
        for object_class in CLASSES:
            design = read_design(artist, object_class, package)
            if design is not None:
                designs[object_class.name, artist.name] = design
    return designs


def _read_webp(object_class: ObjectClass, package: Path) -> Image.Image | None:
    for name in (object_class.code_point, f"{object_class.code_point}-fe0f"):
        path = package / "assets" / f"{name}.webp"
        if path.exists():
            return read_layer(path)
    return None


def _render_svg(object_class: ObjectClass, package: Path) -> Image.Image | None:
    import resvg_py

    icons, width, height = _icons(package)
    body = next((icons[name] for name in object_class.icons if name in icons), None)
    if body is None:
        return None
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'
    return read_layer(bytes(resvg_py.svg_to_bytes(svg, width=256, height=256)))


@cache
def _icons(package: Path) -> tuple[dict[str, str], int, int]:
    """SVG bodies by hyphenless name, and the set's view box."""
    data = json.loads((package / "icons.json").read_text())
    bodies = {name.replace("-", ""): icon["body"] for name, icon in data["icons"].items()}
    aliases = {
        alias.replace("-", ""): bodies[entry["parent"].replace("-", "")]
        for alias, entry in data.get("aliases", {}).items()
        if entry["parent"].replace("-", "") in bodies
    }
    return aliases | bodies, data.get("width", 16), data.get("height", 16)
