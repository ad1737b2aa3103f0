"""A metric: how bright a picture is, of 255."""

from judge.metrics.table import Metric
from lorarar.pictures.images import read_image

BRIGHTNESS = Metric(
    name="brightness",
    title="Brightness",
    help="mean brightness, of 255",
    measure="lorarar_extension.metrics:measure",
    order=50,
    places=1,
)


def measure(metric, targets, instrument):
    """A number for each target; None would say that it has none."""
    values = [read_image(target.image).convert("L").tobytes() for target in targets]
    return [sum(one) / len(one) for one in values]
