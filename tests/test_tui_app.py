"""Every browsing screen and every key path, as a person would press them."""

import json
import sqlite3
import struct

import pytest
from PIL import Image

from lorarar.pictures.images import write_png
from tests.studies_database import add_verdicts, make_database
from tests.tui_app import HALF, NONE, drive, screen_text, sees, until, words
from tui.app import LorararApp
from tui.picture_mode import AppError, choose
from tui.screens.gallery import GalleryScreen
from tui.screens.histogram import HistogramScreen
from tui.screens.matrix import MatrixScreen
from tui.screens.merge import MergeScreen
from tui.screens.scores import ScoresScreen
from tui.screens.zoom import ZoomScreen
from tui.widgets.filter import Filter
from tui.widgets.grid import Grid
from tui.widgets.heatmap import Heatmap
from tui.widgets.help import HelpScreen
from tui.widgets.table import ViTable
from tui.widgets.tile import Tile

YES, NO = "\N{CHECK MARK}", "\N{MULTIPLICATION SIGN}"
SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


def accepts(method, subject, style, seed):
    return method == "alpha" or seed == 0


@pytest.fixture
def database(tmp_path):
    path = make_database(tmp_path)
    add_verdicts(path, accepts)
    return path


def readout(app):
    return words(app.screen.query_one("#readout"))


def test_the_matrix_shows_two_methods_with_numbers_and_colours(database):
    async def script(app, pilot):
        await sees(pilot, "can", "glowing", "alpha  average 1.00", "beta  average 0.33  best 1.00", "1.00", "0.33")
        one = app.screen.query_one("#left", Grid).cells[0][0]
        assert one.words in ("0.33", "1.00") and one.ground is not None
        assert "3 of 3 correct" in readout(app) or "1 of 3 correct" in readout(app)

    drive(database, script)


@pytest.mark.parametrize("keys", [("right", "down"), ("l", "j")])
def test_arrows_and_vi_keys_move_both_cursors(database, keys):
    async def script(app, pilot):
        before = readout(app)
        await pilot.press(*keys)
        left, right = (app.screen.query_one(f"#{side}", Grid) for side in ("left", "right"))
        assert (left.row, left.column) == (right.row, right.column) == (1, 1)
        assert readout(app) != before and readout(app).startswith("cat in oil")
        await pilot.press("h", "k", "left", "up")
        assert (left.row, left.column) == (0, 0)

    drive(database, script)


def test_methods_turn_swap_and_the_figure_changes(database):
    async def script(app, pilot):
        screen = app.screen
        first = dict(screen.method)
        await pilot.press("x")
        assert screen.method == {"left": first["right"], "right": first["left"]}
        await pilot.press("full_stop")
        assert screen.method["left"] == screen.method["right"]
        await pilot.press("comma", "greater_than_sign", "less_than_sign", "a")
        assert screen.best
        await sees(pilot, "yes")
        assert readout(app).count("beta") == 1

    drive(database, script)


def test_the_filter_filters_as_one_types_and_escape_drops_it(database):
    async def script(app, pilot):
        await pilot.press("slash", "d", "o", "g")
        left = app.screen.query_one("#left", Grid)
        assert len(left.rows) == 1 and len(left.columns) == 3
        await pilot.press("enter")
        assert len(left.rows) == 1 and app.focused is left
        await pilot.press("slash", "space", "o", "i", "l")
        assert (len(left.rows), len(left.columns)) == (1, 1)
        await pilot.press("escape")
        assert len(left.rows) == 4 and not app.screen.query_one(Filter).has_class("open")
        await pilot.press("slash", *"zzz")
        assert len(left.rows) == 0 and "nothing matches" in readout(app)

    drive(database, script)


def test_a_kept_filter_shows_and_escape_drops_it_on_every_screen_that_has_one(database):
    async def kept(app, pilot, words_):
        await pilot.press("slash", *words_, "enter")
        await sees(pilot, "filter /", words_, "Esc drops it")

    async def dropped(app, pilot):
        await pilot.press("escape")
        assert not app.screen.query_one(Filter).display and app.screen.filter_words() == ""

    async def script(app, pilot):
        await kept(app, pilot, "dog")
        await dropped(app, pilot)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen) and app.screen.rows)
        await kept(app, pilot, "alp")
        await sees(pilot, "1 of 2 methods")
        await dropped(app, pilot)
        await sees(pilot, "2 methods")
        await pilot.press("1")
        screen = await gallery(app, pilot)
        await kept(app, pilot, "2")
        assert len(screen.pictures) == 1
        await dropped(app, pilot)
        assert app.screen is screen and len(screen.pictures) == 3
        await kept(app, pilot, "1")
        await pilot.click("Filter .drop", offset=(3, 0))
        await until(pilot, lambda: len(screen.pictures) == 3)
        await pilot.press("escape")
        assert isinstance(app.screen, MatrixScreen)

    drive(database, script)


