"""A verdict only where one was given: what a critic wrote is yes, no, or no answer with the reason."""

import pytest

from judge.answer_words import answer_start, parse
from judge.critics.openai.response import writing_of
from judge.non_answers import NonAnswer, in_kinds, non_answer_of
from judge.questions import Reply
from judge.reading import Writing, WrittenToken, read
from judge.verdicts import VerdictKey, VerdictStore
from lorarar.store import Store


def written(text, *tokens, **more):
    """A writing whose tokens are given as (text, P(Yes), P(No))."""
    return Writing(text, [WrittenToken(token, (yes, no)) for token, yes, no in tokens], **more)


def kind(reply):
    assert (reply.status, reply.answer, reply.probability) == ("unparsed", None, None)
    return non_answer_of(reply.reason)


def test_yes_against_no_is_read_where_both_weigh_at_least_half():
    reply = read(written("Yes", ("Yes", 0.3, 0.2)), 1.5)
    assert (reply.status, reply.answer, reply.probability, reply.mass) == ("ok", True, pytest.approx(0.6), 0.5)
    assert (reply.text, reply.seconds) == ("Yes", 1.5)
    below = read(written("Yes", ("Yes", 0.29, 0.2)))
    assert (below.answer, below.probability, below.mass) == (True, None, pytest.approx(0.49))  # its words decide


def test_it_is_read_at_the_first_token_that_is_a_word():
    reply = read(written("**No**", ("**", 1e-4, 0.0), ("No", 0.1, 0.8), ("**", 0, 0)))
    assert (reply.answer, reply.probability, reply.mass) == (False, pytest.approx(1 / 9), pytest.approx(0.9))
    assert read(written('\n "Yes"', ("\n", 0, 0), (' "', 0.4, 0.5), ("Yes", 0.9, 0.05), ('"', 0, 0))).answer is True


def test_no_other_word_is_an_answer_however_the_two_lean():
    reply = read(written("I'm sorry, I can't", ("I", 0.001, 0.0005), ("'m", 0, 0)))
    assert kind(reply) is NonAnswer.PROSE and reply.mass == pytest.approx(0.0015)
    assert kind(read(written("The test image", ("The", 0.45, 0.1), (" test", 0, 0)))) is NonAnswer.PROSE
    assert kind(read(written("lap soft qq", (" lap", 0.0010, 0.0005)))) is NonAnswer.PROSE


def test_where_words_and_leaning_disagree_there_is_no_answer():
    """As where the spellings of No weigh more together than the one of Yes that was written."""
    reply = read(written("Yes", ("Yes", 0.4, 0.5)))
    assert kind(reply) is NonAnswer.DISAGREEMENT and "0.44" in reply.reason and "'Yes'" in reply.reason
    assert reply.mass == pytest.approx(0.9)
    assert kind(read(written("No", ("Yes", 0.9, 0.05)))) is NonAnswer.DISAGREEMENT  # tokens of something else


@pytest.mark.parametrize(("text", "answer"), [("Yes", True), ("No", False)])
def test_what_leans_to_neither_disagrees_with_no_words(text, answer):
    """Numbers of 16 bits are often equal."""
    reply = read(written(text, (text, 0.5, 0.5)))
    assert (reply.status, reply.answer, reply.probability) == ("ok", answer, 0.5)


@pytest.mark.parametrize("begin", ["<think>", "<thinking>\n", "[THINK]", "\u25c1think\u25b7", ""])
def test_what_follows_a_thought_is_the_answer(begin):
    end = {"<thinking>\n": "</thinking>", "[THINK]": "[/THINK]", "\u25c1think\u25b7": "\u25c1/think\u25b7"}.get(
        begin, "</think>"
    )
    text = f"{begin}Yes, both are red. No, wait.{end}\n\nNo"
    assert read(Writing(text)).answer is False
    tokens = (begin, 0, 0), ("Yes", 0.9, 0), (", both are red. No, wait.", 0, 0), (end, 0, 0), ("\n\n", 0, 0)
    reply = read(written(text, *tokens, ("No", 0.2, 0.7)))
    assert (reply.answer, reply.probability) == (False, pytest.approx(2 / 9))


def test_a_thought_that_does_not_end_is_no_answer():
    reply = read(written("<think>Yes", ("<think>", 0.0, 0.0), ("Yes", 0.9, 0.1), cut_after=8))
    assert kind(reply) is NonAnswer.THOUGHT and reply.reason == "thought and cut off after 8 tokens"
    apart = read(written("", ("Yes", 0.9, 0.1), thought=True))
    assert kind(apart) is NonAnswer.THOUGHT and apart.reason == "thought and gave no answer"
    assert read(Writing("No", thought=True)).answer is False


@pytest.mark.parametrize(
    ("writing", "reason"),
    [
        (Writing("", cut_after=8), "cut off after 8 tokens"),
        (Writing(" ** ", cut_after=8), "cut off after 8 tokens"),
        (Writing(""), "empty: the answer has no words"),
        (Writing("", refusal="I'm sorry,\nI can't."), "refused: I'm sorry, I can't."),
        (Writing("Yes", filtered=True), "filtered by the server"),
        (Writing("Yes", [WrittenToken("Yes", (1.0, 0.0))], filtered=True), "filtered by the server"),
        (Writing("The  test\nimage", cut_after=3), "prose: the answer is 'The test image', not Yes or No"),
    ],
)
def test_every_kind_of_non_answer_has_its_reason(writing, reason):
    reply = read(writing)
    assert kind(reply).value == reason[: len(non_answer_of(reason))]
    assert reply.reason == reason


