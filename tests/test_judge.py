"""Prompts, protocol, targets and the runner, with a scripted critic: critics themselves have tests of their own."""

import json
import os
from collections import Counter
from dataclasses import replace
from math import comb

import pytest
from PIL import Image

from judge import judge_pictures, mars2, mars2_by_method
from judge.critics import Critic
from judge.critics.preparation import Preparation
from judge.pictures import JudgedPicture, JudgedTargets
from judge.protocol import attempts, correct, majority, score
from judge.questions import CODE, PAPER, PromptError, Prompts, Reply, find_prompts, parse
from judge.reports.comparison import compare_with
from judge.reports.groups import groups, mean_scores
from judge.runner import judge
from judge.targets import TargetError, from_folders
from judge.verdicts import Verdict, VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.picture_references import folder_words
from lorarar.util.errors import StoreError


@pytest.mark.parametrize("prompts", [PAPER, CODE])
def test_prompts_show_the_reference_and_then_the_test(prompts):
    subject = prompts.render("subject")
    assert "support image" in subject.before
    assert "Test image" in subject.between
    assert subject.after.endswith("Answer with Yes or No only.")
    style = prompts.render("style", "oil painting")
    assert "in oil painting style" in style.before
    assert "{" not in style.text()


def test_the_papers_words_are_the_papers():
    assert PAPER.render("subject").text("IMG") == (
        "Your task is to identify if the test image shows the same subject as the support image.\n\n"
        "Support image:\nIMG\n\nTest image:\nIMG\n\n"
        "Pay attention to the details of the subject, it should for example have the same color. However, the general "
        "style of the image may be different.\nDoes the test image show the same subject as the support image?\n"
        "Answer with Yes or No only."
    )


def test_a_styles_name_brings_no_pictures_of_its_own():
    rendered = PAPER.render("style", "{test} {reference}")
    assert rendered.text("#").count("#") == 2


def test_versions_follow_the_words(tmp_path):
    assert PAPER.version != CODE.version
    file = tmp_path / "mine.toml"
    file.write_text(f"subject = {json.dumps(PAPER.subject)}\nstyle = {json.dumps(PAPER.style)}\n")
    assert find_prompts(str(file)).render("subject") == PAPER.render("subject")
    assert find_prompts("code") is CODE
    changed = Prompts("paper", PAPER.subject + " ", PAPER.style)
    assert changed.version != PAPER.version


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('subject = "x"', "subject, style and system"),
        ('subject = "{reference}{test}"\nstyle = "{reference}{test}"', r"style needs \{style\}"),
        ('subject = "{test}{reference}"\nstyle = "{style}{reference}{test}"', "once each"),
        ('subject = "{reference}{test}"\nstyle = "{style}{reference}{test}"\nmore = "x"', "accepted are the texts"),
        ("subject = [", "TOML"),
    ],
)
def test_unsound_prompts_are_named(tmp_path, text, message):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(PromptError, match=message):
        find_prompts(str(file))


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([True], True),
        ([False], False),
        ([True, True, False, False], False),
        ([True, True, True, False], True),
        ([], None),
        ([None], None),
        ([True, True, None], True),
        ([True, False, None], None),
        ([False, False, None], False),
        ([True, None], None),
        ([False, None], False),
    ],
)
def test_more_than_half_must_say_yes_and_what_is_missing_is_no_no(answers, verdict):
    assert majority(answers) is verdict


def test_an_image_is_correct_when_subject_and_style_are():
    assert correct([True, True, False], [True]) is True
    assert correct([True], [False]) is False
    assert correct([None], [False]) is False
    assert correct([None], [True]) is None


def test_the_papers_three_figures_on_a_worked_example():
    # two of four, none of two, and one pair of which nothing is known
    found = score({"a": [True, False, True, False], "b": [False, False, None], "c": [None]})
    assert found.average == pytest.approx((0.5 + 0.0) / 2)
    assert found.best == 0.5
    assert (found.images, found.undecided, found.pairs) == (6, 2, 2)
    assert score({}).average is None


def test_attempts_are_the_mean_over_all_orders():
    from itertools import permutations

    images = [True, True, False, False, False]
    firsts = [order.index(True) + 1 for order in permutations(images)]
    assert attempts(images) == pytest.approx(sum(firsts) / len(firsts))


def test_attempts_of_a_pair_without_a_correct_picture_are_those_of_who_gives_up_after_one_more():
    assert attempts([False] * 4) == 5
    assert attempts([None, False, None]) == 2
    assert attempts([None]) is None
    chance, most = 0.3, 6  # pictures are right with this chance: the mean over all outcomes is E[min(first, 7)]
    mean = sum(
        comb(most, k) * chance**k * (1 - chance) ** (most - k) * attempts([True] * k + [False] * (most - k))
        for k in range(most + 1)
    )
    assert mean == pytest.approx(sum((1 - chance) ** looked for looked in range(most + 1)))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Yes", True),
        (" **No**. ", False),
        ("yes.", True),
        ("eyes", None),
        ("no, yes would be wrong", None),
        ("Yes and no", None),
        ("", None),
    ],
)
def test_only_a_plain_answer_is_an_answer(text, verdict):
    assert parse(text) is verdict
    assert Reply.from_text(text).status == ("unparsed" if verdict is None else "ok")


