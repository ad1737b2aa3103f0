"""The best way in which this terminal shows pictures."""

from __future__ import annotations

from functools import cache
from typing import Literal

PROBE = 0x10AA  # the number of a picture that is placed to see whether a terminal can
Protocol = Literal["kitty", "sixel", "half"]


def picture_protocol() -> Protocol:
    """The way that textual-image finds out by asking the terminal, when it is first imported.

    Its coarsest one, without colours, is never better than half cells, which stand for it; so is Kitty's protocol
    without its placeholders, which kitty has from 0.28 on.
    """
    from textual_image.renderable import Image
    from textual_image.renderable.sixel import Image as Sixel
    from textual_image.renderable.tgp import Image as Kitty

    if Image is Kitty and not has_placeholders():
        return "half"
    protocols: dict[type, Protocol] = {Sixel: "sixel", Kitty: "kitty"}
    return protocols.get(Image, "half")


@cache  # the terminal is asked before the app owns it
def has_placeholders() -> bool:
    """Whether the terminal, which has Kitty's graphics, draws them in place of signs; False where it does not say.

    A picture of one pixel is placed so. A terminal that does not know this way says nothing, or what is wrong.
    """
    from textual_image._terminal import TerminalError, capture_terminal_response
    from textual_image.renderable.tgp import _send_tgp_message

    try:
        _send_tgp_message(a="t", i=PROBE, s=1, v=1, f=24, q=2, payload="AAAA")
        with capture_terminal_response("\x1b_G", "\x1b\\", timeout=0.1) as response:
            _send_tgp_message(a="p", i=PROBE, c=1, r=1, U=1)
        _send_tgp_message(a="d", d="I", i=PROBE, q=2)
    except (TerminalError, TimeoutError):
        return False
    return str(response.sequence).endswith(";OK\x1b\\")
