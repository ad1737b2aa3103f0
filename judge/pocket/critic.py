"""Pocket's critic: the LLaVA-OneVision architecture, small, and its tokenizer."""

from __future__ import annotations

import random
from itertools import cycle
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from judge.critics.chat import chat
from judge.pocket.generated_wordings import generate_wording
from judge.pocket.vision_tower import CONFIG as VISION_CONFIG
from judge.pocket.word_noise import WORDS
from judge.pocket.wordings import WORDINGS
from judge.questions import ASPECTS, PROMPTS
from lorarar.pocket.styles import STYLE_FUNCTIONS

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>")
VOCABULARY = 1600
SAMPLED_WORDINGS = 400  # generated wordings whose words the tokenizer knows
OFTEN = 20  # weight of each word of idle talk


def new_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """A byte-level BPE over the words that it is trained with, written to ``folder``; Yes and No are one token each."""
    rng = random.Random(0)
    generated = (generate_wording(rng) for _ in range(SAMPLED_WORDINGS))
    texts = [
        chat(prompts.render(aspect, family), prompts.system) + answer + "<|im_end|>"
        for prompts in (*PROMPTS.values(), *WORDINGS, *generated)
        for aspect in ASPECTS
        for family, answer in zip(STYLE_FUNCTIONS, cycle(("Yes", "No", "yes", "no")), strict=False)
    ]
    texts += [" " + " ".join(WORDS)] * OFTEN + [" ".join(word.capitalize() for word in WORDS)] * OFTEN
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


@torch.no_grad()
def adopt_tokenizer(
    critic: LlavaOnevisionForConditionalGeneration, old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast
) -> None:
    """Give a critic another tokenizer: a token that is new to it starts as the mean of its old pieces."""
    embeddings = critic.get_input_embeddings().weight.detach().clone()
    rows = []
    for token in new.convert_ids_to_tokens(range(len(new))):
        own = old.get_vocab().get(token)
        text = new.convert_tokens_to_string([token])
        pieces = [own] if own is not None else old(text, add_special_tokens=False).input_ids
        rows.append(embeddings[pieces].mean(0))
    critic.resize_token_embeddings(len(new), mean_resizing=False)
    critic.get_input_embeddings().weight.copy_(torch.stack(rows))
