"""A critic of LLaVA-Critic-7B's size with random weights, in its original naming: a folder in four parts, bfloat16.

It answers Yes or No, as a real one nearly always does: the rows of these words in its head are large and opposite, all
others small.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import LlavaOnevisionForConditionalGeneration

from benchmarks.critic_shape import Shape
from benchmarks.rehearsal.random_file import RandomTensor, write_random
from judge.critics.local.llava.llava_qwen import TOWERS, translate
from judge.critics.local.reader import answer_tokens
from judge.pocket.critic import new_tokenizer
from lorarar.util.files import replacing

TOWER = "google/siglip-so400m-patch14-384"
PARTS = 4
HEAD = "lm_head.weight"
QUIET, LOUD = 0.002, 4.0  # spread of the head's rows: of all words, and of the two answers
ORIGINAL = {
    "model.vision_tower.": "model.vision_tower.vision_tower.vision_model.",
    "model.multi_modal_projector.linear_1.": "model.mm_projector.0.",
    "model.multi_modal_projector.linear_2.": "model.mm_projector.2.",
    "model.language_model.": "model.",
}  # beginnings of weights' names, by transformers'


def original_name(key: str) -> str:
    """The name of a weight in a ``llava_qwen`` checkpoint, by transformers'."""
    old, new = next(((old, new) for old, new in ORIGINAL.items() if key.startswith(old)), ("", ""))
    return new + key.removeprefix(old)


def write_critic(shape: Shape, folder: Path) -> Path:
    """Write the checkpoint; its index comes last, and one that has it stays as it is."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = new_tokenizer(folder)
    image, video, end = (tokenizer.convert_tokens_to_ids(mark) for mark in ("<image>", "<video>", "<|im_end|>"))
    settings = _settings(shape, folder, end)
    (folder / "config.json").write_text(json.dumps(settings, indent=1))
    with torch.device("meta"):
        model: Any = LlavaOnevisionForConditionalGeneration(translate(settings, folder, image, video))
    tensors = {original_name(key): RandomTensor.like(key, weight) for key, weight in model.state_dict().items()}
    tensors[HEAD] = replace(tensors[HEAD], spread=QUIET)
    places: dict[str, str] = {}
    for number, part in enumerate(_parts(tensors), 1):
        name = f"model-{number:05d}-of-{PARTS:05d}.safetensors"
        write_random(folder / name, part, torch.bfloat16)
        places |= dict.fromkeys(part, name)
    _make_it_answer(folder / places[HEAD], answer_tokens(tokenizer), shape.width)
    with replacing(index) as partial:
        partial.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def _settings(shape: Shape, folder: Path, end: int) -> dict[str, object]:
    """The config.json of such a checkpoint; a tower of another depth than the published one comes in a folder."""
    whole = {**TOWERS[TOWER], "num_hidden_layers": shape.tower_layers + 1}
    if whole != TOWERS[TOWER]:
        (folder / "tower").mkdir(exist_ok=True)
        (folder / "tower" / "config.json").write_text(json.dumps(whole))
    return {
        "architectures": ["LlavaQwenForCausalLM"],
        "model_type": "llava_qwen",
        "hidden_act": "silu",
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "max_position_embeddings": 32768,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.shared_heads,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1e6,
        "rope_scaling": None,
        "vocab_size": shape.vocabulary,
        "eos_token_id": end,
        "tie_word_embeddings": False,
        "use_sliding_window": False,
        "image_aspect_ratio": "anyres_max_9",
        "image_grid_pinpoints": f"(1x1),...,({shape.crops}x{shape.crops})",
        "mm_hidden_size": whole["hidden_size"],
        "mm_patch_merge_type": "spatial_unpad",
        "mm_projector_type": "mlp2x_gelu",
        "mm_vision_select_feature": "patch",
        "mm_vision_select_layer": -2,
        "mm_vision_tower": TOWER if whole == TOWERS[TOWER] else "tower",
    }


def _parts(tensors: Mapping[str, RandomTensor]) -> Iterator[dict[str, RandomTensor]]:
    """The tensors in parts of about the same size, in order."""
    most = sum(tensor.count for tensor in tensors.values()) / PARTS
    part: dict[str, RandomTensor] = {}
    counted, made = 0, 1
    for name, tensor in tensors.items():
        part[name] = tensor
        counted += tensor.count
        if counted >= made * most and made < PARTS:
            yield part
            part, made = {}, made + 1
    yield part


def _make_it_answer(file: Path, answers: tuple[list[int], list[int]], width: int) -> None:
    """Write the rows of Yes and No into the head, one the negative of the other."""
    row = torch.randn(width, generator=torch.Generator().manual_seed(0)) * LOUD
    with file.open("r+b") as opened:
        length = int.from_bytes(opened.read(8), "little")
        start = 8 + length + json.loads(opened.read(length))[HEAD]["data_offsets"][0]
        for sign, words in zip((1, -1), answers, strict=True):
            values = (sign * row).to(torch.bfloat16)
            for word in words:
                opened.seek(start + word * values.nbytes)
                opened.write(values.view(torch.uint8).numpy().tobytes())
