"""A picture and its references by their digests, as verdicts name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from judge.questions import Aspect
from judge.verdicts import QuestionKey


class PictureFiles(NamedTuple):
    """A picture and its references by the digests of their files, with the words of its style."""

    image: str
    subject: tuple[str, ...]
    style: tuple[str, ...]
    words: str | None  # None where they are not known: verdicts in any words count

    def questions(self, aspect: Aspect) -> Iterator[QuestionKey]:
        """The questions about an aspect, one a reference."""
        references = self.subject if aspect == "subject" else self.style
        return (QuestionKey(self.image, reference, aspect, self.words) for reference in references)
