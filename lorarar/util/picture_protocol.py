"""The best way in which this terminal shows pictures."""

from __future__ import annotations

from typing import Literal

Protocol = Literal["kitty", "sixel", "half"]


def picture_protocol() -> Protocol:
    """The way that textual-image finds out by asking the terminal, when it is first imported.

    Its coarsest one, without colours, is never better than half cells, which stand for it.
    """
    from textual_image.renderable import Image
    from textual_image.renderable.sixel import Image as Sixel
    from textual_image.renderable.tgp import Image as Kitty

    protocols: dict[type, Protocol] = {Sixel: "sixel", Kitty: "kitty"}
    return protocols.get(Image, "half")
