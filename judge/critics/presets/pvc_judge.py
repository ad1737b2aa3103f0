"""How PVC-Judge is asked: it was trained to say which of two edited images keeps better what their source shows.

Its project has no licence, so the words are ours; the form is the trained one: a source, two images A and B, and an
answer in JSON whose winner is one of them or neither. It has seen one source at a time: the first reference is shown.
"""

from __future__ import annotations

from judge.answer_words import AnswerForm, Choice
from judge.pair_questions import PairPrompts

WINNER: AnswerForm[Choice] = AnswerForm(
    (
        ("first", ("Image A", "A", "image_a", "ImageA")),
        ("second", ("Image B", "B", "image_b", "ImageB")),
        ("tie", ("Tie", "Equal", "Both", "Neither")),
    ),
    pattern=r"[\"']?winner[\"']?\s*:\s*[\"']?([\w ]+)",
    tokens=1024,  # it reasons before it names a winner
)

_FORM = """\
Answer in JSON alone, with a short reasoning first:
{"reasoning": "...", "winner": "Image A", "Image B" or "Tie"}"""

PVC_JUDGE = PairPrompts(
    "pvc-judge",
    system="",
    subject=f"""\
You compare how well two edited images keep what their source image shows.

Source image:
{{references}}

Image A:
{{first}}

Image B:
{{second}}

Editing instruction: show the subject of the source image in another artistic style, in any pose and any surroundings.

Visual consistency is asked about alone: the identity of the subject, its shape, its parts and its colours have to \
stay as they are in the source image; what the instruction changes, the style and the surroundings, does not count. \
Which image is more consistent with the source image?
{_FORM}""",
    style=f"""\
You compare how well two edited images keep what their source image shows.

Source image, an example of the {{style}} style:
{{references}}

Image A:
{{first}}

Image B:
{{second}}

Editing instruction: show another subject in the {{style}} style of the source image.

Visual consistency is asked about alone: the style, its materials, strokes and colours have to stay as they are in the \
source image; what the instruction changes, the subject, does not count. Which image is more consistent with the \
source image in its {{style}} style?
{_FORM}""",
    form=WINNER,
    most_references=1,
)
