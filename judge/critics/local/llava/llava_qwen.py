"""Checkpoints of the ``llava_qwen`` kind (LLaVA-Critic's) as transformers' LLaVA-OneVision.

Invariant: nothing is converted or guessed. The weights are renamed while they load, the settings are taken
from the checkpoint's own config.json, and one that says anything else than what the translation stands for
is refused: a wrong layer or patch order would load and answer, only worse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.critics.critic import CriticError
from judge.critics.local.checkpoint import read_json

if TYPE_CHECKING:
    from transformers import LlavaOnevisionConfig

#: Names of weights: patterns of the checkpoint's to transformers'.
KEY_MAPPING = {
    r"^model\.vision_tower\.vision_tower\.vision_model\.": "model.vision_tower.",
    r"^model\.mm_projector\.0\.": "model.multi_modal_projector.linear_1.",
    r"^model\.mm_projector\.2\.": "model.multi_modal_projector.linear_2.",
    r"^model\.embed_tokens\.": "model.language_model.embed_tokens.",
    r"^model\.layers\.": "model.language_model.layers.",
    r"^model\.norm\.": "model.language_model.norm.",
}

#: The towers a config may name without bringing them, as their own config.json have them.
TOWERS: dict[str, dict[str, Any]] = {
    "google/siglip-so400m-patch14-384": {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "image_size": 384,
        "patch_size": 14,
    }
}

#: What the translation stands for, also where a key is absent. (What concerns videos alone is not asked.)
EXPECTED: dict[str, object] = {
    "mm_projector_type": "mlp2x_gelu",
    "mm_patch_merge_type": "spatial_unpad",
    "mm_vision_select_feature": "patch",
    "mm_vision_select_layer": -2,  # the last but one of the whole tower: the last of one cut by a layer
    "mm_resampler_type": None,
    "mm_use_im_start_end": False,
    "mm_use_im_patch_token": False,
    "hidden_act": "silu",
    "rope_scaling": None,
    "use_sliding_window": False,
}

MOST = 32  # crops along a side of a grid

#: Settings of the language model, under the same names on both sides.
TEXT = (
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "rms_norm_eps",
    "vocab_size",
)


def translate(config: Mapping[str, Any], folder: Path, image_token: int, video_token: int) -> LlavaOnevisionConfig:
    """The config for transformers; ``folder`` is the checkpoint's, and the tokens' numbers are its tokenizer's.

    Raises:
        CriticError: a setting is missing, or is not one the translation stands for.
    """
    from transformers import LlavaOnevisionConfig, Qwen2Config

    place = folder / "config.json"
    for key, accepted in EXPECTED.items():
        if (value := config.get(key, accepted)) != accepted:
            raise CriticError(f"{place}: {key} is {value!r}; accepted is {accepted!r}")
    if missing := [key for key in (*TEXT, "rope_theta", "mm_vision_tower", "image_aspect_ratio") if key not in config]:
        raise CriticError(f"{place} lacks {', '.join(missing)}")
    if not re.fullmatch(r"anyres_max_[1-9]\d*", str(config["image_aspect_ratio"])):
        raise CriticError(f"{place}: image_aspect_ratio is {config['image_aspect_ratio']!r}; accepted is anyres_max_N")
    if config.get("image_token_index", image_token) != image_token:
        raise CriticError(f"{place}: image_token_index is {config['image_token_index']}; the tokenizer's {image_token}")
    tower = tower_of(config, folder)
    if config.get("mm_hidden_size", tower["hidden_size"]) != tower["hidden_size"]:
        raise CriticError(f"{place}: mm_hidden_size is {config['mm_hidden_size']}; the tower's {tower['hidden_size']}")
    tied = bool(config.get("tie_word_embeddings", False))
    return LlavaOnevisionConfig(
        vision_config=tower,
        text_config=Qwen2Config(
            **{key: config[key] for key in TEXT},
            rope_parameters={"rope_type": "default", "rope_theta": config["rope_theta"]},
            bos_token_id=config.get("bos_token_id"),
            eos_token_id=config.get("eos_token_id"),
            tie_word_embeddings=tied,
        ),
        image_token_index=image_token,
        video_token_index=video_token,
        image_grid_pinpoints=grid(config.get("image_grid_pinpoints"), tower["image_size"], place),
        vision_aspect_ratio=config["image_aspect_ratio"],
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=tied,
    )


def tower_of(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The vision tower's settings, cut as ``llava_qwen`` cuts it: without its last layer and its head.

    Raises:
        CriticError: the tower is neither a known one nor a folder of the checkpoint's with a config.json.
    """
    name = str(config["mm_vision_tower"])
    if name in TOWERS:
        whole = TOWERS[name]
    elif ".." not in Path(name).parts and not Path(name).is_absolute() and (folder / name / "config.json").is_file():
        whole = read_json(folder / name / "config.json")
        whole = whole.get("vision_config", whole)
    else:
        raise CriticError(
            f"{folder / 'config.json'}: mm_vision_tower is {name!r}; accepted is {', '.join(TOWERS)}, or a folder "
            "of the checkpoint's with a config.json"
        )
    if whole.get("model_type") != "siglip_vision_model":
        raise CriticError(f"{folder / 'config.json'}: the tower {name} is not a siglip_vision_model")
    return {**whole, "num_hidden_layers": whole["num_hidden_layers"] - 1, "vision_use_head": False}


def grid(points: object, side: int, place: Path) -> list[list[int]]:
    """The sizes pictures are cut from, as (height, width); a config lists them as (width, height) or as a range.

    Raises:
        CriticError: they are neither.
    """
    if isinstance(points, str):
        ends = [tuple(map(int, end)) for end in re.findall(r"\((\d+)x(\d+)\)", points)]
        if len(ends) == 2 and points.count("(") == 2 and max(ends[1]) <= MOST:
            (left, low), (right, high) = ends
            return [[y * side, x * side] for x in range(left, right + 1) for y in range(low, high + 1)]
    elif isinstance(points, list) and points and all(_is_size(point, side) for point in points):
        return [[height, width] for width, height in points]
    raise CriticError(
        f"{place}: image_grid_pinpoints is {str(points)[:60]!r}; accepted are pairs of multiples of {side}, "
        "or a range like (1x1),...,(6x6)"
    )


def _is_size(point: object, side: int) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(length, int) and length > 0 and length % side == 0 for length in point)
    )
