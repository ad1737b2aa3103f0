"""Qwen's language models, which diffusion transformers read their prompts with."""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.families.architecture import Component

QWEN3_4B = {
    "vocab_size": 151936,
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "tie_word_embeddings": True,
}
QWEN3_8B = {**QWEN3_4B, "hidden_size": 4096, "intermediate_size": 12288, "tie_word_embeddings": False}
QWEN25_VL_7B = {
    "text_config": {
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
    },
    "vision_config": {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 3584,
    },
    "tie_word_embeddings": False,
}
VISION = Component("transformers:Qwen2_5_VLForConditionalGeneration", QWEN25_VL_7B)


def reader(config: Mapping[str, object]) -> Component:
    """The language model of this configuration as a pipeline's text encoder."""
    return Component("transformers:Qwen3ForCausalLM", config)
