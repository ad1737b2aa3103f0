"""The judge's schema: its migrations, its tables in words, which rows are about pictures, who reads acceptance."""

from __future__ import annotations

from collections.abc import Mapping

from judge.migrations import MIGRATIONS
from lorarar.store.schema import PictureColumn, Schema, TableWords, UnionRules

_CREATED = "when the row was added, UTC"
_VERDICT = {
    "key": "digest of the question, of what was shown and of the critic's identity",
    "judge": "the critic with its settings",
    "prompts": "version of the set of prompts",
    "aspect": "`subject` or `style`",
    "image": "SHA-256 of the picture's file",
    "reference": "SHA-256 of the reference's file",
    "prompt": "the question as it was asked",
    "status": "`ok`, `failed` or `unparsed`",
    "verdict": "1 for yes, 0 for no, nothing unless the status is `ok`",
    "probability": "of yes against no, where the critic gives one",
    "answer": "the critic's words",
    "reason": "why there is no verdict",
    "seconds": "that the answer took",
    "created": _CREATED,
    "words": "the style's words in the question, empty for the subject; nothing where one's own prompts asked in 0.1",
    "mass": "the probability of yes and no together at the token that was read; nothing where it is not known",
}

_CHOICE = {
    **{name: words for name, words in _VERDICT.items() if name not in ("image", "reference", "verdict")},
    "first_image": "SHA-256 of the file of the picture that is shown first",
    "second_image": "SHA-256 of the other's file",
    "reference_images": "SHA-256 of the references' files, in the order they are shown, JSON",
    "choice": "`first`, `second` or `tie`, nothing unless the status is `ok`",
    "probability": "of first against second and tie, where the critic gives one",
    "reason": "why there is no choice; of pictures that are the same, that nothing was asked",
    "words": "the style's words in the question, empty for the subject",
    "mass": "the probability of the three choices together at the token that was read; nothing where it is not known",
}

TABLES: Mapping[str, TableWords] = {
    "judges": TableWords(
        "Critics with their settings",
        {
            "id": "number of the row",
            "critic": "the critic's name",
            "identity": "all that decides its answers, JSON",
            "version": "of lorarar",
            "created": _CREATED,
        },
    ),
    "verdicts": TableWords("What critics answered, a row a picture, reference and aspect", _VERDICT),
    "check_verdicts": TableWords("Answers that `lorarar judge check` asked for, which no report counts", _VERDICT),
    "pair_verdicts": TableWords(
        "Which of two pictures critics called better, a row an aspect and an order; `judge run --protocol pairwise`",
        _CHOICE,
    ),
    "checks": TableWords(
        "What `lorarar judge check` came to, a row a check",
        {
            "id": "number of the row",
            "judge": "the critic with its settings",
            "prompts": "version of the set of prompts",
            "collection": "whose pictures the sample is of, in words",
            "pictures": "in the sample",
            "grades": "the worst grade of each part that was graded, JSON",
            "version": "of lorarar",
            "created": _CREATED,
        },
    ),
    "scores": TableWords(
        "CLIP-I, CLIP-T, DINO and other metrics of pictures",
        {
            "image": "SHA-256 of the picture's file",
            "metric": "name of the metric",
            "backbone": "the model that measured, JSON",
            "against": "digest of the references, or the prompt",
            "value": "the score",
            "created": _CREATED,
        },
    ),
}

_SEEN: Mapping[str, TableWords] = {
    "pixel_digests": TableWords(
        "What critics are shown of files, so that these need not be decoded again",
        {
            "sha256": "of the file",
            "side": "longest side that is shown, in pixels",
            "reader": "what decides the pixels beside that: the way of reading, and Pillow's version",
            "pixels": "digest of what is shown, which enters `verdicts.key`",
        },
    ),
}

SCHEMA = Schema(
    "judge",
    MIGRATIONS,
    {**TABLES, **_SEEN},
    pictures=(
        *(PictureColumn(table, "image") for table in ("verdicts", "check_verdicts", "scores")),
        *(PictureColumn("pair_verdicts", column) for column in ("first_image", "second_image")),
        *(PictureColumn(table, "sha256") for table in _SEEN),
    ),
    counted=("judges", "verdicts", "pair_verdicts", "check_verdicts", "checks", "scores"),
    json=(("judges", "identity"), ("checks", "grades"), ("scores", "backbone"), ("pair_verdicts", "reference_images")),
    acceptance="judge.acceptance:read_acceptance",
    union=UnionRules(clear=dict.fromkeys(("verdicts", "check_verdicts", "pair_verdicts"), ("status", "ok"))),
)
