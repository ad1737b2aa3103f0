"""Reports, simulated raters and the commands, on a tiny grid with verdicts and scores."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from judge.metrics.stored_scores import score_keys
from judge.metrics.table import METRICS
from judge.targets import from_store
from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.util.errors import StoreError
from studies.creation.create import StudyRequest, new_study
from studies.errors import StudyError
from studies.figures import ASPECT_TITLES, SIMULATED, metric_title
from studies.rater.trials import trials_of
from studies.rater.votes import Screen
from studies.rendering import as_json, from_json
from studies.reports.report import make_report as report
from studies.sessions import open_packet, open_study
from studies.simulate import simulate
from studies.store import StudyStore

from .studies_database import add_verdicts, make_database

SCREEN = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)


def right(method, subject, style, seed):
    """Subject and style of a picture: beta's styles are often wrong, some subjects of both."""
    return (subject not in ("cat", "owl") or seed == 0), (
        method == "alpha" or (len(subject) + len(style) + seed) % 3 == 0
    )


def add_scores(path, metric, backbone, value, against=None, revision=None):
    with Store(path) as store, store.writing():
        keys = {}
        if metric in METRICS and against is None:
            targets = from_store(store)
            for target, key in zip(targets, score_keys(METRICS[metric], targets), strict=True):
                keys[target.digest, target.subject, target.style] = key[1]
        record = {"name": backbone} | ({"revision": revision} if revision else {})
        for row in store.rows(
            "SELECT c.row, c.content, c.style, c.seed, i.sha256 FROM cells c JOIN images i ON i.id = c.image"
        ):
            said = value(row["row"], row["content"], row["style"], row["seed"])
            store.db.execute(
                "INSERT INTO scores VALUES (?, ?, ?, ?, ?, 'now')",
                [
                    row["sha256"],
                    metric,
                    json.dumps(record),
                    keys.get((row["sha256"], row["content"], row["style"]), against or "x"),
                    said,
                ],
            )


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = make_database(tmp_path_factory.mktemp("grid"), subjects=("can", "cat", "dog", "owl", "teapot"), seeds=2)
    add_verdicts(path, right)
    add_scores(path, "dino", "tiny-dino", lambda m, c, s, seed: float(right(m, c, s, seed)[0]) + len(s) / 50)
    add_scores(path, "clip-i", "tiny-clip", lambda m, c, s, seed: 0.5)
    with Store(path) as store:
        new_study(store, StudyRequest("ab", "ab", ("alpha", "beta"), "random"))
        new_study(store, StudyRequest("abs", "absolute", ("alpha", "beta"), "random"))
        new_study(store, StudyRequest("best", "absolute", ("alpha",), "best"))
        for name in ("ab", "abs", "best"):
            simulate(store, name, 8, 0.0 if name == "abs" else 0.3)
    return path


def figure(made, section, name, of=""):
    (found,) = [f for f in made.figures if (f.section, f.name) == (section, name) and of in f.of]
    return found


def test_raters_without_noise_follow_mars2_to_the_letter(store):
    made = report(store, "abs", simulated=True)
    both = "MARS2 (scripted), subject and style"
    for name in ("point-biserial r", "Spearman rho", "Kendall tau-b", "phi (majority)", "Cohen kappa (majority)"):
        assert figure(made, "correlation", name, both).value == pytest.approx(1)
    assert figure(made, "correlation", "pairwise agreement", both).value == pytest.approx(1)
    assert figure(made, "agreement", "Krippendorff's alpha, nominal", "both").value == pytest.approx(1)
    assert figure(made, "agreement", "repeats answered alike").value == 1
    shares = {f.of: f.value for f in made.section("outcomes") if f.name == "style"}
    assert shares["alpha"] == 1
    assert shares["beta"] < 0.7


