"""The whole check with scripted critics whose faults are known: each statistic has to find its fault."""

import json
import sqlite3
from collections import Counter
from dataclasses import asdict, replace
from io import StringIO

import pytest
from PIL import Image

from judge.checks.ask import Interview, ordinary_questions
from judge.checks.check import CheckError, run_check
from judge.checks.findings import Finding
from judge.checks.human_labels import HumanLabel, read_labels
from judge.checks.page import render_page
from judge.checks.paraphrases import PARAPHRASES, wordings
from judge.checks.part import CheckPlan, Configuration, Part
from judge.checks.sample import sample_targets
from judge.checks.settings import variants
from judge.checks.table import parts
from judge.critics import Critic, CriticError
from judge.critics.critic import GivenUpError
from judge.critics.preparation import Preparation
from judge.ground_truth import KnownPicture, find_distances, find_known_pictures
from judge.patience import STOP_AFTER
from judge.questions import CODE, PAPER, Prompts, Reply
from judge.runner import judge
from judge.target_questions import questions_about
from judge.targets import Target, from_folders
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.migrations import migrate
from lorarar.store.queries import Collection
from lorarar.store.schemas import migrate_all
from lorarar.util.files import sha256_of

SUBJECTS, STYLES = ("cat", "dog", "fox"), ("glowing", "oil-painting", "sticker")
SIDE = 16
SCRIPTED = Configuration("owner/scripted")


def paint(path, subject, style, mark=0):
    """A picture whose red says the subject, whose green the style, and whose blue makes it another one."""
    return write_png(Image.new("RGB", (SIDE, SIDE), (40 + 20 * subject, 40 + 20 * style, mark)), path)


class Scripted(Critic):
    """Compares red for the subject and green for the style, unless ``fault`` says otherwise."""

    def __init__(self, config=SCRIPTED, fault=None):
        self.identity = {
            "critic": config.critic,
            "device": "cpu",
            "dtype": config.settings.get("dtype", "float32"),
            "image mode": config.settings.get("image_mode", "pad"),
            "side": str(config.settings.get("side", 512)),
        }
        self.config, self.fault, self.asked = config, fault, Counter()
        self.preparation = Preparation(config.settings.get("side", 512))

    def ask(self, questions):
        for index, question in enumerate(questions):
            self.asked[question.test] += 1
            channel = 0 if question.aspect == "subject" else 1
            one, two = (Image.open(path).getpixel((0, 0))[channel] for path in (question.reference, question.test))
            answer = one == two
            if self.fault is not None:
                answer = self.fault(self, question, answer)
            yield (
                index,
                Reply.failure("the server said 500")
                if answer is None
                else Reply.from_probability(0.95 if answer else 0.1),
            )


def openers(fault=None):
    """Opens scripted critics, and keeps them."""
    made = []

    def opened(config):
        made.append(Scripted(config, fault))
        return made[-1]

    opened.made = made
    return opened


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def targets(tmp_path):
    """Two methods draw three subjects in three styles twice.

    Of a's second pictures those of the last style are in a wrong one; all of b's are of a wrong subject.
    """
    made, given = tmp_path / "made", tmp_path / "given"
    for s, subject in enumerate(SUBJECTS):
        for number in range(3):
            paint(given / "subjects" / subject / f"{number}.png", s, 9, number)
    for t, style in enumerate(STYLES):
        paint(given / "styles" / style / "0.png", 9, t)
    for row, method in enumerate("ab"):
        for s, subject in enumerate(SUBJECTS):
            for t, style in enumerate(STYLES):
                for number in range(2):
                    shown, drawn = (7 if (row, number) == (1, 1) else s), (7 if (row, number, t) == (0, 1, 2) else t)
                    path = made / method / subject / style / f"{number}.png"
                    paint(path, shown, drawn, 100 + 10 * row + 20 * s + number)
    mine = Collection("import", "made")
    found = {method: from_folders(made / method, given) for method in "ab"}
    return [replace(target, row=method, collection=mine) for method in found for target in found[method]]


