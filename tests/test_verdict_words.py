"""Verdicts are found by the words they were asked in: by reports, by the app's SQL, and in rows from before."""

import itertools
import random

import pytest
from PIL import Image

from judge import PAPER, Prompts, from_folders, judge_pictures, mars2, verdict_columns
from judge.checks.paraphrases import PARAPHRASES
from judge.critics import Critic
from judge.critics.preparation import Preparation
from judge.migrations import _verdict_columns, _words
from judge.picture_files import PictureFiles
from judge.pictures import JudgedTargets, correct_on, count_clear, judge_of_most, read_answers
from judge.questions import Reply
from judge.verdicts import QuestionKey, VerdictKey, VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store


class Literal(Critic):
    """Says yes to the subject, and to a style whose words it was told."""

    def __init__(self, *styles):
        self.identity, self.preparation = {"critic": "literal"}, Preparation()
        self.styles, self.asked = styles, 0

    def ask(self, questions):
        for index, question in enumerate(questions):
            self.asked += 1
            text = question.rendered.text()
            yes = question.aspect == "subject" or any(f" {style} style" in text for style in self.styles)
            yield index, Reply.from_probability(0.9 if yes else 0.1)


@pytest.fixture
def place(tmp_path):
    write_png(Image.new("RGB", (8, 8), (30, 200, 30)), tmp_path / "G" / "dog" / "watercolor" / "0.png")
    write_png(Image.new("RGB", (8, 8), (200, 30, 30)), tmp_path / "R" / "subjects" / "dog" / "0.png")
    write_png(Image.new("RGB", (8, 8), (30, 30, 200)), tmp_path / "R" / "styles" / "watercolor" / "0.png")
    return tmp_path


def rename(place, style):
    for folder in ("G/dog", "R/styles"):
        (old,) = (place / folder).iterdir()
        old.rename(old.with_name(style))


def forget_words(store):
    """Make all verdicts those of a database from before words were kept."""
    with store.writing():
        store.db.execute("UPDATE verdicts SET words = NULL")


@pytest.mark.parametrize("old", [False, True])
def test_a_style_renamed_to_and_fro_is_asked_about_once_in_each_name(place, old):
    with Store(place / "a.db") as store:
        averages, asked = [], []
        for style in ("watercolor", "oil", "watercolor"):
            rename(place, style)
            critic = Literal("watercolor")
            averages.append(mars2(judge_pictures(store, from_folders(place / "G", place / "R"), critic)))
            asked.append(critic.asked)
            if old:
                forget_words(store)
        assert averages == [1.0, 0.0, 1.0]
        assert asked == [2, 1, 0]


def test_equal_pixels_in_two_styles_folders_have_each_their_own_verdict(place):
    for folder in (place / "G" / "dog", place / "R" / "styles"):
        write_png(Image.open(folder / "watercolor" / "0.png"), folder / "oil" / "0.png")
    with Store(place / "a.db") as store:
        pictures = judge_pictures(store, from_folders(place / "G", place / "R"), Literal("oil"))
        assert {picture.target.style: picture.correct for picture in pictures} == {"watercolor": False, "oil": True}
        with store.reading() as database:
            files = JudgedTargets([picture.target for picture in pictures], VerdictStore(store)).files
            (judge,) = VerdictStore(store).judges()
            assert read_answers(database, judge, files) == [(True, True), (True, False)]


def test_a_subjects_question_that_names_the_style_is_found_by_it_too(place):
    prompts = Prompts("mine", subject=PAPER.subject + " Mind the {style} style.", style=PAPER.style)
    with Store(place / "a.db") as store:
        for style, asked in (("watercolor", 2), ("oil", 2), ("watercolor", 0)):
            rename(place, style)
            critic = Literal(style)
            (picture,) = judge_pictures(store, from_folders(place / "G", place / "R"), critic, prompts)
            assert (picture.correct, picture.unclear.total(), critic.asked) == (True, 0, asked)


def keep(store, rows, prompts="p-1"):
    """Verdicts of rows (image, reference, aspect, words or None, prompt, yes or None)."""
    verdicts = VerdictStore(store)
    judge = verdicts.judge_id("critic", {"critic": "critic"})
    for number, (image, reference, aspect, words, prompt, yes) in enumerate(rows):
        key = VerdictKey(aspect, prompts, prompt, image, reference, (reference, image), words or "")
        reply = Reply.failure("500") if yes is None else Reply.from_probability(float(yes))
        verdicts.add(judge, [(f"{prompts}-{number}", key, reply)])
        if words is None:
            with store.writing():
                store.db.execute("UPDATE verdicts SET words = NULL WHERE key = ?", [f"{prompts}-{number}"])
    return verdicts