def test_every_metric_is_named_with_its_coefficient_and_n(store):
    made = report(store, "abs", simulated=True)
    dino = [f for f in made.section("correlation") if f.of == "DINO (tiny-dino), subject"]
    assert {f.name for f in dino} == {
        "Pearson r",
        "r with infinitely many raters",
        "Spearman rho",
        "Kendall tau-b",
        "pairwise agreement",
        "AUC (majority)",
    }
    assert all(f.n == 30 and f.low <= f.value <= f.high for f in dino)
    clip = figure(made, "correlation", "Pearson r", "CLIP-I (tiny-clip), subject and style")
    assert (clip.value, clip.n) == (None, 30)
    assert "the same score" in clip.note
    compared = figure(made, "correlation", "difference of r", "MARS2 (scripted), style minus DINO (tiny-dino), style")
    assert compared.low > 0
    points = next(p for p in made.points if (p.metric, p.aspect) == ("mars2", "both"))
    assert points.people == points.scores
    assert len(points.labels) == 30


def test_a_metric_of_which_lower_is_better_agrees_with_people_where_it_is_low(grid, tmp_path):
    with Store(grid) as original:
        original.backup(tmp_path / "copy.db")
    add_scores(tmp_path / "copy.db", "rms-truth", "truth", lambda m, c, s, seed: -float(right(m, c, s, seed)[0]))
    add_scores(tmp_path / "copy.db", "brightness", "nobody's", lambda m, c, s, seed: -float(right(m, c, s, seed)[0]))
    with Store(tmp_path / "copy.db") as store:
        made = report(store, "ab", simulated=True)
    low = figure(made, "correlation", "Pearson r", "RMS to the truth (truth, lower is better)")
    high = figure(made, "correlation", "Pearson r", "brightness (nobody's)")
    assert low.value == pytest.approx(-high.value)
    assert low.low > 0
    low, high = ([p.scores for p in made.points if p.metric == name] for name in ("rms-truth", "brightness"))
    assert low == high and len(set(low[0])) > 1  # they are as they were measured


def test_a_score_counts_for_what_it_is_against_alone_and_revisions_have_names_of_their_own(grid, tmp_path):
    copy = tmp_path / "copy.db"
    with Store(grid) as original:
        original.backup(copy)
        before = report(original, "abs", simulated=True)
    add_scores(copy, "dino", "tiny-dino", lambda *_: 9.0, against="other references")  # the latest
    add_scores(copy, "rms-truth", "truth", lambda m, c, s, seed: float(seed + len(c)), against="another cell")
    with Store(copy) as store:
        after = report(store, "abs", simulated=True)
    refused = [one for one in after.figures if "RMS to the truth" in one.of]
    assert [one for one in after.figures if one not in refused] == list(before.figures)
    assert len(refused) == 3 and all(one.value is None and "another cell" in one.note for one in refused)
    for revision in ("one", "two"):
        add_scores(copy, "clip-i", "new", lambda m, c, s, seed, r=revision: seed + len(c) + len(r), revision=revision)
    add_verdicts(copy, lambda *_: True, "later")
    with Store(copy) as store, store.writing():
        store.db.execute("DELETE FROM verdicts WHERE key LIKE '%\"later\"%' AND aspect = 'style' AND key LIKE '%a%'")
    with Store(copy) as store:
        made = report(store, "abs", simulated=True)
    named = list(dict.fromkeys((points.metric, points.by) for points in made.points))
    clips = [("clip-i", "tiny-clip"), ("clip-i", "new, one"), ("clip-i", "new, two")]
    assert named[:2] == [("mars2", "scripted"), ("mars2", "later")] and set(clips) < set(named)
    compared = {one.of for one in made.figures if one.name == "difference of r" and one.of.endswith(", style")}
    judges = [f"MARS2 ({judge}), style" for judge in ("scripted", "later")]
    assert " minus ".join(judges) in compared
    for judge in judges:  # each against every metric
        assert {f"{judge} minus CLIP-I (new, {revision}), style" for revision in ("one", "two")} < compared


@pytest.mark.parametrize("name", ["ab", "abs"])
def test_a_report_that_crossed_as_json_is_the_same_and_leads_to_its_points(store, name):
    made = report(store, name, simulated=True)
    again = from_json(as_json(made))
    assert again == made
    for figure in again.section("correlation"):
        points = again.points_of(figure)
        if figure.name == "difference of r":
            assert points is None
        else:
            assert figure.of.startswith(f"{metric_title(points.metric)} ({points.by})")
            assert name == "ab" or figure.of.endswith(f", {ASPECT_TITLES[points.aspect]}")
    assert all(again.points_of(figure) is None for figure in again.section("study", "outcomes", "agreement"))


