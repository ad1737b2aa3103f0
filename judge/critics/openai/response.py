"""A server's answers as pure functions of untrusted JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from judge.answer_words import YES_NO, AnswerForm
from judge.reading import Writing, WrittenToken

THOUGHTS = ("reasoning_content", "reasoning", "thinking")  # where servers put thoughts, beside the content
THOUGHT_PARTS = ("thinking", "reasoning")  # and among its parts
CUT_OFF = ("length", "max_tokens")
FILTERED = ("content_filter", "safety")
ROUNDED_ONE = 1.01  # the most that listed probabilities may sum to


def json_of(body: bytes) -> object:
    """The value of a body; None where it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def writing_of(answer: object, limit: int, form: AnswerForm[Any] = YES_NO) -> Writing | None:
    """What the first choice of an answer is; None where there is no such choice.

    Args:
        answer: the server's, parsed.
        limit: the tokens that it was allowed; it may say how many it wrote.
        form: what the question accepts.
    """
    try:
        choice: Any = answer["choices"][0]  # type: ignore[index]
        message: Any = choice["message"]
        content = message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    ending = str(choice.get("finish_reason")).lower()
    text, thought = _text_of(content)
    refusal = message.get("refusal") or (text or ending if ending == "refusal" else "")
    return Writing(
        text,
        tokens=_tokens_of(choice.get("logprobs"), form),
        thought=thought or any(message.get(name) for name in THOUGHTS),
        cut_after=_count_of(answer, limit) if ending in CUT_OFF else None,
        refusal=refusal if isinstance(refusal, str) else str(refusal),
        filtered=ending in FILTERED,
    )


def _text_of(content: object) -> tuple[str, bool]:
    """The words of a content, its parts joined, and whether it has parts that are thoughts."""
    if isinstance(content, str):
        return content, False
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    thoughts = [part for part in parts if part.get("type") in THOUGHT_PARTS]
    texts = [part["text"] for part in parts if part not in thoughts and isinstance(part.get("text"), str)]
    return "".join(texts), bool(thoughts)


def _count_of(answer: Any, limit: int) -> int:
    """How many tokens an answer has, by its own count."""
    usage = answer.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return count if isinstance(count, int) else limit


def _tokens_of(logprobs: object, form: AnswerForm[Any]) -> tuple[WrittenToken, ...]:
    """The tokens that were written, up to the first that is none."""
    steps = logprobs.get("content") if isinstance(logprobs, dict) else None
    tokens = []
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, dict) or not isinstance(step.get("token"), str):
            break
        tokens.append(WrittenToken(_plain(step["token"]), _chances(step, form)))
    return tuple(tokens)


def _chances(step: dict[str, Any], form: AnswerForm[Any]) -> tuple[float, ...] | None:
    """The probability of each answer among the tokens listed for a place; None where they are no such list.

    What is not listed is less likely than all that is, and counts as nothing.
    """
    chances = dict.fromkeys(form.answers, 0.0)
    try:
        listed = step["top_logprobs"]
        if listed and all(entry["token"] != step["token"] for entry in listed):
            listed = [*listed, step]
        for entry in listed:
            answer = form.parse(_plain(entry["token"]))
            if answer is not None:
                chances[answer] += math.exp(entry["logprob"])
    except (KeyError, TypeError, AttributeError, OverflowError):
        return None
    return tuple(chances.values()) if listed and sum(chances.values()) <= ROUNDED_ONE else None


def _plain(token: str) -> str:
    """A token's text, of servers too that show spaces and ends of lines as their tokenizers do."""
    return token.replace("\u0120", " ").replace("\u2581", " ").replace("\u010a", "\n")


def error_of(body: bytes) -> str:
    """A server's own words for the error that a body is, on one line."""
    answer = json_of(body)
    return words_of(answer.get("error", answer) if isinstance(answer, dict) else body[:400].decode(errors="replace"))


def words_of(error: object) -> str:
    """The words of an error, on one line."""
    message = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return " ".join(str(message or "nothing more").split())[:200]
