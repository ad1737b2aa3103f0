"""Which axis coefficients from a file have to have, for methods that are named after what theirs are of."""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.lora.axis import AXES, Axis
from lorarar.merging.coefficients import axis_of
from lorarar.merging.methods.method import OptionValue
from lorarar.util.errors import MethodError


def settle_ranks(values: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """Refuse coefficients that are of no rank components.

    Raises:
        MethodError: they are not.
    """
    return _settle(values, "rank")


def settle_layers(values: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """Refuse coefficients that are not of whole layers.

    Raises:
        MethodError: they are not.
    """
    return _settle(values, "layer")


def _settle(values: Mapping[str, OptionValue], axis: Axis) -> dict[str, OptionValue]:
    given = values["coefficients"]
    if given.used is not None and (theirs := axis_of(given.used)) != axis:
        raise MethodError(
            f"{given.given} has a coefficient for each {AXES[theirs]}, and this method's are one for each "
            f"{AXES[axis]}; --method ziplora merges by any"
        )
    return {}
