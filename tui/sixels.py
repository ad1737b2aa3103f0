"""A picture in Sixel: textual-image's widget, whose data terminals other than its author's show rightly too.

Looked at in xterm 379 and foot 1.13. Textual-image 0.12.0 draws at once with a colour that it only defines, which these
do not select thereby. It ends with a line feed of its own, and its last band of six pixels may be larger than the
picture's last row: both may scroll the screen.
"""

from __future__ import annotations

import re

from PIL.Image import Image as Picture
from textual.app import ComposeResult
from textual_image._sixel import BackgroundColor, SixelOptions
from textual_image.widget.sixel import Image, _ImageSixelImpl, _NoopRenderable

BAND = 6  # pixels that a line of sixels is high
DEFINITION = re.compile(r"#(\d+);2;\d+;\d+;\d+")
LINE_FEED, END = "-", "\x1b\\"


class Sixels(Image, Renderable=_NoopRenderable):  # type: ignore[misc, call-arg]
    """Shows a picture in Sixel."""

    def compose(self) -> ComposeResult:
        """Draw within the space that borders leave."""
        yield SixelContent(self.image, self._sixel_options)


class SixelContent(_ImageSixelImpl):  # type: ignore[misc]
    """Hands the picture to the terminal."""

    def _image_to_sixels(
        self, image: Picture, sixel_options: SixelOptions | None = None, background: BackgroundColor | None = None
    ) -> str:
        return portable(super()._image_to_sixels(whole_bands(image), sixel_options, background))


def whole_bands(image: Picture) -> Picture:
    """The picture as high as whole bands are that fit into its height; one that is lower than a band as it is."""
    height = image.height // BAND * BAND
    return image if height in (0, image.height) else image.resize((image.width, height))


def portable(sixels: str) -> str:
    """Sixel data that selects each colour it defines, and leaves the cursor on the picture's last line."""
    selected = DEFINITION.sub(r"\g<0>#\1", sixels)
    return selected.removesuffix(END).removesuffix(LINE_FEED) + END
