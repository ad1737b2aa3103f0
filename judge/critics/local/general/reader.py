"""The reader of any vision-language model with a chat template that takes several pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoConfig, PreTrainedModel, ProcessorMixin
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from judge.critics.critic import CriticError
from judge.critics.local.general.conversation import Conversation
from judge.critics.local.general.processor import LOCAL, picture_processor
from judge.critics.local.quantisation import quantised
from judge.critics.local.reader import Reader, Shown
from judge.critics.local.weights import load_weights, loading, write_greedily
from judge.reading import Writing, WrittenToken

if TYPE_CHECKING:
    from judge.critics.local.checkpoint import Checkpoint
    from judge.critics.local.readers import ShownAs
    from judge.critics.local.settings import Quantisation


def open_general(
    checkpoint: Checkpoint, device: str, dtype: str, quantisation: Quantisation | None, mode: ShownAs
) -> GeneralReader:
    """The loaded model of a checkpoint.

    Raises:
        CriticError: it cannot be fetched or loaded, is no vision-language model, or takes no pictures among words.
    """
    folder = checkpoint.fetch()
    with loading(folder):
        config = AutoConfig.from_pretrained(folder, **LOCAL)
        processor = picture_processor(folder, config)
        conversation = _conversation(processor, str(folder))
        kind = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING[type(config)]
        bits = quantised(quantisation, dtype, partial(beside_language, kind, config))
        model = load_weights(kind, folder, config, device, dtype, bits)
        write_greedily(model, processor.tokenizer, _ends(model, processor.tokenizer.eos_token_id))
        return GeneralReader(model, processor, conversation)


def beside_language(kind: Any, config: Any) -> list[str]:
    """The parts of a model beside its language model, which are small, and its head, where the verdict is read."""
    with torch.device("meta"):
        model = kind(config)
    language = model.get_decoder()
    others = (name for name, part in model.base_model.named_children() if part is not language)
    return ["lm_head", *(f"{kind.base_model_prefix}.{name}" for name in others)]


class GeneralReader(Reader):
    """A vision-language model, given pictures and words as its own processor and template give them."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin, conversation: Conversation) -> None:
        super().__init__(model, processor.tokenizer)
        self.processor, self.conversation = processor, conversation
        self.opening = conversation.opening

    def inputs(self, batch: Sequence[Shown]) -> dict[str, Any]:
        prompts, pictures = [], []
        for one in batch:
            parts = [part if isinstance(part, str) else None for part in one.parts]
            prompts.append(self.conversation.prompt(one.system, parts))
            pictures.append([part.image for part in one.parts if not isinstance(part, str)])
        first = self.tokenizer.bos_token
        inputs = self.processor(
            text=prompts,
            images=pictures,
            padding=True,
            return_tensors="pt",
            add_special_tokens=not (first and prompts[0].startswith(first)),  # else the template's would come twice
        )
        return {name: self._placed(value) for name, value in inputs.items()}

    def score(self, batch: Sequence[Shown]) -> list[WrittenToken]:
        if self.opening:
            return [self._opening] * len(batch)
        return [tokens[0] for _, tokens in self.generate(batch, 1)]

    def write(self, batch: Sequence[Shown], most: int) -> list[Writing]:
        writings = super().write(batch, most)
        return list(map(self._opened, writings)) if self.opening else writings

    @property
    def _opening(self) -> WrittenToken:
        """What the template has written of every answer, where neither Yes nor No can stand."""
        return WrittenToken(self.opening, (0.0, 0.0))

    def _opened(self, writing: Writing) -> Writing:
        return replace(writing, text=self.opening + writing.text, tokens=[self._opening, *writing.tokens])

    def _placed(self, value: Any) -> Any:
        """A tensor on the model's device, numbers of pictures in its dtype."""
        dtype = {"dtype": self.model.dtype} if torch.is_floating_point(value) else {}
        return value.to(self.model.device, **dtype)


def _conversation(processor: ProcessorMixin, name: str) -> Conversation:
    """The conversation of a processor's or a tokenizer's chat template.

    Raises:
        CriticError: there is no template, or none that puts pictures among words.
    """
    tokenizer = processor.tokenizer
    template = getattr(processor, "chat_template", None) or tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    mark = getattr(processor, "image_token", None)
    if not template:
        raise CriticError(f"{name} has no chat template, so nobody knows how it is asked")
    if not mark:
        raise CriticError(f"{name}: its {type(processor).__name__} has no mark for a picture among words")
    write = partial(tokenizer.apply_chat_template, chat_template=template, tokenize=False, add_generation_prompt=True)
    return Conversation(write, mark, sorted({mark, *tokenizer.all_special_tokens}), name)


def _ends(model: PreTrainedModel, *others: int | None) -> list[int]:
    """The tokens that end an answer: those of a checkpoint's own settings, and others."""
    own = model.generation_config.eos_token_id
    ends = {*(own if isinstance(own, list) else [own]), *others} - {None}
    return sorted(ends)
