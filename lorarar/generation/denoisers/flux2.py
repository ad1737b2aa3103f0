"""FLUX.2 [klein]: latents that hold two by two of the autoencoder's, and four numbers for each token's place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lorarar.generation.autoencoders.flux2 import normalised
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.denoiser_kind import DenoiserKind
from lorarar.generation.denoisers.token_count import LONGEST, check_length, count_asked
from lorarar.util.errors import DrawingError

if TYPE_CHECKING:
    from torch import Tensor

    from lorarar.generation.picture_size import PixelSize

#: As mu is fitted for drawing: two lines in the number of tokens, for 10 and for 200 steps, and a line between both.
_AT_10, _AT_200 = (8.73809524e-05, 1.89833333), (0.00016927, 0.45666666)
_FLAT = 4300  # tokens above which the second line alone counts
_STEPS = 50  # that its pipeline takes where nobody names others


class Flux2Kind(DenoiserKind):
    """It predicts the velocity of latents that the autoencoder's kind has folded and normalised.

    A distilled base, as klein is, runs once a step: there is no guidance and nothing that leads away. One that is not
    (klein base) has classifier-free guidance above 1.
    """

    patch = 1
    folded = 2
    attention = (
        *("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"),
        "to_qkv_mlp_proj",
    )
    feed_forward = ("ff.linear_in", "ff.linear_out", "ff_context.linear_in", "ff_context.linear_out")

    def targets(self, model: Any, feed_forward: bool) -> list[str]:
        """With the way out of the blocks of one stream, whose names end as a list in the others does."""
        single = range(int(model.config.num_single_layers))
        out = [f"single_transformer_blocks.{number}.attn.to_out" for number in single]
        return [*super().targets(model, feed_forward), *out]

    def predict(self, model: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        height, width = noisy.shape[2:]
        velocity: Tensor = model(
            hidden_states=noisy.flatten(2).mT,
            timestep=timesteps.to(noisy.dtype) / 1000,
            guidance=None,
            encoder_hidden_states=conditioning.text,
            txt_ids=_places(1, 1, conditioning.text.shape[1]).to(noisy.device),
            img_ids=_places(height, width, 1).to(noisy.device),
            return_dict=False,
        )[0]
        return velocity.mT.reshape(len(noisy), -1, height, width)

    @torch.no_grad()
    def encode_prompts(self, pipeline: Any, prompts: list[str], side: int, device: torch.device | str) -> Conditioning:
        text, _ = pipeline.encode_prompt(prompts, device=device, max_sequence_length=LONGEST)
        return Conditioning(text, {})

    def call_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        distilled = bool(pipeline.config.get("is_distilled", False))
        if distilled and guidance > 1:
            raise DrawingError(
                f"this base is distilled and runs once a step, so --guidance {guidance:g} would change nothing; leave "
                "it out, or take a klein that is not distilled"
            )
        if negative and (distilled or guidance <= 1):
            how = "it is distilled: leave --negative out" if distilled else "it takes --guidance above 1"
            raise DrawingError(f"--negative says what guidance leads away from, and there is none; {how}")
        both = [prompt, negative] if guidance > 1 else [prompt]
        for text in both:
            check_length(text, count_asked(pipeline.tokenizer, text, thinking=False))
        words = self.encode_prompts(pipeline, both, 0, device).text
        return {
            "prompt_embeds": words[:1],
            "negative_prompt_embeds": words[1:] if guidance > 1 else None,
            "guidance_scale": guidance,
        }

    def latents(self, pipeline: Any, output: Tensor, size: PixelSize | None) -> Tensor:
        return normalised(pipeline.vae, output)

    def channels(self, model: Any) -> int:
        return int(model.config.in_channels)

    def fits(self, pipeline: Any, prompt: str) -> bool:
        return count_asked(pipeline.tokenizer, prompt, thinking=False) <= LONGEST

    def time_shift(self, config: Any, tokens: int) -> float:
        """The mu of its pipeline for as many steps as it takes where nobody names others."""
        at_10, at_200 = (slope * tokens + start for slope, start in (_AT_10, _AT_200))
        if tokens > _FLAT:
            return at_200
        return at_200 + (at_200 - at_10) / 190 * (_STEPS - 200)


def _places(height: int, width: int, tokens: int) -> Tensor:
    """Where tokens are (h w L, 4): picture 0, row, column, and place in the text."""
    return torch.cartesian_prod(*map(torch.arange, (1, height, width, tokens)))