def test_of_old_verdicts_the_words_have_to_stand_in_the_prompt_and_new_ones_go_before(tmp_path):
    with Store(tmp_path / "a.db") as store:
        rows = [
            ("i", "r", "style", None, "in oil painting style", True),
            ("i", "r", "style", "oil", "in oil style", False),
            ("i", "s", "style", None, "in oil painting style", True),
            ("i", "s", "style", None, "in ink style", None),
        ]
        verdicts = keep(store, rows)
        (judge,) = verdicts.judges()
        of = verdicts.of(judge)
        answers = {
            (reference, words): of.find(QuestionKey("i", reference, "style", words)).answer
            for reference, words in itertools.product("rs", ("oil painting", "oil", "ink", "lines", "paint"))
        }
    assert answers == {
        ("r", "oil painting"): True,
        ("r", "oil"): False,
        ("r", "paint"): None,
        ("r", "ink"): None,
        ("r", "lines"): None,
        ("s", "oil painting"): True,
        ("s", "oil"): True,
        ("s", "paint"): None,
        ("s", "ink"): None,
        ("s", "lines"): None,
    }


STYLE_WORDS = ("oil pastel", "oil", "test", "", "{style}", "a (b) [c] *", "line\nbreak")


@pytest.mark.parametrize("prompts", PARAPHRASES, ids=lambda prompts: prompts.name)
def test_the_words_of_a_question_are_read_back_from_it_whole(prompts):
    for words in STYLE_WORDS:
        rendered = {aspect: prompts.render(aspect, words) for aspect in ("subject", "style")}
        for aspect, question in rendered.items():
            text = f"{prompts.system}\n{question.text()}"
            assert prompts.words_in(aspect, text) == question.words
            assert prompts.words_in(aspect, text + " Please.") is None
    mixed = f"{prompts.system}\n{prompts.render('style', 'oil').text()}".replace("oil", "ink", 1)
    assert prompts.style.count("{style}") == 1 or prompts.words_in("style", mixed) is None


def test_a_migrated_verdict_counts_for_the_words_it_was_asked_in_alone(place):
    """Of version 0.1: a question about oil pastel is none about oil, pastel or test."""
    with Store(place / "a.db") as store:
        rename(place, "oil pastel")
        judge_pictures(store, from_folders(place / "G", place / "R"), Literal("oil pastel"))
        own = Prompts("mine", subject=PAPER.subject, style=PAPER.style + " Mind it.")
        judge_pictures(store, from_folders(place / "G", place / "R"), Literal("oil pastel"), own)
        with store.writing():
            store.db.execute("DROP INDEX verdicts_by_image")
            store.db.execute("ALTER TABLE verdicts DROP COLUMN words")
            store.db.execute("ALTER TABLE check_verdicts DROP COLUMN words")
            _words(store.db.conn)  # the step alone: what later ones made may stay, but for what knows the words
            store.db.execute("CREATE INDEX verdicts_by_image ON verdicts (image)")
            _verdict_columns(store.db.conn)
    with Store(place / "a.db") as store:
        kept = {(row["prompts"], row["words"]) for row in store.rows("SELECT prompts, words FROM verdicts")}
        assert kept == {(PAPER.version, ""), (PAPER.version, "oil pastel"), (own.version, None)}
        for words, asked in (("oil pastel", 0), ("oil", 1), ("pastel", 1), ("test", 1)):
            rename(place, words)
            critic = Literal("oil pastel")
            (picture,) = judge_pictures(store, from_folders(place / "G", place / "R"), critic)
            assert (picture.correct, critic.asked) == (asked == 0, asked)


@pytest.mark.parametrize("look_up", [0, 10**6], ids=["looked up", "all passed"])
def test_columns_answer_as_row_by_row(tmp_path, monkeypatch, look_up):
    monkeypatch.setattr(verdict_columns, "LOOK_UP", look_up)
    chance = random.Random(5)
    styles = ("oil", "oil painting", "ink")
    rows = [
        (image, reference, aspect, words, f"asked in {chance.choice(styles) if words is None else words}", yes)
        for image, reference, aspect in itertools.product("abcdef", "xyz", ("subject", "style"))
        for words in chance.sample((*styles, None, None), 3)
        for yes in [chance.choice((True, True, False, None))]
    ]
    subject_rows = [(i, r, a, "" if a == "subject" and chance.random() < 0.5 else w, p, y) for i, r, a, w, p, y in rows]
    pictures = [
        PictureFiles(image, tuple(chance.choices("xyzw", k=3)), tuple(chance.choices("xyz", k=2)), words)
        for image in "abcdefg"
        for words in (*styles, None)
    ]
    with Store(tmp_path / "a.db") as store:
        verdicts = keep(store, subject_rows)
        (judge,) = verdicts.judges()
        of = verdicts.of(judge)
        with store.reading() as database:
            answers = read_answers(database, judge, pictures)
            clear = count_clear(database, pictures)
        sides = [{"subject": picture.subject, "style": picture.style} for picture in pictures]
        both = [correct_on(of, one.image, side, one.words) for one, side in zip(pictures, sides, strict=True)]
        assert [None if None in pair and False not in pair else all(pair) for pair in answers] == both
        assert {True, False, None} <= set(both)
        questions = [key for one in pictures for aspect in ("subject", "style") for key in one.questions(aspect)]
        with store.reading() as database:
            places = verdict_columns.QuestionPlaces(pictures)
            column = places.column(database, judge)
        read = [verdict for sides in places for side in sides for verdict in column.verdicts(side)]
        assert read == [of.find(key) for key in questions]
        assert clear == {(judge.id, judge.prompts): sum(of.find(key).status == "ok" for key in questions)}
        assert judge_of_most([judge], clear) == judge and judge_of_most([judge], {}) is None