def test_mars2_is_refused_where_it_cannot_vary(store):
    made = report(store, "best", simulated=True)
    refused = figure(made, "correlation", "point-biserial r", "MARS2 (scripted), subject and style")
    assert refused.value is None
    assert "accepted by MARS2" in refused.note


def test_an_ab_report_has_the_papers_figure_7_and_the_differences(store):
    made = report(store, "ab", simulated=True)
    names = ["alpha better", "comparable", "beta better"]
    shares = [figure(made, "outcomes", name) for name in names]
    assert sum(f.value for f in shares) == pytest.approx(1)
    assert shares[0].value > shares[2].value
    assert figure(made, "outcomes", "preference").low > 0
    assert figure(made, "outcomes", "sign test p").value < 0.05
    assert figure(made, "model", "log odds of alpha").value > 0
    mars2 = figure(made, "correlation", "Pearson r", "MARS2")
    assert mars2.value > 0.5
    assert figure(made, "correlation", "pairwise agreement, without people's ties", "MARS2").value > 0.6
    assert figure(made, "study", "left").low < 0.5 < figure(made, "study", "left").high


def test_simulated_raters_and_people_are_never_mixed(store):
    with pytest.raises(StudyError, match=r"nobody has voted.*8 simulated raters, which --simulated"):
        report(store, "ab")
    session = open_study(store, "ab", "REAL")
    session.consent()
    while session.current():
        session.vote("right", 2, SCREEN)
    people, simulated = report(store, "ab"), report(store, "ab", simulated=True)
    assert figure(people, "study", "raters").value == 1
    assert figure(simulated, "study", "raters").value == 8
    assert all(SIMULATED in f.note for f in simulated.figures)
    assert not any(SIMULATED in f.note for f in people.figures)
    assert figure(people, "study", "left").value == 0
    assert figure(people, "model", "log odds of alpha").value == pytest.approx(0, abs=0.3)
    assert figure(people, "agreement", "Krippendorff's alpha, nominal").value is None
    rows = store.rows("SELECT code, simulated FROM study_raters WHERE study = 1 ORDER BY code")
    assert [row["simulated"] for row in rows] == [0] + [1] * 8


def test_the_judges_check_gets_people_alone(store):
    from judge.checks.human_labels import majorities, read_labels

    assert read_labels(store) == []
    session = open_study(store, "abs", "REAL")
    session.consent()
    while session.current():
        session.vote("style", 2, SCREEN)
    labels = read_labels(store)
    assert len(labels) == 2 * 30
    assert {label.rater for label in labels} == {"REAL"}
    assert {(aspect, yes) for (_, aspect), yes in majorities(labels).items()} == {("subject", False), ("style", True)}


def test_raters_who_fail_a_check_can_be_left_out(store):
    study = StudyStore(store).get("ab")
    for code, careful in (("CAREFUL", True), ("ASLEEP", False)):
        session = open_study(store, "ab", code)
        session.consent()
        while shown := session.current():
            answer = "left"
            trial = trials_of(study.design, code)[shown.number]
            if trial.item.number in study.checks:
                expected = study.origins[trial.item.number].expected
                sides = {"left": "right", "right": "left"} if trial.mirrored else {}
                good = sides.get(expected, expected)
                answer = good if careful else {"left": "right", "right": "left"}[good]
            session.vote(answer, 1, SCREEN)
    all_of_them, kept = report(store, "ab"), report(store, "ab", attentive=True)
    assert figure(all_of_them, "study", "attention checks passed").value == 0.5
    assert figure(all_of_them, "study", "raters").value == 2
    assert figure(kept, "study", "raters").value == 1


def test_simulations_follow_their_seed_and_are_added_up(store):
    with pytest.raises(StudyError, match="accepted are 1 to 10000"):
        simulate(store, "ab", 0, 1.0)
    before = [rater.code for rater in StudyStore(store).raters(StudyStore(store).get("ab"))]
    assert simulate(store, "ab", 2, 0.3) == ["SIM-0009", "SIM-0010"]
    assert before[-1] == "SIM-0008"


