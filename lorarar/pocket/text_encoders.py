"""Pocket's two CLIP text encoders and their tokenizer.

The tokenizer is a byte-level CLIP BPE whose merges make most words of Pocket's captions one token (where
merges compete, a word stays in pieces); any other word still encodes, piece by piece. Both encoders share
it, as SDXL's share theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from lorarar.pictures.prompts import RARE_TOKEN
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.styles import STYLE_FUNCTIONS

LENGTH = 24  # tokens of a prompt, start and end included
START, END = "<|startoftext|>", "<|endoftext|>"


def caption_words() -> list[str]:
    """Every word of Pocket's captions and prompts, sorted."""
    phrases = [*CLASS_NAMES, *STYLE_FUNCTIONS, RARE_TOKEN, "a in style"]
    return sorted({word for phrase in phrases for word in phrase.split()})


def write_tokenizer(folder: Path, more_words: Iterable[str] = ()) -> CLIPTokenizer:
    """Write vocabulary and merges to a folder, and load them with the ordinary class; ``more_words`` are tokens too."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted(ByteLevel.alphabet())
    words = caption_words()
    merges = _merges([*words, *sorted(set(more_words) - set(words))])
    tokens = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges), START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,
        model_max_length=LENGTH,
        unk_token=END,
        bos_token=START,
        eos_token=END,
        pad_token=END,
    )


def _merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """The merges that join each word's letters from left to right, each once.

    CLIP's pre-tokenizer cuts digits apart, so "3d" is two words to it.
    """
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        for part in ["3", "d"] if word == "3d" else [word]:
            pieces = [*part[:-1], part[-1] + "</w>"]
            while len(pieces) > 1:
                merges[pieces[0], pieces[1]] = None
                pieces[:2] = [pieces[0] + pieces[1]]
    return list(merges)


def _config(tokenizer: CLIPTokenizer, projection: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        hidden_act="quick_gelu",
        projection_dim=projection,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def new_encoders(tokenizer: CLIPTokenizer) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """Two freshly initialised encoders; the second also gives the pooled embedding."""
    return CLIPTextModel(_config(tokenizer, 64)), CLIPTextModelWithProjection(_config(tokenizer, 128))


def encode(
    tokens: torch.Tensor, one: CLIPTextModel, two: CLIPTextModelWithProjection
) -> tuple[torch.Tensor, torch.Tensor]:
    """SDXL's conditioning of token ids (N, LENGTH).

    Returns:
        The penultimate layers of both encoders (N, LENGTH, 128), and the second one's pooled embedding (N, 128).
    """
    first = one(tokens, output_hidden_states=True)
    second = two(tokens, output_hidden_states=True)
    return torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1), second.text_embeds
