"""A ground truth: the true picture of a cell is plain, of the grey of its subject."""

from dataclasses import replace

from PIL import Image, ImageChops, ImageStat

from judge.ground_truth import KnownPicture
from lorarar.pictures.images import read_image, write_png

GREYS = {"light": 200, "dark": 50}


def revision():
    """What decides the true pictures: scores by others are kept apart."""
    return "1"


def distances(targets):
    """Root mean squared differences, of 255; None where a cell is not known."""
    return [_distance(target, GREYS.get(target.subject)) for target in targets]


def identified(targets):
    """Whether each is nearest to its own cell's true picture; None where it is not known."""
    return [_nearest(target) == target.subject if target.subject in GREYS else None for target in targets]


def known_pictures(targets, folder):
    """A right and a wrong picture of each cell, for the check."""
    pictures = []
    for target in targets:
        for name, grey in GREYS.items() if target.subject in GREYS else ():
            file = folder / f"{name}.png"
            write_png(Image.new("RGB", (64, 64), (grey,) * 3), file)
            known = replace(target, image=file, sha256="")
            pictures.append(KnownPicture(known, subject=name == target.subject, style=True, hard=False))
    return pictures


def _nearest(target):
    return min(GREYS, key=lambda name: _distance(target, GREYS[name]))


def _distance(target, grey):
    if grey is None:
        return None
    image = read_image(target.image)
    difference = ImageChops.difference(image, Image.new("RGB", image.size, (grey,) * 3))
    squares = [value**2 for value in ImageStat.Stat(difference).rms]
    return (sum(squares) / len(squares)) ** 0.5
