"""``judge check --ratings``: people's answers from a file, against a judge whose answers are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from judge.checks.ask import Interview
from judge.checks.check import run_check
from judge.checks.part import CheckPlan, Configuration
from judge.checks.rating_rows import read_rows
from judge.checks.ratings import rate
from judge.checks.statistics.agreement import agreement_with_others, kappa_interval
from judge.cli.app import app
from judge.critics.critic import Critic
from judge.critics.preparation import Preparation
from judge.errors import JudgeError
from judge.pocket.critic import new_tokenizer
from judge.questions import PAPER, Reply
from judge.targets import from_folders
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.util.files import sha256_of

from .random_critic import answering_critic

HEAD = "image,aspect,yes,rater\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Generated pictures and references in a folder of their own, from which commands run; all pictures differ."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    noise = np.random.default_rng(0)
    for path in (
        *(f"made/{subject}/oil/{k}.png" for subject in ("cat", "dog") for k in range(6)),
        *(f"given/subjects/{subject}/{k}.png" for subject in ("cat", "dog") for k in range(2)),
        "given/styles/oil/0.png",
        "public/made.png",
        "public/references/one.png",
        "public/references/two.png",
    ):
        coarse = Image.fromarray(noise.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        write_png(coarse.resize((16, 16), Image.Resampling.BICUBIC), tmp_path / path)
    return tmp_path


@pytest.fixture
def targets(place):
    return from_folders(place / "made", place / "given")


def write(text, name="ratings.csv"):
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def rated(text, targets=()):
    return rate(read_rows(write(text)), targets)


def left_out(ratings):
    return {why: len(places) for why, places in ratings.left_out.items()}


def test_a_picture_is_found_by_its_path_its_bytes_or_its_digest_and_asked_with_its_own_references(place, targets):
    write_png(Image.open("made/cat/oil/1.png"), place / "copy.png")
    (place / "same.png").write_bytes((place / "made/cat/oil/1.png").read_bytes())
    digest = sha256_of(place / "made/dog/oil/2.png")
    ratings = rated(
        f"{HEAD}made/cat/oil/0.png,subject,1,a\nsame.png,style,no,a\n{digest.upper()},Subject,TRUE,a\n", targets
    )
    assert [one.target.image.name for one in ratings.rated] == ["0.png", "1.png", "2.png"]
    first, second, third = ratings.targets
    assert first.subject_references == targets[0].subject_references and not first.style_references
    assert second.style_references == targets[0].style_references and not second.subject_references
    assert {path.parent.name for path in third.subject_references} == {"dog"}
    assert [one.majority for one in ratings.rated] == [True, False, True]
    assert ratings.sentence == ""


def test_a_picture_from_elsewhere_is_asked_with_the_references_or_the_concept_that_its_row_names(place, targets):
    write(
        "image;aspect;yes;rater;references;style;subject\n"
        "made.png;subject;1;a;references;;\n"
        "made.png;style;0;a;references/one.png|references/two.png;ink wash;\n"
        '"made.png";"style";"1";"b";"references/one.png|references/two.png";"ink wash";""\n',
        place / "public/ratings.csv",
    )
    ratings = rate(read_rows(place / "public/ratings.csv"), [])
    subject, style = ratings.rated
    assert [path.name for path in subject.target.subject_references] == ["one.png", "two.png"]
    assert style.target.style_words == "ink wash" and len(style.target.style_references) == 2
    assert style.majority is None and len(style.labels) == 2
    (named,) = rated("image,aspect,yes,rater,subject\npublic/made.png,subject,1,a,dog\n", targets).targets
    assert {path.parent.name for path in named.subject_references} == {"dog"}


def test_rows_that_do_not_count_are_counted_by_name(place, targets):
    ratings = rated(
        f"{HEAD}made/cat/oil/0.png,subject,1,a\n"
        "made/cat/oil/0.png,subject,1,a\n"  # again
        f"{sha256_of(place / 'made/cat/oil/0.png')},subject,0,a\n"  # otherwise, by another name
        "nowhere.png,subject,1,a\n"
        f"{'0' * 64},subject,1,a\n"
        "public/made.png,subject,1,a\n"
        "made/cat/oil/0.png,colour,1,a\n"
        "made/cat/oil/0.png,style,maybe,a\n"
        "made/cat/oil/0.png,style,1,\n"
        ",style,1,a\n"
        "made/cat/oil/0.png,style\n"
        "\n"
        f"{'x' * 5000}.png,style,1,a\n",
        targets,
    )
    assert left_out(ratings) == {
        "repeat an answer": 1,
        "contradict their rater's first answer": 1,
        "match no picture": 3,
        "are of pictures without references here, and name none": 1,
        "have another aspect than subject or style": 1,
        "say neither 1 (yes, true) nor 0 (no, false)": 2,  # of which one has no more cells
        "name no rater": 1,
        "name no picture": 1,
    }
    assert (ratings.file.count, ratings.labels) == (12, 1)
    assert "1 of 12 rows count; " in ratings.sentence
    assert "1 repeat an answer (line 3: made/cat/oil/0.png)" in ratings.sentence


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no column image, aspect, yes, rater"),
        (b"image,aspect,yes\n", "no column rater; its first line names image, aspect, yes"),
        (b"image,aspect,yes,rater,yes\n", "names a column twice: yes"),
        (HEAD.encode() + b"a.png,subject,1,\xff\n", "no UTF-8, first in line 2"),
        (HEAD.encode("utf-16"), "no UTF-8, first in line 1"),
        (HEAD.encode() + b'"a.png,subject,1,a\n', r"1 have a quote that is not closed \(line 2\)"),
        (HEAD.encode() + b"x" * 200_000 + b",subject,1,a\n", r"1 have more than 65536 bytes \(line 2\)"),
        (HEAD.encode(), "no row of .* counts: it has none"),
        (HEAD.encode() + b"a.png,subject,1,a\n", r"no row of .* counts: 1 match no picture \(line 2: a\.png\)"),
    ],
)
def test_a_file_that_is_no_ratings_is_one_line(place, data, words):
    (place / "ratings.csv").write_bytes(data)
    with pytest.raises(JudgeError, match=words) as error:
        rate(read_rows(place / "ratings.csv"), [])
    assert "\n" not in str(error.value)


def test_a_mark_of_the_bytes_order_and_windows_lines_are_read(place, targets):
    write(f"\ufeff{HEAD}made/cat/oil/0.png,subject,1,Zoë\n".replace("\n", "\r\n"))
    assert rate(read_rows(place / "ratings.csv"), targets).rated[0].labels[0].rater == "Zoë"


class Rule(Critic):
    """Says Yes of every picture whose number is below four, whatever it is asked."""

    def __init__(self, name):
        self.identity, self.preparation = {"critic": name}, Preparation()

    def ask(self, questions):
        for index, question in enumerate(questions):
            number = int(question.test.stem) if question.test.stem.isdigit() else 0
            yield index, Reply.from_probability(0.9 if number < 4 else 0.2)

    def close(self):
        pass


def checked(targets, ratings, place, critic="rule"):
    plan = CheckPlan(targets=targets, prompts=PAPER, configuration=Configuration("pocket"), size=4, ratings=ratings)
    with Store(place / "a.db") as store:
        result = run_check(plan, Interview(store), lambda _: Rule(critic))
        assert store.rows("SELECT count(*) AS n FROM verdicts")[0]["n"] == 0
    return result


def test_the_judge_is_measured_against_most_people_and_people_against_each_other(place, targets):
    lines, truths, people = [], [], []
    for subject in ("cat", "dog"):
        for number in range(6):
            answers = [number < 3] * 3 if number != 5 else [True, True, False]  # most say yes of 0, 1, 2 and 5
            lines += [f"made/{subject}/oil/{number}.png,subject,{int(yes)},{r}" for r, yes in enumerate(answers)]
            truths.append(sum(answers) > 1)
            people.append(answers)
    lines += ["made/cat/oil/0.png,style,1,0", "made/cat/oil/0.png,style,0,1"]
    result = checked(targets, rated(HEAD + "\n".join(lines), targets), place)
    figures = result.results["ratings"].subject
    said = [number < 4 for _ in range(2) for number in range(6)]
    assert (figures.pictures, figures.split, figures.unanswered) == (12, 0, 0)
    assert (figures.ratings, figures.raters) == (36, 3)
    assert (figures.agreement.hits, figures.agreement.n, figures.agreement.clusters) == (8, 12, 12)
    agreed, yes, also = 8 / 12, np.mean(said), np.mean(truths)
    chance = yes * also + (1 - yes) * (1 - also)
    assert figures.kappa.value == pytest.approx((agreed - chance) / (1 - chance))
    assert figures.kappa.low < figures.kappa.value < figures.kappa.high
    from krippendorff import alpha

    table = [[float(answers[rater]) for answers in people] for rater in range(3)]
    assert figures.alpha.value == pytest.approx(alpha(table, level_of_measurement="nominal"))
    chances = np.where(said, 0.9, 0.2)
    assert figures.calibration.brier == pytest.approx(np.mean((chances - np.array(truths)) ** 2))
    assert (figures.calibration.sensitivity.hits, figures.calibration.sensitivity.n) == (6, 8)
    assert (figures.calibration.specificity.hits, figures.calibration.specificity.n) == (2, 4)
    assert figures.person.n == 32 and figures.person.hits == 30  # of a split picture the lone no alone
    style = result.results["ratings"].style
    assert (style.pictures, style.split, style.ratings) == (0, 1, 2)
    sentences = [finding.text for finding in result.findings if finding.part == "ratings"]
    assert sentences[0].startswith("subject: answers as most people in 67% of 12 pictures, kappa ")
    assert sentences[-1] == "style: nothing to compare, 1 split evenly"
    assert result.results["people"] is None


def test_ratings_are_a_part_of_their_own_of_the_page_and_the_json(place):
    answering_critic(new_tokenizer(place / "critic")).save_pretrained(place / "critic")
    rows = [f"made/{s}/oil/{k}.png,subject,{k % 2},{r}" for s in ("cat", "dog") for k in range(6) for r in "ab"]
    write(HEAD + "\n".join([*rows, "elsewhere.png,subject,1,a"]))
    given = ["check", "--critic", "critic", "--generated", "made", "--references", "given", "--device", "cpu"]
    given += ["--sample", "2", "--image-mode", "pad", "--ratings", "ratings.csv"]
    done = CliRunner().invoke(app, [*given, "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)["ratings"]
    assert (result["rows"], result["left_out"], result["subject"]["pictures"]) == (25, {"match no picture": 1}, 12)
    assert result["sha256"] == sha256_of(place / "ratings.csv")
    assert "24 of 25 rows count; 1 match no picture (line 26: elsewhere.png)" in " ".join(done.stderr.split())
    page = CliRunner().invoke(app, given)
    assert page.exit_code == 0 and "ratings" in page.stdout
    with Store(place / "lorarar.db") as store:
        assert not store.rows("SELECT 1 FROM sqlite_master WHERE name = 'human_labels' AND type = 'table'")
    refused = CliRunner().invoke(app, [*given[:-1], "nowhere.csv"])
    assert refused.exit_code == 1 and "nowhere.csv" in refused.stderr and "Traceback" not in refused.output


def test_rated_pictures_alone_need_no_others_and_leave_no_grade_on_record(place):
    answering_critic(new_tokenizer(place / "critic")).save_pretrained(place / "critic")
    (place / "empty").mkdir()
    write("image,aspect,yes,rater,references\nmade.png,subject,1,a,references\n", place / "public/ratings.csv")
    given = ["check", "--critic", "critic", "--device", "cpu", "--image-mode", "pad", "--db", "empty/new.db"]
    done = CliRunner().invoke(app, [*given, "--ratings", "public/ratings.csv", "--sample", "0", "--json"])
    assert done.exit_code == 0, done.output
    check = json.loads(done.stdout)
    assert (check["pictures"], check["of"], check["tally"]["questions"]) == (0, 0, 2)
    assert check["ratings"]["subject"]["ratings"] == 1 and "order" not in check
    with Store(place / "empty/new.db") as store:
        assert not store.rows("SELECT * FROM checks")
    page = CliRunner().invoke(app, [*given, "--ratings", "public/ratings.csv", "--sample", "0"])
    assert page.stdout.startswith("Can critic be trusted? prompts paper")
    refused = CliRunner().invoke(app, [*given, "--sample", "0"])
    assert refused.exit_code == 1 and "nothing to ask about without ratings, --ratings FILE.csv" in " ".join(
        refused.stderr.split()
    )


def test_a_critic_that_does_not_know_the_rated_pictures_brings_its_brand(place, targets):
    own = [replace(target, base="pocket") for target in targets]
    assert checked(own, None, place, "pocket").brand == ""
    public = "image,aspect,yes,rater,references\npublic/made.png,subject,1,a,public/references\n"
    assert checked(own, rated(public, own), place, "pocket").brand.startswith("Without worth: pocket knows")


def test_agreement_with_the_others_leaves_out_what_says_nothing():
    assert agreement_with_others([[True], [True, False]]).value == 0
    assert agreement_with_others([[True]]).value is None
    share = agreement_with_others([[True, True, False], [False, False, False]])
    assert (share.hits, share.n) == (3, 4)  # a yes beside a yes and a no says nothing


def test_kappa_has_an_interval_over_pictures():
    one, two = [True, False] * 20, [True, False] * 15 + [False, True] * 5
    kappa = kappa_interval(one, two, list(range(40)))
    assert kappa.value == pytest.approx(0.5) and kappa.low < 0.5 < kappa.high
    assert kappa_interval([True], [True], [0]) is None
