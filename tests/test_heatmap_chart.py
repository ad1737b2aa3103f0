"""The chart of heatmaps: its colours, its axes, its groups."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageDraw

from lorarar.pictures.heatmap_chart import HeatmapChart


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are written on pictures."""
    written: list[str] = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda _, __, text, *___, **____: written.append(text))
    return written


def chart(values: list[list[float]]) -> HeatmapChart:
    """Two maps of the same values, whose first two rows are one group."""
    return HeatmapChart(
        title="a title",
        maps=[("left", values), ("right", values)],
        groups=["upper", "upper", "lower"],
        x_axis="across",
        y_axis="down",
        scale="amount",
    )


def test_axes_groups_and_scale_are_named_and_the_scale_is_even_about_zero(texts: list[str]) -> None:
    chart([[0.0, 1.0], [-2.0, 0.5], [0.0, 0.0]]).draw()

    assert [texts.count(word) for word in ("a title", "left", "right", "across", "down", "amount")] == [
        1,
        1,
        1,
        2,
        1,
        1,
    ]
    assert [text for text in texts if text in ("upper", "lower")] == ["upper", "lower"]
    assert [text for text in texts if text.replace("-", "").replace(".", "").isdigit()] == ["2.00", "0.00", "-2.00"]


def test_zero_is_white_above_it_is_red_below_it_is_blue() -> None:
    pixels = np.asarray(chart([[0.0, 0.0], [2.0, 2.0], [-2.0, -2.0]]).draw())
    column = pixels[:, 120]  # through the left map

    whites, reds, blues = (
        np.flatnonzero((column == colour).all(1)) for colour in ((255, 255, 255), (255, 0, 0), (0, 0, 255))
    )
    assert len(reds) and len(blues) and reds.max() < blues.min()
    assert (np.diff(reds) == 1).all() and reds.min() - 1 in whites
