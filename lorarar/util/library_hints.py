"""Hints of libraries to programmers that users of ours can do nothing with: they are not said, whoever calls us.

transformers says of image processors that they would rather have torchvision, which nothing of ours needs. The filter
is of the one logger that says it, so that every other warning of transformers is heard.
"""

from __future__ import annotations

import logging

LOGGER = "transformers.utils.import_utils"
HINT = "requires torchvision (not installed)"


def is_wanted(record: logging.LogRecord) -> bool:
    """Whether a record is something else than the hint."""
    return HINT not in record.getMessage()


def leave_out_hints() -> None:
    """Let the libraries' hints go nowhere, also of libraries that load later."""
    logger = logging.getLogger(LOGGER)
    if is_wanted not in logger.filters:
        logger.addFilter(is_wanted)