def test_previews_follow_the_cursor(database):
    async def script(app, pilot):
        await pilot.press("down")

        def drawn():
            tiles = [t for t in app.screen.query(Tile) if t.key and t.display]
            return tiles and all(t.picture.image is not None for t in tiles) and tiles[0].row.content == "cat"

        await until(pilot, drawn)

    drive(database, script)
    assert list(database.parent.glob("cache/thumbs/*/*.png"))


def test_enter_opens_the_cell_and_escape_leaves_it(database):
    async def script(app, pilot):
        await pilot.press("right", "enter")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
        await sees(pilot, "3 pictures", "subject")
        await pilot.press("escape")
        assert isinstance(app.screen, MatrixScreen)

    drive(database, script)


async def gallery(app, pilot):
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and app.screen.pictures)
    await pilot.pause()
    return app.screen


def test_the_gallery_moves_turns_filters_and_sizes(database):
    async def script(app, pilot):
        screen = await gallery(app, pilot)
        await pilot.press("right", "l")
        assert screen.cursor == 2
        await pilot.press("end", "home", "G", "g")
        assert screen.cursor == 0
        method = screen.selection.method
        await pilot.press("full_stop")
        assert screen.selection.method != method
        await pilot.press("comma")
        assert screen.selection.method == method
        columns = screen.page.columns
        await pilot.press("plus", "plus", "plus")
        assert screen.page.columns <= columns
        await pilot.press("minus", "minus", "minus", "slash", "2", "enter")
        assert [row.seed for row in screen.pictures] == [2]
        await pilot.press("slash", "escape")
        assert len(screen.pictures) == 3

    drive(database, script)


def test_the_same_seed_across_methods(database):
    async def script(app, pilot):
        screen = await gallery(app, pilot)
        await pilot.press("right", "s")
        assert [(row.row, row.seed) for row in screen.pictures] == [("alpha", 1), ("beta", 1)]
        await pilot.press("full_stop")
        assert {row.seed for row in screen.pictures} == {2}
        await pilot.press("s")
        assert len(screen.pictures) == 3

    drive(database, script)


def test_space_puts_the_other_methods_pictures_in_place_of_these_and_back(database):
    async def script(app, pilot):
        assert app.screen.method == {"left": "beta", "right": "alpha"}
        await pilot.press("space")
        assert app.screen.method == {"left": "alpha", "right": "beta"}
        screen = await gallery(app, pilot)
        await sees(pilot, "alpha (Space: beta)")
        await pilot.press("right", "space")
        assert ([row.row for row in screen.pictures], screen.cursor) == (["beta"] * 3, 1)
        await pilot.press("space", "s", "space")
        assert screen.pictures[screen.cursor].row == "beta"
        await pilot.press("s", "enter")
        await until(pilot, lambda: isinstance(app.screen, ZoomScreen) and app.screen.image is not None)
        zoom = app.screen
        await pilot.press("plus", "right")
        centre, first = zoom.centre, zoom.picture
        await pilot.press("space")
        assert (zoom.picture.row, zoom.picture.seed, zoom.centre) == ("alpha", first.seed, centre)
        await sees(pilot, f"alpha seed {first.seed}", "Space: beta")
        await pilot.press("space")
        assert zoom.picture is first

    drive(database, script)


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (200, 60)])
def test_references_are_pinned_beside_pictures_at_their_size_each_with_its_own_answer(database, size):
    def pinned(app):
        return [tile for tile in app.screen.query("PinnedReferences Tile").results(Tile) if tile.display]

    def captions(app):
        return [tile.caption.plain for tile in pinned(app)]

    def sizes(app, tiles):
        return {(tile.size.width, tile.size.height) for tile in tiles}

    async def script(app, pilot):
        await pilot.press("space")
        await until(pilot, lambda: len(pinned(app)) == 2)  # in the matrix, for the pictures of the focused table
        await until(pilot, lambda: captions(app) == [f"subject 1/2 {YES}3", f"style {YES}3"])
        previews = [tile for tile in app.screen.query(".strip Tile").results(Tile) if tile.display]
        await until(pilot, lambda: len(sizes(app, pinned(app) + previews)) == 1)
        await pilot.press("tab")
        await until(pilot, lambda: captions(app) == [f"subject 1/2 {YES}1 {NO}2", f"style {YES}1 {NO}2"])
        screen = await gallery(app, pilot)
        await until(pilot, lambda: len(pinned(app)) >= 2)
        await until(pilot, lambda: f"subject 1/2 {YES}" in captions(app)[0])
        shown = [tile for tile in screen.query("#pictures Tile").results(Tile) if tile.display]
        await until(pilot, lambda: len(sizes(app, pinned(app) + shown)) == 1)
        await pilot.press("right")
        await until(pilot, lambda: f"subject 1/2 {NO}" in captions(app)[0])
        if len(pinned(app)) == 2:
            await pilot.press("e")
            await until(pilot, lambda: f"subject 2/2 {NO}" in captions(app)[0])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ZoomScreen) and len(pinned(app)) >= 2)
        frame = app.screen.query_one("#frame")
        await until(pilot, lambda: {one.outer_size.width - frame.size.width for one in pinned(app)} <= {-1, 0})
        text = words(app.screen.query_one("#words"))
        assert f"1 {NO} No" in text and "0.png" in text and "0 of 2 references say yes" in text
        width = frame.size.width
        await pilot.press("f")
        await until(pilot, lambda: frame.size.width > width and not pinned(app))

    drive(database, script, size=size)


