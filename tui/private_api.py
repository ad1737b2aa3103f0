"""What the app needs of Textual and textual-image that has no public name, one function each.

Checked with Textual 8.2.8 and textual-image 0.12.0; where a new version breaks one, only this file changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode
    from textual.screen import Screen


def release_rendered_lines() -> None:
    """Let go of the rendered lines of widgets that are gone.

    Textual caches borders by widget, in a cache of a thousand entries that holds each widget's lines; with pictures
    these are tens of megabytes, and nothing public empties it.
    """
    from textual._styles_cache import StylesCache

    StylesCache.get_inner_outer.cache_clear()


def fitting_cells(picture: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows that textual-image gives a picture of so many pixels in a room of columns and rows."""
    from textual_image._geometry import ImageSize
    from textual_image._terminal import get_cell_size

    columns, rows = ImageSize(*picture, "auto", "auto").get_cell_size(*room, get_cell_size())
    return int(columns), int(rows)


def bind_keys(node: DOMNode, keys: str, action: str, description: str) -> None:
    """Bind keys, separated by commas, to an action of one widget or screen; the help lists them, the bar does not.

    Textual binds keys by class, and by instance those of the app alone.
    """
    node._bindings.bind(keys, action, description, show=False)


def failing_node() -> object | None:
    """The widget, screen or app whose message is being handled or whose worker runs now; None outside of any.

    Textual tells the app that something raised, but not whose it was.
    """
    from textual._context import active_message_pump
    from textual.app import App
    from textual.worker import active_worker

    node, worker = active_message_pump.get(None), active_worker.get(None)
    return worker.node if isinstance(node, App) and worker is not None else node


def take_covering_screens(app: App[Any]) -> list[Screen[Any]]:
    """Take the screens that lie over the first ones of modes that are not shown, to be removed.

    Textual pops screens of the current mode alone.
    """
    stacks = [stack for mode, stack in app._screen_stacks.items() if mode != app.current_mode]
    taken = [screen for stack in stacks for screen in reversed(stack[1:])]
    for stack in stacks:
        del stack[1:]
    return taken


def mark_styled(app: App[Any], screen: Screen[Any]) -> None:
    """Say that a new screen gets today's style sheet when it is mounted, as every widget does.

    Textual does not count that: it would read the whole sheet anew when the mode is opened first, again as it is shown,
    and once more when it is shown the second time; each time is longer than a key may take.
    """
    screen._css_update_count = app._css_update_count


def check_style_sheet(app: App[Any], screen: Screen[Any]) -> None:
    """Read a screen's default styles alone; once among the app's own, a fault in them would end every screen.

    Raises:
        StylesheetError, TokenError: they cannot be read.
    """
    from textual.css.stylesheet import Stylesheet

    sheet = Stylesheet(variables=app.get_css_variables())
    for read_from, css, tie_breaker, scope in screen._get_default_css():
        sheet.add_source(css, read_from=read_from, is_default_css=True, tie_breaker=tie_breaker, scope=scope)
    sheet.parse()