def plan(targets, **more):
    return CheckPlan(targets, PAPER, SCRIPTED, **{"size": 18} | more)


def checked(targets, tmp_path, fault=None, stop_after=STOP_AFTER, **more):
    with Store(tmp_path / "check.db") as store:
        return run_check(plan(targets, **more), Interview(store, stop_after), openers(fault))


def grades(found, part):
    return [finding.grade for finding in found.findings if finding.part == part]


# a fair judge


def test_a_fair_judge_passes(targets, tmp_path):
    found = checked(targets, tmp_path)
    assert (found.pictures, found.of) == (18, 36)
    for flips in (found.results["order"].subject, found.results["order"].style):
        assert (flips.rate.hits, flips.p, flips.kappa) in ((0, 1.0, 1.0), (0, 1.0, None))
    assert found.results["wording"].alpha.value == 1.0
    assert found.results["wording"].consistent.value == 1.0
    assert found.results["wording"].low == found.results["wording"].high == found.average
    assert found.results["wording"].tau == 1.0
    for side in (found.results["controls"].subject, found.results["controls"].style):
        assert (side.sensitivity.value, side.specificity.value, side.area.value) == (1.0, 1.0, 1.0)
        assert side.prior.value < 0
    assert {setting.name: setting.flips.rate.hits for setting in found.results["settings"]} == {
        "image mode anyres": 0,
        "side 8 px": 0,
        "dtype bfloat16": 0,
    }
    assert found.results["truth"] is None
    assert found.results["people"] is None
    assert set(grades(found, "order") + grades(found, "wording") + grades(found, "controls")) == {"good"}
    assert "no human votes" in found.findings[-1].text


# judges with faults


def test_a_judge_that_always_says_yes_is_found_by_the_controls(targets, tmp_path):
    found = checked(targets, tmp_path, lambda critic, question, answer: True)
    assert found.results["controls"].subject.sensitivity.value == 1.0
    assert found.results["controls"].subject.specificity.value == 0.0
    assert found.results["controls"].subject.area.value == 0.5
    assert found.results["controls"].style.prior.value > 0
    assert found.results["wording"].alpha is None
    assert found.results["wording"].tau is None
    assert set(grades(found, "controls")) == {"poor"}
    assert any("yes-bias" in finding.text for finding in found.findings)


def test_a_judge_that_minds_the_order_is_found_by_the_exchange(targets, tmp_path):
    def fault(critic, question, answer):
        return True if "made" in question.reference.parts else answer

    found = checked(targets, tmp_path, fault, size=36)
    assert found.results["order"].subject.to_yes == found.results["order"].subject.rate.hits == 3 * 9
    assert found.results["order"].subject.to_no == 0
    assert found.results["order"].subject.p < 0.001
    assert found.results["order"].subject.logit.value > 0
    assert (found.results["order"].style.to_yes, found.results["order"].style.to_no) == (3, 0)
    assert grades(found, "order") == ["poor", "fair"]


def test_a_judge_that_minds_the_words_is_found_by_the_paraphrases(targets, tmp_path):
    def fault(critic, question, answer):
        if "Same subject" in question.rendered.after:  # the short one
            return False
        if "true?" in question.rendered.after:  # the statement turns b's ranking and a's about
            return not answer if question.aspect == "subject" else answer
        return answer

    found = checked(targets, tmp_path, fault, size=36)
    by_name = {template.name: template for template in found.results["wording"].templates}
    assert by_name["short"].average == 0.0
    assert by_name["short"].tau is None
    assert by_name["statement"].tau == -1.0
    assert by_name["code"].agreement.value == 1.0
    assert found.results["wording"].low == 0.0
    assert found.results["wording"].alpha.value < found.results["wording"].alpha_style.value == 1.0
    assert found.results["wording"].consistent.value == pytest.approx(1 / 4)  # the style's questions alone
    assert "poor" in grades(found, "wording")


