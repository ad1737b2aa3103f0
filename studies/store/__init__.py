"""Studies in an open database of results: what raters see, and, apart from it, which method made which picture."""

from studies.store.raters import Rater, RaterStore
from studies.store.study import ItemOrigin, PictureSource, Scenario, Study
from studies.store.study_store import StudyStore
from studies.store.votes import StoredVoteLog, VoteStore

__all__ = [
    "ItemOrigin",
    "PictureSource",
    "Rater",
    "RaterStore",
    "Scenario",
    "StoredVoteLog",
    "Study",
    "StudyStore",
    "VoteStore",
]
