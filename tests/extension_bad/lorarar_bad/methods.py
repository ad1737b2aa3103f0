"""Methods at fault: one named like ours, one that is no method at all."""

from lorarar.merging.methods import Method


def merge(content, style, inputs):
    """Never called."""
    raise AssertionError


LIKE_OURS = Method("direct", "A thief", "nowhere", merge=merge)
NO_METHOD = {"name": "no-method"}
