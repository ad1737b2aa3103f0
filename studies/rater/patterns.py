"""How names and ids of studies are spelt: ASCII alone, since digits and letters of other scripts can look the same.

Commands, sessions, packets and files of votes all take their patterns from here.
"""

from __future__ import annotations

import re
from datetime import date

STUDY_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
CODE = "[A-Z0-9][A-Z0-9-]{2,31}"  # of a rater
RENDERER = "[A-Za-z0-9 ._+-]{1,40}"
DIGEST = "[0-9a-f]{64}"  # of a study or a picture
VOTE_ID = "[0-9a-f]{32}"
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of a text is spelt by a pattern."""
    return re.fullmatch(pattern, text) is not None


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, as YYYY-MM-DD."""
    if not matches(DAY, text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
