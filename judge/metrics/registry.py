"""Backbones by name, folder or hub id.

Nothing here imports torch before a model is really loaded, which is when something is to be computed that is not
cached yet.
"""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from judge.backbone_kind import BackboneKind
from judge.default_judges import variable
from judge.hub_models import HubModel
from judge.metrics.source import ModelSource, ModelTarget, find_source, loading, own_backbones
from judge.metrics.table import MetricError, backbone_kinds
from lorarar.util.dtype import Dtype
from lorarar.util.model_reference import HubId, find_model

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from judge.metrics.backbone import Backbone

#: What makes a backbone of its source; it has no configuration where its kind is published as weights alone.
Build = Callable[[ModelSource, "PreTrainedConfig | None", ModelTarget], "Backbone"]


def find_backbone(kind: str, name: str | None = None, device: str | None = None, dtype: Dtype = "float32") -> Backbone:
    """The backbone of that name, folder or hub id, by default the customary one; ``pocket`` is Pocket's own.

    A revision may follow a hub id after ``@``; the device is by default a GPU if there is one. Weights are loaded
    when the first vector is asked for.

    Raises:
        MetricError: it cannot be found, is of another kind, or none is named of a kind that has no customary one.
    """
    row = backbone_kinds()[kind]
    name = name or row.customary
    if not name:
        raise MetricError(
            f"no {row.title} is customary: name yours, {row.accepted}, with --{kind} or ${variable(kind)}"
        )
    with loading(f"{name} as a {kind} backbone"):
        source = find_source(row, name)
        build: Build = resolve_name(row.build)
        return build(source, None if row.weights else _config(row, name, source), ModelTarget(dtype, device))


def hub_model(kind: BackboneKind, name: str) -> HubModel | None:
    """Where a backbone on the hub comes from; None where it is elsewhere, or its kind finds its models itself."""
    place = find_model(name, own_backbones(kind.name))
    if not isinstance(place, HubId) or kind.find != BackboneKind.find:
        return None
    gigabytes = kind.gigabytes if name == kind.customary else 0
    return HubModel(kind.name, name, place.repository, place.revision, gigabytes)


def _config(kind: BackboneKind, name: str, source: ModelSource) -> PreTrainedConfig:
    """A model's configuration.

    Raises:
        MetricError: it is of another type than the kind's.
    """
    from transformers import AutoConfig

    config: PreTrainedConfig = AutoConfig.from_pretrained(source.location, trust_remote_code=False, **source.at)
    if config.model_type not in kind.types:
        accepted = ", ".join(kind.types)
        raise MetricError(f"{name} is a model of type {config.model_type}; accepted for {kind.name} are: {accepted}")
    return config
