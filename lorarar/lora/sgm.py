"""sgm's names of the UNet's layers (of the checkpoints that Stability AI published), and names that were flattened.

sgm numbers the entries of its lists through; diffusers has blocks of two layers in the encoder, of three in the
decoder, and what changes the resolution apart. That holds for SD 1.5, SDXL and all that were made of them.
"""

from __future__ import annotations

import re

from lorarar.families.original_names import OUTSIDE, RESNET

_SINGLE = {theirs: ours for ours, theirs in OUTSIDE.items()}
_RESNET = {theirs: ours for ours, theirs in RESNET.items()}
_MIDDLE = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
_ENTRY = re.compile(r"(input_blocks|output_blocks)\.(\d{1,3})\.([012])\.(.+)|(middle_block)\.([012])\.(.+)")
_ROOT = re.compile(r"(?:input_blocks|middle_block|output_blocks|time_embed|label_emb|out)[._]\d")

#: Names with an underscore of their own, which is no place where a dot was.
_WORDS = [
    "input_blocks",
    "middle_block",
    "output_blocks",
    "in_layers",
    "out_layers",
    "emb_layers",
    "skip_connection",
    "time_embed",
    "label_emb",
    "down_blocks",
    "mid_block",
    "up_blocks",
    "transformer_blocks",
    "conv_shortcut",
    "time_emb_proj",
    "time_embedding",
    "add_embedding",
    "linear_1",
    "linear_2",
    "proj_in",
    "proj_out",
    "to_q",
    "to_k",
    "to_v",
    "to_out",
    "conv_in",
    "conv_out",
    "text_model",
    "text_projection",
    "self_attn",
    "q_proj",
    "k_proj",
    "v_proj",
    "out_proj",
]
_WORD = re.compile(rf"({'|'.join(sorted(_WORDS, key=len, reverse=True))}|[a-z]+\d*|\d+)(?:_|$)")


def is_sgm(path: str) -> bool:
    """Whether a path, dotted or flattened, begins as sgm's names of the UNet do."""
    return _ROOT.match(path) is not None


def unflattened(flat: str) -> str:
    """A path whose dots were made underscores, with its dots again; names of no layer come out as they may."""
    flat = flat.removeprefix("_orig_mod_")
    return ".".join(_WORD.findall(flat)) if not _WORD.sub("", flat) else flat


def diffusers_path(path: str) -> str | None:
    """The path in diffusers' UNet of a layer that sgm names; None where it names none."""
    if path in _SINGLE:
        return _SINGLE[path]
    if not (match := _ENTRY.fullmatch(path)):
        return None
    side, number, place, rest, middle, middle_place, middle_rest = match.groups()
    if middle:
        return _within(f"mid_block.{_MIDDLE[middle_place]}", middle_rest)
    if side == "input_blocks":
        return _encoder(int(number), place, rest)
    return _decoder(int(number), place, rest)


def _encoder(number: int, place: str, rest: str) -> str | None:
    """Block 0 is the first convolution; then two layers a block, and what halves the resolution."""
    block, layer = divmod(number - 1, 3)
    if layer == 2:
        return f"down_blocks.{block}.downsamplers.0.conv" if (place, rest) == ("0", "op") else None
    return _layer(f"down_blocks.{block}", layer, place, rest) if number else None


def _decoder(number: int, place: str, rest: str) -> str | None:
    """Three layers a block, the last one with what doubles the resolution, behind its attention if it has one."""
    block, layer = divmod(number, 3)
    if rest == "conv" and place != "0":
        return f"up_blocks.{block}.upsamplers.0.conv" if layer == 2 else None
    return _layer(f"up_blocks.{block}", layer, place, rest)


def _layer(block: str, layer: int, place: str, rest: str) -> str | None:
    """A layer is a residual block, and an attention behind it."""
    kinds = {"0": "resnets", "1": "attentions"}
    return _within(f"{block}.{kinds[place]}.{layer}", rest) if place in kinds else None


def _within(place: str, rest: str) -> str | None:
    """A path inside a residual block or an attention; the latter's are alike in both."""
    if ".resnets." not in place:
        return f"{place}.{rest}"
    return f"{place}.{_RESNET[rest]}" if rest in _RESNET else None
