"""Whether a CLIP's tokenizer and its text model belong together, which nothing else would notice.

CLIP's vector of a text is what its model has at the text's end. Where the tokenizer's end is another number than the
model looks for, every text gets the vector of its beginning, which is the same for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import CLIPTextConfig, CLIPTokenizer

_PROBES = ("a", "a dog in watercolor style")  # of two lengths, so that one is filled up
_OF_OLD = 2  # configurations of old name this end, and mean the token of the largest number


def check_tokenizer(tokenizer: CLIPTokenizer, model: CLIPTextConfig) -> None:
    """Refuse a tokenizer by whose tokens a text model cannot tell texts apart.

    Raises:
        ValueError: it has more tokens than the model, or ends texts otherwise.
    """
    tokens, end = max(tokenizer.get_vocab().values()) + 1, tokenizer.eos_token_id
    if tokens > model.vocab_size:
        raise ValueError(f"the tokenizer has {tokens} tokens, the model {model.vocab_size}")
    for ids in tokenizer(list(_PROBES), padding=True)["input_ids"]:
        looked_for = max(ids) if model.eos_token_id == _OF_OLD else model.eos_token_id
        if looked_for != end or end not in ids:
            raise ValueError(f"the tokenizer's end of text is {end}, the model's {model.eos_token_id}")
