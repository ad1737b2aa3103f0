"""Loading a checkpoint: its model and its processor, checked against each other.

Pictures are cut by the processor that needs no torchvision, on every machine: the faster one resizes a little
differently, and a verdict should not depend on what else is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import (
    AddedToken,
    AutoTokenizer,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2Config,
)
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor

from judge.critics.chat import END, IMAGE, MARKS, VIDEO
from judge.critics.critic import CriticError
from judge.critics.local.checkpoint import Checkpoint
from judge.critics.local.llava.llava_qwen import KEY_MAPPING, translate
from judge.critics.local.quantisation import quantised
from judge.critics.local.settings import Quantisation
from judge.critics.local.weights import load_weights, loading, write_greedily

#: Left in full precision, as bitsandbytes reads it: the head, where the verdict is read. (The others it takes for ends
#: of names, and quantises them; their whole names would be other verdicts under the same keys.)
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
    bits = quantised(quantisation, dtype, lambda: FULL_PRECISION)
    with loading(folder):
        tokenizer = _tokenizer(checkpoint)
        config = _config(checkpoint, tokenizer)
        processor = _processor(folder, config, tokenizer, checkpoint.original)
        more = {"key_mapping": KEY_MAPPING if checkpoint.original else None, **bits}
        model = load_weights(LlavaOnevisionForConditionalGeneration, folder, config, device, dtype, more)
        write_greedily(model, tokenizer, tokenizer.convert_tokens_to_ids(END))
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
