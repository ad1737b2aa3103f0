"""A question as the ChatML string that LLaVA-Critic was trained on (its template ``qwen_1_5``).

The string is built here because the processors' own templates put all pictures first and leave the system
message out, and MARS2 has words between its pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from judge.questions import PromptError, Rendered

IMAGE, VIDEO = "<image>", "<video>"
START, END = "<|im_start|>", "<|im_end|>"
MARKS = (IMAGE, VIDEO, START, END)


def chat(rendered: Rendered, system: str, image: str = IMAGE) -> str:
    """The conversation about a question, up to where the answer begins.

    Raises:
        PromptError: the words bring marks of their own.
    """
    return conversation([rendered.before, None, rendered.between, None, rendered.after], system, image)


def conversation(parts: Sequence[str | None], system: str, image: str = IMAGE) -> str:
    """The conversation about words and pictures, which are None, in their order; raises as ``chat``."""
    words = [part for part in parts if part is not None]
    refuse_marks(f"{system}\n{''.join(words)}")
    text = "".join(image if part is None else part for part in parts)
    return f"{START}system\n{system}{END}\n{START}user\n{text}{END}\n{START}assistant\n"


def refuse_marks(words: str, marks: Iterable[str] = MARKS) -> None:
    """Raise a PromptError for words with marks of their own: they would be read as pictures or as turns."""
    if own := [mark for mark in marks if mark in words]:
        raise PromptError(f"the question's words hold {', '.join(own)}")