def test_a_judge_that_minds_its_settings_is_found(targets, tmp_path):
    def fault(critic, question, answer):
        if critic.identity["side"] == "8":
            return not answer
        if critic.identity["critic"] == "owner/rival":
            return answer and question.aspect == "style"
        return answer

    found = checked(targets, tmp_path, fault, against="owner/rival")
    flips = {setting.name: setting.flips for setting in found.results["settings"]}
    assert flips["side 8 px"].rate.value == 1.0
    assert flips["side 8 px"].kappa < 0
    assert flips["critic owner/rival"].to_yes == 0
    assert flips["critic owner/rival"].to_no > 0
    assert flips["image mode anyres"].rate.value == 0.0
    assert grades(found, "settings") == ["good", "poor", "good", "poor"]


def test_a_setting_that_cannot_be_tried_says_why(targets, tmp_path):
    def opened(config):
        if config.settings.get("dtype") == "bfloat16":
            raise CriticError("no half precision here")
        return Scripted(config)

    with Store(tmp_path / "check.db") as store:
        found = run_check(plan(targets), Interview(store), opened)
    assert [(s.name, s.failure) for s in found.results["settings"] if s.flips is None] == [
        ("dtype bfloat16", "no half precision here")
    ]


def test_an_unknown_critic_to_compare_with_fails_before_the_long_work(targets, tmp_path):
    def opened(config):
        if config.critic == "owner/rival":
            raise CriticError("no rival")
        return Scripted(config)

    with Store(tmp_path / "check.db") as store:
        with pytest.raises(CriticError, match="no rival"):
            run_check(plan(targets, against="owner/rival"), Interview(store), opened)
        assert store.rows("SELECT count(*) AS n FROM check_verdicts") == [{"n": 0}]


def test_what_fails_is_left_out_and_counted(targets, tmp_path):
    found = checked(targets, tmp_path, lambda critic, question, answer: None if question.test.stem == "0" else answer)
    assert found.tally.failed > 0
    assert found.results["order"].subject.missing > 0
    assert found.results["order"].subject.rate.hits == 0
    with pytest.raises(GivenUpError, match="50 questions in a row had no clear answer: the server said 500"):
        checked(targets, tmp_path / "..", lambda *_: None)
    with pytest.raises(CheckError, match=r"none of 72 questions has an answer; mostly: the server said 500"):
        checked(targets, tmp_path / "..", lambda *_: None, stop_after=0)


def test_pictures_that_cannot_be_read_cost_their_own_questions_only(targets, tmp_path):
    targets[0].subject_references[0].write_bytes(b"no picture")
    sample_targets(targets, 18, 0)[5].image.unlink()
    found = checked(targets, tmp_path)
    assert found.tally.failed > 0
    assert any("cannot" in why or "is not a sound" in why for why in found.tally.reasons)
    assert found.results["order"].subject.rate.hits == 0
    assert found.results["controls"].subject.specificity.value == 1.0


def test_a_rival_that_does_not_know_the_pictures_brings_its_brand(targets, tmp_path):
    with Store(tmp_path / "check.db") as store:
        found = run_check(plan(targets[:2], against="pocket"), Interview(store), openers())
    assert found.brand.startswith("Without worth: pocket knows pictures of pocket alone; 2 of 2")


def test_one_method_has_no_ranking_and_one_concept_no_other(targets, tmp_path):
    alone = [t for t in targets if (t.row, t.subject, t.style) == ("a", "cat", "glowing")]
    found = checked(alone, tmp_path)
    assert found.results["wording"].tau is None
    assert found.results["wording"].alpha is None  # all is right, and every answer Yes
    assert {kind.kind for kind in found.results["controls"].kinds} == {
        "the reference itself",
        "another reference",
        "blank",
    }
    assert [finding.text for finding in found.findings if finding.part == "wording"][1:] == [
        "every answer in every wording is the same one, so that agreement says nothing",
        "no ranking to compare: there is one method",
    ]


# nothing leaks, nothing is asked twice


