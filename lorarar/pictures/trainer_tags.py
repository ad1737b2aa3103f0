"""The prompt of a LoRA by what other trainers leave in its header: kohya's ``ss_*`` tags, and ``modelspec``.

They are untrusted JSON in texts, and say what was in captions and folders, not what a LoRA is called by; so this is a
rule, whose result can be said otherwise. In this order:

1. ``modelspec.trigger_phrase``: what the author calls it by.
2. ``ss_tag_frequency``: the tag of most captions, of several with one count the first, which is where trainers put it
   (kohya keeps the order); but only one that stands in two captions or is the only one. Folders of regularisation
   (``ss_reg_dataset_dirs``) do not count.
3. ``ss_datasets``: the class tokens of the pictures, where all subsets agree on them (``ohwx dog`` of ``10_ohwx dog``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

LONGEST = 1000  # characters of a prompt; more is no prompt
MOST_JSON = 16_000_000  # characters: tags of a million captions


class TrainerPrompt(NamedTuple):
    """A prompt, and the tag that it comes from."""

    prompt: str
    source: str


def trainer_prompt(metadata: Mapping[str, str]) -> TrainerPrompt | None:
    """The prompt by the tags of other trainers; None where they say nothing sound."""
    for tag, rule in _RULES.items():
        if prompt := _clean(rule(metadata)):
            return TrainerPrompt(prompt, tag)
    return None


def _trigger_phrase(metadata: Mapping[str, str]) -> object:
    return metadata.get("modelspec.trigger_phrase")


def _most_frequent_tag(metadata: Mapping[str, str]) -> object:
    regular = _json(metadata, "ss_reg_dataset_dirs")
    counts: Counter[str] = Counter()
    for folder, tags in _items(_json(metadata, "ss_tag_frequency")):
        if folder not in (regular if isinstance(regular, dict) else {}):
            counts.update({tag.strip(): count for tag, count in _items(tags) if type(count) is int and count > 0})
    ((tag, count),) = counts.most_common(1) or [("", 0)]  # of equal ones the first
    return tag if count > 1 or len(counts) == 1 else None


def _class_tokens(metadata: Mapping[str, str]) -> object:
    datasets = _json(metadata, "ss_datasets")
    subsets = [
        subset
        for dataset in (datasets if isinstance(datasets, list) else [])
        for subset in _list_of(dataset, "subsets")
        if isinstance(subset, dict) and not subset.get("is_reg")
    ]
    tokens = {subset["class_tokens"] for subset in subsets if isinstance(subset.get("class_tokens"), str)}
    return next(iter(tokens)) if len(tokens) == 1 else None


def _json(metadata: Mapping[str, str], tag: str) -> object:
    """The value of a tag; None where it is no sound JSON."""
    text = metadata.get(tag, "")
    try:
        return json.loads(text) if len(text) <= MOST_JSON else None
    except (ValueError, RecursionError):
        return None


def _items(value: object) -> Iterator[tuple[str, object]]:
    return iter(value.items() if isinstance(value, dict) else ())


def _list_of(value: object, key: str) -> list[object]:
    part = value.get(key) if isinstance(value, dict) else None
    return part if isinstance(part, list) else []


def _clean(text: object) -> str:
    """A prompt in one line; empty where a value is none."""
    if not isinstance(text, str):
        return ""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST and line.isprintable() else ""


_RULES: Mapping[str, Callable[[Mapping[str, str]], object]] = {
    "modelspec.trigger_phrase": _trigger_phrase,
    "ss_tag_frequency": _most_frequent_tag,
    "ss_datasets": _class_tokens,
}
TAGS = tuple(_RULES)
