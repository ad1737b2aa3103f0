"""LoRA dialects: what the keys of a file mean.

Invariant: every key is either understood, giving one role of one layer that no other key gives, or it is
listed as unread with the reason, or it is of an embedding, which is listed too; nothing is dropped unsaid and nothing
is guessed. How our own dialects are spelt is in ``lorarar.lora.spelling`` and ``lorarar.lora.transformer_spelling``.
A module that is several layers in one (``ModulePlace``) is split by ``lorarar.lora.fused``, once it is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

from torch import Tensor

from lorarar.families import Family
from lorarar.families.module_names import ModuleNames, ModulePlace
from lorarar.families.table import COMPONENTS, DENOISERS
from lorarar.lora.roles import KeyRole
from lorarar.lora.spelling import DIALECT_NAMES, spelling_of
from lorarar.lora.still_keys import still_modules
from lorarar.lora.transformer_names import names_of_keys
from lorarar.lora.transformer_spelling import TRANSFORMER_DIALECTS, place_of, placed_key
from lorarar.lora.unread_keys import not_named, refusal_of, titles
from lorarar.util.formatting import count
from lorarar.util.registry import Registry

NamedParse = Callable[[str, ModuleNames], "tuple[KeyRole, str] | None"]  # the same of a transformer with such names
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
    named: NamedParse | None = None  # instead of it for keys of a transformer whose modules have names of their own
    writers: str = ""  # programs that write it

    @cached_property
    def patterns(self) -> dict[KeyRole, re.Pattern[str]]:
        """The expressions, by role."""
        texts: dict[KeyRole, str] = {"down": self.down, "up": self.up, "alpha": self.alpha}
        return {role: re.compile(text) for role, text in texts.items() if text}

    def role_and_layer(self, key: str, names: ModuleNames | None = None) -> tuple[KeyRole, str] | None:
        """The role and the layer of a key; None where it is none of this dialect."""
        if self.named is not None and names is not None and placed_key(key, names):
            return self.named(key, names)
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

_UNET_ROOTS = ("down_blocks.", "mid_block.", "up_blocks.", "conv_in", "conv_out", "time_embedding.", "add_embedding.")
_TEXT_ROOTS = ("text_model.", "encoder.layers.", "text_projection")
_EMBEDDING = re.compile(r"bundle_emb\.(?P<name>.+)\.[^.]+|(?P<encoder>clip_[lg])|(?P<text>emb_params)")


class Key(NamedTuple):
    """A parsed key: its dialect, the layer it belongs to, and the role of its tensor in that layer."""

    dialect: str
    layer: str  # or module of several layers, by its first authors' name
    role: KeyRole
    place: ModulePlace | None = None  # what that stands for, where it is no layer as it stands


@dataclass(frozen=True)
class ParsedKeys:
    """The tensors of a file by layer and role, and the keys that were not understood, each with the reason."""

    layers: dict[str, dict[KeyRole, Tensor]]
    dialects: tuple[str, ...]
    unread: dict[str, str]
    embeddings: tuple[str, ...] = ()  # names of what its prompts need besides its layers
    places: Mapping[str, ModulePlace] = field(default_factory=dict)  # of modules that are no layer as they stand
    left_out: tuple[str, ...] = ()  # what was left out because it changes nothing, a line each
    names: ModuleNames | None = None  # of the transformer that it is for


class _UnreadError(ValueError):
    """A key that is not understood; the message says why."""


def parse_keys(tensors: Mapping[str, Tensor], component: str = "unet", family: Family | None = None) -> ParsedKeys:
    """Parse the key of every tensor of a file.

    Args:
        tensors: a file's tensors by key.
        component: whose layers they are where keys do not say, one of ``COMPONENTS``.
        family: of the base that it is read for, where one is named.
    """
    names = names_of_keys({key: tuple(tensor.shape) for key, tensor in tensors.items()}, family)
    places: dict[str, ModulePlace] = {}
    layers: dict[str, dict[KeyRole, Tensor]] = {}
    dialects: set[str] = set()
    rows = tuple(DIALECTS.values())
    unread: dict[str, str] = {}
    embeddings = {name for key in tensors if (name := embedding_of(key))}
    for name, tensor in tensors.items():
        if embedding_of(name):
            continue
        try:
            key = parse_key(name, component, rows, names)
            if key.role in layers.get(key.layer, ()):
                raise _UnreadError(f"is a second {key.role} of {key.layer}")
        except _UnreadError as error:
            unread[name] = str(error)
            continue
        layers.setdefault(key.layer, {})[key.role] = tensor
        if key.place:
            places[key.layer] = key.place
        if key.role != "alpha":
            dialects.add(key.dialect)
    if "kohya-sgm" in dialects:
        dialects.discard("kohya")  # what both spellings share, such as text encoders
    still = still_modules({key: tensors[key] for key in unread}) if layers else {}  # else the reasons say more
    twice = _given_twice(layers, places)
    return ParsedKeys(
        {layer: roles for layer, roles in sorted(layers.items()) if layer not in twice},
        tuple(sorted(dialects)),
        {key: why for key, why in unread.items() if not any(key in keys for keys in still.values())},
        tuple(sorted(embeddings)),
        places,
        tuple(_left_out(still, twice)),
        names,
    )


def _given_twice(layers: Mapping[str, object], places: Mapping[str, ModulePlace]) -> list[str]:
    """Modules of several layers, each of which is there alone too: then those count, as in diffusers."""
    return [name for name, place in places.items() if all(layer in layers for layer in place.layers)]


def _left_out(still: Mapping[str, object], twice: Sequence[str]) -> Iterator[str]:
    if still:
        first = next(iter(still))
        yield f"{count(len(still), 'module')} of zeros, which change nothing, are left out, such as {first}"
    if twice:
        yield f"{count(len(twice), 'module')} whose layers are there each alone too are left out, such as {twice[0]}"


def parse_key(key: str, component: str, dialects: Iterable[Dialect], names: ModuleNames | None = None) -> Key:
    """Parse one key into dialect, layer and role.

    Raises:
        ValueError: no dialect understands it, or several do; the message says why, for a reader who sees the key
            before it.
    """
    understood, reasons = [], []
    for dialect in dialects:
        try:
            if reading := dialect.role_and_layer(key, names):
                place = _placed(reading[1], names) if names else None
                layer = place.name if place else _layer(reading[1], component, names)
                understood.append(
                    Key(dialect.name, layer, reading[0], None if place is None or place.is_plain else place)
                )
        except Exception as error:  # of a key that is its writer's choice, in a function that may be another package's
            reasons.append(str(error) if isinstance(error, _UnreadError) else f"is not read by {dialect.name}: {error}")
    if len(understood) > 1:
        several = " and ".join(one.dialect for one in understood)
        raise _UnreadError(f"is a key of several dialects, {several}; accepted is a key of one")
    if understood:
        return understood[0]
    if refusal := refusal_of(key, names if reasons else None):
        raise _UnreadError(refusal)
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


def _placed(path: str, names: ModuleNames) -> ModulePlace | None:
    """What a path of a layer stands for in a transformer with these names; None where it is of none of its modules."""
    return place_of(path.removeprefix(f"{names.component}."), names)


def _layer(name: str, component: str, names: ModuleNames | None) -> str:
    """Today's diffusers path of a layer, from the older spellings too."""
    name = name.replace(".processor.", ".").replace("unet.unet.", "unet.")
    head, _, rest = name.partition(".")
    component, module = (head, rest) if head in COMPONENTS else (component, name)
    if names and component in DENOISERS:
        raise _UnreadError(not_named(name, names))
    if component == "unet":
        if module.startswith(_TEXT_ROOTS):
            raise _UnreadError(
                "does not say of which text encoder it is; accepted are text_encoder. and text_encoder_2."
            )
        if not module.startswith(_UNET_ROOTS):
            raise _UnreadError("names no layer of SDXL's UNet; accepted is LoRA for SDXL")
        return f"unet.{module}.0" if module.endswith(".to_out") else f"unet.{module}"
    if component in DENOISERS:
        raise _UnreadError(f"names no layer of a transformer that is known here; accepted is LoRA for {titles()}")
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