def test_no_question_of_the_check_can_be_taken_for_a_result(targets, tmp_path):
    with Store(tmp_path / "check.db") as store:
        run_check(plan(targets, against="owner/rival"), Interview(store), openers())
        assert store.rows("SELECT count(*) AS n FROM verdicts") == [{"n": 0}]
        assert VerdictStore(store).judges() == []  # neither the reference nor a variant, a rival or another wording
        assert store.rows("SELECT count(DISTINCT judge) AS n FROM check_verdicts") == [{"n": 5}]


def test_a_run_takes_over_what_it_would_have_asked(targets, tmp_path):
    with Store(tmp_path / "check.db") as store:
        run_check(plan(targets), Interview(store), openers())
        drawn = sample_targets(targets, 18, 0)
        for prompts in (PAPER, Prompts("mine", CODE.subject, CODE.style)):  # the code's words by another name
            critic = Scripted()
            outcome = judge(targets, critic, prompts, VerdictStore(store))
            assert (outcome.questions, outcome.existing, outcome.replies) == (36 * 4, 18 * 4, 18 * 4)
            assert not {target.image for target in drawn} & set(critic.asked)
            rows = store.rows("SELECT image, reference, aspect FROM verdicts WHERE prompts = ?", prompts.version)
            assert {tuple(row.values()) for row in rows} == {
                (sha256_of(q.test), sha256_of(q.reference), q.aspect) for q in questions_about(targets, prompts)
            }
        assert judge(targets, Scripted(), PAPER, VerdictStore(store)).replies == 0


def test_nothing_is_asked_twice(targets, tmp_path):
    with Store(tmp_path / "check.db") as store:
        judge(targets, Scripted(), PAPER, VerdictStore(store))
        judge(targets, Scripted(), CODE, VerdictStore(store))
        first = run_check(plan(targets), Interview(store), openers())
        assert first.tally.existing == 2 * 18 * 4  # the ordinary questions and those in the code's words
        again = openers()
        second = run_check(plan(targets), Interview(store), again)
        assert second.tally.replies == 0
        assert sum(sum(critic.asked.values()) for critic in again.made) == 0
        assert asdict(second) | {"tally": None} == asdict(first) | {"tally": None}


def test_a_killed_check_goes_on(targets, tmp_path):
    def stop(critic, question, answer):
        if sum(critic.asked.values()) > 300:
            raise KeyboardInterrupt
        return answer

    with Store(tmp_path / "check.db") as store:
        with pytest.raises(KeyboardInterrupt):
            run_check(plan(targets), Interview(store), openers(stop))
        found = run_check(plan(targets), Interview(store), openers())
        assert found.tally.existing >= 300


# samples, words, settings


def test_a_sample_is_even_and_the_same_again(targets):
    drawn = sample_targets(targets, 12, 1)
    assert drawn == sample_targets(targets, 12, 1)
    assert Counter(target.row for target in drawn) == {"a": 6, "b": 6}
    by_row = {row: {(t.subject, t.style) for t in drawn if t.row == row} for row in "ab"}
    assert by_row["a"] == by_row["b"]
    assert all(count == 2 for count in Counter(subject for subject, _ in by_row["a"]).values())
    assert all(count == 2 for count in Counter(style for _, style in by_row["a"]).values())
    assert sample_targets(targets, 12, 2) != drawn
    assert sample_targets(targets, 500, 1) == targets


def test_a_dozen_wordings_are_all_different_and_ask_for_yes_or_no():
    assert len(PARAPHRASES) == 12
    for aspect in ("subject", "style"):
        texts = {prompts.render(aspect, "oil painting").text() for prompts in PARAPHRASES}
        assert len(texts) == 12
        assert all("Yes" in text and "No" in text for text in texts)
    assert [prompts.name for prompts in wordings(CODE)][:2] == ["code", "paper"]
    assert len(wordings(CODE)) == len(wordings(PAPER)) == 12


