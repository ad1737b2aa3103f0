"""Models of the hub that judge by default: nothing so large is downloaded that nobody asked for by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from judge.brand import bases_in_words
from judge.errors import JudgeError
from lorarar.util.formatting import in_words
from lorarar.util.hub_cache import is_cached

OTHERS = {"critic": "a folder, a hub id, an address like http://localhost:8000/v1"}  # what a part can be, in words


@dataclass(frozen=True)
class HubModel:
    """A model on the hub, as a judge."""

    part: str  # what it is: ``critic``, or a kind of backbones
    name: str  # as the user calls it
    repository: str
    revision: str | None = None
    gigabytes: float = 0  # of its weights; 0 where that is not known

    def is_here(self) -> bool:
        """Whether it is on this machine, whole."""
        return is_cached(self.repository, self.revision)

    @property
    def advice(self) -> str:
        """Its name, its size, and the command that downloads it."""
        size = f"{self.gigabytes:g} GB; " if self.gigabytes else ""
        revision = f" --revision {self.revision}" if self.revision else ""
        return f"{self.name} ({size}hf download {self.repository}{revision})"


def check_here(models: Mapping[HubModel, Iterable[str]], without: str = "") -> None:
    """Refuse to begin where models that nobody named are not on this machine.

    Args:
        models: the default judges that come from the hub, each with the bases of the pictures it judges.
        without: the option that leaves judges out, if there is one.

    Raises:
        JudgeError: some are missing; the message says how to have each.
    """
    missing = [model for model in models if not model.is_here()]
    if missing:
        whose = bases_in_words(sorted({base for model in missing for base in models[model]}))
        parts = dict.fromkeys(model.part for model in missing)
        others = in_words([f"--{part} ({OTHERS.get(part, 'a folder, a hub id')})" for part in parts])
        raise JudgeError(
            f"pictures {whose} are judged by models that are not on this machine: "
            f"{', '.join(model.advice for model in missing)}; download them so where there is a network, "
            f"or name others with {others}" + (f", or leave them out with {without}" if without else "")
        )
