"""Wordings without end for the training of Pocket's critic, made from phrases and synonyms.

A wording is a layout, a pair of names for the two pictures, a question about one aspect, remarks and the way to
answer, each chosen at random. In the rules below ``[a|b]`` is either ``a`` or ``b``, also nothing, and may hold
brackets itself; ``{word}`` is any of its SYNONYMS, and ``<one>`` and ``<two>`` stand for the names of reference and
test.

Invariant: no question of these is one that ``lorarar judge check`` asks in its ten other wordings, so that a check
measures what was understood and not what was learnt by heart; a test compares them sentence by sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from judge.questions import Aspect, Prompts

#: Names of the two pictures, as they are labelled and as they stand in a sentence.
NAMES = (
    ("Support image", "Test image", "the support image", "the test image"),
    ("Original", "Copy", "the original", "the copy"),
    ("Image 1", "Image 2", "image 1", "image 2"),
    ("Picture one", "Picture two", "picture one", "picture two"),
    ("Model", "Candidate", "the model", "the candidate"),
    ("Known image", "Unknown image", "the known image", "the unknown image"),
    ("Sample", "Result", "the sample", "the result"),
    ("Source", "Target", "the source", "the target"),
    ("Left image", "Right image", "the left image", "the right image"),
    ("Upper picture", "Lower picture", "the upper picture", "the lower picture"),
    ("P", "Q", "P", "Q"),
    ("Photo", "Drawing", "the photo", "the drawing"),
    ("Before", "After", "the image before", "the image after"),
    ("Pattern", "Output", "the pattern", "the output"),
    ("Example", "Query", "the example", "the query"),
    ("Given image", "New image", "the given image", "the new image"),
    ("Earlier one", "Later one", "the earlier one", "the later one"),
    ("Reference image", "Query image", "the reference image", "the query image"),
    ("Panel A", "Panel B", "panel A", "panel B"),
    ("First picture", "Second picture", "the first picture", "the second picture"),
    ("First", "Second", "the first image", "the second image"),
    ("Example picture", "Picture to check", "the example picture", "the picture to check"),
    ("Image to compare with", "Image to examine", "the image to compare with", "the image to examine"),
    ("Photo of it", "What was generated", "the photo", "what was generated"),
    ("A", "B", "A", "B"),
)

OPENINGS: Mapping[Aspect, tuple[str, ...]] = {
    "subject": (
        "",
        "{look_at} [the|these] two {pictures}[ with care| carefully|].",
        "{you_see} [a subject|an object|a thing|some item] and [an image|a picture] that may[ or may not|] show it.",
        "As {judges}, {judge} [if|whether] [a subject|an object|a character|a thing] is {unchanged}.",
        "{task} is to {tell} [if|whether] <two> [has|keeps|contains|shows] the {thing} of <one>.",
        "[Question|Topic|Task]: [subjects|objects|identity of things|content].",
        "[An artist|A program|A painter] [saw|got] <one> and [made|painted|drew] <two> [from it|after it|].",
        "{steps} 1. {spot} the {thing} [of|in] <one>. 2. {spot} the {thing} [of|in] <two>. 3. {then} they are {equal}.",
        "[Work|Act|Answer] as {judges}[ who knows about {thing}s| of identity|].",
        "<one> shows [a|some] {thing}[ as it is known|], <two> is {unsure}.",
    ),
    "style": (
        "",
        "{look_at} [the|these] two {pictures}[ with care| carefully|].",
        "{you_see} an example of {style}[ style|] and [an image|a picture] that may[ or may not|] be like it.",
        "As {judges}, {judge} [if|whether] a [style|manner of painting|look|technique] is {unchanged}.",
        "{task} is to {tell} [if|whether] <two> [has|keeps|uses|follows] the {style} {look} of <one>.",
        "[Question|Topic|Task]: [styles|techniques|manner of painting|look], {style}.",
        "[An artist|A program|A painter] [saw|got] <one> and [made|painted|drew] <two>[ in its style| like it|].",
        "{steps} 1. {spot} the {style} {look} of <one>. 2. {spot} the {look} of <two>. 3. {then} they are {equal}.",
        "[Work|Act|Answer] as {judges}[ who knows about {look}s| of art|].",
        "<one> is an example of {style}[ style|], <two> is {unsure}.",
    ),
}

#: Sentences that stand before the two pictures instead of their names.
INTRODUCTIONS: Mapping[Aspect, tuple[tuple[str, str], ...]] = {
    "subject": (
        ("[This|The earlier] {picture} [shows|has|contains] [a|the|some] {thing}", "[And now|Then|Later] {came}"),
        ("[Somebody|A client|A user] [sent|gave|brought] this {thing}", "[It became|The answer was|What came back is]"),
        ("[Keep in mind|Remember|Memorise] this {thing}", "[Do you see it|Is it|Can it be found] in this {picture}"),
        (
            "{closely} what this {picture} [shows|depicts]",
            "{again} it in [what follows|the next {picture}], {otherwise}",
        ),
        ("{generator} {received} [this|the following] {picture} [of a {thing}|]", "It [then |]{returned} [this|that]"),
    ),
    "style": (
        ("[This|The earlier] {picture} [is|was made] in {style}[ style|]", "[And now|Then|Later] {came}"),
        (
            "[Somebody|A client|A user] [sent|gave|brought] this in {style}[ style|]",
            "[The answer was|What came back is]",
        ),
        (
            "[Keep in mind|Remember|Memorise] this {style} {look}",
            "[Do you see it|Is it|Can it be found] in this {picture}",
        ),
        (
            "{closely} how this {picture} in {style}[ style|] [was|is] [made|done]",
            "{again} the {look} in [what follows|the next {picture}], {otherwise}",
        ),
        (
            "{generator} {received} [this|the following] {picture} [in {style}|as an example of {style}[ style|]]",
            "It [then |]{returned} [this|that]",
        ),
    ),
}

QUESTIONS: Mapping[Aspect, tuple[str, ...]] = {
    "subject": (
        "[Does|Would you say that] <two> [show|contain|depict|shows|has|have] the {thing} [of|in|from|shown in] <one>?",
        "Is the {thing} [of|in|shown in] <two> [also|really|indeed|] the one [of|in|from] <one>?",
        "[Do|Did] <one> and <two> [show|have|contain|present|portray] {same} {thing}?",
        "Is it the same {thing} in <one> and [in |]<two>?",
        "Has the {thing} of <one> been {kept} in <two>?",
        "[Are|Were] the [subjects|objects|things|characters|contents] of <one> and <two> {equal}?",
        "[Subject|Object|Content|Thing]: {match}?",
        "Is <two> [a picture|an image|a version|a portrait|a rendering] of the {thing} [of|in] <one>?",
        "Can the {thing} of <one> be {found} in <two>?",
        "{claim} that <two> {keeps} the [subject|object|thing] of <one>. {right}",
        '[Claim|Sentence|Thesis]: "<one> and <two> [show|depict] {same} {thing}, {otherwise}." {right}',
        "{decide} [if|whether] <two> [depicts|shows|presents] the [very |]{thing} of <one>, {otherwise}. {so}",
        "{same} {thing}, {otherwise}?",
    ),
    "style": (
        "[Does|Would you say that] <two> [show|follow|use|has|have] the {style} {look} [of|in|from|seen in] <one>?",
        "Is the {look} of <two> [also|really|indeed|] the {style}[ style|] [of|in] <one>?",
        "[Do|Did] <one> and <two> [show|have|share|use] {same} {style} {look}?",
        "Is it the same {style} {look} in <one> and [in |]<two>?",
        "Has the {style} {look} of <one> been {kept} in <two>?",
        "[Are|Were] the [styles|looks|techniques|manners] of <one> and <two> {equal}, {style}?",
        "[Style|Look|Technique|Manner], {style}: {match}?",
        "Is <two> [painted|made|done|drawn|rendered] [like|as|in the manner of] <one>, in {style}[ style|]?",
        "Can the {style} {look} of <one> be {found} in <two>?",
        "{claim} that <two> {keeps} the {style} [style|look] of <one>. {right}",
        '[Claim|Sentence|Thesis]: "<one> and <two> [share|have] {same} {style} {look}, {otherwise}." {right}',
        "{decide} [if|whether] <two> is [made|done|painted] in the [very |]{style} {look} of <one>, {otherwise}. {so}",
        "{same} {style} {look}, {otherwise}?",
    ),
}

REMARKS: Mapping[Aspect, tuple[str, ...]] = {
    "subject": (
        "",
        "{ignore} the [style|manner|technique|background].",
        "[The style|How it is painted|The technique|The manner] {varies}, [but |while |]the {details} {agrees}.",
        "{mind} the {details} of the [subject|object|thing].",
        "[A different|Another] [style|technique|look] is [fine|allowed|to be expected].",
    ),
    "style": (
        "",
        "{ignore} the [subject|object|content|things] [shown|depicted|].",
        "[The subject|What it shows|The object|The content] {varies}, [but |while |]the {strokes} {agrees}.",
        "{mind} the {strokes} of the [image|picture|painting].",
        "[A different|Another] [subject|object|content] is [fine|allowed|to be expected].",
    ),
}

#: What a label of the reference may add where it stands for a style; without, the question alone names the style.
EXAMPLE = "[, in| in|, an example of|, made in|, painted in] {style}[ style|]"
LABELLED = 0.4  # share of wordings with it

ANSWERS = (
    "[Answer|Reply|Respond|Decide|Say it] [with|by] [Yes or No|No or Yes|one word, Yes or No|either Yes or No][ only| "
    "alone| and nothing else|].",
    "[Answer|Your answer|Verdict|Reply] ([Yes or No|Yes/No|No or Yes]):",
    "[Yes or No|No or Yes|Yes, or No]?",
    "[Write|Say|Give|Print] [Yes|the word Yes] [if so|if it is|if that is so], [otherwise|else|and if not] No.",
    "[Yes for the same, No for different|Yes for a match, No for none|Yes means same, No means different].",
    "[Do not explain|No explanation|Be brief], [answer|reply|say] [Yes or No|No or Yes].",
    "[Give|Return|Output] [only |just |]the [result|verdict|final word], [Yes or No|No or Yes].",
    "[Reply|Respond] Yes if [they are the same|it is|both agree] [and|or] No if [they are not|it is another|not].",
)

#: What comes in which order; lower-case names are parts, the two pictures are labelled by <A> and <B>.
LAYOUTS = (
    "opening / <A>:[ |/]{reference}/<B>:[ |/]{test} / remark question / answer",
    "opening / <A>:[ |/]{reference}/<B>:[ |/]{test} / question remark / answer",
    "opening question remark / <A>:[ |/]{reference}/<B>:[ |/]{test} / answer",
    "question / <A>: {reference} <B>: {test} / remark answer",
    "<A> {reference} <B> {test} question answer",
    "opening remark / <A>[: |, ]{reference} / <B>[: |, ]{test} / question answer",
    "opening / first[:|,|.][ |/]{reference} / second[:|,|.|?][ |/]{test} / question remark / answer",
    "first[ |: |:/]{reference} / second[ |: |:/]{test} / remark question / answer",
    "first[:|.][ |/]{reference} / question remark[ |/]{test} / answer",
    "opening / <A>:[ |/]{reference} / question / <B>:[ |/]{test} / remark answer",
    "answer opening / <A>:[ |/]{reference} / <B>:[ |/]{test} / question remark",
)

#: Words that mean the same, by the name that rules call them by.
SYNONYMS = {
    "thing": "[subject|object|thing|character|item]",
    "look": "[style|look|manner|technique]",
    "look_at": "[Compare|Check|Study|Inspect|Examine]",
    "ignore": "[Ignore|Do not mind|Set aside|Forget]",
    "mind": "[Pay attention to|Mind|Consider|Think of]",
    "varies": "[is not important|may vary|may change|can be another]",
    "agrees": "[should agree|must agree|have to match|are important]",
    "same": "[one and the same|the very same|an identical|a common|the same]",
    "equal": "[the same|identical|equal|one]",
    "kept": "[kept|preserved|reproduced|used again]",
    "found": "[found|seen|identified]",
    "claim": "[Someone says|A user claims|It is claimed]",
    "keeps": "[keeps|preserves|repeats]",
    "right": "Is [that|this|the claim] [right|correct|so]?",
    "match": "[same or different|equal or not|kept or lost|match or mismatch]",
    "tell": "[find|tell|determine|verify|see]",
    "judge": "[find out|determine|judge|say]",
    "judges": "[a careful checker|a judge|an inspector|a reviewer|an expert|a specialist]",
    "you_see": "You [see|get|are shown|are given]",
    "pictures": "[images|pictures|illustrations]",
    "picture": "[picture|image|illustration]",
    "came": "[somebody made|there is|a program drew|comes] this {picture}",
    "unchanged": "[the same|kept|unchanged|recognisable]",
    "details": "[details|colors|colours|shape|parts]",
    "strokes": "[technique|strokes|texture|palette|colors]",
    "task": "[Your task|The task|Your job|The aim]",
    "steps": "[Steps|Task|Procedure|To do]:",
    "spot": "[Point out|Find|Name|Describe]",
    "then": "[Say whether|Verify that|Check if|Decide whether]",
    "closely": "[Look at|Consider|Examine][ closely|]",
    "again": "[Would|Could|Can|Do] you [recognise|spot|see|identify]",
    "otherwise": "[perhaps|possibly|maybe|even if|whatever is] {changed}",
    "changed": "[changed|different|rendered in another way|made otherwise]",
    "unsure": "[to be examined|yet to be verified|from a generator]",
    "generator": "[A generator|An image generator|A program|A model]",
    "received": "[was shown|received|got|was given]",
    "returned": "[returned|drew|produced|was asked for a picture and gave]",
    "decide": "[Decide|Say|Judge|Determine]",
    "so": "[Does it|Is it so|Is that the case|True]?",
}

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_PART = re.compile(r"\b(opening|first|second|remark|question|answer)\b")
_SYNONYM = re.compile(r"\{(" + "|".join(SYNONYMS) + r")\}")


def generate_wording(rng: random.Random) -> Prompts:
    """A wording at random: the subject's and the style's question in one layout, with one pair of names."""
    names = rng.choice(NAMES)
    layout = expand(rng.choice(LAYOUTS), rng).replace(" / ", "/").replace("/", rng.choice(("\n", "\n", "\n\n", " ")))
    subject, style = (_template(aspect, layout, names, rng) for aspect in QUESTIONS)
    return Prompts("generated", subject, style)


def expand(rule: str, rng: random.Random) -> str:
    """A rule with every bracket replaced by one of its alternatives, the innermost first."""
    while _SYNONYM.search(rule):
        rule = _SYNONYM.sub(lambda match: SYNONYMS[match[1]], rule)
    while _CHOICE.search(rule):
        rule = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), rule)
    return rule


def _template(aspect: Aspect, layout: str, names: tuple[str, str, str, str], rng: random.Random) -> str:
    """The layout with its parts for an aspect put in."""
    first, second = rng.choice(INTRODUCTIONS[aspect])
    parts = {
        "opening": rng.choice(OPENINGS[aspect]),
        "first": first,
        "second": second,
        "remark": rng.choice(REMARKS[aspect]),
        "question": rng.choice(QUESTIONS[aspect]),
        "answer": rng.choice(ANSWERS),
    }
    text = _PART.sub(lambda match: expand(parts[match[1]], rng), layout)
    if aspect == "style" and rng.random() < LABELLED:
        text = text.replace("<A>", "<A>" + expand(EXAMPLE, rng))
    for mark, name in zip(("<A>", "<B>", "<one>", "<two>"), names, strict=True):
        text = text.replace(mark, name)
    return re.sub(r" +([ .,?])", r"\1", text).strip()
