"""Which pictures need no asking: a critic has answered every question about them, in these words.

Nobody makes an object of each question for it: a run on a million pictures, a thousand of which are new, is about the
thousand. Only what is certain counts: a clear verdict under the question's own digest, at its own place. All else is
for ``judge.asking`` to find out, which knows of copies, former identities and files that changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from judge.asking import Asking
from judge.critics.preparation import Preparation
from judge.questions import Aspect, Prompts
from judge.reply_store import begun_digest
from judge.sights import KeptPixels, Sight
from judge.target_questions import by_aspect, question_beside
from judge.targets import Target
from judge.verdicts import VerdictKey, VerdictStore
from lorarar.store.kept_digests import recall_digests
from lorarar.util.files import read_digest
from lorarar.util.grouping import parts_of
from lorarar.util.progress import Ticker

AT_ONCE = 2000  # pictures whose verdicts are looked up together
MANY = 20_000  # pictures, the looking up of which is worth a word

Place = tuple[str, str, str, str]  # a picture, a reference, an aspect and the style's words
Rows = Mapping[str, Place]  # of clear verdicts, by digest


@dataclass(frozen=True)
class _OpenQuestion:
    """A question about a picture that is still to come."""

    begun: hashlib._Hash  # its digest up to the picture
    reference: str  # the reference's file
    aspect: Aspect
    words: str

    def digest(self, pixels: str) -> str:
        """Its digest, once it is about a picture with these pixels."""
        whole = self.begun.copy()
        whole.update(f'{pixels}"]}}'.encode())
        return whole.hexdigest()


class KnownVerdicts:
    """Tells pictures about which there may be something to ask from the others."""

    def __init__(self, asking: Asking[VerdictKey], prompts: Prompts, verdicts: VerdictStore) -> None:
        self._asking, self._prompts, self._verdicts = asking, prompts, verdicts
        self._preparation: Preparation = asking.critic.preparation
        self._of_references = lru_cache(maxsize=None)(self._questions)

    def open_among(self, targets: Sequence[Target]) -> list[Target]:
        """Those of some targets about which there may be something to ask; questions about the others are counted."""
        left = []
        with Ticker("look up what is known", len(targets), show=len(targets) > MANY) as ticker:
            for part in parts_of(targets, AT_ONCE):
                left += self._open_in(part)
                ticker.advance(len(part))
        return left

    def _open_in(self, targets: Sequence[Target]) -> list[Target]:
        store = self._verdicts.store
        images = [target.image for target in targets]
        recall_digests(store, [image for image in images if read_digest(image) is None])
        seen, left, clear = KeptPixels(store, self._preparation), list[Target](), list[str]()
        seen.recall(images)
        sights = [seen.sight(image) for image in images]
        rows = self._verdicts.clear_rows(
            self._asking.judge, self._prompts.version, [sight.sha256 for sight in sights if sight]
        )
        for target, sight in zip(targets, sights, strict=True):
            digests = None if sight is None else self._known(target, sight, rows)
            if digests is None:
                left.append(target)
            else:
                clear += digests
        self._asking.count_known(clear)
        return left

    def _known(self, target: Target, sight: Sight, rows: Rows) -> list[str] | None:
        """The digests of all questions about a target; None where one is not certainly answered."""
        digests = []
        questions = self._of_references(target.subject_references, target.style_references, target.style_words)
        if questions is None:
            return None
        for question in questions:
            digest = question.digest(sight.pixels)
            if rows.get(digest) != (sight.sha256, question.reference, question.aspect, question.words):
                return None
            digests.append(digest)
        return digests

    def _questions(self, subject: tuple[Path, ...], style: tuple[Path, ...], words: str) -> list[_OpenQuestion] | None:
        """The questions beside some references; None where one of these is not known as it is shown."""
        store, questions = self._verdicts.store, list[_OpenQuestion]()
        recall_digests(store, [path for path in (*subject, *style) if read_digest(path) is None])
        seen = KeptPixels(store, self._preparation)
        seen.recall([*subject, *style])
        for aspect, path in by_aspect(subject, style):
            sight = seen.sight(path)
            if sight is None:
                return None
            question = question_beside(aspect, path, path, self._prompts, words)
            key = VerdictKey.of(question, self._prompts, (sight, sight))
            begun = begun_digest(self._asking.identity, key.prompt, key.reading).copy()
            begun.update(f', "shown": [{json.dumps(sight.pixels)}, "'.encode())
            questions.append(_OpenQuestion(begun, sight.sha256, aspect, key.words))
        return questions