@pytest.mark.parametrize(("name", "answer"), [("ab", "left"), ("abs", "both")])
def test_a_few_votes_are_a_report_whose_intervals_say_why_they_are_not_there(store, name, answer):
    for code in ("ONE", "TWO"):
        session = open_study(store, name, code)
        session.consent()
        for _ in range(2):
            assert session.current()
            session.vote(answer, 1, SCREEN)
    made = report(store, name)
    assert [f for f in made.figures if f.section == "outcomes"]
    assert any(f.value is None and f.note for f in made.figures)


def test_a_study_that_was_tampered_with_is_refused(store):
    with store.writing():
        store.db.execute("UPDATE study_options SET picture = (SELECT min(digest) FROM study_pictures) WHERE number = 1")
    with pytest.raises(StudyError, match="was changed after it was drawn"):
        report(store, "ab", simulated=True)


@pytest.fixture
def run(store, monkeypatch):
    monkeypatch.setenv("LORARAR_DB", str(store.path))
    monkeypatch.setenv("COLUMNS", "120")

    def invoke(*arguments):
        return CliRunner().invoke(app, ["study", *map(str, arguments)])

    return invoke


def test_a_study_from_first_to_last_by_commands(run, tmp_path):
    mine = ("new", "mine", "--kind", "ab", "--methods", "alpha,beta", "--scenario", "best", "--json")
    few = run(*mine)  # which is said, and nothing is written
    assert (few.exit_code, "of 5 pairs alone" in few.stderr, "of 15: alpha 15, beta 5" in few.stderr) == (1, True, True)
    made = run(*mine, "--items", "5")
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert (said["kind"], said["scenario"], said["methods"]) == ("ab", "best", ["alpha", "beta"])
    assert [one["raters"] for one in said["power"]] == [5, 10, 25, 50]
    packet = tmp_path / "p.zip"
    assert run("export", "mine", "-o", packet).stdout.strip() == str(packet)
    session = open_packet(packet, "FAR")
    session.consent()
    while session.current():
        session.vote("left", 1, SCREEN)
    for new_votes in (session.progress.total, 0):
        done = run("import", tmp_path / "p-FAR.jsonl", "--json")
        assert json.loads(done.stdout)[0]["votes"] == new_votes
    assert "people: 1, finished: 1" in run("list").stdout
    assert run("simulate", "mine", "--raters", 3, "--noise", 0.5).exit_code == 0
    listed = {study["name"]: study for study in json.loads(run("list", "--json").stdout)}
    assert sum(rater["simulated"] for rater in listed["mine"]["raters"]) == 3
    for extra in ([], ["--simulated"]):
        table = run("report", "mine", *extra).stdout
        assert "alpha better" in table
        assert (SIMULATED in table) == bool(extra)
        rows = list(csv.DictReader(io.StringIO(run("report", "mine", "--format", "csv", *extra).stdout)))
        assert {row["raters"] for row in rows} == {"simulated" if extra else "people"}
        loaded = json.loads(run("report", "mine", "--format", "json", *extra).stdout)
        assert loaded["simulated"] == bool(extra)
        markdown = run("report", "mine", "--format", "markdown", *extra).stdout
        assert "### Study mine (plan tiny): outcomes" in markdown
        assert (SIMULATED in markdown) == bool(extra)
    assert run("delete-rater", "mine", "far", "--yes").exit_code == 0
    assert run("delete-rater", "mine", "--simulated", "--yes").exit_code == 0
    assert "people: 0" in run("list").stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["new", "x", "--kind", "pairs", "--methods", "alpha,beta"], "accepted are ab, absolute"),
        (["new", "x", "--kind", "ab", "--methods", "alpha,beta", "--scenario", "worst"], "accepted are random, best"),
        (["new", "ab", "--kind", "ab", "--methods", "alpha,beta"], "there is a study ab already"),
        (["new", "x", "--kind", "ab", "--methods", "\x1b[31m,[/b]"], "no pictures of"),
        (["new", "x", "--kind", "ab", "--methods", "alpha,beta", "--consent", "none.txt"], "cannot read none.txt"),
        (["report", "none"], "has no study 'none'; it has: ab, abs, best"),
        (["report", "ab", "--format", "pdf"], "accepted are table, json, csv, markdown"),
        (["report", "ab"], "nobody has voted"),
        (["import", "none.jsonl"], "cannot read none.jsonl"),
        (["delete-rater", "ab"], "name one rater's code"),
        (["delete-rater", "ab", "[/b]\x1b"], "has no rater"),
        (["simulate", "ab", "--raters", "1", "--noise", "inf"], "noise from 0"),
        (["run", "none.zip"], "not"),
    ],
)
def test_errors_are_one_clean_line(run, arguments, message):
    done = run(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr.replace("\x1b[31m", "", 0)
    assert done.stdout == ""


def test_words_can_be_ones_own(run, store, tmp_path):
    (tmp_path / "consent.txt").write_text("Agreed under protocol 7.\n")
    made = ["new", "x", "--kind", "ab", "--methods", "alpha,beta", "--consent", tmp_path / "consent.txt"]
    assert run(*made, "--tie", "Similar").exit_code == 0
    read = open_study(store, "x").introduction
    assert (read.consent, read.labels[1]) == ("Agreed under protocol 7.", "Similar")
    (tmp_path / "consent.txt").write_text("\x1b[31m")
    done = run(*["y" if word == "x" else word for word in made])
    assert "control codes" in done.stderr


def test_votes_on_small_pictures_are_counted(store):
    session = open_study(store, "ab")
    session.consent()
    while session.current():
        session.vote(
            "left",
            1,
            Screen("half", columns=40, rows=12, cell_width=10, cell_height=20, picture_width=20, picture_height=18),
        )
    assert figure(report(store, "ab"), "study", "small pictures").value == 15
    assert not SCREEN.too_small
    assert not Screen(
        "none", columns=80, rows=24, cell_width=0, cell_height=0, picture_width=0, picture_height=0
    ).too_small


def test_run_hands_the_app_a_session_and_says_how_to_go_on(run, store, monkeypatch):
    import sys
    from types import ModuleType

    given = []

    def voting(session, images):
        given.append((session.code, images))
        session.consent()
        session.vote("left", 1, SCREEN)

    monkeypatch.setitem(sys.modules, "tui", ModuleType("tui"))
    monkeypatch.setitem(sys.modules, "tui.voting", ModuleType("tui.voting"))
    sys.modules["tui.voting"].run = voting
    done = run("run", "ab", "--rater", "me-1", "--images", "half")
    assert (done.exit_code, given) == (0, [("ME-1", "half")])
    assert "1 of 21 answered; to go on, start again with --rater ME-1" in done.stderr
    packet = store.path.parent / "p.zip"
    run("export", "ab", "-o", packet)
    done = run("run", packet, "--rater", "you")
    assert done.stdout.strip() == str(packet.with_name("p-YOU.jsonl"))


def test_a_database_that_is_not_there_is_not_made(run, tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_DB", str(tmp_path / "none.db"))
    done = run("list")
    assert (done.exit_code, (tmp_path / "none.db").exists()) == (1, False)
    assert "does not exist" in done.stderr


def test_names_from_outside_cannot_steer_the_terminal(tmp_path, monkeypatch):
    evil = ("\x1b]52;c;aGk=\x07a", "[/b]\u202eb")
    path = make_database(tmp_path, methods=evil)
    monkeypatch.setenv("LORARAR_DB", str(path))
    with Store(path) as store:
        new_study(store, StudyRequest("x", "ab", evil, "random"))
        simulate(store, "x", 2, 1.0)
    for form in ("table", "json", "csv", "markdown"):
        done = CliRunner().invoke(app, ["study", "report", "x", "--simulated", "--format", form])
        assert done.exit_code == 0, done.output
        assert not {"\x1b]", "\x07", "\u202e"} & set(done.stdout)
        assert "\x1b]52" not in done.stdout
    done = CliRunner().invoke(app, ["study", "list"])
    assert "\x1b" not in done.stdout


def test_a_newer_schema_of_studies_is_refused_by_name(store):
    with store.writing():
        store.db.execute("UPDATE extensions SET applied = 99 WHERE owner = 'studies'")
    with pytest.raises(StoreError, match="studies schema 99"):
        StudyStore(store)
