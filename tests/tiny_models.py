"""Tiny vision-language models of random weights, of today's architectures, as folders like those of the hub.

Each answers Yes or No to whatever it is asked: in its head the rows of these two words follow what it says before an
answer, and differ by a little that depends on the pictures; all other rows are nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForImageTextToText,
    Gemma3Config,
    GenerationConfig,
    Idefics3Config,
    InternVLConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen3VLConfig,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from judge.questions import PAPER

START, END, PAD = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
WIDTH = 64  # as many as bitsandbytes packs together
TEXT = {"hidden_size": WIDTH, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
TEXT |= {"num_key_value_heads": 2, "max_position_embeddings": 4096, "bos_token_id": None}
TOWER = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
SHARES = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 2, 4]}

#: A conversation whose turns are ChatML, or Gemma's, which knows no turn of the system.
CHATML = """\
{%- for message in messages -%}<|im_start|>{{ message.role }}
{% for part in message.content -%}
{%- if part.type == 'image' -%}IMAGE{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""
GEMMA = """\
{%- if messages[0].role == 'system' -%}{{ raise_exception('no system turn') }}{%- endif -%}
<bos>{%- for message in messages -%}<start_of_turn>{{ message.role }}
{% for part in message.content -%}
{%- if part.type == 'image' -%}<start_of_image>{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}<end_of_turn>
{% endfor -%}
{%- if add_generation_prompt -%}<start_of_turn>model
{% endif -%}"""


@dataclass(frozen=True)
class TinyModel:
    """An architecture, small."""

    processor: str  # the name of its processor's class
    marks: dict[str, str]  # its tokens for pictures, by the names that its processor has for them
    config: Callable  # of a tokenizer
    images: Callable  # its image processor
    template: str
    settings: dict = field(default_factory=dict)  # of its processor


def _qwen(kind, vision):
    def config(tokenizer):
        token = tokenizer.convert_tokens_to_ids
        return kind(
            text_config=text(tokenizer) | {"rope_parameters": SHARES, "head_dim": 16},
            vision_config=vision,
            image_token_id=token("<|image_pad|>"),
            video_token_id=token("<|video_pad|>"),
            vision_start_token_id=token("<|vision_start|>"),
            vision_end_token_id=token("<|vision_end|>"),
            tie_word_embeddings=False,
        )

    return config


def _internvl(tokenizer):
    return InternVLConfig(
        text_config=text(tokenizer) | {"model_type": "qwen2", "tie_word_embeddings": False},
        vision_config=TOWER | {"image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        tie_word_embeddings=False,
    )


def _gemma(tokenizer):
    token = tokenizer.convert_tokens_to_ids
    return Gemma3Config(
        text_config=text(tokenizer) | {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 512},
        vision_config=TOWER | {"image_size": 32, "patch_size": 8},
        mm_tokens_per_image=4,
        boi_token_index=token("<start_of_image>"),
        eoi_token_index=token("<end_of_image>"),
        image_token_index=token("<image_soft_token>"),
        tie_word_embeddings=False,
    )


def _idefics(tokenizer):
    return Idefics3Config(
        text_config=text(tokenizer) | {"model_type": "llama", "tie_word_embeddings": False},
        vision_config=TOWER | {"image_size": 32, "patch_size": 8},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
    )


def text(tokenizer):
    """The settings of a language model."""
    return TEXT | {
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


VISION = "<|vision_start|><|image_pad|><|vision_end|>"
QWEN_MARKS = {"vision_start_token": "<|vision_start|>", "vision_end_token": "<|vision_end|>"}
QWEN_MARKS |= {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
QWEN_VISION = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "out_hidden_size": WIDTH}


def _qwen_images(patch):
    return lambda: Qwen2VLImageProcessorPil(
        patch_size=patch, size={"shortest_edge": 32 * 32, "longest_edge": 96 * 96}, merge_size=2
    )


TINY_MODELS = {
    "qwen2.5-vl": TinyModel(
        "Qwen2_5_VLProcessor",
        QWEN_MARKS,
        _qwen(
            Qwen2_5_VLConfig,
            QWEN_VISION | {"patch_size": 8, "window_size": 32, "fullatt_block_indexes": [1]},
        ),
        _qwen_images(8),
        CHATML.replace("IMAGE", VISION),
    ),
    "qwen3-vl": TinyModel(
        "Qwen3VLProcessor",
        QWEN_MARKS,
        _qwen(
            Qwen3VLConfig,
            QWEN_VISION | {"patch_size": 8, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
        ),
        _qwen_images(8),
        CHATML.replace("IMAGE", VISION),
    ),
    "internvl": TinyModel(
        "InternVLProcessor",
        {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
        _internvl,
        lambda: GotOcr2ImageProcessorPil(size={"height": 32, "width": 32}, crop_to_patches=True, max_patches=2),
        CHATML.replace("IMAGE", "<IMG_CONTEXT>\n"),
        {"image_seq_length": 4},
    ),
    "gemma3": TinyModel(
        "Gemma3Processor",
        {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"},
        _gemma,
        lambda: Gemma3ImageProcessorPil(size={"height": 32, "width": 32}, do_convert_rgb=True),
        GEMMA,
        {"image_seq_length": 4},
    ),
    "idefics3": TinyModel(
        "Idefics3Processor",
        {"image_token": "<image>", "fake_image_token": "<fake_token_around_image>"},
        _idefics,
        lambda: Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32}),
        CHATML.replace("IMAGE", "<image>"),
        {"image_seq_len": 4},
    ),
}
OTHERS = ("<bos>", "<start_of_turn>", "<end_of_turn>", "<end_of_utterance>", "<global-img>")
TILES = tuple(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5))


def write_tokenizer(tiny, folder):
    """The words of the questions, Yes and No a token each, and an architecture's marks."""
    fresh = Tokenizer(models.BPE())
    fresh.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fresh.decoder = decoders.ByteLevel()
    texts = [PAPER.render(aspect, "oil painting").text(" ") for aspect in ("subject", "style")]
    texts += ["Yes", "No", " yes", " no", "Yes No yes no", "system", "user", "assistant model"] * 20
    special = [PAD, START, END, *tiny.marks.values(), *OTHERS, *TILES]
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[AddedToken(token, special=True) for token in dict.fromkeys(special)],
        show_progress=False,
    )
    fresh.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=fresh,
        eos_token=END,
        pad_token=PAD,
        bos_token="<bos>",
        extra_special_tokens=tiny.marks,
        processor_class=tiny.processor,
    )
    fast.save_pretrained(folder)
    return fast


@torch.no_grad()
def _make_it_answer(model, tokenizer):
    """Let Yes and No be about as likely, whatever was asked, and nothing else be said."""
    language = model.get_decoder()
    model.get_input_embeddings().weight.mul_(5)
    for name, parameter in language.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            parameter.mul_(0.3)  # the last token says most of what is said behind it
    ends = tokenizer(f"Answer with Yes or No only.{END}\n{START}assistant\n", return_tensors="pt")
    usual = torch.nn.functional.normalize(model.model(**ends).last_hidden_state[0, -1], dim=0)
    differs = torch.randn(WIDTH, generator=torch.Generator().manual_seed(0))
    differs -= differs @ usual * usual
    model.lm_head.weight.zero_()
    for sign, word in ((1, "Yes"), (-1, "No")):
        model.lm_head.weight[tokenizer.convert_tokens_to_ids(word)] = 5 * usual + sign * differs


def write_model(name, folder):
    """Write a checkpoint as the hub has it: weights, settings, tokenizer, image processor and chat template."""
    tiny = TINY_MODELS[name]
    tokenizer = write_tokenizer(tiny, folder)
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(tiny.config(tokenizer)).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    _make_it_answer(model, tokenizer)
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id)
    model.save_pretrained(folder)
    tiny.images().save_pretrained(folder)
    settings = {"processor_class": tiny.processor, **tiny.settings}
    (folder / "processor_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").write_text(tiny.template)
    return folder
