"""Whether a study was registered before anybody voted, and whether its report keeps to that: section "study"."""

from __future__ import annotations

from lorarar.store import Store
from studies.figures import Figure
from studies.preregistration import deviations
from studies.store import Study
from studies.store.preregistration import preregistration_of

ATTENTIVE = "whoever failed an attention check is left out by --attentive, which is none of its rules"


def registration(store: Store, study: Study, attentive: bool) -> Figure:
    """Whether what was registered was kept, with each thing that was not.

    Args:
        store: the database of results.
        study: the study.
        attentive: whether whoever failed an attention check is left out, whatever the study's rules say.
    """
    registered = preregistration_of(store, study)
    if registered is None:
        return Figure("study", "", "preregistration", "none", note="nothing was registered before voting")
    not_kept = deviations(store, study)
    if attentive and study.rules.most_failed_checks != 0:
        not_kept.append(ATTENTIVE)
    note = "; ".join([f"registered on {registered.day}, digest {registered.digest[:12]}", *not_kept])
    return Figure("study", "", "preregistration", "not kept" if not_kept else "kept", note=note)