def test_reasons_are_counted_by_kind():
    reasons = {"prose: the answer is 'a', not": 1, "prose: the answer is 'b', not": 2, "429: busy": 2, "filtered by": 4}
    assert in_kinds(reasons) == "4 x filtered by; 3 x prose: the answer is 'b', not; 2 x 429: busy"


def test_reasons_of_version_0_1_are_prose():
    assert non_answer_of("the answer is 'maybe', not Yes or No") is NonAnswer.PROSE


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes\u3002", True),
        ("\u201cNo\u201d.", False),
        ("\u300cYes\u300d", True),
        ("No</s>", False),
        ("Yes<|im_end|>\n", True),
        ("<answer>No</answer>", False),
        ("<|begin_of_box|>Yes<|end_of_box|>", True),
        ("\uff39\uff45\uff53\uff01", True),  # full width
        ("\ufeff[No]", False),
        ("Yes <No>", None),
        ("<Yes>", None),
        ("yes?", None),
        ("No: the test image", None),
        ("Yes/No", None),
        ("Yes no", None),
        ("not", None),
    ],
)
def test_words_are_plain_with_any_marks_around_them_and_nothing_else(text, answer):
    assert parse(text) is answer
    assert read(Writing(text)).answer is answer


def test_marks_of_any_length_cost_no_time():
    assert parse("*" * 200_000 + "x") is None
    assert parse("<" * 200_000 + "Yes") is None
    assert answer_start("<think>" * 50_000) is None


# the same, from a server


def served(message, logprobs=None, ending="stop", **more):
    choice = {"message": message, "logprobs": logprobs, "finish_reason": ending}
    return writing_of({"choices": [choice], **more}, 8)


def step(token, **listed):
    """A step of log-probabilities: e to the power of each is a probability."""
    from math import log

    return {
        "token": token,
        "logprob": -0.1,
        "top_logprobs": [{"token": k, "logprob": log(v)} for k, v in listed.items()],
    }


@pytest.mark.parametrize(
    ("message", "ending", "text", "reason"),
    [
        ({"content": [{"type": "text", "text": "Y"}, {"type": "text", "text": "es"}]}, "stop", "Yes", ""),
        ({"content": [{"type": "thinking", "thinking": "Yes"}, {"type": "text", "text": "No"}]}, "stop", "No", ""),
        ({"content": None, "refusal": "I can't compare people."}, "stop", "", "refused: I can't compare people."),
        ({"content": "I must not."}, "refusal", "I must not.", "refused: I must not."),
        ({"content": None}, "content_filter", "", "filtered by the server"),
        ({"content": None, "reasoning_content": "So"}, "length", "", "thought and cut off after 8 tokens"),
        ({"reasoning": "So"}, "stop", "", "thought and gave no answer"),
        ({"content": None}, "length", "", "cut off after 8 tokens"),
        ({"content": [3, {"type": "text"}, None]}, "stop", "", "empty: the answer has no words"),
    ],
)
def test_a_servers_answer_says_how_it_ended(message, ending, text, reason):
    reply = read(served(message, ending=ending))
    assert (reply.text, reply.reason) == (text, reason)


def test_a_servers_own_count_of_tokens_is_the_one_that_is_named():
    assert served({"content": ""}, ending="length", usage={"completion_tokens": 5}).cut_after == 5
    assert served({"content": ""}, ending="length", usage={"completion_tokens": None}).cut_after == 8


def test_probabilities_of_thoughts_are_no_verdict():
    thoughts = {"content": [step("<think>", Yes=6e-6, No=1e-6)]}
    reply = read(served({"content": "No", "reasoning_content": "So"}, thoughts))
    assert (reply.answer, reply.probability, reply.mass) == (False, None, None)
    thoughts = {"content": [step("So", So=0.93, Yes=2e-5, No=1e-5)]}
    assert kind(read(served({"content": None, "reasoning_content": "So"}, thoughts, "length"))) is NonAnswer.THOUGHT


def test_a_token_that_was_written_and_is_not_listed_counts():
    (token,) = served({"content": "Yes"}, {"content": [step("Yes", No=0.05, Maybe=0.01)]}).tokens
    assert token.chances == (pytest.approx(0.9048, abs=1e-4), pytest.approx(0.05))
    (alone,) = served({"content": "Yes"}, {"content": [step("Yes")]}).tokens
    assert alone.chances is None  # what No weighs is not said


# kept with the verdict


def test_the_mass_is_kept_and_verdicts_at_low_mass_are_counted(tmp_path):
    replies = [
        Reply("ok", True, 0.9, mass=0.8),
        Reply("ok", False, mass=0.3),
        Reply("ok", True),
        Reply("unparsed", mass=0.1),
    ]
    with Store(tmp_path / "a.db") as store:
        verdicts = VerdictStore(store)
        number = verdicts.judge_id("critic", {"critic": "critic"})
        keys = [VerdictKey("subject", "p", "q", image, "r", ("", "")) for image in "abcd"]
        verdicts.add(number, [(key.image, key, reply) for key, reply in zip(keys, replies, strict=True)])
        again = VerdictKey("subject", "p", "q", "e", "r", ("", ""))
        verdicts.copy_to_equal(number, [("b", again)])
        masses = {row["image"]: row["mass"] for row in store.rows("SELECT image, mass FROM verdicts")}
        assert masses == {"a": 0.8, "b": 0.3, "c": None, "d": 0.1, "e": 0.3}
        (judge,) = verdicts.judges()
        assert [verdicts.count_low_mass(judge, images) for images in ("abcde", "ac", "b")] == [2, 0, 1]
