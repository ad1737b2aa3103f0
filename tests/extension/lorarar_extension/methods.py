"""A merge method: content alone, so much of it as is asked for."""

from lorarar.merging.methods import MergeResult, Method, Option
from lorarar.merging.methods.terms import sum_terms, weigh

SHARE = Option("share", "How much of content is kept.", default=1.0, above=0, most=1)


def content_only(content, style, inputs, *, share):
    """Content's own update, times a share; style is dropped."""
    terms = weigh((content, style), (share, 0.0))
    layers, energy = sum_terms({layer: terms[layer][:1] for layer in content.layers}, inputs)
    return MergeResult(layers, energy=energy)


CONTENT_ONLY = Method("content-only", "Content alone", "ours", merge=content_only, options=(SHARE,))
