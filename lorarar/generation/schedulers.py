"""Schedulers: which of diffusers' a base can be generated with instead of its own.

They are diffusers' for Karras' form and the consistency ones. Two of them are left out: ``DPMSolverSDEScheduler`` takes
its noise from a generator of its own, so that no seed decides a picture, and ``EDMEulerScheduler`` is for models that
predict otherwise.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

SCHEDULERS = (
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
)
_OPTIONS = {"PNDMScheduler": {"skip_prk_steps": True}}  # as Stable Diffusion's own has it; else it needs many steps


def check_scheduler(name: str) -> str:
    """The name, if it is one of a scheduler.

    Raises:
        ValueError: it is none; the message lists them.
    """
    if name not in SCHEDULERS:
        near = get_close_matches(name, SCHEDULERS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"no scheduler {name[:60]!r}; there are {', '.join(SCHEDULERS)}{hint}")
    return name


def scheduler_like(own: Any, name: str | None) -> Any:
    """The scheduler of that name with the noise and the prediction of a base's own; without a name, that."""
    import diffusers
    from diffusers.utils import logging

    if name is None or name == type(own).__name__:
        return own
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # some settings are of one kind alone, which it says of each
    try:
        return getattr(diffusers, name).from_config(own.config, **_OPTIONS.get(name, {}))
    finally:
        logging.set_verbosity(before)
