"""What is to be known of a kind of denoiser in order to draw and to train with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from lorarar.util.errors import DrawingError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lorarar.generation.denoisers.conditioning import Conditioning
    from lorarar.generation.picture_size import PixelSize


class DenoiserKind:
    """How pipelines use the denoisers of one class.

    Latents are (N, C, h, w) for all who call it: what the class packs, turns round or signs otherwise is packed, turned
    round and signed here. What a kind does not override is as transformers have it.
    """

    component: ClassVar[str] = "transformer"  # its name in a pipeline, with which its layers' names begin
    patch: ClassVar[int] = 2  # latents a side that are one token of it
    folded: ClassVar[int] = 1  # of the autoencoder's own latents a side that one latent holds
    native: ClassVar[int] = 128  # of the autoencoder's own latents a side that bases were trained for
    attention: ClassVar[tuple[str, ...]]  # the ends of the names of the layers that are trained
    feed_forward: ClassVar[tuple[str, ...]]  # and of those that can be trained beside them

    def targets(self, model: Any, feed_forward: bool) -> list[str]:
        """The ends of the names of the denoiser's layers that are trained, as PEFT takes them.

        Args:
            model: the denoiser.
            feed_forward: whether those of feed-forward parts are too.
        """
        return [*self.attention, *(self.feed_forward if feed_forward else ())]

    def predict(self, model: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        """The prediction (N, C, h, w) for noisy latents: noise or velocity, as the forward process has it as target.

        Args:
            model: the denoiser.
            noisy: latents.
            timesteps: of each, as the forward process counts them.
            conditioning: of each.
        """
        raise NotImplementedError

    def encode_prompts(self, pipeline: Any, prompts: list[str], side: int, device: torch.device | str) -> Conditioning:
        """The conditioning of prompts for square pictures of ``side`` pixels; without gradients.

        Args:
            pipeline: the base.
            prompts: as many as the conditioning is of.
            side: of the pictures.
            device: where the text encoders are.
        """
        raise NotImplementedError

    def call_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        """The arguments of the pipeline's call that say what to show, what not, and how strictly.

        Args:
            pipeline: with its LoRAs attached.
            prompt, negative: an empty negative prompt says nothing.
            guidance: 1 and below is none.
            device: where prompts are encoded.

        Raises:
            DrawingError: a prompt is longer than the text encoders take, or there can be no negative prompt.
        """
        raise NotImplementedError

    def encoded_arguments(
        self, pipeline: Any, prompt: str, negative: str, guidance: float, device: torch.device | str
    ) -> dict[str, Any]:
        """The same, all prompts encoded, so that the call needs no text encoder."""
        return self.call_arguments(pipeline, prompt, negative, guidance, device)

    def latents(self, pipeline: Any, output: Tensor, size: PixelSize | None) -> Tensor:
        """The latents (N, C, h, w) that a pipeline's call with ``output_type="latent"`` gives for a size.

        They are what the autoencoder's kind decodes.
        """
        raise NotImplementedError

    def channels(self, model: Any) -> int:
        """Channels of the latents that go in and come out."""
        raise NotImplementedError

    def native_side(self, pipeline: Any) -> int:
        """Pixels a side that the base was trained for."""
        return self.native * int(pipeline.vae_scale_factor)

    def own_size(self, pipeline: Any) -> PixelSize | None:
        """The size that pictures have where nobody asks for another; None: the pipeline knows it."""
        side = self.native_side(pipeline)
        return side, side

    def check_size(self, pipeline: Any, size: PixelSize) -> None:
        """Refuse a size that tokens do not fill.

        Raises:
            DrawingError: the message says which are accepted.
        """
        step = self.patch * self.folded * int(pipeline.vae_scale_factor)
        if any(side % step for side in size):
            raise DrawingError(
                f"{size[0]}x{size[1]} is no size of this base's pictures; accepted are multiples of {step} pixels"
            )

    def fits(self, pipeline: Any, prompt: str) -> bool:
        """Whether the text encoders see a prompt whole."""
        raise NotImplementedError

    def time_shift(self, config: Any, tokens: int) -> float:
        """mu, by which a scheduler that shifts dynamically moves noise levels up for pictures of so many tokens.

        It is linear in them, as in FLUX.1's and most others' pipelines.
        """
        least, most = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
        return float(low + (high - low) * (tokens - least) / (most - least))


def check_negative(negative: str, guidance: float) -> None:
    """Refuse a negative prompt where no guidance leads away from it.

    Raises:
        DrawingError: the message says what it takes.
    """
    if negative and guidance <= 1:
        raise DrawingError("--negative says what guidance leads away from, and there is none: --guidance above 1")
