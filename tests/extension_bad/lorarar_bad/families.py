"""Families at fault: one named like ours, one all of whose parts fail, one whose places lead nowhere."""

import os

from lorarar.families import Family, Modules

MODULES = Modules(denoiser="unet", text_encoders=())
LIKE_OURS = Family("pocket", "nowhere:base", "nowhere:Pipeline", MODULES)
JUDGED = Family(
    "judged",
    base=lambda: os.environ["LORARAR_NOBODY_SETS_THIS"],
    pipeline="nowhere:Pipeline",
    modules=MODULES,
    critic="lorarar_bad.families:critic",
    ground_truth="lorarar_bad.families",  # this module
)
NOWHERE = Family("nowhere", "nowhere:base", "nowhere:Pipeline", MODULES)


def critic():
    """No checkpoint."""
    return "a checkpoint"


def distances(targets):
    """Too many."""
    return [0.0] * (len(targets) + 1)


def identified(targets):
    """Raise; there is no revision at all."""
    raise RuntimeError("no such luck")
