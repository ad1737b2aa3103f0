"""Settings of critics on this machine: each with its default here, and what users are told of it below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from judge.critics.preparation import SIDE, SIDE_OPTION
from lorarar.util.dtype import Dtype
from lorarar.util.options import Option

ImageMode = Literal["anyres", "pad"]
Quantisation = Literal["8bit", "4bit"]


@dataclass(frozen=True)
class LocalSettings:
    """How a critic on this machine is run."""

    side: int = SIDE  # of a picture, at most, in pixels
    image_mode: ImageMode | None = None  # crops beside the whole, or one padded square; by default the critic's own
    device: str | None = None  # by default a GPU if there is one
    dtype: Dtype | None = None  # by default bfloat16 on a GPU and float32 elsewhere
    batch: int = 32  # questions at a time
    quantisation: Quantisation | None = None
    reuse: bool = True  # compute what questions share once; off only to measure what that saves
    generate: bool = False  # let it write its answer, as the authors do, in place of reading Yes against No


#: Of whatever loads a model onto a device: critics here, and backbones.
DEVICE_OPTION = Option("device", "cpu, cuda, …", "text", default_words="a GPU if there is one")
LOCAL_OPTIONS = (
    SIDE_OPTION,
    Option(
        "image_mode",
        "Crops beside the whole picture, or one padded square.",
        "choice",
        default_words="the critic's own",
        choices=get_args(ImageMode),
    ),
    DEVICE_OPTION,
    Option("dtype", "Numbers to compute in.", "choice", default_words="by device", choices=get_args(Dtype)),
    Option("batch", "Questions at a time, on this machine.", "integer", default=LocalSettings.batch, least=1),
    Option(
        "quantisation",
        "Load the critic's weights in so many bits (needs bitsandbytes).",
        "choice",
        default_words="none",
        choices=get_args(Quantisation),
    ),
    Option("reuse", "Compute what questions share once.", "switch", default=LocalSettings.reuse),
    Option(
        "generate",
        "Let the critic write its answer, as the authors do, in place of reading Yes against No.",
        "switch",
        default=LocalSettings.generate,
    ),
)
