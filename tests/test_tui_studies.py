"""The Study and the Agreement screens, on reports that the command line makes."""

import asyncio

import pytest
from typer.testing import CliRunner

from lorarar.store import Store
from lorarar.store.queries import Collection
from studies.creation.create import StudyRequest, new_study
from studies.figures import Figure, StudyReport
from studies.simulate import simulate
from tests.studies_database import PLAN, add_verdicts, make_database
from tests.tui_app import drive, screen_text, sees, until, words
from tui.catalog import Catalog
from tui.cli.main import app as command
from tui.screens.agreement import AgreementScreen
from tui.screens.study import StudyScreen
from tui.study_report_process import ReportError, report
from tui.widgets.scatter import Scatter
from tui.widgets.table import ViTable


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = make_database(tmp_path_factory.mktemp("grid"))
    add_verdicts(path, lambda method, subject, style, seed: (method == "alpha", seed != 1))
    with Store(path) as store:
        for kind, name in (("ab", "first"), ("absolute", "single")):
            new_study(store, StudyRequest(name, kind, ("alpha", "beta"), "random", items=8))
            simulate(store, name, 4, 0.5, 0)
    return path


def head(app):
    return words(app.screen.query_one("#head"))


def test_studies_are_listed_with_people_and_simulated_apart(database):
    rows = Catalog(database).studies()
    assert [(row["name"], row["kind"], row["methods"], row["people"], row["simulated"]) for row in rows] == [
        ("first", "ab", "alpha, beta", 0, 4),
        ("single", "absolute", "alpha, beta", 0, 4),
    ]


@pytest.mark.slow
def test_outcomes_show_and_simulated_raters_are_marked(database):
    async def script(app, pilot):
        await until(pilot, lambda: "nobody has voted" in head(app), 30)
        await pilot.press("t")
        table = app.screen.query_one(ViTable)
        await until(pilot, lambda: table.row_count > 5, 30)
        await sees(pilot, "SIMULATED RATERS, NOT PEOPLE")
        assert all("simulated" in str(table.get_row_at(row)[-1]) for row in range(table.row_count))
        await pilot.press("full_stop")
        await until(pilot, lambda: head(app).startswith("first") and "counting" not in head(app), 30)
        text = screen_text(app)
        assert "alpha against beta" in text and "sign test p" in text
        await pilot.press("comma")
        await until(pilot, lambda: table.row_count > 5, 30)
        await pilot.press("y")
        assert app.clipboard
        await pilot.press("v")

    async def go(app, pilot):
        assert isinstance(app.screen, StudyScreen)
        await script(app, pilot)
        return app

    assert drive(database, go, mode="study", size=(140, 40)).return_value == "single"


def test_a_study_of_another_collection_is_not_shown_but_counted(database, tmp_path):
    with Store(database) as store:
        store.backup(tmp_path / "grid.db")
    make_database(tmp_path, subjects=("cat",), styles=("oil",), collection=Collection("plan", "later"), day="z")

    async def script(app, pilot):
        await sees(pilot, "plan later", "No study of these pictures", "of other collections (c) there are 2")
        app.choose_collection(PLAN)
        await until(pilot, lambda: head(app).startswith("single"))

    drive(tmp_path / "grid.db", script, mode="study", size=(160, 40))


def test_another_study_or_other_raters_leave_nothing_of_the_last_report(database, monkeypatch):
    said, given = "people prefer alpha, in words that take " + "more room than three lines of a terminal, " * 6, []
    figures = (
        Figure("conclusion", "", "", said + "finally"),
        Figure("study", "", "kind", "A/B: which of two pictures is better"),
        Figure("outcomes", "alpha against beta", "preference", 0.5, 0.25, 0.75, note="of " * 20 + "all"),
    )

    async def fake(database, study, simulated):
        given.append((study, simulated))
        if len(given) > 1:
            await asyncio.sleep(3600)  # the report of the next study is on its way
        return StudyReport(study, "ab", simulated, figures, ())

    monkeypatch.setattr("tui.screens.reporting.report", fake)

    async def script(app, pilot):
        table = app.screen.query_one(ViTable)
        await until(pilot, lambda: table.row_count == 2)
        await sees(
            pilot, "finally", "A/B: which of two", "0.250 to 0.750"
        )  # no line is cut, and the row stands in full below
        assert max(len(str(cell)) for cell in table.get_column_at(2)) <= 20
        assert "A/B: which of two pictures is better" in app.screen.text_to_copy()
        await pilot.press("full_stop")
        await until(pilot, lambda: len(given) == 2 and "counting" in head(app))
        assert table.row_count == 0 and app.screen.text_to_copy() == ""

    drive(database, script, mode="study", size=(100, 40))


@pytest.mark.slow
def test_agreement_has_a_table_and_a_plot_that_follows(database):
    async def script(app, pilot):
        assert isinstance(app.screen, AgreementScreen)
        await pilot.press("t")
        table = app.screen.query_one(ViTable)
        await until(pilot, lambda: table.row_count > 3, 30)
        await sees(pilot, "MARS2 (scripted)", "point-biserial r")
        await until(pilot, lambda: app.screen.plotted is not None)
        assert app.screen.query_one(Scatter).plot.dots
        first = app.screen.plotted
        await pilot.press("G")
        await until(pilot, lambda: app.screen.plotted is not first)
        await sees(pilot, "people")

    drive(database, script, mode="agreement", size=(140, 40))


def test_without_a_study_the_screen_says_how_to_make_one(tmp_path):
    async def script(app, pilot):
        await until(pilot, lambda: "lorarar study new" in head(app))
        await pilot.press("full_stop", "t", "v", "5")
        await until(pilot, lambda: isinstance(app.screen, AgreementScreen) and "lorarar study new" in head(app))

    drive(make_database(tmp_path), script, mode="study")


def test_a_report_that_cannot_be_made_says_the_commands_reason(database):
    with pytest.raises(ReportError, match="no study"):
        asyncio.run(report(database, "nothing", False))


@pytest.mark.parametrize(
    ("words_", "message"),
    [
        (["--images", "ascii"], "accepted are auto, kitty"),
        (["--rater", "ABC"], "goes with --study"),
        (["--study", "first"], "does not exist"),
        (["--db", __file__], "not an SQLite database"),
    ],
)
def test_what_cannot_be_is_one_line(words_, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, words_)
    assert done.exit_code == 1 and message in done.stderr and done.stderr.count("\n") == 1


def test_the_command_says_its_options():
    done = CliRunner().invoke(command, ["--help"], env={"COLUMNS": "100"})
    for option in ("--db", "--images", "--study", "--rater"):
        assert option in done.stdout
