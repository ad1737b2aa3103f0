"""Critics by name, folder, hub id or address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.critics.critic import Critic, CriticError
from judge.critics.settings import CriticSettings
from lorarar.families import Family, families_with
from lorarar.util.model_reference import find_model

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint


@dataclass(frozen=True)
class CriticKind:
    """A way to run critics, for example on this machine or behind an address."""

    runs: Callable[[str], bool]  # whether a critic of that name is of this kind
    open: Callable[[str, CriticSettings], Critic]


def find_critic(name: str, settings: CriticSettings | None = None, **changes: Any) -> Critic:
    """The critic of that name, folder, hub id (a revision may follow after ``@``) or address ending in ``/v1``.

    Args:
        name: of the critic; its weights are not loaded yet.
        settings: how it is run.
        changes: single settings by their names in ``CriticSettings``.

    Raises:
        CriticError: there is none, it cannot be reached, or a setting is not accepted.
    """
    chosen = replace(settings or CriticSettings(), **changes)
    return next(kind for kind in KINDS.values() if kind.runs(name)).open(name, chosen)


def is_address(name: str) -> bool:
    """Whether a critic of that name is behind a server."""
    return name.startswith(("http://", "https://"))


def open_served(url: str, settings: CriticSettings) -> Critic:
    """The critic behind an address.

    Raises:
        CriticError: it cannot be reached, or a setting is the server's own.
    """
    from judge.critics.openai.served_critic import ServedCritic

    own = {
        "image mode": settings.image_mode,
        "device": settings.device,
        "dtype": settings.dtype,
        "quantisation": settings.quantisation,
    }
    if named := [what for what, value in own.items() if value is not None]:
        raise CriticError(f"{', '.join(named)} of a critic behind an address is its server's own setting")
    settings.check_served()
    return ServedCritic(url, settings)


def open_local(name: str, settings: CriticSettings) -> Critic:
    """The critic of a name, a folder or a hub id, on this machine.

    Raises:
        CriticError: there is none, or a setting is not accepted.
    """
    from judge.critics.local.critic import LocalCritic

    if settings.model is not None:
        raise CriticError("a model is named for a critic behind an address; name this one itself")
    settings.check_local()
    return LocalCritic(find_checkpoint(name), settings)


#: The kinds of critics; the first that runs a name opens it.
KINDS = {"served": CriticKind(is_address, open_served), "local": CriticKind(lambda _: True, open_local)}


def find_checkpoint(name: str) -> Checkpoint:
    """The checkpoint of a name, a folder or a hub id.

    Raises:
        CriticError: there is none, or it is of no accepted kind.
    """
    from judge.critics.local.checkpoint import Checkpoint, checkpoint_from, checkpoint_in

    named = named_checkpoints()
    checkpoint = find_model(name, named)
    if checkpoint is None:
        raise CriticError(
            f"{name!r} is none of {', '.join(named)}, a folder, a hub id like OWNER/NAME, and an address like "
            "http://localhost:8000/v1"
        )
    if isinstance(checkpoint, Checkpoint):
        return checkpoint
    if isinstance(checkpoint, Path):
        return checkpoint_in(checkpoint)
    return checkpoint_from(checkpoint.repository, checkpoint.revision)


def named_checkpoints() -> dict[str, Callable[[], Checkpoint]]:
    """The critics that have a name: those of the families, and the paper's."""
    own = {name: partial(_of_family, family) for name, family in families_with("critic").items()}
    return {**own, "llava-critic-7b": _llava_critic}


def _llava_critic() -> Checkpoint:
    """The paper's critic, as its authors ran it."""
    from judge.critics.local.checkpoint import checkpoint_from

    return checkpoint_from("lmms-lab/llava-critic-7b", name="llava-critic-7b")


def _of_family(family: Family) -> Checkpoint:
    checkpoint: Checkpoint = family.find("critic")()
    return checkpoint
