"""The studies' schema: its migrations, what its tables hold in words, and which of its rows keep pictures."""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.store.schema import PictureColumn, Schema, TableWords, UnionRules
from studies.migrations import MIGRATIONS

_VOTE = {
    "id": "the vote's own name, 32 hex digits",
    "rater": "who voted",
    "study": "the study",
    "item": "number of the item",
    "trial": "number of the trial, as this rater saw it",
    "purpose": "`practice`, `plain`, `repeat` or `attention`",
    "mirrored": "whether left and right were exchanged",
    "answer": "by side, as it was given",
    "seconds": "from the showing to the answer",
    "screen": "how the pictures were shown, JSON",
    "supersedes": "the vote of the same trial that this one replaces",
    "day": "the day it was given",
}

TABLES: Mapping[str, TableWords] = {
    "studies": TableWords(
        "Studies, frozen when they are made",
        {
            "id": "number of the row",
            "name": "the study's name",
            "digest": "of all that raters see; votes on packets are known by it",
            "kind": "`ab` (which of two pictures) or `absolute` (what one picture shows)",
            "scenario": "`random` (any picture) or `best` (one that a judge accepts)",
            "methods": "what is compared, a JSON list",
            "seed": "of the sample, kept as those of `images`",
            "repeats": "how many items are shown again",
            "wording": "the words that raters read, JSON",
            "judge": "whose verdicts `best` went by, JSON",
            "version": "of lorarar",
            "created": "the day it was made",
            "collection_kind": "kind of the collection that its pictures are of; NULL where it is not known",
            "collection_name": "name of that collection",
            "rules": "what was fixed before voting (exclusions, margin, primary figure, pairing), JSON; never shown",
            "drawing": "what happened when it was drawn (identical pictures left out), JSON",
            "closed": "the day from which on it takes no more votes; NULL while it takes some",
        },
    ),
    "study_items": TableWords(
        "What a study asks about, a row a question",
        {
            "study": "the study",
            "number": "number of the item",
            "purpose": "`practice` or `plain`; in studies of before, `attention`",
            "subject": "name of the subject",
            "style": "name of the style",
            "subject_picture": "the reference of the subject that is shown",
            "style_picture": "the reference of the style that is shown",
            "reference_digests": "SHA-256 of all references of both, JSON",
            "expected": "the correct answer of practice and of attention checks; by it checks are known",
            "words": "the style's, as a judge is asked about it; empty in studies of version 0.1",
        },
    ),
    "study_options": TableWords(
        "The pictures of an item, with where they come from, which no rater sees",
        {
            "study": "the study",
            "number": "number of the item",
            "place": "0 or 1",
            "method": "what made it",
            "image": "SHA-256 of the file it comes from",
            "picture": "what is shown",
        },
    ),
    "study_pictures": TableWords(
        "Pictures as raters see them: pixels alone",
        {"digest": "of its bytes", "png": "its bytes"},
    ),
    "study_preregistrations": TableWords(
        "What was registered of a study before voting",
        {
            "study": "the study",
            "digest": "SHA-256 of what was registered, as the page ends with it",
            "record": "what was registered (hypotheses, rules, raters planned, power, day), JSON",
        },
    ),
    "study_raters": TableWords(
        "Who takes part in a study",
        {
            "id": "number of the row",
            "study": "the study",
            "code": "the rater's code",
            "simulated": "1 for simulated raters",
            "consented": "the day they agreed",
        },
    ),
    "study_withdrawn": TableWords(
        "Raters who were deleted, so that their votes are not imported again",
        {"code_digest": "digest of the rater's code and of the study, which it outlives"},
    ),
    "study_votes": TableWords("Votes: added, never changed", _VOTE),
    "study_current_votes": TableWords(
        "The votes that stand, with who gave them (a view)",
        _VOTE | {"code": "the rater's code", "simulated": "1 for simulated raters"},
    ),
    "human_labels": TableWords(
        "People's answers on single pictures, as `lorarar judge check` compares them, without those that their study's "
        "rules leave out (a view)",
        {
            "image": "SHA-256 of the picture's file",
            "aspect": "`subject` or `style`",
            "yes": "1 where the rater saw it",
            "rater": "the rater's code",
        },
    ),
}

SCHEMA = Schema(
    "studies",
    MIGRATIONS,
    TABLES,
    pictures=(PictureColumn("study_options", "image", keeps=True),),
    counted=("studies", "study_raters", "study_votes"),
    json=(
        ("studies", "methods"),
        ("studies", "wording"),
        ("studies", "judge"),
        ("studies", "rules"),
        ("studies", "drawing"),
        ("study_preregistrations", "record"),
        ("study_items", "reference_digests"),
        ("study_votes", "screen"),
    ),
    # who withdrew in one database must not come back from another
    union=UnionRules(refused="gather into it with -o; votes from elsewhere come by lorarar study import"),
)