def test_pages_hold_twenty_pictures_at_most(tmp_path):
    database = make_database(tmp_path, subjects=("can",), styles=("oil",), seeds=45)

    async def script(app, pilot):
        screen = await gallery(app, pilot)
        shown = [tile for tile in screen.query("#pictures Tile") if tile.display]
        assert len(shown) == screen.page.size <= 20
        await sees(pilot, f"page 1 of {-(-45 // screen.page.size)}")
        await pilot.press("n")
        assert screen.cursor == screen.page.size
        await pilot.press("p")
        assert screen.cursor == 0

    drive(database, script, size=(200, 60))


def test_every_picture_of_a_page_is_drawn(tmp_path):
    database = make_database(tmp_path, subjects=("can",), styles=("oil",), seeds=12)

    async def script(app, pilot):
        screen = await gallery(app, pilot)
        app.apply_snapshot(app.context.snapshot)  # while thumbnails are on their way

        def drawn():
            tiles = [tile for tile in screen.query(Tile) if tile.display]
            return len(tiles) >= 12 and all(tile.picture.image is not None for tile in tiles)

        await until(pilot, drawn)

    drive(database, script, size=(160, 50))


def test_zoom_says_what_is_known_comes_closer_and_hands_the_place_back(database):
    async def script(app, pilot):
        screen = await gallery(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ZoomScreen) and app.screen.image is not None)
        zoom = app.screen
        text = words(zoom.query_one("#words"))
        for word in ("references say yes", "Yes", "sha256", "prompt a can", "seed 0"):
            assert word in text, word
        await pilot.press("plus", "plus")
        assert zoom.query_one("#picture").image.size == (4, 4)
        await pilot.press("right", "down", "left", "up", "minus", "minus", "minus")
        assert zoom.scale == 1.0 and zoom.query_one("#picture").image.size == (16, 16)
        await pilot.press("n", "n", "p")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.cursor == 1

    drive(database, script)


def add_coefficients(database, layers):
    with sqlite3.connect(database) as db:
        for merge in [row[0] for row in db.execute("SELECT id FROM merges")]:
            for number, name in enumerate(layers):
                blobs = [
                    struct.pack("<4e", *(base + number * 0.1 + i * 0.01 for i in range(4))) for base in (0.5, -0.2)
                ]
                db.execute("INSERT INTO coefficients VALUES (?, ?, 4, ?, ?)", [merge, name, *blobs])


PARTS = ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "attn2.to_q", "attn2.to_out.0")


