"""Z-Image: latents and texts in lists, time that runs from noise to picture, and a velocity of the other sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.denoiser_kind import DenoiserKind, check_negative
from lorarar.generation.denoisers.token_count import LONGEST, check_length, count_asked

if TYPE_CHECKING:
    from torch import Tensor

    from lorarar.generation.picture_size import PixelSize


class ZImageKind(DenoiserKind):
    """It predicts the picture less the noise at t = 1 - sigma; the velocity is that with its sign changed.

    Guidance above 1 is classifier-free and counts as in its pipeline, which adds so much of the difference between both
    runs to the first; at 1 and below the model runs once a step, as the distilled Turbo does.
    """

    attention = ("to_q", "to_k", "to_v", "to_out.0")
    feed_forward = ("feed_forward.w1", "feed_forward.w2", "feed_forward.w3")

    def predict(self, model: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        predictions = model([*noisy.unsqueeze(2)], (1000 - timesteps) / 1000, conditioning.texts, return_dict=False)[0]
        return -torch.stack([*predictions]).squeeze(2)

    @torch.no_grad()
    def encode_prompts(self, pipeline: Any, prompts: list[str], side: int, device: torch.device | str) -> Conditioning:
        texts, _ = pipeline.encode_prompt(
            [*prompts], device=device, do_classifier_free_guidance=False, max_sequence_length=LONGEST
        )  # which writes into the list that it is given
        return Conditioning.of_lengths(texts)

    def call_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        check_negative(negative, guidance)
        both = [prompt, negative] if guidance > 1 else [prompt]
        for text in both:
            check_length(text, count_asked(pipeline.tokenizer, text, thinking=True))
        words, *hidden = self.encode_prompts(pipeline, both, 0, device).texts
        return {
            "prompt_embeds": [words],
            "negative_prompt_embeds": hidden,
            "guidance_scale": guidance if guidance > 1 else 0.0,
        }

    def latents(self, pipeline: Any, output: Tensor, size: PixelSize | None) -> Tensor:
        return output

    def channels(self, model: Any) -> int:
        return int(model.config.in_channels)

    def fits(self, pipeline: Any, prompt: str) -> bool:
        return count_asked(pipeline.tokenizer, prompt, thinking=True) <= LONGEST
