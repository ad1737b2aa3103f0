"""Wordings that Pocket's critic learns beside the paper's and the authors'; none is one that the check asks.

A critic of this size that has read one wording answers another by chance; a few more teach it what to look for:
which of subject and style is asked about.
"""

from __future__ import annotations

from judge.questions import Prompts

COMPARE = Prompts(
    "compare",
    subject="""\
Compare two pictures.
Original: {reference}
Copy: {test}
Is the object of the original also the object of the copy, no matter how the copy is painted? Yes or No?""",
    style="""\
Compare two pictures.
Original, {style}: {reference}
Copy: {test}
Is the copy painted like the original, in {style}, no matter which object it has? Yes or No?""",
)

NUMBERED = Prompts(
    "numbered",
    subject="""\
Image 1:
{reference}
Image 2:
{test}
Question: is it the same subject in image 1 and image 2? The style is not important, details and color are.
Answer (Yes or No):""",
    style="""\
Image 1 in {style} style:
{reference}
Image 2:
{test}
Question: is it the same style in image 1 and image 2? The subject is not important, technique and texture are.
Answer (Yes or No):""",
)

CHECKER = Prompts(
    "checker",
    subject="""\
As a careful checker of subjects, you get a photo of a subject {reference} and a drawing {test} that may show this \
subject or a different one.
Tell whether the drawing shows this subject. Say Yes if it does and No if it does not.""",
    style="""\
As a careful checker of styles, you get an example {reference} of {style} and a drawing {test} that may be in this \
style or a different one.
Tell whether the drawing is in this style. Say Yes if it is and No if it is not.""",
)

BRIEF = Prompts(
    "brief",
    subject="{reference} {test} Subject: same or different? Yes for the same, No for different.",
    style="{reference} {test} Style, {style}: same or different? Yes for the same, No for different.",
)

ASKED_FIRST = Prompts(
    "asked-first",
    subject="""\
Are these images of one and the same subject, if style is ignored? Write Yes or No.
The first image: {reference}
The second image: {test}""",
    style="""\
Are these images of one and the same {style} style, if the subject is ignored? Write Yes or No.
The first image: {reference}
The second image: {test}""",
)

CLAIM = Prompts(
    "claim",
    subject="""\
Support image: {reference} Test image: {test}
Someone claims that the subject has been kept while the style has been changed. Is the subject kept? \
Answer Yes or No and nothing else.""",
    style="""\
Support image in {style} style: {reference} Test image: {test}
Someone claims that the style has been kept while the subject has been changed. Is the style kept? \
Answer Yes or No and nothing else.""",
)

WORDINGS = (COMPARE, NUMBERED, CHECKER, BRIEF, ASKED_FIRST, CLAIM)
