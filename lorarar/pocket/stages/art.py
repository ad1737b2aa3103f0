"""Stage ``art``: fetch the artists' designs; write the subjects' designs and all reference pictures."""

from __future__ import annotations

from lorarar.pictures.images import write_png
from lorarar.pictures.references import references_folder
from lorarar.pocket import shipped
from lorarar.pocket.art import fetch_designs
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.concepts import STYLES, SUBJECTS
from lorarar.pocket.ground_truth import style_reference, subject_references


def run_art(context: BuildContext) -> None:
    """Write the designs of all subjects, and the references of all subjects and styles, into the package."""
    designs = fetch_designs(context.art)
    for subject in SUBJECTS:
        design = designs[subject.design]
        write_png(design, shipped.design_file(subject.slug))
        for number, picture in enumerate(subject_references(design), start=1):
            write_png(picture, references_folder(shipped.content_lora(subject.slug)) / f"{number}.png")
    for style in STYLES:
        picture = style_reference(style, designs[style.design])
        write_png(picture, references_folder(shipped.style_lora(style.slug)) / "1.png")
    shipped.MANIFEST.record("art", designs=len(designs))
