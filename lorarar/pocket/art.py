"""The emoji art: which npm packages it comes from and how one drawing becomes pixels.

Only data is taken from the packages (SVG bodies and WebP pictures); no JavaScript is run. Every
drawing is trimmed, centred and scaled to the same extent, so that no artist is recognised by margins.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image

from lorarar.pocket.classes import CLASSES, Thing
from lorarar.util.errors import PocketError

SIZE = 128  # side of a design in pixels; the drawing's longer side fills EXTENT of it
EXTENT = 0.84


@dataclass(frozen=True)
class Artist:
    """One icon set: its short name, npm package, and whose work under which licence it is."""

    name: str
    package: str
    version: str
    owner: str
    licence: str


ARTISTS = (
    Artist("noto", "@iconify-json/noto", "1.2.9", "Google", "Apache-2.0"),
    Artist("noto-v1", "@iconify-json/noto-v1", "1.2.5", "Google", "Apache-2.0"),
    Artist("fluent-flat", "@iconify-json/fluent-emoji-flat", "1.2.6", "Microsoft", "MIT"),
    Artist("fluent-3d", "@lobehub/fluent-emoji-3d", "1.1.0", "Microsoft", "MIT"),
    Artist("fxemoji", "@iconify-json/fxemoji", "1.2.2", "Mozilla", "Apache-2.0"),
    Artist("twemoji", "@iconify-json/twemoji", "1.2.5", "Twitter", "CC-BY-4.0"),
    Artist("emojione", "@iconify-json/emojione", "1.2.3", "EmojiOne", "CC-BY-4.0"),
)


def fetch(artist: Artist, folder: Path) -> Path:
    """Unpack the artist's npm package below ``folder`` (kept from an earlier run) and return its root."""
    root = folder / artist.name
    if (root / "package").is_dir():
        return root / "package"
    root.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", f"{artist.package}@{artist.version}", "--silent", "--pack-destination", str(root)]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise PocketError("npm is not installed; the art stage takes its packages through npm") from None
    except subprocess.CalledProcessError as error:
        raise PocketError(f"npm could not fetch {artist.package}@{artist.version}: {error.stderr.strip()}") from None
    with tarfile.open(root / done.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(root, filter="data")
    return root / "package"


def draw(artist: Artist, thing: Thing, package: Path) -> Image.Image | None:
    """The artist's design of a thing as a centred ``SIZE`` x ``SIZE`` RGBA picture; None if not drawn."""
    if artist.name in thing.not_by:
        return None
    picture = _webp(thing, package) if artist.name == "fluent-3d" else _svg(thing, package)
    return None if picture is None else centre(picture)


def centre(picture: Image.Image) -> Image.Image:
    """Trim transparent margins and fit the rest into the middle of a ``SIZE`` x ``SIZE`` picture."""
    trimmed = picture.crop(picture.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox())
    scale = EXTENT * SIZE / max(trimmed.size)
    trimmed = trimmed.resize((round(trimmed.width * scale), round(trimmed.height * scale)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (SIZE, SIZE))
    canvas.paste(trimmed, ((SIZE - trimmed.width) // 2, (SIZE - trimmed.height) // 2))
    return canvas


def draw_all(folder: Path) -> dict[tuple[str, str], Image.Image]:
    """Every design that exists, by ``(class name, artist name)``."""
    designs = {}
    for artist in ARTISTS:
        package = fetch(artist, folder)
        for thing in CLASSES:
            picture = draw(artist, thing, package)
            if picture is not None:
                designs[thing.name, artist.name] = picture
    return designs


def _webp(thing: Thing, package: Path) -> Image.Image | None:
    for name in (thing.code_point, f"{thing.code_point}-fe0f"):
        path = package / "assets" / f"{name}.webp"
        if path.exists():
            return Image.open(path).convert("RGBA")
    return None


def _svg(thing: Thing, package: Path) -> Image.Image | None:
    import resvg_py

    icons, width, height = _icons(package)
    body = next((icons[name] for name in thing.icons if name in icons), None)
    if body is None:
        return None
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'
    return Image.open(BytesIO(bytes(resvg_py.svg_to_bytes(svg, width=256, height=256)))).convert("RGBA")


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
