"""Whether a method works: which rows it has to beat, and what reports say of it beside them."""

import json
import random

import pytest

from judge import report as figures_of
from judge.metrics.scores import ScoreStore
from judge.metrics.stored_scores import score_keys
from judge.metrics.table import METRICS
from judge.pictures import JudgedTargets
from judge.reports.contests import contests_of, leans, row_makings
from judge.reports.gallery import write_gallery
from judge.reports.report import choose_judge, make_report
from judge.reports.tables import report_record, tables
from judge.targets import from_store
from judge.verdicts import VerdictStore
from lorarar.bench.plan import read_plan
from lorarar.bench.shipped_plans import shipped_plans
from lorarar.families import FAMILIES
from lorarar.merging.methods import METHODS
from lorarar.merging.methods.rivals import RowMakings, how_to_add, rows_of
from lorarar.store import Store
from lorarar.store.queries import Collection
from lorarar.util.statistics.crossed import Difference
from tests.studies_database import add_verdicts, make_database

OPTIONS = {"hypernet": "abc", "key_value": "mean", "seed": 0}
MEANS, CONSTANTS = METHODS["lorarar"].rivals
BEST = list(FAMILIES["pocket"].constants)


def made(method="lorarar", base="pocket", **options):
    return RowMakings(method, options, base)


NETWORK, ITS_MEANS = made(**OPTIONS), made(**OPTIONS, means=True, means_sha256="1")
BEST_CONSTANTS = made("direct", weights=BEST, seed=0)


@pytest.mark.parametrize(
    ("other", "is_rival"),
    [
        (ITS_MEANS, True),
        (NETWORK, False),
        (made(**OPTIONS | {"hypernet": "another"}, means=True), False),
        (made(**OPTIONS | {"key_value": "sum"}, means=True), False),
        (made(**OPTIONS, means=True, strengths=[1.2, 1.0]), False),
        (made(**OPTIONS | {"seed": 4}, means=True), True),
        (made(**OPTIONS, means=True, rank=8), False),
        (made(base="sdxl", **OPTIONS, means=True), False),
        (made("direct", weights=BEST, means=True), False),
    ],
)
def test_its_means_are_those_of_the_same_network_with_the_same_options(other, is_rival):
    assert NETWORK.has_rival(MEANS, other) == is_rival


@pytest.mark.parametrize(
    ("other", "is_rival"),
    [
        (BEST_CONSTANTS, True),
        (made("direct", weights=[0.3, 0.31], seed=0), False),
        (made("direct", weights=BEST, seed=0, rank=8), False),
        (made("ties", weights=BEST, seed=0, density=0.5), False),
    ],
)
def test_the_best_constants_are_those_that_the_family_names(other, is_rival):
    assert NETWORK.has_rival(CONSTANTS, other) == is_rival
    cut = RowMakings("lorarar", {**OPTIONS, "rank": 8}, "pocket")
    assert cut.has_rival(CONSTANTS, other) == (other.options.get("rank") == 8)


def test_where_the_best_are_not_known_all_constants_are_rivals():
    network = made(base="sdxl", **OPTIONS)
    rows = {f"d{k}": made("direct", "sdxl", weights=[k, 1.0], seed=0) for k in (1, 2)}
    assert network.is_beaten_by_all(CONSTANTS) and not NETWORK.is_beaten_by_all(CONSTANTS)
    assert rows_of(CONSTANTS, network, rows) == ["d1", "d2"]
    assert "what is best for base sdxl is not known" in how_to_add(CONSTANTS, network)


def test_rows_that_are_rivals_and_methods_without_any_have_nothing_to_beat():
    assert NETWORK.rivals == (MEANS, CONSTANTS)
    for row in (ITS_MEANS, BEST_CONSTANTS, made("ties"), made("gone-with-its-package")):
        assert row.rivals == ()


