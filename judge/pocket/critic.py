"""Pocket's critic: the LLaVA-OneVision architecture, small, and its tokenizer."""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from judge.critics.chat import chat
from judge.pocket.vision_tower import CONFIG as VISION_CONFIG
from judge.questions import ASPECTS, PROMPTS
from lorarar.pocket.styles import STYLE_FUNCTIONS

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>")
VOCABULARY = 640


def new_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """A byte-level BPE over the prompts' words, written to ``folder``; Yes and No are one token each."""
    texts = [
        chat(prompts.render(aspect, family), prompts.system) + answer + "<|im_end|>"
        for prompts in PROMPTS.values()
        for family in STYLE_FUNCTIONS
        for aspect in ASPECTS
        for answer in ("Yes", "No", "yes", "no")
    ]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left"
    )
    fast.save_pretrained(folder)
    return fast


def new_critic(tokenizer: PreTrainedTokenizerFast) -> LlavaOnevisionForConditionalGeneration:
    """An untrained critic."""
    text = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=448,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        initializer_range=0.08,  # the usual 0.02 is for wider models
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    )
    side = VISION_CONFIG.image_size
    config = LlavaOnevisionConfig(
        vision_config=VISION_CONFIG,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[a * side, b * side] for a in (1, 2) for b in (1, 2)],
        tie_word_embeddings=True,
    )
    return LlavaOnevisionForConditionalGeneration(config)
