"""How the app looks: screenshots of its screens, and text that can be read in every theme."""

import pytest

from tests.screenshots import compare, rows
from tests.shown import SCREENS, DrawnAtOnce, make_shown, settled, shown_report, walk
from tests.tui_app import drive
from tui.contrast import legible
from tui.palette import contrast as palette_contrast

THEMES = ("textual-dark", "textual-light")
SHAPES = set(map(chr, range(0x2500, 0x25A0)))


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """A folder with a database called ``grid.db``; whatever is asked of a study, the report is the same."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    make_shown(tmp_path)

    async def report(database, study, simulated):
        return shown_report(study)

    monkeypatch.setattr("tui.screens.reporting.report", report)
    return tmp_path


def go(folder, size, see):
    """Walk over all screens of an app of a size; ``see(app, pilot, name)`` looks at each."""
    client = DrawnAtOnce(folder)

    async def script(app, pilot):
        app.animation_level = "none"
        async for name in walk(app, pilot, client):
            await see(app, pilot, name)

    drive(folder / "grid.db", script, size=size, client=client)


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_screens_look_as_they_did(shown, size):
    changes = []

    async def see(app, pilot, name):
        for theme in THEMES:
            app.theme = theme
            now = await settled(app, pilot)
            changes.append(compare(f"{name}-{size[0]}x{size[1]}-{theme.removeprefix('textual-')}", now, shown))

    go(shown, size, see)
    assert len(changes) == len(SCREENS) * len(THEMES)
    assert not any(changes), "\n\n".join(filter(None, changes))


def faint(app):
    """Words on the screen that cannot be read on their ground, with their style."""
    segments = [segment for row in rows(app) for segment in row if set(segment.text) - SHAPES - {" "}]
    return {(one.text.strip(), str(one.style)) for one in segments if contrast(one.style) < 4.5}


def all_faint(folder, themes_of):
    """What cannot be read on the eight screens, each in its themes."""
    found, looked = {}, []

    async def see(app, pilot, name):
        for theme in themes_of(looked, [one.name for one in app.available_themes.values() if not one.ansi]):
            app.theme = theme
            await pilot.pause()
            if unread := faint(app):
                found[theme, name] = sorted(unread)[:5]
        looked.append(name)

    go(folder, (120, 40), see)
    assert tuple(looked) == SCREENS
    return found


def test_all_text_can_be_read_in_every_theme_on_some_screen_and_in_the_lightest_on_all(shown):
    def themes(looked, available):
        assert len(available) >= 19
        return ["textual-light", *available[len(looked) :: len(SCREENS)]]

    assert all_faint(shown, themes) == {}


@pytest.mark.slow
def test_all_text_can_be_read_in_every_theme_on_every_screen(shown):
    assert all_faint(shown, lambda looked, available: available) == {}


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), (0, 69, 120), (119, 119, 119), (200, 184, 102)])
def test_a_colour_that_can_be_read_stays_and_another_moves_no_further_than_it_must(ground):
    for ink in [(0, 0, 0), (255, 255, 255), (1, 120, 212), (120, 120, 120), (153, 142, 195)]:
        moved = legible(ink, ground)
        measured = palette_contrast(moved, ground)
        assert measured >= 4.5
        assert moved == ink if palette_contrast(ink, ground) >= 4.5 else measured < 5.5


def contrast(style):
    """WCAG's contrast of a style's words with their ground."""
    dark, bright = sorted(luminance(colour.get_truecolor()) for colour in (style.color, style.bgcolor))
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (part / 255 for part in colour)]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
