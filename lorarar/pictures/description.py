"""What a LoRA was trained on, in words and pictures, wherever it is said: one function decides.

Invariant: of several that say a thing, the first of this order counts, for training, grids, judges and the app alike:
flags or a plan, the text ``NAME.txt`` beside the LoRA, our own header, what other trainers leave in theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from lorarar.pictures.prompts import style_phrase, token_in
from lorarar.pictures.references import references_folder, side_file
from lorarar.pictures.side_file import read_side_file
from lorarar.pictures.trainer_tags import TAGS, trainer_prompt
from lorarar.util.errors import AdapterError
from lorarar.util.suggestion import did_you_mean

HEADER, FOLDER = "its header", "the folder of its name"
#: What whoever finds a LoRA finds again.
OF_ITS_OWN = (HEADER, FOLDER, *TAGS)


@dataclass(frozen=True)
class Description:
    """What is said of a concept; None where a thing is not said. The fields are keys of plans and of ``NAME.txt``."""

    prompt: str | None = None
    images: Path | None = None  # a folder of pictures, or one
    token: str | None = None  # the rare token; empty where there is none
    style: str | None = None  # a style's words, as a judge is asked for them
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)  # by field, where it is said

    def known_from(self, source: str) -> Description:
        """The same, with one source of everything it says."""
        return replace(self, sources={name: source for name in FIELDS if getattr(self, name) is not None})

    def beyond(self, sources: Collection[str]) -> Description:
        """What other sources than these say."""
        ours = {name for name, source in self.sources.items() if source not in sources}
        return replace(
            self,
            **{name: None for name in FIELDS if name not in ours},
            sources={name: self.sources[name] for name in ours},
        )

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return any(getattr(self, name) is not None for name in FIELDS)

    @property
    def rare_token(self) -> str:
        """The rare token that is said, else the one that the prompt shows; empty where there is none."""
        return token_in(self.prompt or "") if self.token is None else self.token

    @property
    def style_words(self) -> str:
        """The words of a style that are said, else those of its prompt, without a "style" at the end."""
        return self.style if self.style is not None else style_phrase(self.prompt or "").removesuffix(" style")


FIELDS = tuple(one.name for one in fields(Description) if one.name != "sources")
NOTHING = Description()


def describe(lora: Path, metadata: Mapping[str, str], given: Description = NOTHING) -> Description:
    """All that is said of a LoRA.

    Args:
        lora: its file or folder, beside which a text and pictures may lie.
        metadata: its header, untrusted.
        given: what flags, a plan or a database say, which comes first.

    Raises:
        AdapterError: the text beside it is unsound.
    """
    return first_of([given, beside(lora), in_header(metadata), in_folder(lora)])


def first_of(descriptions: Iterable[Description]) -> Description:
    """Of each field the first that says it, with its source."""
    result = NOTHING
    for one in descriptions:
        missing = [name for name in FIELDS if getattr(result, name) is None and getattr(one, name) is not None]
        sources = {name: one.sources[name] for name in missing if name in one.sources}
        values = {name: getattr(one, name) for name in missing}
        result = replace(result, **values, sources={**result.sources, **sources})
    return result


def beside(lora: Path) -> Description:
    """What the text of a LoRA's name beside it says.

    Raises:
        AdapterError: it is unsound.
    """
    file = side_file(lora)
    values = read_side_file(file)
    if unknown := sorted(values.keys() - {*FIELDS}):
        near = did_you_mean(unknown[0], FIELDS)
        raise AdapterError(f"{file}: {unknown[0]} is no key of a concept; accepted are {', '.join(FIELDS)}{near}")
    images = file.parent / values["images"] if "images" in values else None
    own = Description(values.get("prompt"), images, values.get("token"), values.get("style"))
    return own.known_from(file.name)


def in_header(metadata: Mapping[str, str]) -> Description:
    """What a header says: our own record of the prompt, else what other trainers note."""
    from lorarar.lora.header import provenance_of  # the app starts without it

    prompt = provenance_of(metadata).get("prompt")
    if isinstance(prompt, str) and prompt.strip():
        return Description(prompt=prompt).known_from(HEADER)
    tag = trainer_prompt(metadata)
    return Description(prompt=tag.prompt).known_from(tag.source) if tag else NOTHING


def in_folder(lora: Path) -> Description:
    """The folder of a LoRA's pictures, where there is one."""
    folder = references_folder(lora)
    return Description(images=folder).known_from(FOLDER) if folder.is_dir() else NOTHING
