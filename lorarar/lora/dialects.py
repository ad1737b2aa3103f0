"""LoRA dialects: what the keys of a file mean.

Invariant: every key is either understood, giving one role of one layer that no other key gives, or it is
listed as unread with the reason, or it is of an embedding, which is listed too; nothing is dropped unsaid and nothing
is guessed. How our own dialects are spelt is in ``lorarar.lora.spelling``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

from torch import Tensor

from lorarar.lora.locations import COMPONENTS
from lorarar.lora.roles import KeyRole
from lorarar.lora.spelling import DIALECT_NAMES, spelling_of
from lorarar.util.registry import Registry

Parse = Callable[[str], "tuple[KeyRole, str] | None"]  # role and layer of a key; None where it is none of the dialect


@dataclass(frozen=True)
class Dialect:
    """How the keys of a file are spelt: by regular expressions of whole keys, or by a function.

    The only group of an expression, as the layer that a function returns, is the path of a layer as diffusers names it,
    with or without the component before it. A key of several dialects is refused, so each knows its own alone.
    """

    name: str
    down: str = ""  # of A
    up: str = ""  # of B
    alpha: str = ""
    parse: Parse | None = None  # instead of expressions; raises ``ValueError`` with the reason why a key is not read

    @cached_property
    def patterns(self) -> dict[KeyRole, re.Pattern[str]]:
        """The expressions, by role."""
        texts: dict[KeyRole, str] = {"down": self.down, "up": self.up, "alpha": self.alpha}
        return {role: re.compile(text) for role, text in texts.items() if text}

    def role_and_layer(self, key: str) -> tuple[KeyRole, str] | None:
        """The role and the layer of a key; None where it is none of this dialect."""
        if self.parse is not None:
            return self.parse(key)
        for role, pattern in self.patterns.items():
            if match := pattern.fullmatch(key):
                return role, match[1]
        return None


def check_dialect(dialect: Dialect, others: Mapping[str, Dialect]) -> None:
    """Refuse a dialect that can read nothing.

    Raises:
        ValueError: it has neither a function, nor expressions of both halves with one group each.
    """
    if dialect.parse is None and not (dialect.down and dialect.up):
        raise ValueError("it has neither down and up, nor parse")
    if dialect.parse is None and any(pattern.groups != 1 for pattern in dialect.patterns.values()):
        raise ValueError("its expressions have one group each, the layer's path")


#: diffusers loses the number of these two on reading; under sgm's names it keeps it.
KOHYA_EMBEDDINGS = {"add_embedding_linear_1": "label_emb_0_0", "add_embedding_linear_2": "label_emb_0_2"}

_FOREIGN = {
    re.compile(pattern): kind
    for pattern, kind in {
        r"\.oft_": "OFT",
        r"\.diff(_b)?$": "a full difference of weights",
        r"\.[wb]_norm$": "a difference of norms",
        r"\.[ab][12]\.weight$": "GLoRA",
        r"\.(on_input|ia3_l)": "IA3",
        r"^(base_model\.model\.)?(lora_)?transformer[._]|(double|single)_(transformer_)?blocks": "Flux-style",
    }.items()
}
_UNET_ROOTS = ("down_blocks.", "mid_block.", "up_blocks.", "conv_in", "conv_out", "time_embedding.", "add_embedding.")
_TEXT_ROOTS = ("text_model.", "encoder.layers.", "text_projection")
_OF_CHECKPOINTS = re.compile(
    r"(?!.*lora)(?:model\.diffusion_model|conditioner\.embedders|cond_stage_model|first_stage_model|model_ema)\."
    r"|(?:alphas_cumprod|betas)$"
)
_EMBEDDING = re.compile(r"bundle_emb\.(?P<name>.+)\.[^.]+|(?P<encoder>clip_[lg])|(?P<text>emb_params)")


class Key(NamedTuple):
    """A parsed key: its dialect, the layer it belongs to, and the role of its tensor in that layer."""

    dialect: str
    layer: str
    role: KeyRole


@dataclass(frozen=True)
class ParsedKeys:
    """The tensors of a file by layer and role, and the keys that were not understood, each with the reason."""

    layers: dict[str, dict[KeyRole, Tensor]]
    dialects: tuple[str, ...]
    unread: dict[str, str]
    embeddings: tuple[str, ...] = ()  # names of what its prompts need besides its layers


class _UnreadError(ValueError):
    """A key that is not understood; the message says why."""


def parse_keys(tensors: Mapping[str, Tensor], component: str = "unet") -> ParsedKeys:
    """Parse the key of every tensor of a file.

    Args:
        tensors: a file's tensors by key.
        component: whose layers they are where keys do not say, one of ``COMPONENTS``.
    """
    layers: dict[str, dict[KeyRole, Tensor]] = {}
    dialects: set[str] = set()
    rows = tuple(DIALECTS.values())
    unread: dict[str, str] = {}
    embeddings = {name for key in tensors if (name := embedding_of(key))}
    for name, tensor in tensors.items():
        if embedding_of(name):
            continue
        try:
            key = parse_key(name, component, rows)
            if key.role in layers.get(key.layer, ()):
                raise _UnreadError(f"is a second {key.role} of {key.layer}")
        except _UnreadError as error:
            unread[name] = str(error)
            continue
        layers.setdefault(key.layer, {})[key.role] = tensor
        if key.role != "alpha":
            dialects.add(key.dialect)
    if "kohya-sgm" in dialects:
        dialects.discard("kohya")  # what both spellings share, such as text encoders
    return ParsedKeys(dict(sorted(layers.items())), tuple(sorted(dialects)), unread, tuple(sorted(embeddings)))


def parse_key(key: str, component: str, dialects: Iterable[Dialect]) -> Key:
    """Parse one key into dialect, layer and role.

    Raises:
        ValueError: no dialect understands it, or several do; the message says why, for a reader who sees the key
            before it.
    """
    understood, reasons = [], []
    for dialect in dialects:
        try:
            if reading := dialect.role_and_layer(key):
                understood.append(Key(dialect.name, _layer(reading[1], component), reading[0]))
        except Exception as error:  # of a key that is its writer's choice, in a function that may be another package's
            reasons.append(str(error) if isinstance(error, _UnreadError) else f"is not read by {dialect.name}: {error}")
    if len(understood) > 1:
        names = " and ".join(one.dialect for one in understood)
        raise _UnreadError(f"is a key of several dialects, {names}; accepted is a key of one")
    if understood:
        return understood[0]
    if _OF_CHECKPOINTS.match(key):
        raise _UnreadError("is a weight of a whole checkpoint, which is no LoRA; name it with --base")
    if kind := foreign_kind(key):
        raise _UnreadError(f"is {kind}, which is not read; accepted is LoRA for SDXL")
    raise _UnreadError(
        next(
            iter(reasons),
            "is not a LoRA key; accepted are ….lora_A.weight and ….lora_B.weight, and the spellings of older "
            "diffusers, PEFT, kohya, LyCORIS, OneTrainer and ComfyUI",
        )
    )


def embedding_of(key: str) -> str | None:
    """The name of the embedding that a key belongs to: a word's, or of a text encoder; None where it is of none."""
    match = _EMBEDDING.fullmatch(key)
    return next(filter(None, match.groups()), None) if match else None


