"""Critics by name, folder, hub id or address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from judge.critics.critic import Critic, CriticError
from judge.critics.settings import DType, ImageMode, LocalSettings, Quantisation, ServedSettings

if TYPE_CHECKING:
    from judge.critics.checkpoint import Checkpoint


@dataclass(frozen=True)
class Known:
    """A critic with a name of its own."""

    checkpoint: Callable[[], Checkpoint]
    image_mode: ImageMode


def _pocket() -> Checkpoint:
    from judge.critics.checkpoint import checkpoint_in
    from judge.pocket.shipped import CRITIC

    return checkpoint_in(CRITIC, "pocket")


def _llava_critic() -> Checkpoint:
    from judge.critics.checkpoint import checkpoint_from

    return checkpoint_from("lmms-lab/llava-critic-7b", name="llava-critic-7b")


KNOWN = {
    "pocket": Known(_pocket, "pad"),  # as it was trained
    "llava-critic-7b": Known(_llava_critic, "anyres"),  # as the authors ran it
}


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
        from judge.critics.served import ServedCritic

        here = {"image mode": image_mode, "device": device, "dtype": dtype, "quantisation": quantisation}
        if named := [what for what, value in here.items() if value is not None]:
            raise CriticError(f"{', '.join(named)} of a critic behind an address is its server's own setting")
        served = ServedSettings(model=model, concurrency=concurrency, timeout=timeout, retries=retries, side=side)
        return ServedCritic(name, served)
    from judge.critics.local import LocalCritic

    if model is not None:
        raise CriticError("a model is named for a critic behind an address; name this one itself")
    usual = KNOWN[name].image_mode if name in KNOWN else LocalSettings.image_mode
    local = LocalSettings(
        image_mode=image_mode or usual,
        device=device,
        dtype=dtype,
        batch=batch,
        side=side,
        quantisation=quantisation,
        reuse=reuse,
        generate=generate,
    )
    return LocalCritic(_checkpoint(name), local)


def is_address(name: str) -> bool:
    """Whether a critic of that name is behind a server."""
    return name.startswith(("http://", "https://"))


def _checkpoint(name: str) -> Checkpoint:
    from judge.critics.checkpoint import checkpoint_from, checkpoint_in

    if name in KNOWN:
        return KNOWN[name].checkpoint()
    if name and Path(name).is_dir():
        return checkpoint_in(Path(name))
    repository, _, revision = name.partition("@")
    owner, _, rest = repository.partition("/")
    if not owner or not rest or "/" in rest or name.startswith((".", "~")):
        raise CriticError(
            f"{name!r} is none of {', '.join(KNOWN)}, a folder, a hub id like OWNER/NAME, and an address like "
            "http://localhost:8000/v1"
        )
    return checkpoint_from(repository, revision or None)
