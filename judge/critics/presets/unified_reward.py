"""How UnifiedReward-Edit is asked: it was trained to score an edited image against its source, twice, in JSON.

The words are ours; the form is the trained one: original, edited image, an instruction, and two scores from 0 to 25,
for what the instruction wants and for what it leaves alone. A reference is the original here, the picture its edit.
The first score decides. Of two edits of one original it says in words which is better.
"""

from __future__ import annotations

from judge.answer_words import AnswerForm, Choice
from judge.pair_questions import PairPrompts
from judge.questions import Prompts

#: The middle of the trained scale, whose scores are whole numbers, parts Yes from No.
SCORES = AnswerForm(
    (
        (True, ("a first score from 13 to 25", *map(str, range(13, 26)))),
        (False, ("one from 0 to 12", *map(str, range(13)))),
    ),
    pattern=r"[\"']score[\"']\s*:\s*\[\s*([^,\[\]]*?)\s*(?:,[^\[\]]*)?\]",
    tokens=512,  # reasoning is asked to be short
)

_FORM = """\
Answer in JSON alone, with a short reasoning and the two scores in a list:
{"reasoning": "...", "score": [score1, score2]}"""

UNIFIED_REWARD_EDIT = Prompts(
    "unifiedreward-edit",
    system="",
    subject=f"""\
You compare an edited image with the original it was made from, as an expert on images would.

Original image:
{{reference}}

Edited image:
{{test}}

Editing instruction: show the very subject of the original image in another artistic style, in any pose and any \
surroundings.

Give two scores from 0 to 25. score1 says how well the edited image shows the subject of the original: 0 means another \
subject or none, 25 means the very same one, with the same shape, parts and colours. score2 says how far whatever else \
belongs to the subject was left as it is: 0 means nothing of it, 25 means all.
{_FORM}""",
    style=f"""\
You compare an edited image with the original it was made from, as an expert on images would.

Original image, an example of the {{style}} style:
{{reference}}

Edited image:
{{test}}

Editing instruction: show another subject in the {{style}} style of the original image.

Give two scores from 0 to 25. score1 says how well the edited image is in the {{style}} style of the original, \
whatever it shows: 0 means another style, 25 means the very same one. score2 says how far the materials, strokes and \
colours of the style were left as they are: 0 means not at all, 25 means wholly.
{_FORM}""",
    form=SCORES,
)

BETTER: AnswerForm[Choice] = AnswerForm(
    (
        ("first", ("Image 1 is better", "Edited Image 1 is better")),
        ("second", ("Image 2 is better", "Edited Image 2 is better")),
        ("tie", ("Both images are equally good", "Both edited images are equally good")),
    ),
    pattern=r"(?i)((?:edited )?image [12] is better|both (?:edited )?images are equally good)",
    tokens=512,
)

_CONCLUSION = """\
Conclude with one of these sentences: "Image 1 is better.", "Image 2 is better." or "Both images are equally good.\""""

UNIFIED_REWARD_EDIT_PAIRS = PairPrompts(
    "unifiedreward-edit",
    system="",
    subject=f"""\
You compare two edited images of one source image, as an expert on images would, and say which is better.

Source image:
{{references}}

Edited Image 1:
{{first}}

Edited Image 2:
{{second}}

Text instruction: show the very subject of the source image in another artistic style, in any pose and any surroundings.

Judge how accurately and how fully each edited image shows that subject, the same thing with the same shape, parts and \
colours. Its style, its surroundings and its beauty do not count.
{_CONCLUSION}""",
    style=f"""\
You compare two edited images of one source image, as an expert on images would, and say which is better.

Source image, an example of the {{style}} style:
{{references}}

Edited Image 1:
{{first}}

Edited Image 2:
{{second}}

Text instruction: show another subject in the {{style}} style of the source image.

Judge how accurately and how fully each edited image is in that {{style}} style, with its materials, strokes and \
colours. What it shows and how beautiful it is do not count.
{_CONCLUSION}""",
    form=BETTER,
    most_references=1,
)
