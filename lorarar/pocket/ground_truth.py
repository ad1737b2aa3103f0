"""The true picture of any cell: the subject's own design in the style's own family and parameters."""

from __future__ import annotations

from PIL import Image

from lorarar.pictures.images import read_layer
from lorarar.pocket import shipped
from lorarar.pocket.canvas import WHITE, Pose, hsv, place
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.styles import apply_style
from lorarar.pocket.training_pictures import plain_picture
from lorarar.util.errors import PocketError

#: Poses and grounds of a subject's five reference pictures: turned, mirrored, scaled.
REFERENCE_POSES = (
    (Pose(), WHITE),
    (Pose(mirrored=True), hsv(0.58, 0.2, 0.97)),
    (Pose(scale=0.86, turn=7, shift=(3, 2)), hsv(0.12, 0.22, 0.98)),
    (Pose(scale=0.92, turn=-8), WHITE),
    (Pose(scale=0.88, shift=(-4, 3)), hsv(0.36, 0.18, 0.95)),
)


def true_picture(subject: Subject, style: Style, side: int = 64) -> Image.Image:
    """The picture that a perfect merge of the two would generate, ``side`` pixels a side.

    Raises:
        PocketError: Pocket's designs are not there.
    """
    return apply_style(style.family, place(_design(subject)), style.params, side)


def subject_references(design: Image.Image) -> list[Image.Image]:
    """A subject's reference pictures, of its design as the artist drew it."""
    return [plain_picture(design, pose, ground) for pose, ground in REFERENCE_POSES]


def style_reference(style: Style, design: Image.Image) -> Image.Image:
    """A style's one reference picture, of the design it names."""
    return apply_style(style.family, place(design), style.params)


def _design(subject: Subject) -> Image.Image:
    path = shipped.design_file(subject.slug)
    if not path.is_file():
        raise PocketError(f"{path.name} is missing; make Pocket's designs with: lorarar pocket build art")
    return read_layer(path)
