"""Questions about two pictures: what is shown in which order, and which answer is which choice, strictly."""

from dataclasses import replace
from pathlib import Path

import pytest

from judge.answer_words import YES_NO, AnswerForm
from judge.non_answers import NonAnswer, non_answer_of
from judge.pair_questions import FIRST_SECOND_TIE, PAIRS, PairPrompts
from judge.questions import PromptError
from judge.reading import Writing, WrittenToken, read

ONE, TWO = Path("one.png"), Path("two.png")
REFERENCES = tuple(Path(f"r{number}.png") for number in range(3))
IMAGES = AnswerForm(
    (
        ("first", ("Image 1 is better", "A")),
        ("second", ("Image 2 is better", "B")),
        ("tie", ("Both are equal", "C")),
    )
)


def choice(text, *tokens, form=FIRST_SECOND_TIE, **more):
    """The reply to a writing whose tokens are given as (text, P(first), P(second), P(tie))."""
    return read(Writing(text, [WrittenToken(token, tuple(chances)) for token, *chances in tokens], **more), form=form)


def test_references_are_shown_first_and_then_the_two_in_their_order():
    question = PAIRS.ask("style", REFERENCES, (TWO, ONE), "oil painting")
    assert question.pictures == (*REFERENCES, TWO, ONE)
    assert len(question.parts) == len(question.pictures) + 1
    before, *_, between, after = question.parts
    assert before.endswith("Example images in the oil painting style:\n") and "Second test image" in between
    assert after.endswith("Answer with First, Second or Tie only.") and "{" not in "".join(question.parts)
    assert PAIRS.ask("subject", REFERENCES, (ONE, TWO), "oil").words == ""


def test_a_model_that_was_trained_with_one_reference_is_shown_one():
    question = replace(PAIRS, most_references=1).ask("subject", REFERENCES, (ONE, TWO))
    assert question.pictures == (REFERENCES[0], ONE, TWO) and len(question.parts) == 4


def test_a_styles_name_brings_no_picture_into_a_pair():
    question = PAIRS.ask("style", REFERENCES[:1], (ONE, TWO), "{first} {references}")
    assert len(question.parts) == 4


def test_another_way_to_read_answers_is_another_version():
    versions = {one.version for one in (PAIRS, replace(PAIRS, form=IMAGES), replace(PAIRS, most_references=1))}
    assert len(versions) == 3


@pytest.mark.parametrize(
    ("subject", "style", "why"),
    [
        ("{references}{second}{first}", "{style}{references}{first}{second}", "subject needs {references}"),
        ("{references}{first}{second}", "{references}{first}{second}", "style needs {style}"),
        ("{references}{first}{second}{second}", "{style}{references}{first}{second}", "once each"),
    ],
)
def test_unsound_pair_prompts_are_named(subject, style, why):
    with pytest.raises(PromptError, match=why.replace("{", r"\{")):
        PairPrompts("mine", subject, style)


def test_answers_that_are_not_the_three_choices_are_refused():
    with pytest.raises(PromptError, match="accepted are"):
        replace(PAIRS, form=YES_NO)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("First", "first"),
        ("**second**.", "second"),
        (" Tie</s>", "tie"),
        ("first  image", "first"),
        ("<answer>Second</answer>", "second"),
        ("<think>First? No.</think> Second", "second"),
        ("F\u0131rst", "first"),  # an i without its dot, which matches in any case
    ],
)
def test_a_plain_choice_is_one_in_any_case_and_with_marks_around_it(text, answer):
    reply = choice(text)
    assert (reply.status, reply.answer, reply.probability) == ("ok", answer, None)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("First, let me look at both.", NonAnswer.PROSE),
        ("first or second", NonAnswer.PROSE),
        ("Yes", NonAnswer.PROSE),
        ("Firstly", NonAnswer.PROSE),
        ("", NonAnswer.EMPTY),
        ("<think>First", NonAnswer.THOUGHT),
    ],
)
def test_what_is_no_plain_choice_is_none_and_says_why(text, kind):
    reply = choice(text)
    assert (reply.status, reply.answer) == ("unparsed", None) and non_answer_of(reply.reason) is kind
    if kind is NonAnswer.PROSE:
        assert reply.reason.endswith("not First, Second or Tie")


def test_the_first_tokens_probability_is_read_where_the_whole_answer_is_that_token():
    reply = choice("Second", ("Second", 0.2, 0.5, 0.1))
    assert (reply.answer, reply.probability, reply.mass) == ("second", pytest.approx(0.25), pytest.approx(0.8))
    weak = choice("Second", ("Second", 0.1, 0.2, 0.1))
    assert (weak.answer, weak.probability, weak.mass) == ("second", None, pytest.approx(0.4))  # its words decide
    even = choice("Tie", ("Tie", 0.1, 0.4, 0.4))
    assert (even.answer, even.probability) == ("tie", pytest.approx(1 / 9))


def test_a_token_that_begins_an_explanation_is_no_choice():
    reply = choice("First, the subject is a dog", ("First", 0.9, 0.05, 0.0), (",", 0.0, 0.0, 0.0))
    assert reply.answer is None and non_answer_of(reply.reason) is NonAnswer.PROSE


def test_words_that_are_not_the_likeliest_choice_disagree_with_the_probabilities():
    reply = choice("First", ("First", 0.2, 0.6, 0.1))
    assert reply.answer is None and reply.reason.startswith("disagreement")
    assert "First against Second and Tie is 0.22" in reply.reason


def test_a_models_own_words_are_read_by_its_form():
    assert choice("Image 2 is better.", form=IMAGES).answer == "second"
    assert choice("B", ("B", 0.1, 0.8, 0.0), form=IMAGES).probability == pytest.approx(1 / 9)
    assert choice("A picture", form=IMAGES).answer is None
    assert choice("First", form=IMAGES).reason.endswith("not Image 1 is better, Image 2 is better or Both are equal")


def test_a_verdict_within_a_longer_answer_is_found_by_a_pattern_and_by_no_other_words():
    form = replace(IMAGES, pattern=r"Verdict:\s*(.+)")
    assert choice("Image 2 is better drawn.\nVerdict: A", form=form).answer == "first"
    assert choice("A", ("A", 0.9, 0.0, 0.0), form=form).answer is None
    assert choice("Verdict: A\nVerdict: B", form=form).answer is None
    assert choice("Verdict: A\nVerdict: image 1 is better", form=form).answer == "first"
