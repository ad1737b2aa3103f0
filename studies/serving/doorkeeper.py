"""Who is let in: raters by the tokens that the file holds now, so that one that is withdrawn works no longer."""

from __future__ import annotations

from hashlib import sha256

from lorarar.util.files import FileState
from studies.errors import StudyError
from studies.serving.complaints import Complaints
from studies.serving.tokens import TokenFile


class Doorkeeper:
    """Tells a rater by their token; reads the file of tokens anew whenever it has changed.

    A file that is gone lets nobody in; while one cannot be read, the tokens stay what they were, and the operator is
    told.
    """

    def __init__(self, file: TokenFile, complaints: Complaints) -> None:
        self.file, self._complaints = file, complaints
        self._state: FileState | None = None
        self._codes: dict[bytes, str] = {}

    def code_of(self, token: str) -> str | None:
        """The rater's code of a token; None where it is not valid.

        Tokens are looked up by digest: how long that takes depends on bits that nobody can choose.
        """
        self._refresh()
        return self._codes.get(_digest(token))

    def _refresh(self) -> None:
        state = self._look()
        if state is not None and state == self._state:
            return
        try:
            codes = self.file.read().codes
        except StudyError as error:
            self._complaints.say(str(error))
            return
        self._state = state
        self._codes = {_digest(token): code for token, code in codes.items()}

    def _look(self) -> FileState | None:
        try:
            state = self.file.path.stat()
        except OSError:
            return None
        return FileState(state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
