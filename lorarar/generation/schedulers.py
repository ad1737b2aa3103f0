"""Schedulers: which of diffusers' a base can be generated with instead of its own.

A base of diffusion has those of diffusion, one that matches flow those of flow matching: neither kind's steps mean
anything to the other. The former are diffusers' for Karras' form and the consistency ones. Two of them are left out:
``DPMSolverSDEScheduler`` takes its noise from a generator of its own, so that no seed decides a picture, and
``EDMEulerScheduler`` is for models that predict otherwise. Of the latter there is the one that the transformers'
pipelines can give their noise levels to and that draws no noise of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from itertools import pairwise
from typing import Any

from lorarar.util.errors import DrawingError
from lorarar.util.suggestion import did_you_mean

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
FLOW_SCHEDULERS = ("FlowMatchEulerDiscreteScheduler",)
_OPTIONS = {"PNDMScheduler": {"skip_prk_steps": True}}  # as Stable Diffusion's own has it; else it needs many steps
#: What a base's UNet was trained for.
_TRAINING = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")
_ZERO_SNR = "rescale_betas_zero_snr"
_LEAST = 2**-24  # of the picture in noise of zero terminal SNR, so that its logarithm is finite, as diffusers has it


def check_scheduler(name: str) -> str:
    """The name, if it is one of a scheduler.

    Raises:
        ValueError: it is none; the message lists them.
    """
    both = (*SCHEDULERS, *FLOW_SCHEDULERS)
    if name not in both:
        raise ValueError(f"no scheduler {name[:60]!r}; there are {', '.join(both)}{did_you_mean(name, both)}")
    return name


def scheduler_like(own: Any, name: str | None) -> Any:
    """The scheduler of that name with the noise and the prediction of a base's own; without a name, that.

    Raises:
        DrawingError: it is one of diffusion and the base matches flow, or the other way round; or the base's own is one
            of flow matching that its pipeline cannot be drawn with.
    """
    import diffusers
    from diffusers.utils import logging

    flows, of_base = matches_flow(own), type(own).__name__
    if name in (None, of_base):
        if flows and of_base not in FLOW_SCHEDULERS:
            raise DrawingError(
                f"this base's own scheduler is {of_base}; of those that match flow accepted are "
                f"{', '.join(FLOW_SCHEDULERS)}: draw with --scheduler {FLOW_SCHEDULERS[0]}"
            )
        return own
    if name not in (accepted := FLOW_SCHEDULERS if flows else SCHEDULERS):
        kinds = ("of diffusion", "matches flow") if flows else ("of flow matching", "is of diffusion")
        raise DrawingError(
            f"--scheduler {name} is one {kinds[0]}, and this base {kinds[1]}; accepted are {', '.join(accepted)}"
        )
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # some settings are of one kind alone, which it says of each
    try:
        kind = getattr(diffusers, name)
        return kind.from_config(own.config, **_taken_over(own, kind), **_OPTIONS.get(name, {}))
    finally:
        logging.set_verbosity(before)


def matches_flow(scheduler: Any) -> bool:
    """Whether a scheduler is one of flow matching; all others are of diffusion."""
    return type(scheduler).__name__.startswith("FlowMatch") or bool(scheduler.config.get("use_flow_sigmas", False))


def _taken_over(own: Any, kind: Any) -> dict[str, Any]:
    """What a scheduler of another kind is given of a base's own: the noise that the base was trained with.

    It is given also where the own one left it to its defaults, since another's are others. Latents are not cut off at
    1, which some do unless they are told not to. Kinds that do not know zero terminal SNR get its noise in numbers.
    """
    given = {name: own.config[name] for name in _TRAINING if name in own.config}
    given["clip_sample"] = own.config.get("clip_sample", False)
    if "flow_shift" in own.config:  # as those of diffusion that can match flow call it
        given["shift"] = own.config["flow_shift"]
    if own.config.get(_ZERO_SNR) and _ZERO_SNR not in signature(kind).parameters:
        given["trained_betas"] = _betas(own.alphas_cumprod.tolist())
    return given


def _betas(kept: Sequence[float]) -> list[float]:
    """The noise that each step adds, by how much of the picture is kept up to it."""
    kept = [1.0, *(max(value, _LEAST) for value in kept)]
    return [1 - after / before for before, after in pairwise(kept)]
