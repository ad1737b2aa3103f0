"""UNets of Stable Diffusion's kind: SDXL, SD 1.5, Pocket and what is built like them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lorarar.generation.denoisers.conditioning import Conditioning, square_time_ids
from lorarar.generation.denoisers.denoiser_kind import DenoiserKind
from lorarar.generation.denoisers.token_count import count_tokens
from lorarar.generation.long_prompts import encoded_arguments, prompt_arguments

if TYPE_CHECKING:
    from torch import Tensor

    from lorarar.generation.picture_size import PixelSize


class UnetKind(DenoiserKind):
    """Latents go in and come out as they are; classifier-free guidance, and prompts of any length when drawing."""

    component = "unet"
    patch = 1
    attention = ("to_q", "to_k", "to_v", "to_out.0")
    feed_forward = ("ff.net.0.proj", "ff.net.2")

    def predict(self, model: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        added = dict(conditioning.added)
        prediction: Tensor = model(noisy, timesteps, conditioning.text, added_cond_kwargs=added, return_dict=False)[0]
        return prediction

    @torch.no_grad()
    def encode_prompts(self, pipeline: Any, prompts: list[str], side: int, device: torch.device | str) -> Conditioning:
        text, _, *pooled = pipeline.encode_prompt(
            prompts, device=device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        if not pooled:  # of one text encoder, whose prompts have no embedding as a whole
            return Conditioning(text, {})
        return Conditioning.of_sdxl(text, pooled[0], square_time_ids(side, len(prompts)).to(text.device, text.dtype))

    def call_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        return {**prompt_arguments(pipeline, prompt, negative, str(device)), "guidance_scale": guidance}

    def encoded_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        return {**encoded_arguments(pipeline, prompt, negative, device), "guidance_scale": guidance}

    def latents(self, pipeline: Any, output: Tensor, size: PixelSize | None) -> Tensor:
        return output

    def channels(self, model: Any) -> int:
        return int(model.config.out_channels)

    def native_side(self, pipeline: Any) -> int:
        return int(pipeline.unet.config["sample_size"] * pipeline.vae_scale_factor)

    def own_size(self, pipeline: Any) -> PixelSize | None:
        return None

    def check_size(self, pipeline: Any, size: PixelSize) -> None:
        """Any is accepted that can be asked for."""

    def fits(self, pipeline: Any, prompt: str) -> bool:
        both = (getattr(pipeline, name, None) for name in ("tokenizer", "tokenizer_2"))
        return all(
            count_tokens(tokenizer, prompt) <= int(tokenizer.model_max_length)
            for tokenizer in both
            if tokenizer is not None
        )