def test_what_a_plan_needs_is_what_a_plan_takes(tmp_path):
    wanted = how_to_add(MEANS, NETWORK), how_to_add(CONSTANTS, NETWORK)
    rows = "".join(
        f'[[methods]]\nname = "r{k}"\n{text.partition(": ")[2].replace(", ", chr(10), 1)}\n'
        for k, text in enumerate(wanted)
    )
    path = tmp_path / "plan.toml"
    path.write_text('base = "pocket"\n' + rows)
    plan = read_plan(path)
    assert [(row.method, dict(row.options)) for row in plan.methods] == [
        ("lorarar", {"means": True}),
        ("direct", {"weights": tuple(BEST)}),
    ]


@pytest.mark.parametrize("name", [name for name in shipped_plans() if name not in ("sdxl", "demo")])
def test_every_shipped_plan_with_a_network_has_what_it_must_beat(name):
    plan = read_plan(name)
    base = plan.find_base()
    merges = [row for row in plan.methods if row.merges and not row.trains]
    rows = {row.row_name: made(row.method, base.name, **row.recipe(base).resolved_options()) for row in merges}
    claimed = {name: row for name, row in rows.items() if row.rivals}
    networks = {name: {"lorarar"} for name in ("half-held-out", "quick", "validation")}
    networks["pocket"] = {"lorarar", "ranks", "truth-ceiling"}
    assert {*claimed} == networks.get(name, set())
    for row in claimed.values():
        assert all(rows_of(rival, row, rows) for rival in row.rivals)
    if name == "constants":
        assert BEST in [row.options["weights"] for row in rows.values()]


SUBJECTS, STYLES = "abcde", "vwxyz"
PAIRS = [(subject, style) for subject in SUBJECTS for style in STYLES]
ROWS = {"net": NETWORK, "means": ITS_MEANS, "best": BEST_CONSTANTS}


def shares(seed=0, **more):
    """Shares of correct pictures that differ by pair, alike for all rows but for what each has more, and some noise."""
    chance = random.Random(seed)
    of_pairs = {pair: 0.3 + 0.05 * (PAIRS.index(pair) % 5) for pair in PAIRS}
    return {
        row: {pair: value + by + chance.uniform(-0.02, 0.02) for pair, value in of_pairs.items()}
        for row, by in more.items()
    }


def contests(rows, values, metrics=(), prompts=None):
    asked = {row: {(pair, "a prompt") for pair in PAIRS} for row in rows}
    return contests_of(rows, asked | (prompts or {}), values, dict(metrics))


def test_it_works_where_it_beats_both_with_an_interval_that_leaves_zero_out():
    (one,) = contests(ROWS, shares(net=0.2, means=0.0, best=0.05))
    assert one.works is True
    assert one.sentence.startswith("net works: it is ahead of its means as constants (means) by 0.2")
    assert "and ahead of the best constants (best) by 0.15 (0.1" in one.sentence


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"net": 0.2, "means": 0.2, "best": 0.0},
            "not told apart from its means as constants (means), a difference of ",
        ),
        ({"net": 0.2, "means": 0.0, "best": 0.4}, "behind the best constants (best) by 0.2"),
        ({"net": 0.0, "means": 0.2, "best": 0.2}, "behind its means as constants (means) by 0.2"),
    ],
)
def test_it_is_not_shown_to_work_where_it_beats_one_alone_or_none(more, words):
    (one,) = contests(ROWS, shares(**more))
    assert one.works is False
    assert one.sentence.startswith("That net works is not shown: it is ")
    assert words in one.sentence


