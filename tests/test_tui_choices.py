"""What screens show, worked out without widgets: a comparison, a selection, a page, a filter, the table of modes."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from lorarar.store.queries import Collection, PictureRow
from tui.modes import MODES
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot, key_of
from tui.views.comparison import TwoMethods, default_methods
from tui.views.filtering import filter_concepts
from tui.views.gallery_page import MOST, Page
from tui.views.pinned import in_sight, pin
from tui.views.selection import Selection


def picture(number, method, content="cat", style="oil", seed=0):
    return PictureRow(
        id=number,
        sha256=f"{number:064x}",
        path=f"{number}.png",
        prompt="",
        base="pocket",
        collection=Collection("plan", "tiny"),
        row=method,
        content=content,
        style=style,
        seed=seed,
        merge=None,
        content_lora=None,
        style_lora=None,
    )


@pytest.fixture
def snapshot():
    rows = [picture(2 * seed + at, method, seed=seed) for seed in range(3) for at, method in enumerate(("a", "b"))]
    verdicts = {key_of(rows[0]): (True, True), key_of(rows[1]): (True, False)}
    return Snapshot([*rows, picture(9, "a", "dog", "ink")], verdicts=verdicts)


def test_a_selection_turns_through_methods_or_seeds_in_a_circle(snapshot):
    one = Selection(("cat", "oil"), "a")
    assert [row.seed for row in one.pictures(snapshot)] == [0, 1, 2]
    assert one.turned(snapshot, 1).method == "b" and one.turned(snapshot, 2) == one
    across = one.across(one.pictures(snapshot)[1])
    assert [(row.row, row.seed) for row in across.pictures(snapshot)] == [("a", 1), ("b", 1)]
    assert [across.turned(snapshot, by).seed for by in (1, 2, -1)] == [2, 0, 0]
    assert across.across(across.pictures(snapshot)[1]) == replace(one, method="b")


def test_a_selection_whose_pictures_are_gone_stays_as_it_is(snapshot):
    gone = Selection(("no", "such"), "a")
    assert gone.pictures(snapshot) == [] and gone.turned(snapshot, 1) == gone
    assert replace(gone, seed=4).turned(snapshot, 1) == replace(gone, seed=4)


@pytest.mark.parametrize(("words", "seeds"), [("", [0, 1, 2]), ("1", [1]), ("correct", [0]), ("undec 2", [2])])
def test_words_of_a_verdict_and_seeds_filter_a_selection(snapshot, words, seeds):
    assert [row.seed for row in Selection(("cat", "oil"), "a").pictures(snapshot, words)] == seeds


def test_a_comparison_says_a_pair_in_words(snapshot):
    one = TwoMethods(snapshot, {"left": "a", "right": "b"}, ["cat"], ["oil"], best=False)
    assert one.nearest(("dog", "ink")) == ("cat", "oil")
    assert one.summary(("cat", "oil")) == (
        "cat in oil: a 1 of 1 correct; b 0 of 1 correct; difference +1.00; not judged yet: lorarar judge run"
    )
    assert replace(one, styles=[]).nearest(None) is None
    lost = replace(one, snapshot=replace(snapshot, uncounted=frozenset(snapshot.cells["a", "cat", "oil"][:2])))
    assert "(2 in no figure: without references); b 0 of 1" in lost.summary(("cat", "oil"))


def test_methods_that_are_gone_are_replaced():
    assert default_methods(["x", "y"], {"left": "y", "right": "x"}) == {"left": "y", "right": "x"}
    assert default_methods(["direct", "lorarar", "x"], {"left": "", "right": ""}) == {
        "left": "lorarar",
        "right": "direct",
    }
    assert default_methods(["x"], {"left": "gone", "right": "gone"}) == {"left": "x", "right": "x"}


def test_a_word_that_names_styles_alone_leaves_the_contents():
    assert filter_concepts("oil", ["cat", "dog"], ["oil", "ink"]) == (["cat", "dog"], ["oil"])
    assert filter_concepts("dog oil", ["cat", "dog"], ["oil", "ink"]) == (["dog"], ["oil"])
    assert filter_concepts("zebra", ["cat"], ["oil"]) == ([], [])


@pytest.mark.parametrize("width", [1, 40, 120, 400])
@pytest.mark.parametrize("height", [1, 20, 100])
def test_a_page_holds_some_pictures_and_no_more_than_a_terminal_draws_at_once(width, height):
    page = Page.fit(width, height, tile_width=20, pictures=100)
    assert 1 <= page.size <= MOST and page.size <= page.columns * page.rows
    assert page.first(page.size) == page.size and page.first(page.size - 1) == 0


def test_every_mode_has_a_key_and_a_screen_that_says_what_it_is_for():
    assert len({mode.key for mode in MODES.values()}) == len(MODES)
    for mode in MODES.own.values():
        module, _, name = mode.place.partition(":")
        screen = getattr(import_module(module), name)
        assert issubclass(screen, BrowseScreen) and screen.HELP


@pytest.mark.parametrize(
    ("slots", "turn", "shown"),
    [
        (0, 0, []),
        (1, 1, ["subject 2/5"]),
        (2, 0, ["subject 1/5", "style 1/2"]),
        (2, 6, ["subject 2/5", "style 1/2"]),
        (3, 1, ["subject 3/5", "subject 4/5", "style 2/2"]),
        (6, 0, ["subject 1/5", "subject 2/5", "subject 3/5", "subject 4/5", "style 1/2", "style 2/2"]),
        (9, 3, [*(f"subject {n}/5" for n in range(1, 6)), "style 1/2", "style 2/2"]),
    ],
)
def test_where_not_all_references_have_room_turns_show_all(slots, turn, shown):
    paths = {"subject": [Path(f"{n}.png") for n in range(5)], "style": [Path("a.png"), Path("b.png")]}
    pinned = pin(paths, {aspect: [path.name for path in of] for aspect, of in paths.items()})
    assert [one.caption.plain for one in in_sight(pinned, slots, turn)] == shown


@pytest.mark.parametrize("room", [(42, 21), (102, 42), (162, 57), (20, 10)])
@pytest.mark.parametrize("references", [0, 1, 2, 6])
def test_a_picture_and_its_references_of_one_size_fit_their_room(room, references):
    page = Page.largest(*room, references)
    assert (1 + page.pinned) * page.width <= room[0] and page.rows * page.height <= room[1]
    assert page.pinned * page.rows >= min(references, 2) and bool(page.pinned) == bool(references)
