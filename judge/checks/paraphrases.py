"""The paper's and the authors' wording, and ten more that ask the same: shorter, longer, plainer, stricter in form.

Each says which picture is the reference and which the test, that a subject's style may differ and a style's
subject too, and asks for Yes or No alone; so a fair judge has no reason to answer them differently.
"""

from __future__ import annotations

from judge.questions import CODE, PAPER, Prompts

PLAIN = Prompts(
    "plain",
    subject="""\
Here is a subject:
{reference}
Here is another picture:
{test}
Do both pictures show the same subject? The artistic style does not matter.
Answer with Yes or No only.""",
    style="""\
Here is a picture in {style} style:
{reference}
Here is another picture:
{test}
Is the other picture in the same {style} style? What it shows does not matter.
Answer with Yes or No only.""",
)

SHORT = Prompts(
    "short",
    subject="""\
Reference: {reference}
Test: {test}
Same subject, whatever the style? Yes or No.""",
    style="""\
Reference in {style} style: {reference}
Test: {test}
Same {style} style, whatever the subject? Yes or No.""",
)

LETTERS = Prompts(
    "letters",
    subject="""\
Image A:
{reference}

Image B:
{test}

Is the subject of image B the subject of image A? Colours and parts have to agree; the style of the images need not.
Reply with a single word, Yes or No.""",
    style="""\
Image A, an example of the {style} style:
{reference}

Image B:
{test}

Is image B in the {style} style of image A? The subjects of the images need not agree.
Reply with a single word, Yes or No.""",
)

EXPERT = Prompts(
    "expert",
    subject="""\
You are comparing two pictures as an expert on visual identity.

First picture, the subject as it is known:
{reference}

Second picture, to be examined:
{test}

Decide whether the second picture depicts this very subject, with its shape, its colors and its distinctive details, \
even if it is rendered in another artistic style.
Does it? Answer with Yes or No only.""",
    style="""\
You are comparing two pictures as an expert on artistic styles.

First picture, an example of the {style} style:
{reference}

Second picture, to be examined:
{test}

Decide whether the second picture is rendered in this very {style} style, with its technique, its palette and its \
texture, even if it depicts something else.
Is it? Answer with Yes or No only.""",
)

RECOGNISE = Prompts(
    "recognise",
    subject="""\
Look closely at the thing in this picture:
{reference}

Would you recognise the same thing in the picture below, perhaps drawn in a different manner?
{test}

Answer Yes if it is the same one, or No if it is a different one. Write nothing else.""",
    style="""\
Look closely at how this picture is made. It is in {style} style:
{reference}

Is the picture below made in the same manner, in {style} style, perhaps showing a different thing?
{test}

Answer Yes if it is the same style, or No if it is a different one. Write nothing else.""",
)

STATEMENT = Prompts(
    "statement",
    subject="""\
Support image:
{reference}

Test image:
{test}

Statement: "The test image shows the same subject as the support image, possibly in a different style."
Is the statement true? Answer with Yes or No only.""",
    style="""\
Example image:
{reference}

Test image:
{test}

Statement: "The test image is in the {style} style of the example image, possibly with a different subject."
Is the statement true? Answer with Yes or No only.""",
)

GENERATED = Prompts(
    "generated",
    subject="""\
An image generator was given this photo of a subject:
{reference}

It was asked to draw the subject in some style, and returned this image:
{test}

Has the generator kept the subject, so that its details and colors are those of the photo?
Answer with Yes or No only.""",
    style="""\
An image generator was given this example of {style} style:
{reference}

It was asked to draw some subject in that style, and returned this image:
{test}

Has the generator kept the {style} style?
Answer with Yes or No only.""",
)

STEPS = Prompts(
    "steps",
    subject="""\
Task: subject verification.
1. Identify the main subject of the support image.
2. Identify the main subject of the test image.
3. Compare their kind, colors and details. Ignore differences of style and background.

Support image:
{reference}

Test image:
{test}

Are they the same subject? Give only the final answer, Yes or No.""",
    style="""\
Task: style verification.
1. Identify the {style} style of the example image.
2. Identify the style of the test image.
3. Compare their technique, palette and texture. Ignore differences of subject.

Example image:
{reference}

Test image:
{test}

Are they in the same style? Give only the final answer, Yes or No.""",
)

FIRST = Prompts(
    "question-first",
    subject="""\
Does the second image show the same subject as the first one? Its style may be different, its details such as color \
should not be.

First image:
{reference}

Second image:
{test}

Answer with Yes or No only.""",
    style="""\
Is the second image in the {style} style that the first one is an example of? Its subject may be different, its style \
should not be.

First image:
{reference}

Second image:
{test}

Answer with Yes or No only.""",
)

SWITCHED = Prompts(
    "no-or-yes",
    subject="""\
Your task is to decide if two images show the same subject.

Image of the subject:
{reference}

Image to check:
{test}

The images may have different styles, while details of the subject, for example its color, should agree.
Do the two images show the same subject?
Answer with No or Yes only.""",
    style="""\
Your task is to decide if an image is in {style} style.

Image in {style} style:
{reference}

Image to check:
{test}

The images are expected to show different subjects, so compare nothing but the style.
Is the image to check in {style} style?
Answer with No or Yes only.""",
)

PARAPHRASES = (PAPER, CODE, PLAIN, SHORT, LETTERS, EXPERT, RECOGNISE, STATEMENT, GENERATED, STEPS, FIRST, SWITCHED)


def wordings(reference: Prompts) -> tuple[Prompts, ...]:
    """The reference's wording and then all others, each once."""
    return (reference, *(prompts for prompts in PARAPHRASES if prompts.version != reference.version))
