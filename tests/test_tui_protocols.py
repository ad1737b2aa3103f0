"""Kitty's and Sixel's pictures: what a terminal would show of the bytes it gets."""

import base64
import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from textual_image._sixel import image_to_sixels
from textual_image.widget import TGPImage

from tests.shown import make_shown
from tests.sixel_decoder import decode
from tests.tui_app import drive, until
from tui.contrast import PLACEHOLDER
from tui.picture_mode import PictureMode
from tui.sixels import Sixels, portable, whole_bands
from tui.widgets.tile import Tile

MESSAGE = re.compile("\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\\\")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def picture():
    """Smooth colours with an edge: many registers, each band overdrawn."""
    across = np.linspace(0, 255, 61, dtype=np.uint8)
    smooth = np.stack(
        [np.tile(across, (45, 1)), np.tile(across[:45, None], (1, 61)), np.full((45, 61), 90, np.uint8)], 2
    )
    smooth[10:30, 20:40] = (255, 240, 0)
    return Image.fromarray(smooth)


def test_sixels_show_the_picture_where_a_definition_does_not_select(picture):
    kept = whole_bands(picture)
    quantized = np.asarray(kept.quantize(256, method=Image.Quantize.FASTOCTREE).convert("RGB")).astype(int)
    shown = decode(portable(image_to_sixels(kept)))
    assert shown.shape == quantized.shape and np.abs(shown - quantized).max() <= 3  # sixels count colours in percent
    unmended = decode(image_to_sixels(kept)).astype(int)
    assert np.abs(unmended - quantized).max() > 50


@pytest.mark.parametrize("height", [1, 5, 6, 7, 45, 48])
def test_sixels_are_no_higher_than_the_picture_and_end_on_its_last_line(picture, height):
    sixels = portable(image_to_sixels(whole_bands(picture.resize((20, height)))))
    bands = sixels.count("-") + 1
    assert not sixels.endswith("-\x1b\\")
    assert bands == max(height // 6, 1) and decode(sixels).shape[0] <= max(height, 6)


def test_the_app_draws_sixels_as_they_are_portable(tmp_path):
    async def script(app, pilot):
        await until(pilot, lambda: any(tile.picture.image for tile in app.screen.query(Tile)))
        await pilot.pause()
        update = app.screen._compositor.render_update(full=True)
        data = [one.text for one in app.console.render(update) if one.text.startswith("\x1bP")]
        assert data
        tile = next(tile for tile in app.screen.query(Tile) if tile.picture.image is not None)
        colours = {tuple(colour) for one in data for row in decode(one) for colour in row.tolist()}
        wanted = tile.picture.image.convert("RGB").getpixel((0, 0))
        assert any(max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 3 for colour in colours)

    drive(make_shown(tmp_path), script, picture_mode=PictureMode("sixel", Sixels, (10, 20)))


def test_kittys_placeholders_name_the_pictures_that_were_sent(tmp_path, monkeypatch):
    sent = io.StringIO()
    monkeypatch.setattr("textual_image.renderable.tgp.sys", SimpleNamespace(__stdout__=sent))

    async def script(app, pilot):
        await until(pilot, lambda: sum(tile.picture.image is not None for tile in app.screen.query(Tile)) > 1)
        await pilot.pause()
        update = app.screen._compositor.render_update(full=True)
        segments = [one for one in app.console.render(update) if PLACEHOLDER in one.text]
        return segments, [tile.picture.image for tile in app.screen.query(Tile) if tile.picture.image is not None]

    segments, images = drive(make_shown(tmp_path), script, picture_mode=PictureMode("kitty", TGPImage, (10, 20)))
    chunks, placed = {}, {}
    for keys, payload in MESSAGE.findall(sent.getvalue()):
        facts = dict(key.split("=") for key in keys.split(","))
        if facts.get("a") == "p":
            assert facts["U"] == "1"
            placed[int(facts["i"])] = int(facts["c"]), int(facts["r"])
        elif payload:
            chunks[int(facts["i"])] = chunks.get(int(facts["i"]), "") + payload
    on_screen = {}
    for segment in segments:  # the colour is the lower 24 bits of a picture's number
        red, green, blue = segment.style.color.get_truecolor()
        number = red << 16 | green << 8 | blue
        on_screen[number] = on_screen.get(number, 0) + segment.text.count(PLACEHOLDER)
    assert len(on_screen) > 1
    for number, cells in on_screen.items():
        whole = next(one for one in chunks if one & 0xFFFFFF == number)
        assert placed[whole][0] * placed[whole][1] == cells
        received = Image.open(io.BytesIO(base64.b64decode(chunks[whole]))).convert("RGB")
        assert received.getpixel((1, 1)) in {image.convert("RGB").getpixel((1, 1)) for image in images}
