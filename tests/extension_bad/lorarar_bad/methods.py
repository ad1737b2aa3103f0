"""Methods at fault, each in its own way."""

from lorarar.merging.methods import Method, Option


def merge(content, style, inputs, **options):
    """Never called."""
    raise AssertionError


LIKE_OURS = Method("direct", "A thief", "nowhere", merge=merge)
NO_METHOD = {"name": "no-method"}
NO_NAME = Method("../up", "Elsewhere", "nowhere", merge=merge)
OTHER_MU = Method("other-mu", "Another mu", "nowhere", merge, (Option("mu", "Something else.", default=7.0),))
OWN_LAYOUT = Method("own-layout", "A layout", "nowhere", merge, (Option("layout", "Not the layout.", "text"),))
