"""Stage ``art``: fetch the drawings; write the subjects' designs and all reference pictures."""

from __future__ import annotations

from lorarar.pictures.images import write_png
from lorarar.pocket import shipped
from lorarar.pocket.art import draw_all
from lorarar.pocket.build_context import Workshop
from lorarar.pocket.concepts import STYLES, SUBJECTS, slug
from lorarar.pocket.ground_truth import style_reference, subject_references
from lorarar.pocket.training_pictures import make


def run_art(workshop: Workshop) -> None:
    """Designs of all subjects, references of all subjects and styles, into the package."""
    designs = draw_all(workshop.folder / "art")
    for subject in SUBJECTS:
        drawing, name = designs[subject.class_name, subject.artist], slug(subject.name)
        write_png(drawing, shipped.design(name))
        for number, picture in enumerate(subject_references(drawing), start=1):
            write_png(picture, shipped.content_lora(name).with_suffix("") / f"{number}.png")
    for style in STYLES:
        picture = style_reference(style, designs[style.shown])
        write_png(picture, shipped.style_lora(slug(style.name)).with_suffix("") / "1.png")
    shipped.record("art", designs=len(designs))


def run_pictures(workshop: Workshop) -> None:
    """The base's training pictures, into the workshop."""
    pictures = make(draw_all(workshop.folder / "art"), workshop.seed)
    pictures.save(workshop.pictures)
    shipped.record("pictures", count=len(pictures.classes), seed=workshop.seed)