def test_only_what_is_shown_otherwise_is_another_setting():
    local = {"image mode": "anyres", "dtype": "bfloat16", "device": "cuda"}
    names = list(variants(Configuration("owner/x"), local, 1024, "owner/y"))
    assert names == ["image mode pad", "side 384 px", "side 1024 px", "dtype float16", "critic owner/y"]
    assert list(variants(Configuration("owner/x"), local, 400)) == ["image mode pad", "side 384 px", "dtype float16"]
    served = {"image mode": "as served"}
    assert list(variants(Configuration("http://x/v1"), served, 64)) == ["side 32 px"]


# truth and people


def known_of(target, tmp_path, number, subject, style):
    s, t = SUBJECTS.index(target.subject), STYLES.index(target.style)
    path = paint(tmp_path / "known" / f"{number}.png", s if subject else 8, t if style else 8, number)
    return KnownPicture(replace(target, image=path, row="truth"), subject, style, hard=number % 2 == 0)


def test_the_truth_finds_a_judges_mistakes_and_corrects_the_rate(targets, tmp_path):
    known = [known_of(targets[number % 18], tmp_path, number, number % 4 != 0, number % 4 != 1) for number in range(80)]
    mistaken = {one.target.image for one in known[3::8]}  # 10 of the 40 right ones are not recognised

    def fault(critic, question, answer):
        if question.test in mistaken or question.test.stem == "0":
            return False
        return answer

    found = checked(
        targets,
        tmp_path,
        fault,
        known_pictures=known,
        distances=lambda those: {t.image: float(t.row == "b") for t in those},
    ).results["truth"]
    assert found.nearness.value > 0.5
    assert found.pictures == 80
    assert found.subject.sensitivity.value == pytest.approx(50 / 60)
    assert found.subject.specificity.value == found.subject.hard.value == 1.0
    assert found.subject.hard.n == 60
    assert 0.85 < found.subject.area.value < 0.95
    rates = found.rates["correct"]
    assert rates.sensitivity.value == pytest.approx(30 / 40)
    assert rates.specificity.value == 1.0
    assert rates.corrected.value == pytest.approx(min(1, rates.corrected.reported / 0.75))
    assert rates.corrected.low < rates.corrected.value <= rates.corrected.high
    assert set(found.methods) == {"a", "b"}
    assert rates.corrected.n == 18
    with Store(tmp_path / "check.db") as store:  # what a run has answered meanwhile counts too
        judge(targets, Scripted(fault=fault), PAPER, VerdictStore(store))
    again = checked(targets, tmp_path, fault, known_pictures=known).results["truth"].rates["correct"].corrected
    assert again.n == 36
    assert again.high - again.low < rates.corrected.high - rates.corrected.low


def test_people_calibrate_the_judge(targets, tmp_path):
    labels = []
    for target in targets:
        image = sha256_of(target.image)
        right = target.row == "a" or target.image.stem == "0"
        labels += [HumanLabel(image, "subject", right, "ann"), HumanLabel(image, "subject", right, "bob")]
        labels += [HumanLabel(image, "subject", not right, "eve")]
    labels += [HumanLabel(sha256_of(targets[0].image), "style", yes, "ann") for yes in (True, False)]
    found = checked(targets, tmp_path, labels=labels).results["people"]
    assert (found.votes, found.pictures, found.tied) == (36 * 3 + 2, 36, 1)
    assert (found.subject.n, found.style.n) == (36, 0)
    assert (found.subject.sensitivity.value, found.subject.specificity.value) == (1.0, 1.0)
    assert found.subject.sensitivity.n == 27
    assert found.subject.corrected.value == found.subject.corrected.reported
    assert found.subject.brier == pytest.approx((27 * 0.05**2 + 9 * 0.1**2) / 36)


def test_votes_are_read_from_the_database_where_there_are_any(tmp_path):
    with Store(tmp_path / "a.db") as store:
        assert read_labels(store) == []
        with store.writing():
            store.db.execute("DROP VIEW human_labels")
            assert read_labels(store) == []
            store.db.execute("CREATE TABLE human_labels (image, aspect, yes, rater)")
            store.db.execute("INSERT INTO human_labels VALUES ('d', 'style', 1, 'ann'), ('d', 'both', 1, 'ann')")
        assert read_labels(store) == [HumanLabel("d", "style", True, "ann")]


