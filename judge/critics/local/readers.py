"""The one table of readers: which code loads a checkpoint and reads verdicts from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal, get_args

from judge.critics.critic import CriticError
from judge.critics.local.settings import ImageMode, Quantisation

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint
    from judge.critics.local.reader import Reader

Config = Mapping[str, Any]  # a checkpoint's config.json
ShownAs = ImageMode | Literal["own"]  # own: as the checkpoint's own image processor cuts a picture

ORIGINAL = "LlavaQwenForCausalLM"  # the architecture that LLaVA-Critic was published as


@dataclass(frozen=True)
class ReaderKind:
    """A way to read verdicts from checkpoints of some architectures."""

    title: str  # of the architectures, as messages have it
    reads: Callable[[Config], bool]  # whether it reads a checkpoint of these settings
    opener: str  # the place ``module:function`` of what loads one: see ``open``
    shown_as: tuple[ShownAs, ...]  # the ways in which it can show a picture; the first is its usual one
    shares: bool  # whether it computes what questions share once
    files: tuple[str, ...] = ()  # settings that answers depend on, beside those that every checkpoint has

    def mode(self, wanted: ImageMode | None, usual: ImageMode) -> ShownAs:
        """How pictures are shown.

        Args:
            wanted: the mode to use; None: the usual one.
            usual: the checkpoint's, if this reader has it.

        Raises:
            CriticError: the mode is not one of this reader's.
        """
        if wanted is not None and wanted not in self.shown_as:
            owners = " or ".join(kind.title for kind in READERS if wanted in kind.shown_as)
            raise CriticError(f"--image-mode {wanted} is a setting of {owners}; {self.title} has its own processor")
        mode = wanted or usual
        return mode if mode in self.shown_as else self.shown_as[0]

    def open(
        self, checkpoint: Checkpoint, device: str, dtype: str, quantisation: Quantisation | None, mode: ShownAs
    ) -> Reader:
        """The loaded model, which reads verdicts.

        Raises:
            CriticError: it cannot be fetched or loaded, or its parts do not fit together.
        """
        reader: Reader = resolve_name(self.opener)(checkpoint, device, dtype, quantisation, mode)
        return reader


def is_original(config: Config) -> bool:
    """Whether a checkpoint is of the ``llava_qwen`` kind, not transformers' own."""
    return config.get("model_type") == "llava_qwen" or config.get("architectures") == [ORIGINAL]


def is_known(config: Config) -> bool:
    """Whether transformers knows a checkpoint of these settings as a vision-language model."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    return str(config.get("model_type")) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES


LLAVA = ReaderKind(
    title="LLaVA-OneVision",
    reads=lambda config: config.get("model_type") == "llava_onevision" or is_original(config),
    opener="judge.critics.local.llava.reader:open_llava",
    shown_as=get_args(ImageMode),
    shares=True,
)
GENERAL = ReaderKind(
    title="a vision-language model with a chat template",
    reads=is_known,
    opener="judge.critics.local.general.reader:open_general",
    shown_as=("own",),
    shares=False,
    files=("chat_template.jinja", "chat_template.json", "generation_config.json", "tokenizer.model"),
)

#: The readers; the first that reads a checkpoint opens it.
READERS = (LLAVA, GENERAL)


def reader_of(config: Config, place: Path | str = "a checkpoint's settings") -> ReaderKind:
    """The reader of a checkpoint of these settings, which stand in that place.

    Raises:
        CriticError: there is none.
    """
    kind = next((kind for kind in READERS if kind.reads(config)), None)
    if kind is None:
        raise CriticError(
            f"{place}: model_type is {config.get('model_type')!r}; accepted are llava_onevision, llava_qwen and any "
            f"vision-language model of transformers {version('transformers')}, such as qwen3_vl, internvl or gemma3"
        )
    return kind
