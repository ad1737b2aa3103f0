"""The scatter plot, whose dots hide nothing and open their pictures, and a study's outcomes as bars."""

import pytest
from textual.widgets import Static

from studies.figures import Figure
from studies.rendering import as_json, from_json
from tests.shown import make_shown, shown_report
from tests.tui_app import drive, sees, until, words
from tui.screens.gallery import GalleryScreen
from tui.views.scatter import Axis, Plot
from tui.views.study_bars import outcome_bar, study_bars
from tui.widgets.scatter import ABOVE, GUTTER, Scatter
from tui.widgets.tile import Tile

PEOPLE = (1.0, -1.0, 0.0, 0.5, -1.0, -1.0, -1.0, 1.0)


@pytest.mark.parametrize("scores", [(1, 0, 0, 1, 0, 0, 1, 1), (0,) * 8, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1e6)])
@pytest.mark.parametrize("size", [(12, 4), (40, 10), (120, 40)])
def test_every_point_is_in_a_dot_within_the_frame_and_is_counted_there(scores, size):
    plot = Plot.of(scores, PEOPLE, *size)
    assert sorted(point for dot in plot.dots for point in dot.points) == list(range(8))
    assert len({(dot.column, dot.row) for dot in plot.dots}) == len(plot.dots)
    for dot in plot.dots:
        assert 0 < dot.column < size[0] - 1 and 0 < dot.row < size[1] - 1
        assert dot.mark == (str(len(dot.points)) if len(dot.points) > 1 else "\N{BLACK CIRCLE}")


def test_equal_points_share_a_cell_and_none_is_moved():
    plot = Plot.of([0.0, 1.0, 0.0, 0.0], [0.5, 0.5, 0.5, -0.5], 40, 12)
    assert [dot.points for dot in plot.dots] == [(0, 2), (3,), (1,)]
    assert plot.dots[0].column == plot.dots[1].column and plot.dots[0].row == plot.dots[2].row


def test_many_points_in_one_place_are_a_plus():
    assert Plot.of([0.0] * 10, [0.0] * 10, 40, 12).dots[0].mark == "+"


@pytest.mark.parametrize(
    ("values", "most", "ticks"),
    [
        ((-1.0, 1.0), 5, (-1.0, -0.5, 0.0, 0.5, 1.0)),
        ((0.0, 1.0), 3, (0.0, 0.5, 1.0)),
        ((0.02, 0.97), 6, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ((3.0,), 3, (2.5, 3.0, 3.5)),
        ((), 3, (0.0, 0.5, 1.0)),
        ([-1.0, 0.4], 2, (-1, 0, 1)),
        ([-0.3, 0.0], 1, (-0.4, -0.2, 0)),
        ([99.0, 101.5], 2, (98, 100, 102)),
    ],
)
def test_ticks_are_round_and_hold_all_values(values, most, ticks):
    assert Axis.over(values, most).ticks == ticks


def test_arrows_go_to_the_nearest_dot_in_their_direction():
    plot = Plot.of([0, 0, 1, 1, 0.5], [0, 1, 0, 1, 0.5], 41, 11)
    place = {dot.points[0]: at for at, dot in enumerate(plot.dots)}
    assert plot.next_to(place[0], "up") == place[1] and plot.next_to(place[1], "up") == place[1]
    assert plot.next_to(place[1], "down") == place[0] and plot.next_to(place[3], "left") in (place[4], place[1])
    assert plot.next_to(place[4], "right") in (place[2], place[3])


def test_a_report_brings_its_points_pictures_through_json():
    assert from_json(as_json(shown_report())) == shown_report()


@pytest.fixture
def shown(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))

    async def report(database, study, simulated):
        return shown_report(study)

    monkeypatch.setattr("tui.screens.reporting.report", report)
    return make_shown(tmp_path)


def readout(app):
    return words(app.screen.query_one("#readout", Static))


def gallery_digests(app):
    return [tile.row.sha256 for tile in app.screen.query("#pictures Tile").results(Tile) if tile.row is not None]


def test_a_dot_opens_its_pictures_by_key_and_the_gallery_turns_through_its_items(shown):
    async def script(app, pilot):
        await until(pilot, lambda: bool(app.screen.query(Scatter)) and len(app.screen.query_one(Scatter).plot.dots) > 3)
        await pilot.press("tab")
        plot = app.screen.query_one(Scatter)
        await until(pilot, lambda: plot.has_focus)
        await pilot.press("left", "left", "left", "down", "down", "down")
        items = plot.under.points
        assert items == (1, 4, 5)  # MARS2 says no, people say no
        await sees(pilot, "3 items here, MARS2 0, people -1: cat in oil")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and len(gallery_digests(app)) == 2)
        assert gallery_digests(app) == list(shown_report().points[0].pictures[1])
        await sees(pilot, "cat in oil", "item 1 of 3 in this place", "alpha", "beta")
        await pilot.press("full_stop")
        await sees(pilot, "can in oil", "item 2 of 3")
        assert gallery_digests(app) == list(shown_report().points[0].pictures[4])
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, GalleryScreen))
        assert app.screen.query_one(Scatter).under.points == items

    drive(shown, script, mode="agreement", size=(160, 45))


def test_a_click_on_a_dot_opens_its_pictures_and_one_beside_it_does_nothing(shown):
    async def script(app, pilot):
        await until(pilot, lambda: bool(app.screen.query(Scatter)) and len(app.screen.query_one(Scatter).plot.dots) > 3)
        await pilot.pause()
        dot = next(dot for dot in app.screen.query_one(Scatter).plot.dots if dot.points == (3,))
        await pilot.click(Scatter, offset=(GUTTER + dot.column - 3, ABOVE + dot.row))
        assert not isinstance(app.screen, GalleryScreen)
        await pilot.click(Scatter, offset=(GUTTER + dot.column, ABOVE + dot.row))
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and len(gallery_digests(app)) == 2)
        assert gallery_digests(app) == list(shown_report().points[0].pictures[3])

    drive(shown, script, mode="agreement", size=(80, 45))


def outcome(value, low, high, scale=(0.0, 1.0)):
    return Figure("outcomes", "a against b", "a better", value, low, high, 48, "votes", least=scale[0], most=scale[1])


def filled(bar):
    return sum(span.end - span.start for span in bar.spans)


def test_a_bar_is_as_long_as_its_share_and_shows_its_interval():
    bar = outcome_bar(outcome(0.5, 0.25, 0.75), 40)
    assert filled(bar) == 20 and bar.plain.index("├") == 10 and bar.plain.index("┤") == 29
    assert filled(outcome_bar(outcome(1.0, None, None), 40)) == 40
    assert filled(outcome_bar(outcome(0.0, 0.0, 0.0), 40)) == 0
    left = outcome_bar(outcome(-0.5, -0.9, 0.1, (-1.0, 1.0)), 40)
    assert filled(left) == 10 and left.spans[0].end == 20 and left.plain[20] in "┊─"


@pytest.mark.parametrize("room", [76, 120, 196])
def test_outcomes_and_ranking_are_bars_no_wider_than_the_screen(room):
    lines = study_bars(shown_report(), room).plain.splitlines()
    assert max(map(len, lines)) <= room
    text = "\n".join(lines)
    for word in ("alpha against beta", "beta better", "0.550 (0.410 to 0.680)", "preference", "gamma", "┊", "●"):
        assert word in text, word
    assert "sign test" not in text


def test_the_study_screen_shows_bars(shown):
    async def script(app, pilot):
        await sees(pilot, "alpha against beta", "comparable", "├", "strengths of the methods", "sign test p")

    drive(shown, script, mode="study", size=(120, 45))