def test_the_merge_screen_shows_facts_and_a_map_with_a_readout(database):
    block = "unet.down_blocks.1.attentions.0.transformer_blocks.{}"
    add_coefficients(database, [f"{block.format(b)}.{part}" for b in range(3) for part in PARTS])

    async def script(app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MergeScreen) and app.screen.query_one(Heatmap).map.rows)
        await pilot.pause()
        facts = words(app.screen.query_one("#words"))
        for word in ("content", "style", "merged", "sha256", "options", "version", "not there any more"):
            assert word in facts, word
        heatmap = app.screen.query_one(Heatmap)
        first = readout(app)
        assert "attn1.to_q" in first and "m_c 0.515" in first and "m_s -0.185" in first
        await pilot.press("down", "right")
        assert "transformer_blocks.1.attn1.to_k" in readout(app)
        await pilot.press("l", "l", "l", "l")
        assert heatmap.under is None and "no such layer" in readout(app)  # attn2 has no key here
        await pilot.press("home", "left", "end", "enter")
        await until(pilot, lambda: isinstance(app.screen, HistogramScreen))
        await sees(pilot, "4 columns", "\u2588")
        await pilot.press("escape", "f", "f", "escape")
        assert isinstance(app.screen, MatrixScreen)

    drive(database, script)


def test_seventy_blocks_fit_forty_lines(database):
    block = "unet.down_blocks.2.attentions.{}.transformer_blocks.{}"
    add_coefficients(database, [f"{block.format(a, b)}.{part}" for a in range(7) for b in range(10) for part in PARTS])

    async def script(app, pilot):
        await pilot.press("m")
        await until(
            pilot, lambda: isinstance(app.screen, MergeScreen) and len(app.screen.query_one(Heatmap).map.rows) == 70
        )
        await pilot.pause()
        heatmap = app.screen.query_one(Heatmap)
        assert heatmap.rows_a_line == 2 and heatmap.virtual_size.height == 38
        await until(pilot, lambda: screen_text(app).count("\u2580") > 500)
        await pilot.press("end")
        assert "attentions.6.transformer_blocks.9" in readout(app)

    drive(database, script, size=(120, 44))


def test_a_method_without_coefficients_says_so(database):
    async def script(app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MergeScreen) and "no coefficients" in readout(app))

    drive(database, script)


def test_scores_sort_by_key_and_click_and_open_a_method(database):
    async def script(app, pilot):
        await pilot.press("2")
        await until(
            pilot, lambda: isinstance(app.screen, ScoresScreen) and app.screen.query_one(ViTable).row_count == 2
        )
        screen = app.screen
        assert [row.method for row in screen.rows] == ["alpha", "beta"]
        await sees(pilot, "1.00", "0.33")
        await pilot.press("r")
        assert [row.method for row in screen.rows] == ["beta", "alpha"]
        await pilot.press("s", "S", "slash", *"alp", "enter")
        assert [row.method for row in screen.rows] == ["alpha"]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
        assert app.screen.method["left"] == "alpha"

    drive(database, script, size=(160, 30))


def test_help_names_every_key_of_the_screen(database):
    async def script(app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.pause()
        await sees(
            pilot, "Matrix: a row a subject", "Average/best", "Filter", "Merge", "Flip", "hjkl", "Command palette"
        )
        await pilot.press("escape")
        assert isinstance(app.screen, MatrixScreen)

    drive(database, script, size=(100, 50))


def test_the_palette_has_methods_judges_and_screens(database):
    async def script(app, pilot):
        titles = [command.title for command in app.get_system_commands(app.screen)]
        for title in ("Show alpha", "Beside beta", "Judge scripted (p-1)", "Go to scores", "Theme"):
            assert any(title in one for one in titles), title
        app.screen.show_method("left", "beta")
        assert app.screen.method["left"] == "beta"
        app.choose_judge(app.context.snapshot.judges[0])
        await until(pilot, lambda: not app.loading_snapshot)

    drive(database, script)


def test_copying_says_what_was_copied(database):
    async def script(app, pilot):
        await pilot.press("y")
        assert app.clipboard.startswith("can in glowing")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and app.screen.pictures)
        await pilot.press("y")
        assert app.clipboard.endswith("images/beta/can--glowing/0.png")

    drive(database, script)


def test_the_place_is_remembered(database):
    async def leave(app, pilot):
        await pilot.press("x", "a", "down", "right")
        await until(pilot, lambda: readout(app).startswith("cat in oil"))
        app.theme = "nord"
        return dict(app.screen.method)

    async def back(app, pilot):
        assert app.screen.best and app.theme == "nord"
        await until(pilot, lambda: readout(app).startswith("cat in oil"))
        return dict(app.screen.method)

    assert drive(database, leave) == drive(database, back, mode="")


