"""Pocket's critic asked about pairs of pictures that its tower has encoded already, as it is trained and measured."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast

from lorarar.training.precision import single_precision


class PairReader:
    """A critic's logits of No and Yes."""

    def __init__(self, critic: LlavaOnevisionForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
        self.critic = critic
        self.answers = [tokenizer.convert_tokens_to_ids(word) for word in ("No", "Yes")]

    def read(self, codes: Tensor, pictures: Tensor) -> Tensor:
        """Logits (N, L, 2) of No and Yes behind every token of questions about pairs of pictures.

        Args:
            codes: of the questions (N, L), as in ``PairSequences``.
            pictures: the tower's tokens (2, N, T, D) of those that are shown first and second.
        """
        return self.answer(self.states(codes, pictures))

    def answer(self, states: Tensor) -> Tensor:
        """Logits (..., 2) of No and Yes of the language model's last states (..., D)."""
        with single_precision(states.device):
            logits: Tensor = states.float() @ self.critic.lm_head.weight[self.answers].float().T
        return logits

    def silence(self, states: Tensor) -> Tensor:
        """Mean surprise, in nats, at any answer to come after last states (N, D): that it is No or Yes at all."""
        with single_precision(states.device):
            everything: Tensor = states.float() @ self.critic.lm_head.weight.float().T
        return (everything.logsumexp(-1) - self.answer(states).logsumexp(-1)).mean()

    def states(self, codes: Tensor, pictures: Tensor) -> Tensor:
        """The language model's last states (N, L, D) on questions about pairs of pictures."""
        model = self.critic.model
        words = model.get_input_embeddings()(codes.clamp(min=0))
        places = (-1 - codes).clamp(min=0)[..., None].expand_as(words)
        seen = self.embed_pictures(pictures).to(words.dtype).gather(1, places)
        states: Tensor = model.language_model(inputs_embeds=seen.where(codes[..., None] < 0, words)).last_hidden_state
        return states

    def embed_pictures(self, pictures: Tensor) -> Tensor:
        """What codes below zero stand for (N, 2 * PLACES, D), of the tower's tokens (2, N, T, D)."""
        model = self.critic.model
        projected = model.multi_modal_projector(pictures)
        newline = model.image_newline.expand(2, projected.shape[1], 1, -1).to(projected.dtype)
        first, second = torch.cat([projected, newline], 2)
        return torch.cat([first, second], 1)


def verdicts(values: Tensor, lengths: Tensor) -> Tensor:
    """The logits or states (N, D) where a verdict is read, of all (N, L, D)."""
    return values[torch.arange(len(values), device=values.device), lengths - 1]
