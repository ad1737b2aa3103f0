"""What the hub has of a base: the commit that a revision means now, in which form the weights are there.

Of a base no more than its index is downloaded here. What neither the hub nor the cache on this machine has is an error
that says what to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from lorarar.families import Architecture, Base, architecture_family
from lorarar.families.table import INDEX
from lorarar.generation.pipeline_folder import HALF
from lorarar.util.errors import BaseError
from lorarar.util.hub_cache import cached_file
from lorarar.util.messages import message

HUB_SECONDS = 10.0  # for which an answer of the hub is waited for
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubCommit:
    """A repository of the hub at one commit."""

    commit: str
    files: tuple[str, ...]  # those that are there, or of the cache those on this machine

    @property
    def variant(self) -> str:
        """The variant of the weights that is taken: half precision where it is there, else the one without a name."""
        return HALF if any(file.endswith(f".{HALF}.safetensors") for file in self.files) else ""


class UnreachableError(Exception):
    """The hub gives no answer."""


def snapshot_of(repository: str, revision: str | None, option: str) -> HubCommit:
    """What a revision of a repository means now: as the hub says, else as the cache on this machine has it.

    Args:
        repository, revision: on the hub.
        option: that named it, ``--base`` or ``--vae``.

    Raises:
        BaseError: there is no such repository or revision, or neither the hub nor the cache can tell.
    """
    refusal = f"{repository} is not on this machine, and the hub cannot be reached; {advice(repository, option)}"
    try:
        snapshot: HubCommit | None = snapshot_of_hub(repository, revision)
        if snapshot and option == "--base":
            fetch_index(repository, snapshot.commit)
    except UnreachableError:
        snapshot = snapshot_of_cache(repository, revision)
    except BaseError as error:
        refusal, snapshot = str(error), snapshot_of_cache(repository, revision)
    if snapshot is None:
        raise BaseError(refusal)
    return snapshot


def snapshot_of_hub(repository: str, revision: str | None) -> HubCommit:
    """What the hub says now.

    Raises:
        UnreachableError: it gives no answer.
        BaseError: it has no such repository or revision, or shows it to members alone.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        info = HfApi().model_info(repository, revision=revision, timeout=HUB_SECONDS)
    except RevisionNotFoundError:
        raise BaseError(f"the hub has {repository}, but no revision {revision}") from None
    except GatedRepoError:
        raise BaseError(f"{repository} asks for consent on its page on the hub, and then for: hf auth login") from None
    except RepositoryNotFoundError:
        raise BaseError(f"the hub has no {repository}; of a private one it says so until: hf auth login") from None
    except Exception:  # no network, offline mode, a proxy's answer
        raise UnreachableError from None
    if info.sha is None:
        raise UnreachableError
    return HubCommit(info.sha, tuple(file.rfilename for file in info.siblings or ()))


def snapshot_of_cache(repository: str, revision: str | None) -> HubCommit | None:
    """What the cache on this machine has of a revision; None where it has nothing."""
    for name in (INDEX, "config.json"):
        if file := cached_file(repository, name, revision):
            folder = file.parent
            return HubCommit(folder.name, tuple(one.relative_to(folder).as_posix() for one in folder.rglob("*")))
    return None


def fetch_index(repository: str, commit: str) -> None:
    """Bring a repository's index to the cache, where ``family_of`` reads which pipeline it is, if the hub gives it."""
    from huggingface_hub import hf_hub_download

    try:
        hf_hub_download(repository, INDEX, revision=commit)
    except Exception:  # whatever keeps it away keeps the weights away too, and loading them says it
        return


def is_commit(revision: str | None) -> bool:
    """Whether a revision is a commit, which means the same for ever."""
    return bool(revision and _COMMIT.fullmatch(revision))


def advice(repository: str, option: str) -> str:
    """How to fetch a repository elsewhere, with its size where it is known, and how to name it then."""
    family = architecture_family(Base(repository, repository))
    architecture = family.architecture if family else None
    otherwise = "FOLDER or one checkpoint file" if option == "--base" else "FOLDER or one file"
    return (
        f"where it can, fetch it ({size_text(architecture, option)}) with: "
        f"{download_command(repository, architecture)} --local-dir FOLDER; then name {otherwise} with {option}"
    )


def download_command(repository: str, architecture: Architecture | None) -> str:
    """The command that fetches a base from the hub: of one with weights in half precision those alone."""
    variant = architecture.variant if architecture else ""
    patterns = ("*.json", "*.txt", f"*.{variant}.safetensors") if variant else ()
    return f"hf download {repository}" + "".join(f' --include "{pattern}"' for pattern in patterns)


def size_text(architecture: Architecture | None, option: str = "--base") -> str:
    """How large a download is, in words."""
    if option == "--vae":
        return "0.2 to 0.4 GB"
    if architecture is None:
        return "some 7 GB in half precision if it is an SDXL, 2 GB if it is an SD 1.5"
    return (
        f"{architecture.gigabytes:g} GB" if architecture.variant else f"{architecture.gigabytes:g} GB in half precision"
    )


@cache
def tell_variant(base: Base) -> None:
    """Say once that a base's weights are taken in half precision."""
    family = architecture_family(base)
    size = size_text(family.architecture if family else None)
    message(f"{base.name}: of the hub's weights those in half precision ({HALF}) are taken: {size}")
