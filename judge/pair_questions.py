"""Questions about two pictures of a cell: which shows its subject, or its style, better, beside the references.

A template names its pictures ``{references}``, ``{first}`` and ``{second}`` in the order they are shown, for style also
``{style}``; references follow each other, each on a line. How an answer is read belongs to a set of prompts, since
models that were trained for such questions answer in words of their own. Changed words are another version, and so is
another way to read them.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from judge.answer_words import CHOICES, AnswerForm, Choice
from judge.questions import SYSTEM, Aspect, PromptError, Question, named_prompts

_MARKS = re.compile(r"\{(references|first|second)\}")
_BETWEEN = "\n"  # two references

FIRST_SECOND_TIE: AnswerForm[Choice] = AnswerForm(
    (("first", ("First", "First image")), ("second", ("Second", "Second image")), ("tie", ("Tie", "Equal")))
)


@dataclass(frozen=True)
class PairQuestion:
    """Which of two pictures shows an aspect of their cell better."""

    aspect: Aspect
    parts: tuple[str, ...]  # the words around the pictures: one more than these
    references: tuple[Path, ...]
    first: Path
    second: Path
    system: str
    form: AnswerForm[Choice]
    words: str = ""  # of the style, where they stand in the question

    @property
    def pictures(self) -> tuple[Path, ...]:
        """All pictures, in the order they are shown."""
        return (*self.references, self.first, self.second)


AnyQuestion = Question | PairQuestion


@dataclass(frozen=True)
class PairPrompts:
    """A set of prompts about two pictures: a template for each aspect, the system message, and how answers are read."""

    name: str
    subject: str
    style: str
    system: str = SYSTEM
    form: AnswerForm[Choice] = FIRST_SECOND_TIE
    most_references: int | None = None  # the first ones, for models that were trained with few; None: all are shown

    def __post_init__(self) -> None:
        for aspect, template in (("subject", self.subject), ("style", self.style)):
            if _MARKS.findall(template) != ["references", "first", "second"]:
                raise PromptError(
                    f"{self.name}: {aspect} needs {{references}}, {{first}} and {{second}}, in that order and once each"
                )
        if "{style}" not in self.style:
            raise PromptError(f"{self.name}: style needs {{style}}")
        if self.form.answers != CHOICES:
            raise PromptError(
                f"{self.name}: its answers are {self.form.answers}; accepted are {CHOICES}, in that order"
            )

    @cached_property
    def version(self) -> str:
        """The name, and a digest of the words and of how answers are read."""
        words = json.dumps(asdict(self), sort_keys=True)
        return f"{self.name}-{hashlib.sha256(words.encode()).hexdigest()[:8]}"

    def ask(
        self, aspect: Aspect, references: tuple[Path, ...], pictures: tuple[Path, Path], style: str = ""
    ) -> PairQuestion:
        """The question about one aspect of two pictures, the first of which is shown first.

        Args:
            aspect: what is compared.
            references: of that aspect.
            pictures: the two.
            style: the style's description, without "style".
        """
        template = self.subject if aspect == "subject" else self.style
        references = references[: self.most_references]
        # split first: a style's name from outside cannot bring marks of its own
        before, *rest = (part.replace("{style}", style) for part in _MARKS.split(template)[::2])
        return PairQuestion(
            aspect=aspect,
            parts=(before, *[_BETWEEN] * (len(references) - 1), *rest),
            references=references,
            first=pictures[0],
            second=pictures[1],
            system=self.system,
            form=self.form,
            words=style if "{style}" in template else "",
        )


#: In our own words, as near to the paper's two questions as one about two pictures can be.
PAIRS = PairPrompts(
    "pairs",
    subject="""\
Your task is to decide which of two test images shows the subject of the support images better.

Support images:
{references}

First test image:
{first}

Second test image:
{second}

Pay attention to the details of the subject, it should for example have the same color. However, the general style of \
the images may be different.
Which test image shows the same subject as the support images better?
Answer with First, Second or Tie only.""",
    style="""\
Your task is to decide which of two test images is better in {style} style. Example images in the {style} style are \
provided.

Example images in the {style} style:
{references}

First test image:
{first}

Second test image:
{second}

The example images illustrate the {style} style and the details of the subject are expected to be different.
Do not check similarity with the subject.
Which test image is better in the {style} style?
Answer with First, Second or Tie only.""",
)

PAIR_PROMPTS = {prompts.name: prompts for prompts in (PAIRS,)}


def find_pair_prompts(name: str) -> PairPrompts:
    """The pair prompts of that name, or of a TOML file; raises as ``named_prompts``."""
    return named_prompts(name, PAIR_PROMPTS, PairPrompts, " about two pictures")
