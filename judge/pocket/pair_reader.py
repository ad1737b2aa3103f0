"""Pocket's critic asked about pairs of pictures that its tower has encoded already, as it is trained and measured."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast

from judge.pocket.question_tokens import QuestionTokens
from judge.pocket.vision_tower import CONFIG as VISION_CONFIG

GRID = VISION_CONFIG.image_size // VISION_CONFIG.patch_size  # tokens a side of a picture
_BREAK = torch.tensor([GRID**2])  # the line break, behind a picture's own tokens
_ROWS = torch.arange(GRID**2).view(GRID, GRID)

#: Which tokens the language model reads of a picture, and in which order: image mode pad gives the picture and breaks
#: the line; anyres gives the picture, and then again row by row, each with a break.
PAD = torch.cat([_ROWS.flatten(), _BREAK])
ANYRES = torch.cat([_ROWS.flatten(), torch.cat([_ROWS, _BREAK.expand(GRID, 1)], 1).flatten()])


class PairReader:
    """A critic's logits of No and Yes."""

    def __init__(self, critic: LlavaOnevisionForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
        self.critic = critic
        self.answers = [tokenizer.convert_tokens_to_ids(word) for word in ("No", "Yes")]

    def read(self, question: QuestionTokens, first: Tensor, second: Tensor, layout: Tensor = PAD) -> Tensor:
        """Logits (N, L, 2) of No and Yes from where the second picture begins to where the verdict is read.

        Args:
            question: before, between and behind the pictures.
            first: the tower's tokens (N, T, D) of the pictures that are shown first.
            second: of those that are shown second.
            layout: of an image mode, PAD or ANYRES.
        """
        embedded = [self.embed_pictures(tokens, layout) for tokens in (first, second)]
        states = self.states(question, *embedded)[:, -(embedded[1].shape[1] + len(question.after)) :]
        logits: Tensor = states @ self.critic.lm_head.weight[self.answers].T
        return logits

    def embed_pictures(self, tokens: Tensor, layout: Tensor) -> Tensor:
        """The tower's tokens (N, T, D) of pictures as the language model reads them in an image mode's layout."""
        model = self.critic.model
        newline = model.image_newline.expand(len(tokens), 1, -1)
        return torch.cat([model.multi_modal_projector(tokens), newline], 1)[:, layout]

    def states(self, question: QuestionTokens, first: Tensor, second: Tensor) -> Tensor:
        """The language model's last states (N, length, D) on a question about embedded pictures."""
        model = self.critic.model
        before, between, after = (
            model.get_input_embeddings()(part.to(second.device)).expand(len(second), -1, -1)
            for part in (question.before, question.between, question.after)
        )
        sequence = torch.cat([before, first, between, second, after], 1)
        states: Tensor = model.language_model(inputs_embeds=sequence).last_hidden_state
        return states
