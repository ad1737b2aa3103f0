"""Pictures in half cells: the colours, the size, and what is let go of."""

import gc

import numpy as np
import pytest
from PIL import Image
from textual._styles_cache import StylesCache
from textual.app import App
from textual.geometry import Region, Size
from textual_image.renderable.halfcell import Image as Reference

from tests.studies_database import make_database
from tests.tui_app import drive, sees, until
from tui.half_cells import HalfCells, draw
from tui.palette import diverging, sequential
from tui.screens.gallery import GalleryScreen
from tui.widgets.tile import Tile


def noise(width, height, seed=0):
    """No two pixels alike."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def colours(strip):
    """Colours of the upper and the lower pixel of each cell."""
    return [
        (segment.style.color.triplet, segment.style.bgcolor.triplet)
        for segment in strip
        if segment.text.strip("\n")
        for _ in segment.text
    ]


@pytest.mark.parametrize("picture", [noise(64, 64), Image.new("RGB", (64, 64), (9, 8, 7)), noise(9, 31).convert("L")])
def test_half_cells_have_the_colours_of_textual_image(picture):
    app = App()
    options = app.console.options.update(width=12, height=6)
    theirs = app.console.render_lines(Reference(picture, 12, 6), options, pad=False)
    ours = draw(picture, Size(12, 6))
    assert [colours(strip) for strip in ours] == [colours(line) for line in theirs]
    assert [strip.cell_length for strip in ours] == [12] * 6


def test_equal_cells_in_a_row_are_one_segment():
    (strip,) = draw(Image.new("RGB", (8, 8), (1, 2, 3)), Size(10, 1))
    assert [segment.text for segment in strip] == ["▀" * 10]


def test_a_picture_is_drawn_once_a_size_and_keeps_its_shape(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    drawn = []
    monkeypatch.setattr("tui.half_cells.draw", lambda image, size: drawn.append(size) or draw(image, size))
    database = make_database(tmp_path, subjects=("can",), styles=("oil",), seeds=6)

    async def script(app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and len(app.screen.query(HalfCells)) >= 6)
        await until(pilot, lambda: all(picture.image for picture in pictures(app)))
        await pilot.pause(0.3)
        drawn.clear()
        await pilot.press("plus")
        await pilot.pause(0.3)
        shown = pictures(app)
        beside = [tile for tile in app.screen.query("PinnedReferences Tile").results(Tile) if tile.display]
        assert len(drawn) == len(shown) + len(beside), drawn
        assert all(abs(picture.size.width - 2 * picture.size.height) <= 1 for picture in shown)

    drive(database, script)


def test_a_picture_that_is_taken_away_leaves_none_of_its_rows_and_comes_back_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    database = make_database(tmp_path, subjects=("can",), styles=("oil",), seeds=2)

    def rows(widget, crop=None):
        return widget.render_lines(crop or Region(0, 0, *widget.size))

    async def script(app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and len(app.screen.query(HalfCells)) >= 2)
        await until(pilot, lambda: all(picture.image for picture in pictures(app)))
        await pilot.pause(0.2)
        widget = pictures(app)[0]
        image, whole = widget.image, rows(widget)
        assert len(whole) == widget.size.height > 3
        assert "▀" in whole[0].text and "▀" in whole[-1].text
        widget.image = None
        assert [strip.text for strip in rows(widget)] == [" " * widget.size.width] * widget.size.height
        assert [strip.text for strip in rows(widget, Region(2, 1, 3, 2))] == ["   "] * 2
        widget.image = image
        assert [strip.text for strip in rows(widget)] == [strip.text for strip in whole]
        assert rows(widget) == whole

    drive(database, script)


def pictures(app):
    return [tile.query_one(HalfCells) for tile in app.screen.query("#pictures Tile").results(Tile) if tile.display]


def test_the_lines_of_widgets_that_are_gone_are_let_go(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    database = make_database(tmp_path, subjects=("can",), styles=("oil",), seeds=6)

    async def script(app, pilot):
        async def look():
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
            await sees(pilot, "seed 1")
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, GalleryScreen))

        async def held():
            app.poll()
            await pilot.pause(0.1)
            gc.collect()
            return sum(isinstance(thing, StylesCache) and bool(thing._cache) for thing in gc.get_objects())

        await look()
        before = await held()
        for _ in range(3):
            await look()
        assert await held() <= before + 10

    drive(database, script)


@pytest.mark.parametrize("share", [float("nan"), float("inf"), -1.0, 0.5])
def test_every_figure_has_a_colour(share):
    for scale in (sequential, diverging):
        assert all(0 <= part <= 255 for part in scale(share))
