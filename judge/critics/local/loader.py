"""Loading a checkpoint: its model and its processor, checked against each other.

Invariant: every weight of the model comes from the checkpoint and every weight of the checkpoint goes into
the model. Pictures are cut by the processor that needs no torchvision, on every machine: the faster one
resizes a little differently, and a verdict should not depend on what else is installed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AddedToken,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2Config,
)
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor
from transformers.utils import logging

from judge.critics.chat import END, IMAGE, MARKS, VIDEO
from judge.critics.critic import CriticError
from judge.critics.local.checkpoint import Checkpoint
from judge.critics.local.llava_qwen import KEY_MAPPING, translate
from judge.critics.local.settings import Quantisation
from lorarar.util.errors import reason

#: Left in full precision: they are small, and the head is where the verdict is read. (Naming any replaces the default.)
FULL_PRECISION = ["lm_head", "vision_tower", "multi_modal_projector"]


class PictureProcessor(LlavaOnevisionProcessor):  # type: ignore[misc]
    """transformers' processor of words and pictures, without its part for videos, which needs torchvision.

    A processor takes its parts from the signature of its ``__init__``.
    """

    def __init__(
        self, image_processor: LlavaOnevisionImageProcessorPil, tokenizer: PreTrainedTokenizerFast, **settings: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, **settings)


def load(
    checkpoint: Checkpoint, device: str, dtype: str, quantisation: Quantisation | None = None
) -> tuple[LlavaOnevisionForConditionalGeneration, PictureProcessor]:
    """The model, ready on ``device``, and the processor of a checkpoint.

    Raises:
        CriticError: it cannot be fetched or loaded, or its parts do not fit together.
    """
    folder = checkpoint.fetch()
    quantised = _quantised(quantisation, dtype)
    try:
        tokenizer = _tokenizer(checkpoint)
        config = _config(checkpoint, tokenizer)
        processor = _processor(folder, config, tokenizer, checkpoint.original)
        model = _model(checkpoint, config, device, dtype, quantised)
        # a checkpoint's own may sample
        model.generation_config = GenerationConfig(
            eos_token_id=tokenizer.convert_tokens_to_ids(END), pad_token_id=tokenizer.pad_token_id
        )
    except CriticError:
        raise
    except Exception as error:  # what a broken checkpoint makes the library raise is its writer's choice
        raise CriticError(f"cannot load {folder}: {reason(error)}") from None
    return model, processor


def _tokenizer(checkpoint: Checkpoint) -> PreTrainedTokenizerFast:
    # without a config of its own the library would ask the checkpoint's, of a kind it does not know
    config = {"config": Qwen2Config()} if checkpoint.original else {}
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True, **config)
    if checkpoint.original:  # such a checkpoint splices pictures in by itself and may know no mark for them
        _add(tokenizer, IMAGE)
        _add(tokenizer, VIDEO)
    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token or END
    return tokenizer


def _add(tokenizer: PreTrainedTokenizerFast, mark: str) -> None:
    if mark not in tokenizer.get_vocab():
        tokenizer.add_tokens([AddedToken(mark, special=True, normalized=False)], special_tokens=True)


def _config(checkpoint: Checkpoint, tokenizer: PreTrainedTokenizerFast) -> LlavaOnevisionConfig:
    vocabulary = tokenizer.get_vocab()
    if missing := [mark for mark in MARKS if mark not in vocabulary]:
        raise CriticError(f"{checkpoint.folder}: the tokenizer has no {', '.join(missing)}")
    image, video = vocabulary[IMAGE], vocabulary[VIDEO]
    if checkpoint.original:
        config = translate(checkpoint.config, checkpoint.folder, image, video)
    else:
        config = LlavaOnevisionConfig.from_pretrained(checkpoint.folder, local_files_only=True)
    if config.image_token_index != image:
        raise CriticError(f"{checkpoint.folder}: {IMAGE} is token {image}, the config's is {config.image_token_index}")
    if config.text_config.vocab_size <= max(image, video):
        raise CriticError(f"{checkpoint.folder}: {IMAGE} is token {image} of {config.text_config.vocab_size}")
    if config.vision_feature_select_strategy != "full" or not str(config.vision_aspect_ratio).startswith("anyres_max_"):
        raise CriticError(f"{checkpoint.folder}: accepted are the feature strategy full and the aspect anyres_max_N")
    return config


def _processor(
    folder: Path, config: LlavaOnevisionConfig, tokenizer: PreTrainedTokenizerFast, original: bool
) -> PictureProcessor:
    side = config.vision_config.image_size
    if not original and any(
        (folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")
    ):
        images = LlavaOnevisionImageProcessorPil.from_pretrained(folder, local_files_only=True)
        if (images.size["height"], images.size["width"]) != (side, side):
            raise CriticError(f"{folder}: the processor's size is {dict(images.size)}, the tower's {side}")
        if [list(point) for point in images.image_grid_pinpoints] != config.image_grid_pinpoints:
            raise CriticError(f"{folder}: the processor's image_grid_pinpoints are not the config's")
    else:
        images = LlavaOnevisionImageProcessorPil(
            size={"height": side, "width": side},
            image_grid_pinpoints=config.image_grid_pinpoints,
            image_mean=[0.5] * 3,  # SigLIP's; the class's default is CLIP's
            image_std=[0.5] * 3,
        )
    return PictureProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        num_image_tokens=(side // config.vision_config.patch_size) ** 2,
        vision_feature_select_strategy=config.vision_feature_select_strategy,
        vision_aspect_ratio=config.vision_aspect_ratio,
    )


def _model(
    checkpoint: Checkpoint, config: LlavaOnevisionConfig, device: str, dtype: str, quantised: dict[str, Any]
) -> LlavaOnevisionForConditionalGeneration:
    logging.disable_progress_bar()
    model, info = LlavaOnevisionForConditionalGeneration.from_pretrained(
        checkpoint.folder,
        config=config,
        key_mapping=KEY_MAPPING if checkpoint.original else None,
        dtype=getattr(torch, dtype),
        device_map=device,
        attn_implementation="sdpa",  # a config could name code of the hub
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        **quantised,
    )
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if keys := sorted(map(str, info[kind])):
            raise CriticError(f"{checkpoint.folder}: {len(keys)} {kind.replace('_', ' ')}, such as {keys[0]}")
    return model.eval().requires_grad_(False)


def _quantised(quantisation: Quantisation | None, dtype: str) -> dict[str, Any]:
    if quantisation is None:
        return {}
    if not find_spec("bitsandbytes"):
        raise CriticError(f"{quantisation} needs bitsandbytes, which is not installed; leave the quantisation out")
    bits: dict[str, Any] = {"load_in_8bit": True} if quantisation == "8bit" else {"load_in_4bit": True}
    if quantisation == "4bit":
        bits |= {"bnb_4bit_compute_dtype": getattr(torch, dtype), "bnb_4bit_quant_type": "nf4"}
    return {"quantization_config": BitsAndBytesConfig(**bits, llm_int8_skip_modules=FULL_PRECISION)}
