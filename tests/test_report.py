"""Reports: groups, the paper beside ours, forms, the gallery; on verdicts and scores written by the stores."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from judge.errors import JudgeError
from judge.metrics.backbone import Identity
from judge.metrics.features import Features
from judge.metrics.preprocessing import imagenet
from judge.metrics.scores import ScoreStore
from judge.metrics.table import METRICS
from judge.pictures import JudgedTargets
from judge.questions import CODE, PAPER, Reply
from judge.reports.chart import make_chart
from judge.reports.gallery import write_gallery
from judge.reports.report import by_group, choose_judge, make_report
from judge.reports.tables import csv_rows, records, tables
from judge.target_questions import questions_about
from judge.targets import Target, from_folders
from judge.verdicts import VerdictKey, VerdictStore
from lorarar.cli.main import app
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.util.files import sha256_of
from lorarar.util.tables import Table, as_latex, as_markdown

IDENTITY = {"critic": "scripted", "revision": "1", "image mode": "pad"}


@pytest.fixture
def targets(tmp_path):
    """Two methods, two subjects, one style, two pictures each; one reference of the style and three of a subject."""
    made = []
    for number, row in enumerate(("direct", "lorarar")):
        for subject in ("dog", "can"):
            references = []
            for k in range(3):
                path = tmp_path / "references" / subject / f"{k}.png"
                references.append(write_png(Image.new("RGB", (8, 8 + k), (ord(subject[0]), 0, 0)), path))
            style = write_png(Image.new("RGB", (9, 9)), tmp_path / "references" / "glowing.png")
            for seed in range(2):
                image = tmp_path / row / subject / f"{seed}.png"
                write_png(Image.new("RGB", (10, 10), (number, seed, ord(subject[0]))), image)
                words = f"a sks {subject} in glowing style"
                made.append(Target(image, row, subject, "glowing", tuple(references), (style,), "glowing", words))
    return made


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "a.db") as opened:
        yield opened


def say(store, targets, verdict, prompts=PAPER, identity=IDENTITY):
    """Keep a reply to every question about the targets: ``verdict(target, aspect, reference)``."""
    verdicts = VerdictStore(store)
    judge = verdicts.judge_id(identity["critic"], identity)
    rows = []
    for target in targets:
        for question in questions_about([target], prompts):
            shown = (str(question.reference), str(question.test))
            digests = [sha256_of(path) for path in (question.test, question.reference)]
            case = VerdictKey(question.aspect, prompts.version, question.rendered.text(), *digests, shown)
            said = verdict(target, question.aspect, question.reference)
            reply = said if not isinstance(said, bool) else Reply.from_probability(0.9 if said else 0.1)
            rows.append((case.digest(identity), case, reply))
    verdicts.add(judge, rows)
    return verdicts


def rarely(target, aspect, reference):
    """The style is always right; a subject by lorarar always, by direct only the first picture of the dog."""
    return aspect == "style" or target.row == "lorarar" or (target.subject == "dog" and target.image.stem == "0")


def test_figures_by_method_with_the_papers_beside(store, targets):
    answers = JudgedTargets(targets, say(store, targets, rarely))
    report = make_report(answers, choose_judge(answers), ScoreStore(store), "method", against="direct")
    direct, ours = records(report)
    assert (direct["average"], direct["best"]) == (0.25, 0.5)
    assert (direct["attempts"], direct["attempts_pairs_without"]) == ((1.5 + 3) / 2, 1)
    assert (ours["attempts"], ours["attempts_pairs_without"]) == (1.0, 0)
    assert (ours["average"], ours["best"], ours["images"], ours["pairs"]) == (1.0, 1.0, 4, 2)
    assert ours["against"] == pytest.approx(0.75)
    assert direct["against"] is None
    assert (direct["paper_average"], ours["paper_average"], ours["paper_attempts"]) == (0.40, 0.71, 2.28)
    assert not [head for table in tables(report) for head in table.head if "paper" in head]
    first, second = tables(report, paper=True)
    assert "Table 1" in first.title
    assert "Table 2" in second.title
    assert "average, the paper's, on SDXL" in first.head
    assert second.rows[0] == ["direct", "≥ 2.25 (1.50 to 3.00)", "1 of 2", ""]
    with pytest.raises(JudgeError, match="no method nothing was judged; there are direct, lorarar"):
        make_report(answers, choose_judge(answers), ScoreStore(store), "method", against="nothing")


def test_figures_by_cell_have_no_papers(store, targets):
    answers = JudgedTargets(targets, say(store, targets, rarely))
    report = make_report(answers, choose_judge(answers), ScoreStore(store), "cell")
    assert [line.group.name for line in report.lines][:2] == [
        ("direct", "dog", "glowing"),
        ("direct", "can", "glowing"),
    ]
    assert all("paper" not in " ".join(table.head) for table in tables(report, paper=True))
    assert {"method", "subject", "style"} <= set(records(report)[0])


def test_unclear_verdicts_are_counted_and_no_scores(store, targets):
    def unclear(target, aspect, reference):
        if target.row == "direct" and aspect == "subject":
            return Reply.failure("500") if target.subject == "dog" else Reply.from_text("well")
        return True

    verdicts = say(store, targets[:-1], unclear)
    answers = JudgedTargets(targets, verdicts)
    direct, ours = records(make_report(answers, choose_judge(answers), ScoreStore(store), "method"))
    assert (direct["images"], direct["undecided"], direct["failed"], direct["unparsed"]) == (0, 4, 6, 6)
    assert direct["average"] is None
    assert (ours["images"], ours["undecided"], ours["not_asked"]) == (3, 1, 4)
    unclear_table = tables(make_report(answers, choose_judge(answers), ScoreStore(store), "method"))[-1]
    assert unclear_table.rows[0] == ["direct", "6", "0", "6", "4"]
    assert unclear_table.notes[-1] == "Why: 6 x 500; 6 x prose: the answer is 'well', not Yes or No"


def test_the_judge_who_answered_most_is_chosen(store, targets):
    say(store, targets, rarely)
    verdicts = say(store, targets[:2], rarely, CODE)
    other = {**IDENTITY, "critic": "other"}
    say(store, targets[:3], lambda *_: False, PAPER, other)
    answers = JudgedTargets(targets, verdicts)
    assert (choose_judge(answers).critic, choose_judge(answers).prompts) == ("scripted", PAPER.version)
    assert choose_judge(answers, prompts="code").prompts == CODE.version
    assert choose_judge(answers, critic="other").critic == "other"
    with pytest.raises(JudgeError, match=r"there is no such judge; there are .*other with paper"):
        choose_judge(answers, critic="nobody")
    with pytest.raises(JudgeError, match=r"these 4 pictures have not been judged yet by 2: other"):
        choose_judge(JudgedTargets(targets[4:], verdicts), critic="other")


def test_without_verdicts_the_command_that_makes_them_is_named(store, targets):
    with pytest.raises(JudgeError, match="lorarar judge run"):
        choose_judge(JudgedTargets(targets, VerdictStore(store)))


def test_a_metrics_mean_is_within_pairs_and_then_over_pairs(targets):
    direct = targets[:4]
    values = dict(zip(direct, (0.2, 0.4, 0.9, 0.9), strict=True))
    del values[direct[3]]
    found = by_group(values, "method")[("direct",)]
    assert found.value == pytest.approx(((0.2 + 0.4) / 2 + 0.9) / 2)
    assert found.value != pytest.approx((0.2 + 0.4 + 0.9) / 3)
    assert by_group({}, "method") == {}


class Flat(Features):
    """Features whose cosines are all one: what is known of a picture is not the point here."""

    def __init__(self, name="flat"):
        self.faults = {}

        class Named:
            kind = "clip"
            identity = Identity(name, "1", imagenet(32), "float32", "none")

        self.backbone = Named()

    def of(self, paths):
        return {path: np.float32([1, 0]) for path in paths if path not in self.faults}


def test_scores_stand_beside_with_their_backbone(store, targets):
    answers, scores = JudgedTargets(targets, say(store, targets, rarely)), ScoreStore(store)
    clip_i = METRICS["clip-i"]
    first = scores.score(clip_i, targets[:5], Flat())
    assert (first.pictures, first.existing, first.measured) == (5, 0, 5)
    again = scores.score(clip_i, targets, Flat())
    assert (again.existing, again.measured) == (5, 3)
    scores.score(clip_i, targets[:1], Flat("newer"))
    report = make_report(answers, choose_judge(answers), scores, "method")
    assert report.backbones == {"clip-i": "flat (1)"}
    assert [record["clip-i"] for record in records(report)] == [1.0, 1.0]
    assert "CLIP-I" in tables(report)[2].head
    assert records(report)[1]["paper_clip_i"] == 0.656


def test_a_picture_that_is_gone_has_no_score_and_a_reason(store, targets):
    targets[0].image.unlink()
    flat = Flat()
    flat.faults = {targets[0].image: "0.png does not exist"}
    scored = ScoreStore(store).score(METRICS["clip-i"], [*targets[:2], replace(targets[1], style_references=())], flat)
    assert scored.measured == 1
    assert scored.faults == ("1 picture without a style to be measured against", "0.png does not exist")


def test_forms_escape_what_they_hold():
    table = Table("A & B_c", ["method", "100 %"], [["a|b_1", "5 & 6"]], ["note $x$"])
    assert "a\\|b_1" in as_markdown([table])
    latex = as_latex([table])
    assert "$\\geq$ 2.5" in as_latex([Table("", ["x"], [["\u2265 2.5"]])])
    assert "a|b\\_1" in latex
    assert "\\caption{A \\& B\\_c. note \\$x\\$}" in latex
    assert "\\toprule" in latex


def test_a_gallery_is_one_page_without_outside_and_escapes(store, targets, tmp_path):
    evil = [replace(target, row="<script>alert(1)</script>") for target in targets[:4]]
    targets[1].image.write_bytes(b"broken")
    answers = JudgedTargets([*evil, *targets[4:]], say(store, targets, rarely))
    report = make_report(answers, choose_judge(answers), ScoreStore(store), "method")
    page = write_gallery(report, tmp_path / "out" / "gallery.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"(src|href)=\"?https?:", page)
    assert page.count("data:image/webp;base64,") == 2 * 4 + 8 - 1
    assert "cannot be read" in page
    assert page.count('class="picture yes"') == 5
    (tmp_path / "file").write_text("")
    with pytest.raises(JudgeError, match="cannot write"):
        write_gallery(report, tmp_path / "file" / "gallery.html")


@pytest.fixture
def judged_folders(tmp_path, targets):
    """The targets of one method as plain folders, with verdicts."""
    for target in targets[:4]:
        write_png(Image.open(target.image), tmp_path / "made" / target.subject / "glowing" / target.image.name)
        for reference in target.subject_references:
            write_png(Image.open(reference), tmp_path / "given" / "subjects" / target.subject / reference.name)
    write_png(Image.open(targets[0].style_references[0]), tmp_path / "given" / "styles" / "glowing" / "0.png")
    with Store(tmp_path / "folders.db") as store:
        say(store, from_folders(tmp_path / "made", tmp_path / "given"), lambda *_: True)
    where = ["--generated", str(tmp_path / "made"), "--references", str(tmp_path / "given")]
    return [*where, "--db", str(tmp_path / "folders.db")]


def test_the_command_prints_every_form(judged_folders, tmp_path):
    def run(*options):
        return CliRunner().invoke(app, ["judge", "report", *judged_folders, *options])

    assert "MARS2 (Table 1)" in run().stdout
    data = json.loads(run("--format", "json", "--by", "subject").stdout)
    assert data["judge"]["critic"] == "scripted"
    assert [group["average"] for group in data["groups"]] == [1.0, 1.0]
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv", "--by", "cell").stdout)))
    assert (rows[0]["subject"], rows[0]["average"]) == ("can", "1.0")
    refused = run("--paper", "--by", "cell")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "--paper is of methods" in refused.stderr
    assert "\n\n### MARS2" in run("--format", "markdown").stdout
    assert "\\begin{table}" in run("--format", "latex").stdout
    page = tmp_path / "gallery.html"
    assert run("--gallery", str(page)).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")


def test_json_is_one_flag_everywhere_and_contradicts_no_other_form(judged_folders):
    def run(*options):
        return CliRunner().invoke(app, ["judge", "report", *judged_folders, *options])

    assert run("--json").stdout == run("--format", "json").stdout == run("--json", "--format", "json").stdout
    two = run("--json", "--format", "csv")
    assert (two.exit_code, two.stdout) == (1, "")
    assert "--json and --format csv ask for two forms" in two.stderr
    assert "paper_average" not in run("--format", "csv").stdout
    assert "paper_average" in run("--format", "csv", "--paper").stdout
    assert "paper_average" in run("--json").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--by", "colour"), "--by is 'colour'; accepted are method, subject, style, cell"),
        (("--format", "xml"), "--format is 'xml'; accepted are table, json, csv, markdown, latex"),
        (("--judge", "9"), "there is no such judge; there are 1: scripted"),
    ],
)
def test_what_is_not_accepted_is_said_in_one_line(judged_folders, options, message):
    result = CliRunner().invoke(app, ["judge", "report", *judged_folders, *options])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_chart_has_a_row_a_method_or_a_row_a_group_with_every_method_in_it(store, targets):
    answers = JudgedTargets(targets, say(store, targets, rarely))
    by_method = make_chart(make_report(answers, choose_judge(answers), ScoreStore(store), "method"), paper=True)
    assert (by_method.rows, by_method.series) == (["direct", "lorarar"], ["measured", "the paper's, on SDXL"])
    average, best = by_method.panels
    assert [(mark.row, mark.series, mark.value) for mark in average.marks] == [
        (0, 0, 0.25),
        (0, 1, 0.40),
        (1, 0, 1.0),
        (1, 1, 0.71),
    ]
    assert [mark.value for mark in best.marks if mark.series == 0] == [0.5, 1.0]
    by_subject = make_chart(make_report(answers, choose_judge(answers), ScoreStore(store), "subject"))
    assert (by_subject.rows, by_subject.series) == (["dog", "can"], ["direct", "lorarar"])
    assert "Figure A7" in by_subject.title
    values = {(mark.row, mark.series): mark.value for mark in by_subject.panels[0].marks}
    assert values == {(0, 0): 0.5, (1, 0): 0.0, (0, 1): 1.0, (1, 1): 1.0}


def test_the_gallery_draws_its_own_intervals_and_names_are_harmless_there(store, targets, tmp_path):
    evil = [replace(target, row="a\x1b[31m\u202e") for target in targets[:4]]
    answers = JudgedTargets([*evil, *targets[4:]], say(store, targets, rarely))
    report = make_report(answers, choose_judge(answers), ScoreStore(store), "method")
    page = write_gallery(report, tmp_path / "gallery.html").read_text()
    assert all(line.isprintable() for line in page.split("\n"))
    assert page.count("<svg") == 4
    assert '<circle cx="35.0"' in page  # direct's average case of 0.25, on an axis from 10 to 110


def test_a_database_that_may_only_be_read_is_reported(judged_folders, tmp_path, monkeypatch):
    def refuse(path):
        raise AssertionError(f"{path} is opened to write")

    before = (tmp_path / "folders.db").read_bytes()
    (tmp_path / "folders.db").chmod(0o444)
    monkeypatch.setattr("lorarar.store.store.connect_for_writing", refuse)
    result = CliRunner().invoke(app, ["judge", "report", *judged_folders])
    assert (result.exit_code, "MARS2 (Table 1)" in result.stdout) == (0, True)
    assert (tmp_path / "folders.db").read_bytes() == before
    assert not list(tmp_path.glob("folders.db-*"))


def test_every_form_bears_the_brand_of_a_judge_that_does_not_know_the_pictures(store, targets):
    pocket = {**IDENTITY, "critic": "pocket"}
    answers = JudgedTargets(targets, say(store, targets, rarely, identity=pocket))
    report = make_report(answers, choose_judge(answers), ScoreStore(store), "method")
    words = "Without worth: pocket knows pictures of pocket alone"
    assert words in tables(report)[0].notes[0]
    assert words in report.lead[-1]
    head, rows = csv_rows(report)
    assert head[-1] == "brand" and len(set(head)) == len(head)
    assert all(words in row[-1] for row in rows)
    assert words in make_chart(report).note
