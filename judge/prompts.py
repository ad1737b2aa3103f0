"""The questions MARS2 asks: the paper's wording, the authors' code's, or one's own.

A template names its pictures ``{reference}`` and ``{test}`` in the order they are shown, and, for style,
``{style}``. Each set has a version, kept with every verdict; changed words are another version.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lorarar.util.errors import LorarError

Aspect = Literal["subject", "style"]
SYSTEM = "You are a helpful assistant."

_MARKS = re.compile(r"\{(reference|test)\}")


class PromptError(LorarError):
    """Prompts that cannot be read, or lack a picture or an aspect."""

    title = "Prompts"


@dataclass(frozen=True)
class Rendered:
    """A question in words, with a gap for each picture."""

    before: str  # the reference
    between: str  # reference and test
    after: str  # the test

    def text(self, image: str = "<image>") -> str:
        """The whole, with a mark for each picture."""
        return f"{self.before}{image}{self.between}{image}{self.after}"


@dataclass(frozen=True)
class Prompts:
    """A pair of templates and the system message."""

    name: str
    subject: str
    style: str
    system: str = SYSTEM

    def __post_init__(self) -> None:
        for aspect, template in (("subject", self.subject), ("style", self.style)):
            if _MARKS.findall(template) != ["reference", "test"]:
                raise PromptError(f"{self.name}: {aspect} needs {{reference}} and then {{test}}, once each")
        if "{style}" not in self.style:
            raise PromptError(f"{self.name}: style needs {{style}}")

    @property
    def version(self) -> str:
        """Name and a digest of the words."""
        words = json.dumps(asdict(self), sort_keys=True)
        return f"{self.name}-{hashlib.sha256(words.encode()).hexdigest()[:8]}"

    def render(self, aspect: Aspect, style: str = "") -> Rendered:
        """The question about one aspect; ``style`` is the style's description, without "style"."""
        template = self.subject if aspect == "subject" else self.style
        # split first: a style's name from outside cannot bring marks of its own
        return Rendered(*(part.replace("{style}", style) for part in _MARKS.split(template)[::2]))


#: Figures A1 and A2, word for word.
PAPER = Prompts(
    "paper",
    subject="""\
Your task is to identify if the test image shows the same subject as the support image.

Support image:
{reference}

Test image:
{test}

Pay attention to the details of the subject, it should for example have the same color. However, the general style of \
the image may be different.
Does the test image show the same subject as the support image?
Answer with Yes or No only.""",
    style="""\
Your task is to identify if the test image shows the subject in {style} style. An example image in the {style} style \
is provided.

Example image in the {style} style:
{reference}

Test image:
{test}

The example image shows an illustration of the {style} style and the details of the subject are expected to be \
different.
Do not check similarity with the subject.
Is the test image in the {style} style?
Answer with Yes or No only.""",
)

#: As the authors' program asks: other spelling, doubled line breaks, the last two sentences on one line.
CODE = Prompts(
    "code",
    subject="""\
Your task is to identify if the test image shows the same subject as the support image.

Support image:

{reference}

Test image:

{test}

Pay attention to details of the subject, it should for example have the same colour. However, the general style of the \
image may be different.\N{SPACE}

Does the test image show the same subject as the support image? Answer with Yes or No only.""",
    style="""\
Your task is to identify if the test image shows the subject in {style} style. An example image in the {style} style \
is provided.

Example image in the {style} style:

{reference}

Test image:

{test}

The example image shows an illustration of the {style} style and the details of the subject are expected to be \
different. Do not check similarity with the subject.

Is the test image in the {style} style? Answer with Yes or No only.""",
)

KNOWN = {prompts.name: prompts for prompts in (PAPER, CODE)}


def find_prompts(name: str) -> Prompts:
    """The prompts of that name, or of a TOML file with ``subject``, ``style`` and, if wanted, ``system``.

    Raises:
        PromptError: neither; or the file is unsound.
    """
    if name in KNOWN:
        return KNOWN[name]
    path = Path(name)
    if not path.is_file():
        raise PromptError(f"no prompts {name}; accepted are {', '.join(KNOWN)} and a TOML file")
    try:
        fields = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PromptError(f"{path} cannot be read as TOML: {error}") from None
    unknown = set(fields) - {"subject", "style", "system"}
    if unknown or not {"subject", "style"} <= set(fields) or not all(isinstance(v, str) for v in fields.values()):
        raise PromptError(f"{path}: accepted are the texts subject, style and system")
    return Prompts(path.stem, **fields)