class Scripted(Critic):
    """Says yes where both pictures have the same colour; fails and babbles where it is told to."""

    def __init__(self, failing=(), babbling=()):
        self.identity = {"critic": "scripted", "revision": "1"}
        self.preparation = Preparation()
        self.failing, self.babbling = set(failing), set(babbling)
        self.asked = Counter()

    def ask(self, questions):
        for index, question in reversed(list(enumerate(questions))):
            self.asked[question.test.name] += 1
            if question.test.name in self.failing:
                yield index, Reply.failure("the server said 500")
            elif question.test.name in self.babbling:
                yield index, Reply.from_text("well, it depends")
            else:
                colours = [Image.open(path).getpixel((0, 0)) for path in (question.reference, question.test)]
                yield index, Reply.from_probability(0.9 if colours[0] == colours[1] else 0.2)


RED, BLUE = (200, 0, 0), (0, 0, 200)


@pytest.fixture
def folders(tmp_path):
    """Two red pictures and a blue one of a dog in glowing style; red references of both."""
    for name, colour in (("0", RED), ("1", BLUE), ("2", (201, 0, 0))):
        write_png(Image.new("RGB", (8, 8), colour), tmp_path / "made" / "dog" / "glowing" / f"{name}.png")
    for number in range(3):
        write_png(Image.new("RGB", (8, 8 + number), RED), tmp_path / "given" / "subjects" / "dog" / f"{number}.png")
    write_png(Image.new("RGB", (9, 9), RED), tmp_path / "given" / "styles" / "glowing" / "0.png")
    return tmp_path / "made", tmp_path / "given"


def test_nothing_is_judged_twice_and_failures_are_tried_again(folders, tmp_path):
    targets = from_folders(*folders)
    with Store(tmp_path / "a.db") as store:
        verdicts = VerdictStore(store)
        first = Scripted(failing=["1.png"], babbling=["2.png"])
        outcome = judge(targets, first, PAPER, verdicts)
        assert (outcome.questions, outcome.existing, outcome.replies, outcome.failed, outcome.unparsed) == (
            12,
            0,
            12,
            4,
            4,
        )
        second = Scripted()
        outcome = judge(targets, second, PAPER, verdicts)
        assert (outcome.existing, outcome.replies, outcome.failed) == (4, 8, 0)
        assert second.asked == {"1.png": 4, "2.png": 4}
        third = Scripted()
        assert judge(targets, third, PAPER, verdicts).replies == 0
        assert judge(targets, third, CODE, verdicts).replies == 12
        rows = store.rows("SELECT status, count(*) AS n FROM verdicts GROUP BY status")
        assert rows == [{"status": "ok", "n": 24}]


def judged(store, targets, prompts):
    """What a report finds of these pictures by a set of prompts."""
    verdicts = VerdictStore(store)
    (found,) = [found for found in verdicts.judges() if found.prompts == prompts.version]
    return JudgedTargets(targets, verdicts).pictures(found)


def test_what_is_known_by_its_pixels_is_found_in_another_file(folders, tmp_path):
    targets = from_folders(*folders)
    with Store(tmp_path / "a.db") as store:
        judge(targets, Scripted(), PAPER, VerdictStore(store))
        before = judged(store, targets, PAPER)
        for target in targets:  # the same pixels in other bytes, as a picture drawn anew by another version has them
            write_png(Image.open(target.image), target.image, {"lorarar_version": "another"})
        twin = targets[0].image.with_name("twin.png")
        write_png(Image.open(targets[0].image), twin, {"lorarar_version": "a third"})
        targets = from_folders(*folders)
        again = Scripted()
        outcome = judge(targets, again, PAPER, VerdictStore(store))
        assert (outcome.replies, outcome.questions, again.asked) == (0, 12, {})
        after = judged(store, targets, PAPER)
        assert [one.correct for one in after] == [one.correct for one in before] + [before[0].correct]
        assert not any(one.unclear for one in after)


def test_words_that_two_sets_of_prompts_share_are_asked_once_and_found_by_both(folders, tmp_path):
    targets = from_folders(*folders)
    mine = replace(PAPER, subject=PAPER.subject + " Look closely.")
    with Store(tmp_path / "a.db") as store:
        judge(targets, Scripted(), PAPER, VerdictStore(store))
        outcome = judge(targets, Scripted(), mine, VerdictStore(store))
        assert (outcome.existing, outcome.replies) == (3, 9)  # the style's words are the same
        assert [one.correct for one in judged(store, targets, mine)] == [True, False, False]
        assert not any(one.unclear for one in judged(store, targets, mine))


