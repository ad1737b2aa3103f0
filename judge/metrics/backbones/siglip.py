"""SigLIP and SigLIP 2: pictures and texts in one space, taught pair by pair with a sigmoid.

The text tower takes its vector from the last of its places, which is padding as a rule: a text is always filled up to
the length that the model was taught (64 tokens), and nothing of it is masked. Texts are in small letters, as in both
models' training; a tokenizer need not see to that itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PIL import Image

from judge.metrics.backbone import Backbone, Identity, Vectors, unit
from judge.metrics.preprocessing import Colour, Patches, Stretch
from judge.metrics.source import ModelSource, ModelTarget, loading, quiet

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase, Siglip2Config, Siglip2Model, SiglipConfig, SiglipModel

STEPS = ("do_resize", "do_rescale", "do_normalize")
HALF: Colour = (0.5, 0.5, 0.5)
#: What transformers takes where an image processor is silent: of one size, and of NaFlex's patches.
SILENT: Mapping[str, Any] = {**dict.fromkeys(STEPS, True), "image_mean": HALF, "image_std": HALF}
STRETCHED: Mapping[str, Any] = {**SILENT, "size": {"height": 224, "width": 224}, "resample": 3}
PATCHED: Mapping[str, Any] = {**SILENT, "max_num_patches": 256, "patch_size": 16, "resample": 2}


class Siglip(Backbone):
    """SigLIP, or SigLIP 2 of one size of pictures."""

    kind = "siglip"

    def __init__(
        self,
        identity: Identity,
        load: Callable[[], SiglipModel | Siglip2Model],
        words: Callable[[], PreTrainedTokenizerBase],
    ) -> None:
        super().__init__(identity, load)
        self._words = words

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The loaded tokenizer."""
        return self._words()

    def see(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model.get_image_features(pixel_values=pixels).pooler_output
        return features

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, as one batch; what exceeds the model's length is cut off."""
        import torch

        ids = self.tokenizer(
            [text.lower() for text in texts],
            padding="max_length",
            truncation=True,
            max_length=self.model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )["input_ids"]
        with torch.no_grad():
            return unit(self.model.get_text_features(input_ids=ids.to(self.model.device)).pooler_output)


class NaflexSiglip(Siglip):
    """SigLIP 2 of any proportions (NaFlex): as many patches as fit, the rest masked."""

    def images(self, pictures: Sequence[Image.Image]) -> Vectors:
        import torch

        patches = self.identity.preprocessing
        assert isinstance(patches, Patches)
        inputs = {name: value.to(self.model.device) for name, value in patches(pictures).items()}
        inputs["pixel_values"] = inputs["pixel_values"].to(self.model.dtype)
        with torch.no_grad():
            return unit(self.model.get_image_features(**inputs).pooler_output)


def build_siglip(source: ModelSource, config: SiglipConfig | Siglip2Config, target: ModelTarget) -> Siglip:
    """A SigLIP from its source; neither model nor tokenizer is loaded yet.

    Raises:
        ValueError: its image processor does something else than bring to size and normalise.
    """

    def words() -> PreTrainedTokenizerBase:
        with loading(source.name), quiet():
            return _tokenizer(source, config.text_config.vocab_size)

    def model() -> SiglipModel:
        from transformers import SiglipModel

        return source.load(SiglipModel, target)

    def naflex_model() -> Siglip2Model:
        from transformers import Siglip2Model

        return source.load(Siglip2Model, target)

    if config.model_type == "siglip2":
        return NaflexSiglip(source.identity(_patches(source.image_processor()), target), naflex_model, words)
    return Siglip(source.identity(_stretch(source.image_processor()), target), model, words)


def _tokenizer(source: ModelSource, vocabulary: int) -> PreTrainedTokenizerBase:
    """The tokenizer as its own file has it, whatever else is installed; without one, as sentencepiece makes it.

    Raises:
        ValueError: there is none, it has more tokens than the model, or it cannot fill up.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    kind = AutoTokenizer if source.file("tokenizer.json") is None else PreTrainedTokenizerFast
    try:
        tokenizer: PreTrainedTokenizerBase = kind.from_pretrained(source.location, **source.at)
    except (ImportError, OSError, ValueError):
        if kind is not AutoTokenizer:
            raise
        advice = "a tokenizer of other files takes pip install sentencepiece protobuf"
        raise ValueError(f"it has no tokenizer.json; {advice}") from None
    if tokenizer.pad_token_id is None:
        raise ValueError("the tokenizer has no token for padding, which the model was taught with")
    if (tokens := max(tokenizer.get_vocab().values()) + 1) > vocabulary:
        raise ValueError(f"the tokenizer has {tokens} tokens, the model {vocabulary}")
    return tokenizer


def _stretch(file: Mapping[str, Any]) -> Stretch:
    """The preprocessing that a SigLIP's own image processor states."""
    processor = {**STRETCHED, **file}
    size = processor["size"]
    if not isinstance(size, dict) or not {"height", "width"} <= set(size):
        raise ValueError("its image processor does not bring pictures to one height and width")
    return Stretch(size["height"], size["width"], *_values(processor))


def _patches(file: Mapping[str, Any]) -> Patches:
    """The patches that a NaFlex model's own image processor states."""
    processor = {**PATCHED, **file}
    return Patches(processor["max_num_patches"], processor["patch_size"], *_values(processor))


def _values(processor: Mapping[str, Any]) -> tuple[Colour, Colour, str]:
    """Mean, deviation and the filter of the resize."""
    if not all(processor[step] for step in STEPS) or processor.get("do_center_crop"):
        raise ValueError("its image processor does something else than bring pictures to size and normalise them")
    filter_of_resize = Image.Resampling(processor["resample"]).name.lower()
    return tuple(processor["image_mean"]), tuple(processor["image_std"]), filter_of_resize
