"""Critics by name, folder, hub id or address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from judge.critics.critic import Critic, CriticError
from judge.critics.settings import DType, ImageMode, LocalSettings, Quantisation, ServedSettings
from lorarar.families import Family, families_with
from lorarar.util.model_reference import find_model

if TYPE_CHECKING:
    from judge.critics.checkpoint import Checkpoint


@dataclass(frozen=True)
class NamedCritic:
    """A critic with a name of its own."""

    checkpoint: Callable[[], Checkpoint]
    image_mode: ImageMode


def _llava_critic() -> NamedCritic:
    """The paper's, as its authors ran it."""
    from judge.critics.checkpoint import checkpoint_from

    return NamedCritic(lambda: checkpoint_from("lmms-lab/llava-critic-7b", name="llava-critic-7b"), "anyres")


def _of_family(family: Family) -> NamedCritic:
    critic: NamedCritic = family.find("critic")()
    return critic


def named_critics() -> dict[str, Callable[[], NamedCritic]]:
    """The critics that have a name: those of the families, and the paper's."""
    own = {name: partial(_of_family, family) for name, family in families_with("critic").items()}
    return {**own, "llava-critic-7b": _llava_critic}


def find_critic(
    name: str,
    *,
    image_mode: ImageMode | None = None,
    device: str | None = None,
    dtype: DType | None = None,
    batch: int = LocalSettings.batch,
    side: int = LocalSettings.side,
    quantisation: Quantisation | None = None,
    reuse: bool = True,
    generate: bool = False,
    model: str | None = None,
    concurrency: int = ServedSettings.concurrency,
    timeout: float = ServedSettings.timeout,
    retries: int = ServedSettings.retries,
) -> Critic:
    """The critic of that name, folder, hub id (a revision may follow after ``@``) or address ending in ``/v1``.

    ``model``, ``concurrency``, ``timeout`` and ``retries`` are for an address, ``side`` for all, and the others
    for a critic on this machine; see ``LocalSettings`` and ``ServedSettings``.

    Raises:
        CriticError: there is none, it cannot be reached, or a setting is not accepted.
    """
    if is_address(name):
        from judge.critics.openai_server import ServedCritic

        here = {"image mode": image_mode, "device": device, "dtype": dtype, "quantisation": quantisation}
        if named := [what for what, value in here.items() if value is not None]:
            raise CriticError(f"{', '.join(named)} of a critic behind an address is its server's own setting")
        served = ServedSettings(model=model, concurrency=concurrency, timeout=timeout, retries=retries, side=side)
        return ServedCritic(name, served)
    from judge.critics.local import LocalCritic

    if model is not None:
        raise CriticError("a model is named for a critic behind an address; name this one itself")
    checkpoint, usual_mode = _checkpoint(name)
    local = LocalSettings(
        image_mode=image_mode or usual_mode,
        device=device,
        dtype=dtype,
        batch=batch,
        side=side,
        quantisation=quantisation,
        reuse=reuse,
        generate=generate,
    )
    return LocalCritic(checkpoint, local)


def is_address(name: str) -> bool:
    """Whether a critic of that name is behind a server."""
    return name.startswith(("http://", "https://"))


def _checkpoint(name: str) -> tuple[Checkpoint, ImageMode]:
    """The checkpoint of that name, and the image mode it is used with unless another is asked for."""
    from judge.critics.checkpoint import checkpoint_from, checkpoint_in

    named = named_critics()
    found = find_model(name, named)
    if found is None:
        raise CriticError(
            f"{name!r} is none of {', '.join(named)}, a folder, a hub id like OWNER/NAME, and an address like "
            "http://localhost:8000/v1"
        )
    if isinstance(found, NamedCritic):
        return found.checkpoint(), found.image_mode
    if isinstance(found, Path):
        return checkpoint_in(found), LocalSettings.image_mode
    return checkpoint_from(found.repository, found.revision), LocalSettings.image_mode
