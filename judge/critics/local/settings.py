"""Settings of critics on this machine: each once, with its default and what users are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from judge.critics.answer_limit import MAX_TOKENS_OPTION
from judge.critics.preparation import SIDE_OPTION
from lorarar.util.dtype import Dtype
from lorarar.util.options import Option, field_of, options_in

ImageMode = Literal["anyres", "pad"]
Quantisation = Literal["8bit", "4bit"]

#: Of whatever loads a model onto a device: critics here, and backbones.
DEVICE_OPTION = Option("device", "cpu, cuda, …", "text", default_words="a GPU if there is one")
IMAGE_MODE_OPTION = Option(
    "image_mode",
    "Crops beside the whole picture, or one padded square.",
    "choice",
    default_words="the critic's own",
    choices=get_args(ImageMode),
)
DTYPE_OPTION = Option("dtype", "Numbers to compute in.", "choice", default_words="by device", choices=get_args(Dtype))
QUANTISATION_OPTION = Option(
    "quantisation",
    "Load the critic's weights in so many bits (needs bitsandbytes).",
    "choice",
    default_words="none",
    choices=get_args(Quantisation),
)
BATCH_OPTION = Option(
    "batch",
    "Questions at a time, on this machine; half as many where they do not fit into the memory.",
    "integer",
    default_words="as many as fitted before; at first 4 on a GPU, else 32",
    least=1,
)
_GENERATE = "Let the critic write its answer, as the authors do, in place of reading Yes against No."


@dataclass(frozen=True)
class LocalSettings:
    """How a critic on this machine is run."""

    side: int = field_of(SIDE_OPTION)
    image_mode: ImageMode | None = field_of(IMAGE_MODE_OPTION)
    device: str | None = field_of(DEVICE_OPTION)
    dtype: Dtype | None = field_of(DTYPE_OPTION)  # by default bfloat16 on a GPU and float32 elsewhere
    batch: int | None = field_of(BATCH_OPTION)
    quantisation: Quantisation | None = field_of(QUANTISATION_OPTION)
    reuse: bool = field_of(Option("reuse", "Compute what questions share once.", "switch", default=True))
    max_tokens: int = field_of(MAX_TOKENS_OPTION)
    generate: bool = field_of(Option("generate", _GENERATE, "switch", default=False))


LOCAL_OPTIONS = options_in(LocalSettings)