def _own_named(dialect: str, key: str, names: ModuleNames) -> tuple[KeyRole, str] | None:
    """The same of a key for a transformer with these names."""
    placed = placed_key(key, names)
    return (placed.role, placed.place.name) if placed and placed.dialect == dialect else None


#: Programs that write our dialects.
_WRITERS = {
    "kohya": "kohya's sd-scripts, musubi-tuner",
    "kohya-sgm": "kohya's sd-scripts",
    "sgm": "ComfyUI, Forge",
    "comfy": "ComfyUI, ai-toolkit, diffusion-pipe",
    "attn-procs": "diffusers before 0.18",
    "diffusers-old": "diffusers before 0.26",
    "diffusers": "diffusers, ai-toolkit, SimpleTuner",
    "diffusers-kohya": "mixed tools",
    "peft": "PEFT, fal",
    "onetrainer": "OneTrainer",
    "lycoris": "LyCORIS, SimpleTuner",
    "xlabs": "XLabs",
    "bare": "DiffSynth, mixed tools",
}
DIALECTS = Registry(
    "lorarar.dialects",
    Dialect,
    tuple(
        Dialect(name, parse=partial(_own, name), named=partial(_own_named, name), writers=_WRITERS[name])
        for name in (*DIALECT_NAMES, *TRANSFORMER_DIALECTS)
    ),
    check_dialect,
)