def test_a_mouse_is_enough(database):
    async def script(app, pilot):
        await pilot.click("#left", offset=(20, 4))
        await pilot.click("#left", offset=(20, 4))
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
        await until(pilot, lambda: app.screen.pictures)
        await pilot.pause()
        tiles = [tile for tile in app.screen.query("#pictures Tile") if tile.display]
        await pilot.click(tiles[1])
        assert app.screen.cursor == 1
        await pilot.click(tiles[1])
        await until(pilot, lambda: isinstance(app.screen, ZoomScreen))
        await pilot.press("escape", "escape")
        await pilot.click("TopBar .tabs", offset=(13, 0))
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen))

    drive(database, script)


def test_what_another_process_writes_appears(database):
    async def script(app, pilot):
        with sqlite3.connect(database) as db:
            db.execute("UPDATE cells SET row = 'gamma' WHERE row = 'beta'")
        await until(pilot, lambda: "gamma" in app.context.snapshot.methods)
        await sees(pilot, "gamma")

    drive(database, script)


def test_an_empty_database_says_what_to_do_and_fills_by_itself(tmp_path):
    path = tmp_path / "grid.db"

    async def script(app, pilot):
        await until(pilot, lambda: app.screen.has_class("empty"))
        await sees(pilot, "lorarar demo")
        assert "grid.db has no pictures" in words(app.screen.query_one("#first"))  # on the screen a long path is broken
        make_database(tmp_path)
        await until(pilot, lambda: not app.screen.has_class("empty"))
        await sees(pilot, "alpha")

    drive(path, script)


@pytest.mark.parametrize("size", SIZES)
def test_every_screen_fits_and_survives_a_change_of_size(database, size):
    async def script(app, pilot):
        await pilot.resize_terminal(80, 24)
        await pilot.press("enter")
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await sees(pilot, "Back")
        await pilot.press("enter")
        await pilot.resize_terminal(60, 16)
        await pilot.press("escape", "escape", "m")
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await sees(pilot, "sha256")
        await pilot.press("escape")
        await pilot.resize_terminal(20, 6)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        await sees(pilot, "alpha")

    drive(database, script, size=size)


def test_without_pictures_names_stand_in_their_place(database):
    async def script(app, pilot):
        await pilot.press("enter")
        await sees(pilot, "0.png")
        await pilot.press("enter")
        await sees(pilot, "16 x 16 pixels")

    drive(database, script, picture_mode=NONE)


HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e[/bold][@click=app.quit]x"


def test_names_in_brackets_are_names(tmp_path):
    database = make_database(tmp_path, methods=("alpha", "beta"), subjects=("can",), styles=("oil",))
    with sqlite3.connect(database) as db:
        db.execute("UPDATE cells SET row = '[/x] ' || row")

    async def script(app, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause(0.3)
        await pilot.press(*"show x")
        await sees(pilot, "Show [/x] alpha")

    drive(database, script)


def test_an_incomplete_grid_can_be_walked(tmp_path):
    database = make_database(tmp_path, subjects=("can", "cat"), styles=("oil", "ink"))
    with sqlite3.connect(database) as db:
        db.execute("DELETE FROM cells WHERE content = 'can' AND style = (SELECT min(style) FROM cells)")

    async def script(app, pilot):
        for _ in range(4):
            await pilot.press("enter", "full_stop", "s", "full_stop", "s", "escape", "right")
        assert app.is_running

    drive(database, script)


def test_references_that_cannot_be_read_are_left_out(tmp_path):
    database = make_database(tmp_path, subjects=("can",), styles=("oil",))
    for folder in tmp_path.rglob("can"):
        if folder.is_dir():
            (folder / "more.png").mkdir()

    async def script(app, pilot):
        await pilot.press("enter")
        await sees(pilot, "subject")

    drive(database, script)


def test_codes_from_the_database_never_reach_the_terminal(tmp_path):
    database = make_database(tmp_path, methods=("alpha", "beta"), subjects=("can",), styles=("oil",))
    add_verdicts(database, accepts)
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE cells SET row = ? || row, content = ? || content, style = ? || style", [HOSTILE] * 3)
        db.execute("UPDATE images SET prompt = ?, path = ? || id, base = ?, version = ?", [HOSTILE] * 4)
        db.execute("UPDATE merges SET method = ? || id, options = ?, base = ?, version = ?", [HOSTILE] * 4)
        db.execute("UPDATE adapters SET name = ?, path = ? || id", [HOSTILE, HOSTILE])
        db.execute("UPDATE judges SET critic = ?", [HOSTILE])
        db.execute("UPDATE verdicts SET answer = ?, prompts = ?", [HOSTILE, HOSTILE])
        db.execute("UPDATE coefficients SET layer = ?", [HOSTILE])
    block = "unet.down_blocks.1.attentions.0.transformer_blocks." + HOSTILE
    add_coefficients(database, [f"{block}.{part}" for part in PARTS])

    async def script(app, pilot):
        for keys in (
            ("enter",),
            ("enter",),
            ("escape", "s"),
            ("escape", "m"),
            ("enter",),
            ("escape", "escape", "2"),
            ("question_mark",),
        ):
            await pilot.press(*keys)
            await pilot.pause(0.3)
            assert not any(c in screen_text(app) for c in "\x1b\x07\x9b\u202e"), keys
            assert not any(c in app.export_screenshot() for c in "\x1b\x07\x9b\u202e"), keys
        await pilot.press("escape", "1", "y")
        assert not any(c in app.clipboard for c in "\x1b\x07\x9b\u202e")
        titles = [command.title + command.help for command in app.get_system_commands(app.screen)]
        assert not any(c in title for title in titles for c in "\x1b\x07\x9b\u202e")

    drive(database, script)


def test_pictures_that_are_gone_or_broken_are_said(database):
    images = sorted((database.parent / "images").rglob("*.png"))
    for path in images[::2]:
        path.write_bytes(b"no picture")
    for path in images[1::2]:
        path.unlink()

    async def script(app, pilot):
        await pilot.press("enter")
        await sees(pilot, "cannot be read")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ZoomScreen))
        await pilot.pause(0.2)

    drive(database, script)


