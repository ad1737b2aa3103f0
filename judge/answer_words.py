"""What an answer says by its words alone, strictly, whoever wrote it."""

from __future__ import annotations

import re
import unicodedata

_MARK = r"<(?!/?(?:yes|no)>)[^<>\s]{1,40}>"  # of a conversation, such as </s>, <|im_end|> or <answer>
_SPACE = r"\s\u200b\u2060\ufeff"
_QUOTES = r"\"'`\u2018-\u201f\u2039\u203a\u00ab\u00bb\u300c-\u300f"
_BEFORE = rf"(?:{_MARK}|[{_SPACE}{_QUOTES}*_~#(\[{{\u3008\u300a\u3010])*"
_AFTER = rf"(?:{_MARK}|[{_SPACE}{_QUOTES}*_~)\]}}\u3009\u300b\u3011.,;!\u3002\u3001])*"
_ANSWER = re.compile(rf"{_BEFORE}(yes|no){_AFTER}", re.IGNORECASE)
_BEGINNING = re.compile(rf"{_BEFORE}(yes|no)(?!\w)", re.IGNORECASE)
_MARKS = re.compile(_MARK)

#: How models that think aloud begin and end a thought; what follows the last end is the answer.
_THOUGHT_BEGINS = re.compile(
    r"<think(?:ing)?>|<thought>|\[THINK\]|\u25c1think\u25b7|<\|channel\|>analysis", re.IGNORECASE
)
_THOUGHT_ENDS = re.compile(
    r"</think(?:ing)?>|</thought>|\[/THINK\]|\u25c1/think\u25b7|<\|channel\|>final<\|message\|>", re.IGNORECASE
)


def parse(text: str) -> bool | None:
    """Yes or No as the whole answer, in any case and with marks around it; None for anything else.

    ``Yes。``, quotes and ``</s>`` are plain. ``no, yes would be wrong`` is neither, and so are ``eyes`` and an
    explanation.
    """
    match = _ANSWER.fullmatch(unicodedata.normalize("NFKC", text))
    return match[1].lower() == "yes" if match else None


def parse_beginning(text: str) -> bool | None:
    """Yes or No as the first word of an answer, whatever follows; None where another word, or none, stands there."""
    match = _BEGINNING.match(unicodedata.normalize("NFKC", text))
    return match[1].lower() == "yes" if match else None


def has_words(text: str) -> bool:
    """Whether a text has any letter or digit outside marks of a conversation."""
    return any(character.isalnum() for character in _MARKS.sub("", text))


def answer_start(text: str) -> int | None:
    """Where the answer begins in a text that may begin with thoughts; None where a thought does not end."""
    start = max((match.end() for match in _THOUGHT_ENDS.finditer(text)), default=0)
    return None if _THOUGHT_BEGINS.search(text, start) else start