def foreign_kind(key: str) -> str | None:
    """The kind of adapter that a key belongs to, if it is one that is not LoRA for SDXL; else None."""
    return next((kind for pattern, kind in _FOREIGN.items() if pattern.search(key)), None)


def _layer(name: str, component: str) -> str:
    """Today's diffusers path of a layer, from the older spellings too."""
    name = name.replace(".processor.", ".").replace("unet.unet.", "unet.")
    head, _, rest = name.partition(".")
    component, module = (head, rest) if head in COMPONENTS else (component, name)
    if component == "unet":
        if module.startswith(_TEXT_ROOTS):
            raise _UnreadError(
                "does not say of which text encoder it is; accepted are text_encoder. and text_encoder_2."
            )
        if not module.startswith(_UNET_ROOTS):
            raise _UnreadError("names no layer of SDXL's UNet; accepted is LoRA for SDXL")
        return f"unet.{module}.0" if module.endswith(".to_out") else f"unet.{module}"
    if not module.startswith(_TEXT_ROOTS):
        raise _UnreadError("names no layer of SDXL's text encoders; accepted is LoRA for SDXL")
    # transformers 5 took "text_model" out of one of the two; files, old and new, have it in both
    module = re.sub(r"^encoder\.", "text_model.encoder.", module)
    module = re.sub(r"self_attn\.to_(q|k|v|out)$", r"self_attn.\1_proj", module)
    return f"{component}.{module}"


def _own(dialect: str, key: str) -> tuple[KeyRole, str] | None:
    """The reading of a key that is spelt as one of our dialects."""
    try:
        spelling = spelling_of(key)
    except ValueError as error:
        raise _UnreadError(str(error)) from None
    return (spelling.role, spelling.path) if spelling and spelling.dialect == dialect else None


DIALECTS = Registry(
    "lorarar.dialects",
    Dialect,
    tuple(Dialect(name, parse=partial(_own, name)) for name in DIALECT_NAMES),
    check_dialect,
)
