"""Names of studies and codes of raters: what may be one, and codes drawn at random."""

from __future__ import annotations

import re
import secrets

from studies.errors import StudyError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is mistaken for another
SIMULATED = "SIM-"  # codes that begin so are no people's


def study_name(text: str) -> str:
    """The text, if it can name a study.

    Raises:
        StudyError: it cannot.
    """
    if not _NAME.fullmatch(text):
        raise StudyError(f"{text[:80]!r} cannot name a study; accepted are 1 to 64 of A-Z a-z 0-9 . _ -")
    return text


def rater_code(text: str) -> str:
    """A person's code as it is kept: upper case.

    Raises:
        StudyError: it cannot be one, or is kept for simulated raters.
    """
    code = text.strip().upper()
    if not _CODE.fullmatch(code):
        raise StudyError(f"{text[:80]!r} cannot be a rater's code; accepted are 3 to 32 of A-Z 0-9 -")
    if code.startswith(SIMULATED):
        raise StudyError(f"codes that begin with {SIMULATED} are those of simulated raters; choose another")
    return code


def new_code() -> str:
    """A random code; 10^9 of them, so that nobody meets another's by a slip."""
    return "".join(secrets.choice(LETTERS) for _ in range(6))
