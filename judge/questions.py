"""The questions MARS2 asks, in the paper's wording, the authors' code's or one's own, and what a critic replies.

A template names its pictures ``{reference}`` and ``{test}`` in the order they are shown, and, for style,
``{style}``. Each set has a version, kept with every verdict; changed words are another version.

Invariant: a reply that is not a clear yes or no has no answer. It is ``failed`` (nothing came) or
``unparsed`` (something else came), with the reason; never a score.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar, get_args

from judge.answer_words import YES_NO, AnswerForm, Choice, parse
from judge.non_answers import prose
from lorarar.util.errors import LorarError
from lorarar.util.suggestion import did_you_mean

P = TypeVar("P")
Aspect = Literal["subject", "style"]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
Status = Literal["ok", "failed", "unparsed"]
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
    words: str = ""  # of the style, where they stand in the question

    def text(self, image: str = "<image>") -> str:
        """The whole question, with a mark for each picture."""
        return f"{self.before}{image}{self.between}{image}{self.after}"


@dataclass(frozen=True)
class Question:
    """One aspect of one picture against one reference."""

    aspect: Aspect
    rendered: Rendered
    system: str
    reference: Path
    test: Path
    form: AnswerForm[bool] = YES_NO  # of its answer

    @property
    def parts(self) -> tuple[str, ...]:
        """The words around its pictures: one more than these."""
        return self.rendered.before, self.rendered.between, self.rendered.after

    @property
    def references(self) -> tuple[Path, ...]:
        """The pictures that are compared with."""
        return (self.reference,)

    @property
    def pictures(self) -> tuple[Path, ...]:
        """All pictures, in the order they are shown."""
        return self.reference, self.test


@dataclass(frozen=True)
class Reply:
    """What a critic returns to one question."""

    status: Status
    answer: bool | Choice | None = None  # None unless the status is ok; of two pictures it is a choice
    probability: float | None = None  # of Yes, against No; of first, against the other choices; None: not given
    text: str = ""  # the raw answer
    reason: str = ""  # why there is no clear answer; of an unparsed one it begins with its ``NonAnswer``
    seconds: float = 0.0
    mass: float | None = None  # of all accepted answers together where they were read; None: not known

    @property
    def yes(self) -> bool | None:
        """Whether the answer is Yes; None where there is no clear one."""
        return self.answer if isinstance(self.answer, bool) else None

    @staticmethod
    def from_text(text: str, probability: float | None = None, seconds: float = 0.0) -> Reply:
        """The reply of an answer in words, ``unparsed`` where it is neither yes nor no."""
        answer = parse(text)
        if answer is None:
            return Reply("unparsed", probability=probability, text=text, reason=prose(text), seconds=seconds)
        return Reply("ok", answer, probability=probability, text=text, seconds=seconds)

    @staticmethod
    def from_probability(probability: float, seconds: float = 0.0) -> Reply:
        """The reply of the probability of Yes against No at the first answered token."""
        text = "Yes" if probability > 0.5 else "No"
        return Reply("ok", probability > 0.5, probability=probability, text=text, seconds=seconds)

    @staticmethod
    def failure(reason: str, seconds: float = 0.0) -> Reply:
        """The reply that stands for one that did not come."""
        return Reply("failed", reason=reason, seconds=seconds)


@dataclass(frozen=True)
class Prompts:
    """A set of prompts: a template for each aspect, the system message, and how answers are read."""

    name: str
    subject: str
    style: str
    system: str = SYSTEM
    form: AnswerForm[bool] = YES_NO  # of answers

    def __post_init__(self) -> None:
        for aspect, template in (("subject", self.subject), ("style", self.style)):
            if _MARKS.findall(template) != ["reference", "test"]:
                raise PromptError(f"{self.name}: {aspect} needs {{reference}} and then {{test}}, once each")
        if "{style}" not in self.style:
            raise PromptError(f"{self.name}: style needs {{style}}")

    @cached_property
    def version(self) -> str:
        """The name, and a digest of the words, and of how answers are read where they are not Yes or No."""
        fields = {name: value for name, value in asdict(self).items() if name != "form" or self.form != YES_NO}
        words = json.dumps(fields, sort_keys=True)
        return f"{self.name}-{hashlib.sha256(words.encode()).hexdigest()[:8]}"

    def render(self, aspect: Aspect, style: str = "") -> Rendered:
        """The question about one aspect; ``style`` is the style's description, without "style"."""
        template = self._template(aspect)
        # split first: a style's name from outside cannot bring marks of its own
        before, between, after = (part.replace("{style}", style) for part in _MARKS.split(template)[::2])
        return Rendered(before, between, after, words=style if "{style}" in template else "")

    def words_in(self, aspect: Aspect, text: str) -> str | None:
        """The style's words in a whole question of these prompts, as ``render`` put them there; None in any other."""
        shown = f"{self.system}\n{_MARKS.sub('<image>', self._template(aspect))}"
        first, *rest = map(re.escape, shown.split("{style}"))
        pattern = "(.*)".join([first, r"\1".join(rest)]) if rest else f"{first}()"
        match = re.fullmatch(pattern, text, re.DOTALL)
        return match[1] if match else None

    def _template(self, aspect: Aspect) -> str:
        return self.subject if aspect == "subject" else self.style


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

PROMPTS = {prompts.name: prompts for prompts in (PAPER, CODE)}


def find_prompts(name: str) -> Prompts:
    """The prompts of that name, or of a TOML file; raises as ``named_prompts``."""
    return named_prompts(name, PROMPTS, Prompts)


def named_prompts(name: str, table: Mapping[str, P], make: Callable[..., P], about: str = "") -> P:
    """The prompts of that name, or of a TOML file with ``subject``, ``style`` and, if wanted, ``system``.

    Args:
        name: theirs, or the file's.
        table: those that have a name.
        make: makes them of a name and the file's texts.
        about: what they are about, in words.

    Raises:
        PromptError: neither; or the file is unsound.
    """
    if name in table:
        return table[name]
    path = Path(name)
    if not path.is_file():
        near = did_you_mean(name, table)
        raise PromptError(f"no prompts {name}{about}; accepted are {', '.join(table)} and a TOML file{near}")
    import tomllib  # only where a file is read

    try:
        fields = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PromptError(f"{path} cannot be read as TOML: {error}") from None
    unknown = set(fields) - {"subject", "style", "system"}
    if unknown or not {"subject", "style"} <= set(fields) or not all(isinstance(v, str) for v in fields.values()):
        raise PromptError(f"{path}: accepted are the texts subject, style and system")
    return make(path.stem, **fields)
