"""Labels of contact sheets stay within their column, and lose no letter."""

import pytest
from PIL import Image, ImageFont

from lorarar.pictures.sheet import Sheet, wrapped

FONT = ImageFont.load_default(12)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("cat-2 in flat-cartoon-illustration-2", ["cat-2 in", "flat-cartoon-", "illustration-2"]),
        ("a b", ["a b"]),
        ("", []),
        ("--", ["--"]),
    ],
)
def test_labels_break_at_spaces_and_then_after_hyphens(text, lines):
    assert wrapped(text, 96, FONT) == lines


@pytest.mark.parametrize(
    "text", ["w" * 60, "three-" * 20, "x a-very-long-name_without_an_end_to_it and more", "W-" * 3]
)
@pytest.mark.parametrize("width", [20, 96])
def test_no_line_is_wider_than_its_column_and_no_letter_is_lost(text, width):
    lines = wrapped(text, width, FONT)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(FONT.getlength, lines)) <= width


def test_a_sheet_makes_room_for_its_longest_label():
    picture = Image.new("RGB", (8, 8))
    short, long = (Sheet([name], [("row", [picture])]).draw() for name in ("a", "flat-cartoon-illustration-2"))
    assert long.width == short.width and long.height > short.height
