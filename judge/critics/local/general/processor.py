"""The processor of any vision-language checkpoint, for words and pictures alone.

transformers' processors of today's models have a part for videos, which needs torchvision, though no picture goes
through it. A checkpoint's own class is made here without that part, and without one for sound. Pictures are cut by
the image processor that needs no torchvision, on every machine: the faster one resizes a little differently, and a
verdict should not depend on what else is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoImageProcessor, AutoTokenizer, PreTrainedTokenizerFast, ProcessorMixin
from transformers.image_processing_backends import TorchvisionBackend
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING, processor_class_from_name

from judge.critics.critic import CriticError
from judge.critics.local.checkpoint import read_json

LOCAL = {"local_files_only": True, "trust_remote_code": False}
NAMING = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")  # that may name the class
LEFT_OUT = ("video_processor", "feature_extractor", "audio_processor")


class PicturesAlone:
    """What makes of a class of processors one that does without some of its parts, which are None."""

    def check_argument_for_proper_class(self, name: str, argument: object) -> object:
        """Let a part be missing."""
        return None if argument is None else super().check_argument_for_proper_class(name, argument)  # type: ignore[misc]


def picture_processor(folder: Path, config: Any) -> ProcessorMixin:
    """The processor of a checkpoint in a folder, whose settings for transformers are ``config``.

    Raises:
        CriticError: it takes no pictures, or cannot be had without torchvision or parts of another kind.
    """
    kind = processor_class(folder, config)
    parts = kind.get_attributes()
    if "image_processor" not in parts or "tokenizer" not in parts:
        raise CriticError(f"{folder}: its {kind.__name__} takes no pictures with words, but {', '.join(parts)}")
    if other := [part for part in parts if part not in ("image_processor", "tokenizer", *LEFT_OUT)]:
        raise CriticError(f"{folder}: its {kind.__name__} needs {', '.join(other)}, which cannot be had here")
    own = {"image_processor": _image_processor(folder, config), "tokenizer": _tokenizer(folder)}
    settings, _ = kind.get_processor_dict(folder, local_files_only=True)
    alone: Any = type(kind.__name__, (PicturesAlone, kind), {})
    return alone.from_args_and_dict([own.get(part) for part in parts], settings)


def processor_class(folder: Path, config: Any) -> type[ProcessorMixin]:
    """The class of processors that a checkpoint names, or else its architecture's.

    Raises:
        CriticError: there is none, or it needs packages that are not installed.
    """
    settings = [read_json(folder / name) for name in NAMING if (folder / name).is_file()]
    name = next((str(one["processor_class"]) for one in settings if one.get("processor_class")), "")
    kind = processor_class_from_name(name) if name else PROCESSOR_MAPPING.get(type(config), None)
    if getattr(kind, "is_dummy", False):
        raise CriticError(f"{folder}: its {kind.__name__} needs {' and '.join(kind._backends)}, not all installed")
    if not (isinstance(kind, type) and issubclass(kind, ProcessorMixin)):
        raise CriticError(f"{folder}: no processor of words and pictures is known for {name or config.model_type}")
    return kind


def _image_processor(folder: Path, config: Any) -> Any:
    processor = AutoImageProcessor.from_pretrained(folder, config=config, backend="pil", **LOCAL)
    if isinstance(processor, TorchvisionBackend):
        raise CriticError(f"{folder}: its {type(processor).__name__} cuts no picture without torchvision")
    return processor


def _tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left", **LOCAL)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer
