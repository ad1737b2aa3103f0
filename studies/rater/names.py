"""Names of studies and codes of raters: which are valid, and random new codes."""

from __future__ import annotations

import secrets

from studies.errors import StudyError
from studies.rater.patterns import CODE, STUDY_NAME, matches

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without I, O, 0 and 1, which are mistaken for one another
CODE_LENGTH = 6  # of new codes; there are 10^9, so that nobody types another rater's by a slip
SIMULATED = "SIM-"  # begins the codes of simulated raters


def study_name(text: str) -> str:
    """Return the text if it is valid as a study's name.

    Raises:
        StudyError: it is not.
    """
    if not matches(STUDY_NAME, text):
        raise StudyError(f"{text[:80]!r} cannot name a study; accepted are 1 to 64 of A-Z a-z 0-9 . _ -")
    return text


def rater_code(text: str) -> str:
    """Return a person's code as it is stored: in upper case.

    Raises:
        StudyError: the text is not valid as a code, or is reserved for simulated raters.
    """
    code = text.strip().upper()
    if not text.isascii() or not matches(CODE, code):  # some letters of other scripts are ASCII in upper case
        raise StudyError(f"{text[:80]!r} cannot be a rater's code; accepted are 3 to 32 of A-Z 0-9 -")
    if code.startswith(SIMULATED):
        raise StudyError(f"codes that begin with {SIMULATED} are those of simulated raters; choose another")
    return code


def new_code() -> str:
    """Return a random code."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
