"""Methods at fault, each in its own way."""

from lorarar.lora.adapter import Factors
from lorarar.merging.methods import MergeResult, Method, Option


def merge(content, style, inputs, **options):
    """Never called."""
    raise AssertionError


LIKE_OURS = Method("direct", "A thief", "nowhere", merge=merge)
NO_METHOD = {"name": "no-method"}
NO_NAME = Method("../up", "Elsewhere", "nowhere", merge=merge)
OTHER_MU = Method("other-mu", "Another mu", "nowhere", merge, (Option("mu", "Something else.", default=7.0),))
OWN_LAYOUT = Method("own-layout", "A layout", "nowhere", merge, (Option("layout", "Not the layout.", "text"),))
HELP_NONE = Method("help-none", "No help", "nowhere", merge, (Option("mute", None),))
WRONG = Method("wrong", "A wrong default", "nowhere", merge, (Option("many", "Many.", default="no"),))
LATE = Method("late", "A late owner", "nowhere", merge, (Option("early", "Early.", default_from="hypernet.x"),))


def raises(content, style, inputs):
    """A fault of its own."""
    raise ValueError("no merge\ntoday")


def ends(content, style, inputs):
    """Ends the process."""
    raise SystemExit(3)


def returns(content, style, inputs):
    """Three."""
    return 3


def reshapes(content, style, inputs):
    """Layers of another shape."""
    return MergeResult({layer: Factors(both.up.T, both.down.T) for layer, both in content.layers.items()})


FAILING = [Method(f.__name__, "A failure", "nowhere", merge=f) for f in (raises, ends, returns, reshapes)]
RAISES, ENDS, RETURNS, RESHAPES = FAILING
