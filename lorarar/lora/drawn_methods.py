"""Methods that draw with two LoRAs and are in no file, since what a layer uses changes in the course of a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from lorarar.util.errors import MethodError
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from lorarar.lora.adapter import Adapter

#: By layers that content and style share, the part of the sampling, from 0 to 1, after which a layer uses style's LoRA.
SwitchTimes = Mapping[str, float]


@dataclass(frozen=True)
class MethodInfo:
    """Name, title and paper of a way to get one adapter, or one picture, for a subject and a style."""

    name: str
    title: str
    paper: str


@dataclass(frozen=True)
class DrawnMethod(MethodInfo):
    """One that draws: each layer uses content's LoRA until its own time in the sampling, and then style's."""

    times: str  # the place of a function of content and style that returns these times

    def check_two(self, count: int) -> None:
        """Refuse another number of LoRAs than a content and a style.

        Raises:
            MethodError: there are more or fewer.
        """
        if count != 2:
            raise MethodError(
                f"{self.name} draws with two LoRAs, --lora CONTENT and then --lora STYLE, and {count} are given"
            )

    def switch_times(self, content: Adapter, style: Adapter) -> SwitchTimes:
        """The times of the layers that both LoRAs have; what only one has it keeps throughout."""
        times: Callable[[Adapter, Adapter], SwitchTimes] = resolve_name(self.times)
        return times(content, style)

    @property
    def no_file(self) -> str:
        """Why it merges nothing, and what to do instead."""
        return (
            f"{self.name} goes from one LoRA to the other in the course of a picture, which no file can hold; draw "
            f"by lorarar generate --method {self.name} --lora CONTENT --lora STYLE, or by a plan's row method = "
            f'"{self.name}"'
        )


DRAWN: Mapping[str, DrawnMethod] = {
    method.name: method
    for method in (DrawnMethod("k-lora", "K-LoRA", "Ouyang et al., 2025", "lorarar.lora.k_lora:switch_times"),)
}


def drawn_method(name: str) -> DrawnMethod:
    """The method of that name.

    Raises:
        MethodError: none that draws has it.
    """
    if name not in DRAWN:
        raise MethodError(
            f"{name!r} draws no pictures itself; accepted are {', '.join(DRAWN)}. Others merge first: lorarar merge "
            "--method …, and then lorarar generate --lora MERGED"
            f"{did_you_mean(name, DRAWN)}"
        )
    return DRAWN[name]
