"""How trainers and programs spell the keys of LoRAs for SDXL and its like: what stands around a layer's path.

A key is wrappers, a prefix for the component, a path, and an ending for the tensor's role. All are read one by one, so
that any path may have any ending: files mix them. Paths are in the names of diffusers' blocks or of sgm's, dotted or
flattened with underscores.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from lorarar.lora.roles import ROLES, KeyRole
from lorarar.lora.sgm import diffusers_path, is_sgm, unflattened

Style = Literal["peft", "old", "procs", "kohya", "alpha"]


class Spelling(NamedTuple):
    """A key that was read: its dialect, its tensor's role, and the layer's path, which may begin with its component."""

    dialect: str
    role: KeyRole
    path: str


class Ending(NamedTuple):
    """What a key ends in: its style, its tensor's role, and the path before it, with all that stands before that."""

    style: Style
    role: KeyRole
    path: str


_ADAPTER = r"(?:\..+?)?"  # PEFT may name the adapter, which is any text
_ROLE_WORDS = {**ROLES, "A": ROLES["down"], "B": ROLES["up"], "lora_magnitude_vector": ROLES["magnitude"]}

#: What a key ends in, with the word for its tensor's role. They are tried in this order; the first that fits has it.
_ENDINGS: tuple[tuple[Style, str], ...] = (
    ("kohya", r"\.lora_(?P<role>down|up|mid)\.weight"),
    ("kohya", rf"\.(?P<role>hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2)){_ADAPTER}"),
    ("kohya", r"\.(?P<role>dora_scale|scalar)"),
    ("procs", r"_lora\.(?P<role>down|up)\.weight"),
    ("procs", r"(?<=_lora[12])\.(?P<role>down|up)\.weight"),  # XLabs', who count the streams
    ("old", r"\.lora(?:_linear_layer)?\.(?P<role>down|up)\.weight"),
    ("peft", rf"\.lora_(?P<role>A|B){_ADAPTER}\.weight"),
    ("peft", rf"\.(?P<role>lora_magnitude_vector){_ADAPTER}"),
    ("alpha", r"(?:[._]lora|\.lora_linear_layer)?\.(?P<role>alpha)"),
)
_PATTERNS: tuple[tuple[Style, re.Pattern[str]], ...] = tuple(
    (style, re.compile(f"(?P<path>.+?){ending}")) for style, ending in _ENDINGS
)
_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:_orig_mod|module)\.")  # of torch.compile and DataParallel, at any depth
PEFT = "base_model.model."
#: Before a path that is not flattened: which component it is of; None where the path says it itself.
_PREFIXES = {
    "model.diffusion_model.": "unet",
    "diffusion_model.": "unet",
    "text_encoders.clip_l.transformer.": "text_encoder",
    "text_encoders.clip_g.transformer.": "text_encoder_2",
    "clip_l.": "text_encoder",
    "clip_g.": "text_encoder_2",
}
#: What a path that was spelt in another way has to come out as, below its component.
_LAYER = re.compile(
    r"(?:down_blocks\.\d+|mid_block|up_blocks\.\d+)\.(?:"
    r"attentions\.\d+\.(?:proj_in|proj_out|transformer_blocks\.\d+\.(?:attn[12]\.to_(?:[qkv]|out\.0)|ff\.net\.(?:0\.proj|2)))"
    r"|resnets\.\d+\.(?:conv1|conv2|conv_shortcut|time_emb_proj)|(?:down|up)samplers\.0\.conv)"
    r"|conv_in|conv_out|(?:time|add)_embedding\.linear_[12]"
    r"|(?:text_model\.)?encoder\.layers\.\d+\.(?:self_attn\.(?:q|k|v|out)_proj|mlp\.fc[12])|text_projection"
)
_FLAT = re.compile(r"(lora_unet|lora_te|lora_te1|lora_te2|lycoris)_(\w+)")
_FLAT_COMPONENTS = {
    "lora_unet": "unet",
    "lycoris": "unet",
    "lora_te": "text_encoder",
    "lora_te1": "text_encoder",
    "lora_te2": "text_encoder_2",
}
DOTTED_DIALECTS: dict[Style, str] = {
    "procs": "attn-procs",
    "old": "diffusers-old",
    "alpha": "diffusers-old",
    "peft": "diffusers",
    "kohya": "diffusers-kohya",
}
DIALECT_NAMES = ("kohya", "kohya-sgm", "sgm", *dict.fromkeys(DOTTED_DIALECTS.values()), "peft")


@lru_cache(maxsize=65536)  # every row of the table asks for it
def spelling_of(key: str) -> Spelling | None:
    """Read a key; None where it ends in nothing that a LoRA's key ends in.

    Raises:
        ValueError: it does, but its path names no layer; the message says why, for a reader who sees the key before it.
    """
    ending = ending_of(key)
    return _spelling(ending.path, ending.style, ending.role) if ending else None


@lru_cache(maxsize=65536)  # each transformer's names ask for it
def ending_of(key: str) -> Ending | None:
    """What a key ends in; None where it ends in nothing that a LoRA's key ends in."""
    for style, pattern in _PATTERNS:
        if match := pattern.fullmatch(key):
            return Ending(style, _ROLE_WORDS[match["role"]], match["path"])
    return None


def unwrapped(path: str) -> str:
    """A path without what PEFT, torch.compile and DataParallel put before names."""
    return _WRAPPERS.sub("", path).replace(PEFT, "")


def _spelling(path: str, style: Style, role: KeyRole) -> Spelling:
    if flat := _FLAT.fullmatch(path):
        dialect = "kohya-sgm" if is_sgm(flat[2]) else "kohya"
        return Spelling(dialect, role, f"{_FLAT_COMPONENTS[flat[1]]}.{_translated(unflattened(flat[2]))}")
    bare = unwrapped(path)
    prefix = next((prefix for prefix in _PREFIXES if bare.startswith(prefix)), "")
    module = bare.removeprefix(prefix)
    if not prefix and module.startswith("unet."):
        prefix, module = "unet.", re.sub(r"^(?:unet\.)+", "", module)
    sgm = is_sgm(module)
    dialect = "peft" if PEFT in path else "sgm" if sgm or prefix in _PREFIXES else DOTTED_DIALECTS[style]
    component = _PREFIXES.get(prefix, prefix.rstrip("."))
    named = _translated(module) if sgm else module
    return Spelling(dialect, role, f"{component}.{named}" if component else named)


def _translated(module: str) -> str:
    """The path that diffusers has for a module, of diffusers' own name or sgm's.

    Raises:
        ValueError: it is that of no layer.
    """
    path = diffusers_path(module) if is_sgm(module) else module
    if path is None or not _LAYER.fullmatch(path):
        raise ValueError("names no layer of SDXL; accepted is LoRA for SDXL")
    return path
