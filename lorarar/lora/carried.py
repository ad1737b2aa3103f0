"""What is kept of the headers of LoRAs in a file that is made of them: trigger words, and what trainers noted.

A header is untrusted: of each field a bounded text is kept, and nothing that is no more true of the new file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lorarar.lora.adapter import Adapter
from lorarar.lora.names import lora_name
from lorarar.util.text import clean

SOURCES = "lorarar.sources"  # in an adapter's metadata, the names of what it was merged of; in no file
PROMPTS = "lorarar.prompts"  # the same of their prompts

LONGEST = 64 * 1024  # characters of a field; a longer one is left out
MOST_FIELDS = 256
MOST_TAGS = 2000  # of the most frequent, in all data sets together

_TAGS = "ss_tag_frequency"
_PREFIXES = ("ss_", "modelspec.")
#: What a file of other tensors, or one that is spelt in another way, would say wrongly.
_UNTRUE = (
    "modelspec.hash_sha256",
    "modelspec.implementation",
    "modelspec.sai_model_spec",
    "modelspec.thumbnail",
    "ss_network_alpha",
    "ss_network_args",
    "ss_network_dim",
    "ss_network_module",
)
#: Of several LoRAs: all that they say, one after the other.
_JOINED = (
    "modelspec.author",
    "modelspec.license",
    "modelspec.tags",
    "modelspec.trigger_phrase",
    "modelspec.usage_hint",
)
#: Of several LoRAs: what those that say anything agree in.
_AGREED = (
    "modelspec.architecture",
    "modelspec.encoder_layer",
    "modelspec.prediction_type",
    "modelspec.resolution",
    "ss_base_model_version",
    "ss_clip_skip",
    "ss_new_sd_model_hash",
    "ss_sd_model_hash",
    "ss_sd_model_name",
)


def carried_fields(metadata: Mapping[str, str]) -> dict[str, str]:
    """The fields of a header that a file of the same LoRA has too, in order."""
    fields = {
        name: clean(text)
        for name, text in sorted(metadata.items())
        if name.startswith(_PREFIXES) and name not in (*_UNTRUE, _TAGS) and len(name) + len(text) <= LONGEST
    }
    tags = _tag_text([metadata.get(_TAGS, "")])
    return dict(list(fields.items())[:MOST_FIELDS]) | ({_TAGS: tags} if tags else {})


def merged_metadata(adapters: Sequence[Adapter]) -> dict[str, str]:
    """The metadata of what is merged of these LoRAs: what each says of trigger words, and what all agree in."""
    headers = [carried_fields(adapter.metadata) for adapter in adapters]
    prompts = [prompt for adapter in adapters if isinstance(prompt := adapter.provenance.get("prompt"), str)]
    merged = {
        SOURCES: ", ".join(lora_name(Path(adapter.name)) for adapter in adapters),
        PROMPTS: "; ".join(dict.fromkeys(prompts)),
        _TAGS: _tag_text(header.get(_TAGS, "") for header in headers),
        **{name: _joined(headers, name) for name in _JOINED},
        **{name: _agreed(headers, name) for name in _AGREED},
    }
    return {name: text for name, text in merged.items() if text}


def _joined(headers: Sequence[Mapping[str, str]], name: str) -> str:
    return ", ".join(dict.fromkeys(text for header in headers if (text := header.get(name, "").strip())))


def _agreed(headers: Sequence[Mapping[str, str]], name: str) -> str:
    values = {text for header in headers if (text := header.get(name, ""))}
    return values.pop() if len(values) == 1 else ""


def _tag_text(texts: Iterable[str]) -> str:
    """The counts of tags by data set, added up, as JSON; empty where there are none."""
    counts: Counter[tuple[str, str]] = Counter()
    for text in texts:
        counts.update(_tags(text))
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_TAGS]
    sets: dict[str, dict[str, int]] = {}
    for (name, tag), count in frequent:
        sets.setdefault(name, {})[tag] = count
    return json.dumps(sets, sort_keys=True) if sets else ""


def _tags(text: str) -> dict[tuple[str, str], int]:
    """The counts by data set and tag of kohya's field; none where it is something else."""
    try:
        sets = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(sets, dict):
        return {}
    return {
        (clean(name[:200]), clean(tag[:200])): count
        for name, tags in sets.items()
        if isinstance(tags, dict)
        for tag, count in tags.items()
        if type(count) is int and 0 < count < 10**9
    }