def test_what_is_missing_is_said_with_what_adds_it():
    (one,) = contests({"net": NETWORK, "best": BEST_CONSTANTS}, shares(net=0.2, best=0.0))
    assert one.works is None
    assert one.sentence.startswith("Whether net works cannot be said: no row of the table is its means as constants: ")
    assert 'method = "lorarar", means = true' in one.sentence
    (alone,) = contests({"net": NETWORK}, shares(net=0.2))
    assert alone.works is None and f'method = "direct", weights = {BEST}' in alone.sentence
    (behind,) = contests({"net": NETWORK, "best": BEST_CONSTANTS}, shares(net=0.0, best=0.3))
    assert (
        behind.works is False and "behind the best constants" in behind.sentence and "means = true" in behind.sentence
    )


def test_where_the_best_are_not_known_it_has_to_beat_two_rows_or_more():
    def of_sdxl(**constants):
        rows = {name: made("direct", "sdxl", weights=[1.0, k], seed=0) for k, name in enumerate(constants)}
        own = {"net": made(base="sdxl", **OPTIONS), "means": made(base="sdxl", **OPTIONS, means=True)}
        return contests(own | rows, shares(net=0.2, means=0.0, **constants))[0]

    assert of_sdxl(one=0.0).works is None
    assert of_sdxl(one=0.0, two=0.0).works is True
    assert of_sdxl(one=0.0, two=0.3).works is False


def test_of_many_networks_the_best_is_not_taken_for_one_that_works():
    noisy = {"means": 0.0, "best": 0.0, "net": 0.0}
    chance = random.Random(5)
    values = shares(**noisy)
    values["net"] = {pair: value + 0.14 + chance.uniform(-0.3, 0.3) for pair, value in values["means"].items()}
    (alone,) = contests(ROWS, values)
    assert alone.works is True and 0.003 < alone.p < 0.05
    others = {f"n{k}": made(**OPTIONS | {"hypernet": f"{k}"}) for k in range(16)}
    means = {f"m{k}": made(**OPTIONS | {"hypernet": f"{k}"}, means=True) for k in range(16)}
    level = shares(7, **dict.fromkeys((*others, *means), 0.0))
    many = contests(ROWS | others | means, values | level)
    first = next(one for one in many if one.method == "net")
    assert len(many) == 17 and first.is_ahead and first.works is False
    assert first.p == pytest.approx(min(1.0, 17 * alone.p))
    assert "but not when all such rows are allowed for (p " in first.sentence


def test_a_row_answers_to_rivals_of_its_own_prompt_alone():
    rows = {"net: a": NETWORK, "net: b": NETWORK, "means: a": ITS_MEANS, "best: a": BEST_CONSTANTS}
    asked = {row: {(pair, row[-1]) for pair in PAIRS} for row in rows}
    first, second = contests(rows, shares(**dict.fromkeys(rows, 0.0)), prompts=asked)
    assert [one.row for one in first.beside] == ["means: a", "best: a"]
    assert second.works is None and not second.beside and len(second.missing) == 2


def test_what_pleases_the_judge_alone_is_said():
    values = shares(net=0.2, means=0.0, best=0.0)
    worse = {row: {pair: 30 + 5 * (row == "net") + value for pair, value in of.items()} for row, of in values.items()}
    (one,) = contests(ROWS, values, {"rms-truth": worse})
    assert one.works is True
    assert "; but RMS to the truth is worse than means's by 5.2 (" in one.sentence
    nearer = {row: {pair: -value for pair, value in of.items()} for row, of in worse.items()}
    (two,) = contests(ROWS, values, {"rms-truth": nearer})
    assert "; RMS to the truth is better than means's by 5.2 (" in two.sentence and "but" not in two.sentence


def test_few_pairs_and_intervals_with_zero_lean_to_no_side():
    assert leans(None) == leans(Difference(1.0, None, None, None)) == leans(Difference(0.2, 0.1, 0.3, 0.125)) == 0
    assert leans(Difference(0.2, -0.1, 0.3, 0.01)) == 0
    assert leans(Difference(0.2, 0.1, 0.3, 0.01)) == 1 == -leans(Difference(-0.2, -0.3, -0.1, 0.01))


