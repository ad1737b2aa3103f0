"""Prompts of any length, encoded in pieces: nothing is cut off.

CLIP's text encoders take 77 tokens (Pocket's 24), of which two are a prompt's start and end. A longer prompt is split
into pieces of 75, each of which gets a start and an end of its own and is encoded alone; the pieces' tokens stand one
after another, and the UNet attends to all of them. The negative prompt gets as many pieces. SDXL's embedding of a
prompt as a whole is that of the first piece. A prompt that fits is left to the pipeline, so its picture is what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

#: The arguments of a pipeline's call that take the place of its prompts, in the order in which it encodes them.
_ENCODED = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")

ENDS = 2  # tokens of a piece that are its start and its end


class _Encoder(NamedTuple):
    """One of a pipeline's text encoders, with its tokenizer."""

    tokenizer: Any
    model: Any

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without start and end."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids
        return ids

    @property
    def room(self) -> int:
        """How many tokens of a text it takes at once."""
        return int(self.tokenizer.model_max_length) - ENDS

    def pieces(self, text: str, count: int) -> list[list[int]]:
        """The tokens of a text in so many pieces, each with its ends and filled up to the encoder's length."""
        tokens, words = self.tokenizer, self.tokens(text)
        parts = [words[number * self.room : (number + 1) * self.room] for number in range(count)]
        filled = [[tokens.bos_token_id, *part, tokens.eos_token_id] for part in parts]
        return [piece + [tokens.pad_token_id] * (self.room + ENDS - len(piece)) for piece in filled]


def pieces_needed(pipeline: Any, *texts: str) -> int:
    """In how many pieces the longest of some texts has to be encoded; 1 where all fit."""
    encoders = _encoders(pipeline)
    return max(1, *(-(-len(encoder.tokens(text)) // encoder.room) for encoder in encoders for text in texts))


def prompt_arguments(pipeline: Any, prompt: str, negative: str, device: str) -> dict[str, Any]:
    """The arguments of a pipeline's call that say what to show and what not.

    Args:
        pipeline: of SDXL's or of SD 1.5's kind, with its LoRAs attached.
        prompt, negative: of any length; an empty negative prompt says nothing.
        device: where it is encoded.
    """
    count = pieces_needed(pipeline, prompt, negative)
    if count == 1:
        return {"prompt": prompt, "negative_prompt": negative or None}
    positive, hidden = (_encode(pipeline, text, count, device) for text in (prompt, negative))
    if not negative and getattr(pipeline.config, "force_zeros_for_empty_prompt", False):
        hidden = [part * 0 for part in positive]
    names = ["prompt_embeds", "pooled_prompt_embeds"][: len(positive)]
    return dict(zip(names, positive, strict=True)) | dict(
        zip([f"negative_{name}" for name in names], hidden, strict=True)
    )


def encoded_arguments(pipeline: Any, prompt: str, negative: str, device: Any) -> dict[str, Any]:
    """The same, encoded whatever the length, so that the call needs no text encoder.

    Args:
        pipeline, prompt, negative: as of ``prompt_arguments``.
        device: where the text encoders are.
    """
    arguments = prompt_arguments(pipeline, prompt, negative, str(device))
    if "prompt" not in arguments:
        return arguments
    encoded = pipeline.encode_prompt(
        **arguments, device=device, num_images_per_prompt=1, do_classifier_free_guidance=True
    )
    return dict(zip(_ENCODED, encoded, strict=False))  # of one text encoder there is none as a whole


def _encoders(pipeline: Any) -> list[_Encoder]:
    pairs = [
        (getattr(pipeline, f"tokenizer{end}", None), getattr(pipeline, f"text_encoder{end}", None))
        for end in ("", "_2")
    ]
    return [_Encoder(tokenizer, model) for tokenizer, model in pairs if model is not None]


def _encode(pipeline: Any, text: str, count: int, device: str) -> list[Tensor]:
    """A text's embeddings (1, count x length, width), and of SDXL's kind the one of it as a whole (1, pooled width)."""
    import torch

    encoders = _encoders(pipeline)
    with torch.no_grad():
        outputs = [
            encoder.model(torch.tensor(encoder.pieces(text, count), device=device), output_hidden_states=True)
            for encoder in encoders
        ]
    if hasattr(pipeline, "text_encoder_2"):  # SDXL's kind: the last layer but one of both, and the second's projection
        return [_in_a_row([output.hidden_states[-2] for output in outputs]), outputs[-1][0][:1]]
    return [_in_a_row([output.last_hidden_state for output in outputs])]


def _in_a_row(states: Sequence[Tensor]) -> Tensor:
    """Hidden states (pieces, length, width) of several encoders as one (1, pieces x length, all widths)."""
    import torch

    joined = torch.cat(list(states), dim=-1)
    return joined.reshape(1, -1, joined.shape[-1])
