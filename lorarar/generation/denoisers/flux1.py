"""FLUX.1: packed latents, T5's text beside CLIP's of the prompt as a whole, and guidance that is told to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.denoiser_kind import DenoiserKind
from lorarar.generation.denoisers.packed_latents import packed, places, unpacked
from lorarar.generation.denoisers.token_count import LONGEST, check_length, count_tokens
from lorarar.util.errors import DrawingError

if TYPE_CHECKING:
    from torch import Tensor

    from lorarar.generation.picture_size import PixelSize

POOLED = "pooled"  # among what is added: the prompts' embeddings as a whole (N, width)
#: What the model is told of guidance while it is trained, as diffusers' training of such LoRAs has it by default: what
#: a distilled model predicts at 1 is what the model it was distilled from does without guidance.
GUIDANCE = 1.0


class Flux1Kind(DenoiserKind):
    """It predicts the velocity. Its guidance is distilled, so there is no second run and no negative prompt."""

    attention = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
    feed_forward = ("ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2", "proj_mlp", "proj_out")

    def predict(self, model: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        height, width = noisy.shape[2:]
        told = torch.full((len(noisy),), GUIDANCE, device=noisy.device) if model.config.guidance_embeds else None
        velocity: Tensor = model(
            hidden_states=packed(noisy),
            timestep=timesteps.to(noisy.dtype) / 1000,
            guidance=told,
            pooled_projections=conditioning.added[POOLED],
            encoder_hidden_states=conditioning.text,
            txt_ids=torch.zeros(conditioning.text.shape[1], 3).to(noisy),
            img_ids=places(height, width).to(noisy),
            return_dict=False,
        )[0]
        return unpacked(velocity, height, width)

    @torch.no_grad()
    def encode_prompts(self, pipeline: Any, prompts: list[str], side: int, device: torch.device | str) -> Conditioning:
        text, pooled, _ = pipeline.encode_prompt(prompts, device=device, max_sequence_length=LONGEST)
        return Conditioning(text, {POOLED: pooled})

    def call_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        if negative:
            raise DrawingError(
                "this base has its guidance built in and runs once a step, so nothing can be said of what a picture "
                "should not show; leave --negative out"
            )
        check_length(prompt, count_tokens(pipeline.tokenizer_2, prompt))
        words = self.encode_prompts(pipeline, [prompt], 0, device)
        return {
            "prompt_embeds": words.text,
            "pooled_prompt_embeds": words.added[POOLED],
            "guidance_scale": guidance,
        }

    def latents(self, pipeline: Any, output: Tensor, size: PixelSize | None) -> Tensor:
        width, height = (side // int(pipeline.vae_scale_factor) for side in size or self.own_size(pipeline) or ())
        return unpacked(output, height, width)

    def channels(self, model: Any) -> int:
        return int(model.config.in_channels) // 4

    def fits(self, pipeline: Any, prompt: str) -> bool:
        return count_tokens(pipeline.tokenizer_2, prompt) <= LONGEST
