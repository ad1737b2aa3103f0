"""Critics on this machine by name, folder or hub id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.critics.local.settings import LocalSettings
from judge.critics.presets.preset import CriticPreset
from judge.critics.presets.table import PRESETS
from judge.hub_models import HubModel
from lorarar.families import Family, families_with
from lorarar.util.model_reference import HubId, find_model
from lorarar.util.row_fields import check_fields
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint
    from judge.critics.local.critic import LocalCritic

LLAVA_CRITIC = "llava-critic-7b"  # the paper's, and the customary one


def runs_locally(name: str) -> bool:
    """Whether that is a critic's name, a folder, or of the form of a hub id."""
    return find_model(name, {named: lambda: True for named in named_checkpoints()}) is not None


def open_local(name: str, settings: Mapping[str, Any]) -> LocalCritic:
    """The critic of a name, a folder or a hub id, with all settings by name.

    Raises:
        CriticError: there is none, or its device is not there.
    """
    from judge.critics.local.critic import LocalCritic

    return LocalCritic(find_checkpoint(name), LocalSettings(**settings))


def find_checkpoint(name: str) -> Checkpoint:
    """The checkpoint of a name that ``runs_locally``.

    Raises:
        CriticError: there is none, or it is of no accepted kind.
    """
    from judge.critics.critic import CriticError
    from judge.critics.local.checkpoint import Checkpoint, checkpoint_from, checkpoint_in

    checkpoint = find_model(name, named_checkpoints())
    if checkpoint is None:
        named = named_checkpoints()
        near = did_you_mean(name, named)
        raise CriticError(f"{name!r} is none of {', '.join(named)}, a folder, a hub id like OWNER/NAME{near}")
    if isinstance(checkpoint, Checkpoint):
        return checkpoint
    if isinstance(checkpoint, Path):
        return checkpoint_in(checkpoint)
    return checkpoint_from(checkpoint.repository, checkpoint.revision)


def named_checkpoints() -> dict[str, Callable[[], Checkpoint]]:
    """The critics that have a name: those of the families, and the presets."""
    own = {name: partial(_of_family, family) for name, family in families_with("critic").items()}
    return {**own, **{name: partial(_of_preset, preset) for name, preset in PRESETS.items()}}


def hub_model(name: str) -> HubModel | None:
    """Where the critic of that name comes from that is on the hub; None where it is elsewhere, or is none of these."""
    preset = PRESETS.get(name)
    if preset is not None and preset.runs_here:
        gigabytes = round(preset.gigabytes("bfloat16"), 1)
        return HubModel("critic", name, preset.repository, preset.revision, gigabytes)
    place = find_model(name, {named: lambda: True for named in named_checkpoints()})
    return HubModel("critic", name, place.repository, place.revision) if isinstance(place, HubId) else None


def _of_preset(preset: CriticPreset) -> Checkpoint:
    """A preset's checkpoint.

    Raises:
        CriticError: it cannot be fetched; or it is an adapter, which is not loaded here.
    """
    from judge.critics.critic import CriticError
    from judge.critics.local.checkpoint import checkpoint_from

    if preset.adapter is not None:
        raise CriticError(
            f"{preset.name} is a LoRA of {preset.adapter.base} and is asked behind a server alone: "
            f"{preset.serve}; then {preset.ask}"
        )
    return checkpoint_from(preset.repository, preset.revision, preset.name)


def _of_family(family: Family) -> Checkpoint:
    """A family's own critic.

    Raises:
        BaseError: the family's function fails, or returns something else.
    """
    from judge.critics.local.checkpoint import Checkpoint

    with family.guarded("critic"):
        checkpoint: Checkpoint = family.find("critic")()
        check_fields(checkpoint, Checkpoint)
    return checkpoint
