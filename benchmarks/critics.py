"""A critic of LLaVA-Critic-7B's shape with random weights, made on the device; and a toy of the same kind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, Qwen2Config
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil

from benchmarks.critic_shape import Shape
from judge.critics.local.llava.llava_qwen import TOWERS
from judge.critics.local.llava.loader import PictureProcessor
from judge.critics.local.llava.reader import LlavaReader
from judge.critics.local.settings import ImageMode
from judge.pocket.critic import new_tokenizer


def new_reader(shape: Shape, device: str, mode: ImageMode) -> LlavaReader:
    """A loaded random critic; its verdicts mean nothing, its costs are the real one's."""
    tower = {**TOWERS["google/siglip-so400m-patch14-384"], "num_hidden_layers": shape.tower_layers}
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = new_tokenizer(Path(folder))
    image, video = (tokenizer.convert_tokens_to_ids(mark) for mark in ("<image>", "<video>"))
    side = tower["image_size"]
    grid = [[side * a, side * b] for a in range(1, shape.crops + 1) for b in range(1, shape.crops + 1)]
    config = LlavaOnevisionConfig(
        vision_config=tower | {"vision_use_head": False},
        text_config=Qwen2Config(
            vocab_size=shape.vocabulary,
            hidden_size=shape.width,
            intermediate_size=shape.inner,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.shared_heads,
        ),
        image_token_index=image,
        video_token_index=video,
        image_grid_pinpoints=grid,
    )
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            torch.manual_seed(0)
            model = LlavaOnevisionForConditionalGeneration(config).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(torch.float32)
    processor = PictureProcessor(
        image_processor=LlavaOnevisionImageProcessorPil(
            size={"height": side, "width": side},
            image_grid_pinpoints=grid,
            image_mean=[0.5] * 3,
            image_std=[0.5] * 3,
        ),
        tokenizer=tokenizer,
        num_image_tokens=(side // tower["patch_size"]) ** 2,
        vision_feature_select_strategy="full",
        vision_aspect_ratio="anyres_max_9",
    )
    return LlavaReader(model, processor, mode)
