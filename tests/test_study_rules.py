"""What is fixed before voting: rules that are kept with the study, that raters never see and that refuse nonsense."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.pictures.images import read_image, write_png
from lorarar.store import Store
from lorarar.util.files import sha256_of
from studies.creation.candidates import subject_classes
from studies.creation.create import StudyRequest, new_study
from studies.errors import StudyError
from studies.rater.blind_pictures import blind_reference, png_digest
from studies.rater.packet_format import read_manifest, write_manifest
from studies.rater.trials import trials_of
from studies.rater.votes import Screen
from studies.reports.report import make_report
from studies.rules import Drawing, StudyRules
from studies.sessions import open_study
from studies.store import StudyStore

from .studies_database import SEEDS, STYLES, SUBJECTS, add_verdicts, make_database

SCREEN = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)

RULES = StudyRules(
    most_failed_checks=1,
    least_seconds=1.5,
    least_repeats_alike=0.5,
    exclude_small_pictures=True,
    finished_only=True,
    margin=0.5,
    primary="comparable",
)
FLAGS = (
    *("--most-failed-checks", "1", "--least-seconds", "1.5", "--least-repeats-alike", "0.5", "--margin", "0.5"),
    *("--exclude-small-pictures", "--finished-only", "--primary", "comparable"),
)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("grid"))


@pytest.fixture
def database(grid, tmp_path):
    with Store(grid) as original:
        original.backup(tmp_path / "copy.db")
    return tmp_path / "copy.db"


@pytest.fixture
def store(database):
    with Store(database) as opened:
        yield opened


def request(name="first", kind="ab", methods=("alpha", "beta"), scenario="random", **more):
    return StudyRequest(name, kind, methods, scenario, **more)


def study(database, *arguments):
    result = CliRunner().invoke(app, ["study", *arguments, "--db", str(database)])
    assert result.exit_code == 0, result.output
    return result


def test_rules_are_kept_with_the_study_and_raters_see_nothing_of_them(store):
    ruled = new_study(store, request(rules=RULES))
    assert ruled.rules == RULES
    assert StudyStore(store).get("first") == ruled
    with pytest.raises(StudyError, match="this is the study first again"):
        new_study(store, request("second"))  # the digest, by which votes are known, knows no rules


def test_rules_are_given_as_flags_and_listed(database):
    said = json.loads(
        study(database, "new", "first", "--kind", "ab", "--methods", "alpha,beta", *FLAGS, "--json").stdout
    )
    (listed,) = json.loads(study(database, "list", "--json").stdout)
    assert said["rules"] == listed["rules"] == RULES.record()
    assert listed["drawing"] == Drawing(pairs=12).record()


@pytest.mark.parametrize(
    ("kind", "methods", "scenario", "primary"),
    [("ab", ("alpha", "beta"), "random", "preference"), ("absolute", ("alpha",), "random", "mars2")],
)
def test_every_new_study_names_a_primary_figure(store, kind, methods, scenario, primary):
    assert new_study(store, request("named", kind, methods, scenario)).rules.primary == primary


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"most_failed_checks": -1}, "--most-failed-checks is -1; accepted are 0 to 1000"),
        ({"least_seconds": float("nan")}, "--least-seconds is nan"),
        ({"least_repeats_alike": 1.5}, "accepted are 0 to 1"),
        ({"margin": 1.0}, "a share between 0 and 1"),
        ({"margin": -0.1}, "--margin is -0.1"),
        ({"primary": "luck"}, "'luck'; accepted here are preference, comparable, mars2"),
        ({"primary": "shown"}, "accepted here are preference"),
    ],
)
def test_rules_that_make_no_sense_are_refused_before_anything_is_written(store, wish, message):
    with pytest.raises(StudyError, match=message):
        new_study(store, request(rules=StudyRules(**wish)))
    assert StudyStore(store).names() == []


def test_a_margin_is_for_two_methods(store):
    with pytest.raises(StudyError, match="--margin is for ab studies"):
        new_study(store, request("one", "absolute", ("alpha",), rules=StudyRules(margin=0.5)))


def test_rules_in_words():
    assert StudyRules().words == ["primary figure not named", "nobody is left out"]
    assert "raters who fail more than 1 of the attention checks" in RULES.exclusions
    assert StudyRules(most_failed_checks=0).exclusions == ["raters who fail an attention check"]
    assert "raters whose median answer takes less than 1.5 s" in RULES.exclusions
    assert len(RULES.exclusions) == 5


def make_same(store, method, other, cells, bytes_alike=True):
    """Give a method the other's pictures of these subjects, styles and seeds: the same bytes, or the same pixels."""
    with store.writing():
        for subject, style, seed in cells:
            one, two = (
                store.rows(
                    """SELECT i.id, i.path, i.sha256 FROM cells c JOIN images i ON i.id = c.image
                    WHERE (c.row, c.content, c.style, c.seed) = (?, ?, ?, ?)""",
                    *(row, subject, style, seed),
                )[0]
                for row in (method, other)
            )
            file = store.path.parent / f"{method}-{subject}-{style}-{seed}.png"
            if bytes_alike:
                file.write_bytes(store.paths.find(two["path"]).read_bytes())
            else:
                write_png(read_image(store.paths.find(two["path"])), file, {"method": method})
            assert (sha256_of(file) == two["sha256"]) == bytes_alike
            store.db.execute(
                "UPDATE images SET path = ?, sha256 = ? WHERE id = ?", [str(file), sha256_of(file), one["id"]]
            )


