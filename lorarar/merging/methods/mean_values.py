"""What ``means`` makes of a hypernetwork: one that gives every pair its means."""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.merging.means import MeanPredictor
from lorarar.merging.means_file import find_means, how_to_get, means_digest
from lorarar.merging.methods.method import OptionValue
from lorarar.util.errors import MethodError


def settle_means(values: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """The hypernetwork that is used where ``means`` is set, with the digest of its means.

    Raises:
        MethodError: it has none.
        HypernetError: those that it has are broken, or another's.
    """
    hypernet = values["hypernet"]
    if not values["means"].used:
        return {}
    means = find_means(hypernet.given)
    if means is None:
        raise MethodError(f"{hypernet.given} has no means; {how_to_get(hypernet.given)}")
    predictor = MeanPredictor(hypernet.used, means.layers)
    return {"hypernet": hypernet._replace(used=predictor, facts={"means_sha256": means_digest(means.layers)})}
