"""Critics on this machine by name, folder or hub id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.critics.local.settings import LocalSettings
from judge.hub_models import HubModel
from lorarar.families import Family, families_with
from lorarar.util.model_reference import HubId, find_model
from lorarar.util.row_fields import check_fields

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint
    from judge.critics.local.critic import LocalCritic

LLAVA_CRITIC = "llava-critic-7b"  # the paper's, and the customary one
LLAVA_REPOSITORY, LLAVA_GIGABYTES = "lmms-lab/llava-critic-7b", 16.1


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
        raise CriticError(f"{name!r} is none of {', '.join(named_checkpoints())}, a folder, a hub id like OWNER/NAME")
    if isinstance(checkpoint, Checkpoint):
        return checkpoint
    if isinstance(checkpoint, Path):
        return checkpoint_in(checkpoint)
    return checkpoint_from(checkpoint.repository, checkpoint.revision)


def named_checkpoints() -> dict[str, Callable[[], Checkpoint]]:
    """The critics that have a name: those of the families, and the paper's."""
    own = {name: partial(_of_family, family) for name, family in families_with("critic").items()}
    return {**own, LLAVA_CRITIC: _llava_critic}


def hub_model(name: str) -> HubModel | None:
    """Where the critic of that name comes from that is on the hub; None where it is elsewhere, or is none of these."""
    if name == LLAVA_CRITIC:
        return HubModel("critic", name, LLAVA_REPOSITORY, gigabytes=LLAVA_GIGABYTES)
    place = find_model(name, {named: lambda: True for named in named_checkpoints()})
    return HubModel("critic", name, place.repository, place.revision) if isinstance(place, HubId) else None


def _llava_critic() -> Checkpoint:
    """The paper's critic, as its authors ran it."""
    from judge.critics.local.checkpoint import checkpoint_from

    return checkpoint_from(LLAVA_REPOSITORY, name=LLAVA_CRITIC)


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