PAIRS = [(subject, style) for subject in SUBJECTS for style in STYLES]


@pytest.mark.parametrize("bytes_alike", [True, False])
def test_pictures_that_look_the_same_are_left_out_and_counted(store, bytes_alike):
    same = PAIRS[:5]
    make_same(store, "beta", "alpha", [(*pair, seed) for pair in same for seed in range(SEEDS)], bytes_alike)
    drawn = new_study(store, request(rules=StudyRules(pairing="seed")))
    assert (drawn.item_count, drawn.drawing.identical) == (7, 5 * SEEDS)
    assert {(o.subject, o.style) for o in drawn.origins if o.sources[0].method} == set(PAIRS) - set(same)
    assert len({d for item in drawn.design.items for d in item.pictures}) == len(drawn.design.pictures)
    (kept,) = store.rows("SELECT count(*) AS n FROM study_pictures")
    assert kept["n"] == len(drawn.design.pictures)  # what was looked at and left out is not stored


def test_another_seed_stands_in_where_pictures_are_the_same(store):
    make_same(store, "beta", "alpha", [(*pair, seed) for pair in PAIRS for seed in (0, 1)])
    drawn = new_study(store, request(rules=StudyRules(pairing="seed")))
    assert drawn.item_count == 12
    assert seeds_of(store, drawn) == [(2, 2)] * 12
    with pytest.raises(StudyError, match="13 items; accepted are 1 to 12"):
        new_study(store, request("more", items=13, rules=StudyRules(pairing="seed")))


def test_where_all_is_the_same_nothing_can_be_preferred(store):
    make_same(store, "beta", "alpha", [(*pair, seed) for pair in PAIRS for seed in range(SEEDS)])
    with pytest.raises(StudyError, match="are the same: there is nothing to prefer"):
        new_study(store, request(rules=StudyRules(pairing="seed")))
    assert StudyStore(store).names() == []


def seeds_of(store, drawn):
    seed = {row["sha256"]: row["seed"] for row in store.rows("SELECT sha256, seed FROM images")}
    return [tuple(seed[source.image] for source in o.sources) for o in drawn.origins if o.sources[0].method]


def test_pictures_of_one_seed_are_compared_where_both_have_it(store):
    apart = new_study(store, request("apart", items=36))
    assert any(len(set(seeds)) == 2 for seeds in seeds_of(store, apart)) and apart.drawing.unpaired == 0
    paired = new_study(store, request("paired", items=36, rules=StudyRules(pairing="seed")))
    assert all(len(set(seeds)) == 1 for seeds in seeds_of(store, paired)) and paired.drawing.unpaired == 0
    with store.writing():  # alpha's seeds of one pair are 2, 3 and 4: one of three goes with beta's 0, 1 and 2
        for seed in (2, 1, 0):
            store.db.execute(
                """UPDATE cells SET seed = seed + 2
                WHERE row = 'alpha' AND content = 'cat' AND style = 'oil' AND seed = ?""",
                [seed],
            )
    shifted = new_study(store, request("shifted", items=36, rules=StudyRules(pairing="seed")))
    assert shifted.drawing.unpaired == 2
    with pytest.raises(StudyError, match="--pairing is for ab studies"):
        new_study(store, request("one", "absolute", ("alpha",), rules=StudyRules(pairing="seed")))


def test_too_few_pairs_are_refused_unless_they_are_asked_for(store):
    accepted = {("cat", "oil", 0), ("dog", "oil", 1), ("owl", "oil", 2)}
    add_verdicts(store.path, lambda method, *cell: method == "alpha" or cell in accepted)
    with pytest.raises(
        StudyError, match=r"alpha and beta can be shown of 3 pairs alone.*of 12: alpha 12, beta 3.*--items 3"
    ):
        new_study(store, request(scenario="best"))
    assert StudyStore(store).names() == []
    assert new_study(store, request(scenario="best", items=3)).item_count == 3


