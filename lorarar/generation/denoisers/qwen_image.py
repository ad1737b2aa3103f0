"""Qwen-Image: packed latents, texts of any length with a mask, and classifier-free guidance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lorarar.generation.denoisers.conditioning import MASK, Conditioning
from lorarar.generation.denoisers.denoiser_kind import DenoiserKind, check_negative
from lorarar.generation.denoisers.packed_latents import packed, unpacked
from lorarar.generation.denoisers.token_count import LONGEST, check_length, count_tokens

if TYPE_CHECKING:
    from torch import Tensor

    from lorarar.generation.picture_size import PixelSize

NOTHING = " "  # what guidance leads away from where nobody says it, as its authors have it


class QwenImageKind(DenoiserKind):
    """It predicts the velocity. Above 1 guidance is classifier-free, at 1 and below the model runs once a step."""

    native = 166
    attention = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
    feed_forward = ("img_mlp.net.0.proj", "img_mlp.net.2", "txt_mlp.net.0.proj", "txt_mlp.net.2")

    def predict(self, model: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        height, width = noisy.shape[2:]
        mask = conditioning.added[MASK]
        velocity: Tensor = model(
            hidden_states=packed(noisy),
            timestep=timesteps.to(noisy.dtype) / 1000,
            encoder_hidden_states=conditioning.text,
            encoder_hidden_states_mask=None if bool(mask.all()) else mask,
            img_shapes=[[(1, height // self.patch, width // self.patch)]] * len(noisy),
            return_dict=False,
        )[0]
        return unpacked(velocity, height, width)

    @torch.no_grad()
    def encode_prompts(self, pipeline: Any, prompts: list[str], side: int, device: torch.device | str) -> Conditioning:
        texts, mask = pipeline.encode_prompt(prompts, device=device, max_sequence_length=LONGEST)
        own = [slice(None)] * len(texts) if mask is None else mask.bool()  # none where all are as long
        return Conditioning.of_lengths([text[tokens] for text, tokens in zip(texts, own, strict=True)])

    def call_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        check_negative(negative, guidance)
        sides = {"": prompt, "negative_": negative or NOTHING} if guidance > 1 else {"": prompt}
        arguments: dict[str, Any] = {"true_cfg_scale": max(guidance, 1.0)}
        for side, text in sides.items():
            check_length(text, self._tokens(pipeline, text))
            words = self.encode_prompts(pipeline, [text], 0, device)
            arguments |= {f"{side}prompt_embeds": words.text, f"{side}prompt_embeds_mask": words.added[MASK]}
        return arguments

    def latents(self, pipeline: Any, output: Tensor, size: PixelSize | None) -> Tensor:
        width, height = (side // int(pipeline.vae_scale_factor) for side in size or self.own_size(pipeline) or ())
        return unpacked(output, height, width)

    def channels(self, model: Any) -> int:
        return int(model.config.in_channels) // self.patch**2

    def fits(self, pipeline: Any, prompt: str) -> bool:
        return self._tokens(pipeline, prompt) <= LONGEST

    def _tokens(self, pipeline: Any, prompt: str) -> int:
        """The tokens that are left of a prompt within what the pipeline asks, without how that begins."""
        question = pipeline.prompt_template_encode.format(prompt)
        return count_tokens(pipeline.tokenizer, question) - int(pipeline.prompt_template_encode_start_idx)