def test_one_call_judges_and_returns_pictures(folders, tmp_path):
    with Store(tmp_path / "a.db") as store:
        pictures = judge_pictures(store, from_folders(*folders), Scripted())
        again = Scripted()
        assert judge_pictures(store, from_folders(*folders), again) == pictures
    assert again.asked == {}
    assert [picture.correct for picture in pictures] == [True, False, False]
    assert mars2(pictures) == mars2_by_method(pictures)[""] == pytest.approx(1 / 3)


def test_half_a_character_from_a_server_or_a_files_name_loses_nothing(folders, tmp_path):
    class Emoji(Scripted):
        def __init__(self):
            super().__init__()
            self.identity = {"critic": "m \ud83d"}

        def ask(self, questions):
            for index, reply in super().ask(questions):
                yield index, replace(reply, text="Yes \ud83d")

    odd = folders[0] / "dog" / "glowing" / os.fsdecode(b"\xff.png")
    odd.write_bytes(b"no picture")
    with Store(tmp_path / "a.db") as store:
        outcome = judge(from_folders(*folders), Emoji(), PAPER, VerdictStore(store))
        assert (outcome.replies, outcome.failed) == (16, 4)
        assert store.rows("SELECT DISTINCT answer FROM verdicts WHERE status = 'ok'") == [{"answer": "Yes \\ud83d"}]
        assert store.rows("SELECT critic FROM judges") == [{"critic": "m \\ud83d"}]


def test_a_picture_that_may_not_be_read_fails_alone(folders, tmp_path, monkeypatch):
    targets = from_folders(*folders)
    refused = targets[1].image
    opened = os.open

    def guarded(path, *rest, **options):
        if path == refused:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *rest, **options)

    monkeypatch.setattr(os, "open", guarded)
    with Store(tmp_path / "a.db") as store:
        outcome = judge(targets, Scripted(), PAPER, VerdictStore(store))
        assert (outcome.replies, outcome.failed) == (12, 4)


def test_an_unreadable_picture_is_recorded_and_the_others_go_on(folders, tmp_path):
    targets = from_folders(*folders)
    targets[1].image.write_bytes(targets[1].image.read_bytes()[:40])
    with Store(tmp_path / "a.db") as store:
        outcome = judge(targets, Scripted(), PAPER, VerdictStore(store))
        assert (outcome.replies, outcome.failed) == (12, 4)
        (row,) = store.rows("SELECT DISTINCT reason FROM verdicts WHERE status = 'failed'")
        assert "1.png is not a sound" in row["reason"]


def test_an_interrupted_run_keeps_its_replies(folders, tmp_path):
    class Stopped(Scripted):
        def ask(self, questions):
            for count, reply in enumerate(super().ask(questions)):
                if count == 5:
                    raise KeyboardInterrupt
                yield reply

    targets = from_folders(*folders)
    with Store(tmp_path / "a.db") as store:
        with pytest.raises(KeyboardInterrupt):
            judge(targets, Stopped(), PAPER, VerdictStore(store))
        assert judge(targets, Scripted(), PAPER, VerdictStore(store)).existing == 5


def test_a_verdict_without_an_answer_is_refused_by_the_schema(tmp_path):
    with Store(tmp_path / "a.db") as store:
        VerdictStore(store)
        with pytest.raises(StoreError, match=r"FOREIGN KEY|CHECK"), store.writing():
            store.db.execute(
                "INSERT INTO verdicts VALUES "
                "('k', 1, 'p', 'subject', 'i', 'r', 'q', 'ok', NULL, NULL, '', '', 0, '', '', NULL)"
            )


def test_folders_are_matched_by_name(folders):
    targets = from_folders(*folders)
    assert [target.image.name for target in targets] == ["0.png", "1.png", "2.png"]
    assert len(targets[0].subject_references) == 3
    assert targets[0].style_words == "glowing"
    with pytest.raises(TargetError, match=r"no references, which should be in .*made/subjects/dog"):
        from_folders(folders[0], folders[0])
    assert folder_words("watercolor-painting-3") == "watercolor painting"
    assert folder_words("3d_rendering_#4") == "3d rendering"


def test_groups_and_differences_are_over_pairs(folders):
    base = from_folders(*folders)[0]
    from dataclasses import replace

    def judged(row, subject, yes):
        verdicts = [Verdict("ok", answer, None) for answer in (yes, True)]
        return JudgedPicture(replace(base, row=row, subject=subject), (verdicts[0],), (verdicts[1],))

    ours = [judged("a", "dog", True), judged("a", "dog", True), judged("a", "cat", False)]
    theirs = [judged("b", "dog", False), judged("b", "cat", False)]
    one, two = groups([*ours, *theirs], "method")
    assert (one.name, one.score.average, one.score.best) == (("a",), 0.5, 0.5)
    assert two.score.average == 0.0
    assert [group.name for group in groups(ours, "cell")] == [("a", "dog", "glowing"), ("a", "cat", "glowing")]
    (found,) = compare_with([one, two], "b")
    assert (found.method, found.against, found.difference.value) == ("a", "b", pytest.approx(0.5))
    assert mean_scores({}) is None