def test_a_table_of_votes_that_was_there_before_any_study_stays_where_a_database_is_migrated():
    database = sqlite3.connect(":memory:")
    migrate(database)
    database.execute("CREATE TABLE human_labels (image, aspect, yes, rater)")
    database.execute("INSERT INTO human_labels VALUES ('d', 'style', 1, 'ann')")
    migrate_all(database)
    assert database.execute("SELECT * FROM human_labels").fetchall() == [("d", "style", 1, "ann")]


def test_pocket_knows_the_truth_of_its_own_cells_alone(tmp_path):
    from lorarar.pocket import shipped
    from lorarar.pocket.concepts import style_named, subject_named
    from lorarar.pocket.ground_truth import true_picture

    dog = target_of(shipped.content_lora("dog-8"), shipped.style_lora("glowing"), tmp_path / "own.png")
    own = replace(dog, base="pocket")
    lone = target_of(shipped.content_lora("can"), shipped.style_lora("glowing"), tmp_path / "lone.png")
    lone = replace(lone, base="pocket")
    other = replace(own, image=tmp_path / "other.png", subject="mine")
    elsewhere = replace(own, image=tmp_path / "elsewhere.png", base="sdxl")
    known = find_known_pictures([own, own, lone, other])
    assert find_known_pictures([other, elsewhere]) == []
    answers = Counter((one.target.subject, one.subject, one.style, one.hard) for one in known)
    of_dog = {(True, True, False): 1, (False, True, True): 1, (False, True, False): 1}
    of_dog |= {(True, False, True): 1, (True, False, False): 1}
    assert answers == {("dog-8", *key): count for key, count in of_dog.items()} | {
        ("can", *key): count
        for key, count in of_dog.items()
        if key != (False, True, True)  # nobody else's can is shipped
    }
    right = next(one for one in known if one.subject and one.style and one.target.subject == "dog-8")
    true = true_picture(subject_named("dog #8"), style_named("glowing"))
    assert Image.open(right.target.image).tobytes() == true.tobytes()
    assert right.target.subject_references == own.subject_references
    write_png(true, own.image)
    write_png(Image.new("RGB", (64, 64)), lone.image)
    far = find_distances([own, lone, other, elsewhere])
    assert far[own.image] == 0
    assert 10 < far[lone.image] < 255
    assert len(far) == 2
    assert len({one.target.image for one in known}) == len(known)


def target_of(content, style, image):
    from lorarar.pocket import shipped

    return Target(
        image,
        "direct",
        content.stem,
        style.stem,
        tuple(shipped.references(content)),
        tuple(shipped.references(style)),
        "glowing",
        "",
    )


# the parts and the page


class Cells(Part):
    name = "cells"

    def questions(self, plan, sample):
        return ordinary_questions(sample[:1], plan.prompts)

    def measure(self, baseline, questions, verdicts):
        return {"cells": len({picture.pair for picture in baseline.judged}), "verdicts": len(verdicts)}

    def findings(self, result, average):
        yield Finding(self.name, "good", f"{result['cells']} cells")


def test_another_part_is_a_class_and_a_row(targets, tmp_path, monkeypatch):
    monkeypatch.setattr("judge.checks.check.parts", lambda: [*parts(), Cells()])
    found = checked(targets, tmp_path)
    assert found.record()["cells"] == {"cells": 9, "verdicts": 4}
    assert found.findings[-1] == Finding("cells", "good", "9 cells")


def test_the_page_is_one_page_and_says_nothing_that_the_terminal_obeys(targets, tmp_path):
    from rich.console import Console

    hostile = Configuration("evil\x1b[2J\u202e[/]")
    with Store(tmp_path / "check.db") as store:
        found = run_check(replace(plan(targets), configuration=hostile), Interview(store), openers())
    console = Console(width=100, record=True, file=StringIO())
    console.print(render_page(found))
    text = console.export_text()
    assert len(text.splitlines()) <= 40
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "order matters little" in text
    json.dumps(found.record())
