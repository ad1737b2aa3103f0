"""A merge method: content alone, times a number."""

from lorarar.merging.methods import MergeResult, Method


def content_only(content, style, inputs):
    """Content's own update; style is dropped."""
    return MergeResult(dict(content.layers))


CONTENT_ONLY = Method("content-only", "Content alone", "tests/extension", merge=content_only)