def test_what_is_said_of_a_small_study_is_english(database):
    said = study(database, "new", "one", "--kind", "ab", "--methods", "alpha,beta", "--items", "1").stderr
    assert "1 item over 1 of 12 subject-style pairs" in said and "some 1 minute\n" in said
    assert "Of fewer than 6 pairs nothing can be told from chance" in said


def test_what_was_left_out_or_not_paired_is_said(store, database):
    make_same(store, "beta", "alpha", [(*pair, seed) for pair in PAIRS[:2] for seed in range(SEEDS)])
    with store.writing():  # one pair's seeds of alpha are 7, 8 and 9
        store.db.execute(
            "UPDATE cells SET seed = seed + 7 WHERE row = 'alpha' AND content = ? AND style = ?", list(PAIRS[-1])
        )
    new = ("new", "some", "--kind", "ab", "--methods", "alpha,beta", "--pairing", "seed")
    said = study(database, *new).stderr
    assert "6 comparisons left out: both pictures are the same" in said
    assert "10 items over 10 of 12 subject-style pairs" in said
    assert "of one seed are compared, but for 1 item, which found none in common" in said


def checks(drawn):
    return [
        (item, origin)
        for item, origin in zip(drawn.design.items, drawn.origins, strict=True)
        if item.number in drawn.checks
    ]


@pytest.mark.parametrize("kind", ["ab", "absolute"])
def test_a_check_shows_another_subject_of_another_class_and_has_another_answer_than_the_next(tmp_path, kind):
    subjects = ("cat", "cat-2", "dog", "my dog's house", "owl", "red cat")
    with Store(make_database(tmp_path, subjects=subjects, seeds=1)) as store:
        drawn = new_study(store, request("all", kind, items=18, attention=18))
        names = {picture_digest(tmp_path, name): name for name in subjects}
        answers = []
        for item, origin in checks(drawn):
            answers.append(origin.expected)
            others = {names[digest] for digest in item.options} - {origin.subject}
            assert not any(set(words(origin.subject)) & set(words(other)) for other in others)
        assert answers == (["left", "right"] if kind == "ab" else ["both", "neither"]) * 9


def words(name):
    return name.replace("-", " ").replace("'", " ").split()


def picture_digest(folder, name, which=1):
    return png_digest(blind_reference(folder / "loras" / name / f"{which}.png"))


def test_two_cats_or_one_picture_of_two_subjects_are_no_check(tmp_path):
    subjects = ("cat", "cat-2")
    with Store(make_database(tmp_path, subjects=subjects)) as store:
        drawn = new_study(store, request("cats"))
        assert not drawn.checks and drawn.item_count == 6
        with pytest.raises(StudyError, match="1 attention checks; accepted are 0 to 0"):
            new_study(store, request("more", attention=1, seed=1))
    (tmp_path / "other").mkdir()
    with Store(make_database(tmp_path / "other", subjects=("dog", "owl"))) as store:
        for reference in (tmp_path / "other" / "loras" / "owl").glob("*.png"):
            reference.write_bytes((tmp_path / "other" / "loras" / "dog" / "1.png").read_bytes())
        assert not new_study(store, request("same")).checks


def test_the_class_of_a_subject_is_in_its_name_and_its_prompt():
    assert subject_classes("rex", "a dog in oil style") & subject_classes("dog-8", "")
    assert subject_classes("backpack_dog", "") & subject_classes("dog2", "")
    assert not subject_classes("cat", "a cat in oil") & subject_classes("dog", "a dog in oil")


def test_no_packet_names_its_checks_and_those_of_before_still_read(store):
    drawn = new_study(store, request())
    assert {row[0] for row in drawn.design.record()["items"]} == {"practice", "plain"}
    assert len(drawn.checks) == 2
    before = replace(
        drawn.design,
        items=tuple(replace(i, purpose="attention") if i.number in drawn.checks else i for i in drawn.design.items),
    )
    assert read_manifest(write_manifest(before)) == before
    assert replace(drawn, design=before).checks == drawn.checks
    assert sum(trial.purpose == "attention" for trial in trials_of(before, "ABC")) == 2


def test_votes_on_checks_are_kept_as_such(store):
    drawn = new_study(store, request())
    session = open_study(store, "first", "ABC")
    session.consent()
    while session.current():
        session.vote("left", 1, SCREEN)
    rows = store.rows("SELECT item, purpose FROM study_votes WHERE purpose = 'attention'")
    assert {row["item"] for row in rows} == drawn.checks
    figures = make_report(store, "first").section("study")
    (passed,) = [figure for figure in figures if figure.name == "attention checks passed"]
    assert 0 < passed.value < 1  # whoever always presses one key fails a check