class Viewer:
    wait = staticmethod(lambda: 0)


def test_where_no_program_could_show_a_picture_its_path_is_said(database, monkeypatch):
    monkeypatch.setattr("tui.open_external.sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tui.open_external.subprocess.Popen", lambda *_, **__: pytest.fail("a program was started"))

    async def script(app, pilot):
        await gallery(app, pilot)
        await pilot.press("o")
        (notice,) = app._notifications
        assert notice.title == "No viewer here" and notice.message.endswith("0.png")

    drive(database, script)


def test_a_picture_opens_in_the_systems_viewer_from_the_gallery_and_from_zoom(database, monkeypatch):
    opened = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("tui.open_external.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("tui.open_external.subprocess.Popen", lambda command, **_: opened.append(command[-1]) or Viewer)

    async def script(app, pilot):
        await gallery(app, pilot)
        await pilot.press("o", "enter")
        await until(pilot, lambda: isinstance(app.screen, ZoomScreen))
        await pilot.press("n", "o")

    drive(database, script)
    assert [path.rpartition("/")[2] for path in opened] == ["0.png", "1.png"]


@pytest.mark.parametrize("mode", ["half", "kitty", "sixel", "none"])
def test_ways_to_draw_are_taken_as_asked(mode):
    assert choose(mode).name == mode


def test_an_unknown_way_to_draw_names_those_there_are():
    with pytest.raises(AppError, match="auto, kitty, sixel, half, none"):
        choose("ascii")


def test_the_state_file_never_decides_what_does_not_exist(database, tmp_path):
    state = {
        "theme": "no such theme",
        "places": {str(database): {"mode": "nowhere", "left": "gone", "sort": "x", "tile": 99}},
    }
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "tui.json").write_text(json.dumps(state))

    async def script(app, pilot):
        assert isinstance(app.screen, MatrixScreen) and app.screen.method["left"] == "beta"
        await pilot.press("enter", "escape", "2")

    drive(database, script, mode="")


def test_large_pictures_are_shown_small(tmp_path):
    database = make_database(tmp_path, subjects=("can",), styles=("oil",), seeds=1)
    for path in (tmp_path / "images").rglob("*.png"):
        write_png(Image.new("RGB", (1500, 900), "teal"), path)

    async def script(app, pilot):
        await until(
            pilot, lambda: any(t.key and t.picture.image for t in app.screen.query(".strip Tile").results(Tile))
        )
        sizes = {t.picture.image.size for t in app.screen.query(".strip Tile").results(Tile) if t.picture.image}
        assert sizes == {(192, 115)}

    drive(database, script)


def test_the_app_leaves_no_thread_behind(database):
    async def script(app, pilot):
        await pilot.press("q")
        return app

    app = drive(database, script)
    assert isinstance(app, LorararApp) and app.context.drawing_client.closed
    assert not app.context.thumbnails.working
    assert app.context.picture_mode == HALF