@pytest.fixture
def database(tmp_path):
    """A judged grid of a network that works by the judge and is further from the truth than what it beats."""
    path = make_database(tmp_path, methods=("net", "means", "best"))
    chance = random.Random(2)
    rate = {"net": 0.95, "means": 0.3, "best": 0.3}
    add_verdicts(path, lambda row, *_: chance.random() < rate[row], "pocket")
    with Store(path) as store:
        with store.writing():
            for row, of in ROWS.items():
                values = [of.method, json.dumps(of.options), row]
                store.db.execute("UPDATE merges SET method = ?, options = ? WHERE method = ?", values)
        metric, targets = METRICS["rms-truth"], from_store(store, "plan=tiny")
        record = json.dumps({"name": "the true pictures of pocket", "revision": "1"})
        with store.writing():
            for target, key in zip(targets, score_keys(metric, targets), strict=True):
                row = [key[0], metric.name, record, key[1], 30 + 4 * (target.row == "net") + chance.random(), "now"]
                store.db.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", row)
    return path


def test_reports_say_it_in_every_form(database, tmp_path, run):
    with Store(database) as store:
        targets = JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store))
        report = make_report(targets, choose_judge(targets), ScoreStore(store), "method")
        by_cell = make_report(targets, choose_judge(targets), ScoreStore(store), "cell")
        page = write_gallery(report, tmp_path / "gallery.html").read_text()
    (contest,) = report.contests
    assert contest.works is True and contest.line in report.lead and by_cell.contests == report.contests
    assert "but RMS to the truth is worse than means&#39;s by 4." in page
    table = next(table for table in tables(report) if table.title.startswith("Beside plain constants"))
    assert [row[:3] for row in table.rows] == [
        ["net", "its means as constants", "means"],
        ["net", "the best constants", "best"],
    ]
    assert table.head[-1] == "RMS to the truth, beyond it"
    (record,) = report_record(report)["contests"]
    assert record["works"] is True and [one["row"] for one in record["beside"]] == ["means", "best"]
    assert record["beside"][0]["metrics"]["rms-truth"]["value"] == pytest.approx(4, abs=0.5)
    for form in ("table", "markdown", "latex"):
        text = run("judge", "report", "--db", database, "--format", form).stdout
        assert "net works: it is ahead of its means as constants" in text and "Beside plain constants" in text
    rows = [one for one in figures_of(db=database) if one.method == "net" and "rival" in one.name]
    assert [(one.name, one.against) for one in rows] == [
        (name, row) for row in ("means", "best") for name in ("beyond_rival", "rms_truth_beyond_rival")
    ]
    (works,) = [one for one in figures_of(db=database) if one.name == "works"]
    assert (works.value, works.method) == (1.0, "net") and works.note.startswith("net works")


def test_the_app_says_the_same(database):
    from tui.catalog import Catalog
    from tui.views.method_figures import contests as of_snapshot

    with Store(database) as store:
        targets = JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store))
        report = make_report(targets, choose_judge(targets), ScoreStore(store), "method")
    catalog = Catalog(database)
    snapshot = catalog.snapshot()
    scores = catalog.scores(snapshot.pictures).by_metric
    shown = of_snapshot(snapshot, catalog.row_makings(snapshot.collection), scores)
    assert [one.record() for one in shown] == [one.record() for one in report.contests]
    assert catalog.row_makings(None) == {}


def test_of_a_row_that_was_made_in_several_ways_nothing_is_said(database):
    with Store(database) as store:
        with store.writing():
            store.db.execute("UPDATE merges SET options = '{}' WHERE id = (SELECT max(id) FROM merges)")
        with store.reading() as connection:
            assert [*row_makings(connection, Collection("plan", "tiny"))] == ["means", "net"]
        targets = JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store))
        (contest,) = make_report(targets, choose_judge(targets), ScoreStore(store), "method").contests
    assert contest.works is None and [*contest.missing] == ["the best constants"]
