"""``lorarar paper``: items are listed, made, resumed, and say what the report on the same pictures says."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judge.choice import PictureChoice
from judge.paper import footprint, grids, networks, new_concepts
from judge.paper import run as paper_run
from judge.paper.errors import PaperError
from judge.paper.footprint import MergeFootprint
from judge.paper.item import PaperItem
from judge.paper.items import check_1, new_splits, question_2, question_3, question_4, table_3, table_a3
from judge.paper.page import ResultsPage
from judge.paper.request import PaperRequest
from judge.paper.section import PaperFigure, PaperSection
from judge.paper.sentences import standing
from judge.paper.table import ITEMS
from judge.paper.work import PaperWork
from judge.published import PARTS
from judge.reports.request import ReportRequest, read_report
from judge.reports.tables import records
from lorarar.families import find_base
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.pocket.concepts import STYLES_BY_SLUG, SUBJECTS_BY_SLUG
from lorarar.pocket.zoo_truth import true_picture_of_loras
from lorarar.store import Store
from lorarar.training.makings import settings_of
from lorarar.util.statistics.crossed import Difference
from lorarar.util.tables import Table
from studies.cli.app import app as study_app
from studies.paper import check_2, figure_7, preferences, validation
from studies.paper.grid_studies import MARK, GridStudy
from studies.rater.names import study_name
from studies.store import StudyStore

from .paper_grid import run_paper, write_test_plan

OF_GRID = ["table-1", "table-2", "figure-5", "figure-9", "table-a2", "figure-a7"]
HEAVY = {"torch", "diffusers", "transformers", "matplotlib", "scipy", "sqlite_utils"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The items that are of the test grid alone, made on a tiny one: the folder, the database, and what was printed."""
    folder = tmp_path_factory.mktemp("paper")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids, "TEST", str(write_test_plan(folder)))
        patch.setattr(footprint, "measure", footprint.measure_here)  # no process of its own, whose start takes seconds
        patch.chdir(folder)
        first = run_paper(*OF_GRID, "-n", 10, "-o", "results", "--db", "a.db")
        with Store(folder / "a.db") as store:
            drawn = store.db["images"].count, store.db["verdicts"].count
        again = run_paper(*OF_GRID, "-n", 10, "-o", "results", "--db", "a.db", "--json")
        with Store(folder / "a.db") as store:
            assert (store.db["images"].count, store.db["verdicts"].count) == drawn
    assert first.exit_code == again.exit_code == 0, first.output + again.output
    return folder, first, again


def test_a_section_says_what_the_report_says_to_the_digit(made):
    folder, _, again = made
    report = read_report(ReportRequest(PictureChoice(folder / "a.db", "plan=tiny")))
    assert json.loads(again.stdout)["table-1"]["section"]["numbers"]["rows"] == json.loads(json.dumps(records(report)))


def test_every_section_has_its_figures_and_stands_on_the_page(made):
    folder, first, _ = made
    assert first.stdout.strip() == "results/results.md"
    page = (folder / "results" / "results.md").read_text()
    items = json.loads((folder / "results" / "results.json").read_text())["items"]
    assert list(items) == OF_GRID
    for name, record in items.items():
        assert f"## {record['section']['title']}" in page
        assert record["section"]["says"] and record["section"]["says_not"] and record["section"]["numbers"]
        assert record["section"]["figures"], name
        for figure in record["section"]["figures"]:
            assert (folder / "results" / figure["file"]).stat().st_size > 1000
            assert f"({figure['file']})" in page


def test_a_run_that_goes_on_draws_nothing_and_says_what_is_left(made):
    _, first, again = made
    assert "min left" in first.stderr
    assert "6 pictures, 6 drawn now or shared" in first.stderr
    assert "6 pictures, 0 drawn now or shared" in again.stderr


def test_items_are_listed_with_what_is_done(made, monkeypatch):
    folder, *_ = made
    monkeypatch.chdir(folder)
    listed = json.loads(run_paper("-o", "results", "--json").stdout)
    assert [row["item"] for row in listed] == list(ITEMS)
    done = {row["item"]: row["done"] for row in listed}
    assert done["table-1"]["seeds"] == 10 and done["table-1"]["base"] == "pocket"
    assert run_paper("-o", "results").stdout.count("10 seeds") == len(OF_GRID)


def test_the_list_needs_nothing_heavy(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom judge.cli.paper import _list\nfrom judge.paper.page import "
        f"ResultsPage\n_list(ResultsPage(Path({str(tmp_path)!r})), False)\nprint(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in done.stdout.split()} & HEAVY


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["table-11"], "no item 'table-11'; there are table-1"),
        (["all", "-o", "file"], "-o is file"),
        (["table-1", "-o", "other"], "holds no results of items"),
        (["table-1", "-o", "half"], "holds no results of items"),
        (["table-3", "-o", "words"], "words/results.md is no page of this command"),
        (["question-3", "table-1", "--hypernet", "file"], "table-1 is of the network that is shipped with pocket"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "results.json").write_text('{"items": [1]}')
    (tmp_path / "half").mkdir()  # what no run of this command leaves
    (tmp_path / "half" / "results.json").write_text(
        json.dumps({"items": {"x": {"section": PaperSection("X").record()}}})
    )
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "results.md").write_text("# My own results")
    result = run_paper(*arguments, "--db", "a.db")
    assert result.exit_code == 1
    assert (tmp_path / "words" / "results.md").read_text() == "# My own results"
    assert words in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_every_item_has_its_module():
    for item in ITEMS.values():
        module = item.load()
        assert callable(module.plans) and callable(module.section), item.name


def test_another_size_is_another_grid(tmp_path):
    sizes = [PaperRequest(tmp_path, **of) for of in ({"seeds": 10}, {}, {"quick": True})]
    plans = [grids.test_grid(size) for size in sizes]
    assert [plan.title for plan in plans] == ["pocket", "pocket-n4", "pocket-quick"]
    assert [len(plan.pictures.seeds) for plan in plans] == [10, 4, 1]
    assert [plan.contents.size * plan.styles.size for plan in plans] == [25, 25, 4]
    assert {row.options.steps for row in plans[2].methods if row.trains} == {2}


def test_a_smoke_test_of_own_folders_is_as_small(tmp_path):
    base = find_base("pocket")
    request = PaperRequest(tmp_path, contents=base.contents, styles=base.styles, quick=True)
    assert grids.test_grid(request).pair_count == 4
    assert grids.test_grid(replace(request, quick=False)).pair_count > 100


def test_what_was_measured_is_of_the_loras_and_the_network_wherever_they_lie(made, monkeypatch, tmp_path):
    work, measured = _work(made, monkeypatch, "table-2"), []

    def measure(plan, row):
        measured.append(row)
        return vars(MergeFootprint(1.0, 1.0, 1, 1, "a--b"))

    monkeypatch.setattr(footprint, "measure", measure)
    plan = grids.test_grid(work.request)
    network = made[0] / "other.safetensors"
    one, two = (Hypernetwork((16,), hidden=hidden) for hidden in (8, 16))
    for content in (one, two, two):
        write_hypernet(content, network)
        row = plan.methods[2].model_copy(update={"hypernet": str(network)})
        footprint.kept_footprint(work, plan, row)
    folder = shutil.copytree(plan.contents.folder, tmp_path / "elsewhere")
    moved, other = (
        plan.model_copy(update={"contents": plan.contents.model_copy(update=update)})
        for update in ({"folder": folder}, {"names": ("cat-2",)})
    )
    for same in (moved, other, other):
        footprint.kept_footprint(work, same, row)
    assert len(measured) == 3


def test_a_page_keeps_what_else_is_on_it_in_the_order_of_items(tmp_path):
    page, made = ResultsPage(tmp_path), {"base": "b", "seeds": 1, "quick": False, "day": "d", "version": "v"}
    made |= {"seconds": 1.0, "cores": 2}
    figure = PaperFigure("a.svg", "a | <b>")
    two = PaperSection("Two", tables=[Table("T", ["a"], [["1|2"]])], figures=[figure], numbers={"n": 1})
    page.put("two", two, made, ["one", "two"])
    page.put("one", PaperSection("One", ["by [you](http://x)"], says=["it holds"]), made, ["one", "two"])
    assert list(page.records()) == ["one", "two"]
    text = (tmp_path / "results.md").read_text()
    assert text.index("## One") < text.index("## Two")
    assert "a \\| &lt;b>" in text and "1\\|2" in text and "\\[you](http://x)" in text
    assert PaperSection.of_record(page.records()["two"]["section"]).markdown() == two.markdown()


def test_sentences_come_of_intervals_and_chances():
    differences = {
        "ties": Difference(0.05, 0.01, 0.09, 0.01),
        "dare": Difference(-0.2, -0.3, -0.1, 0.001),
        "direct": Difference(0.02, -0.03, 0.07, 0.4),
    }
    assert standing("lorarar", differences, "By MARS2") == [
        "By MARS2, lorarar is ahead of ties by 0.05 (0.01 to 0.09).",
        "By MARS2, lorarar is behind dare by 0.20 (0.10 to 0.30).",
        "By MARS2, lorarar is not told apart from direct, +0.02 (-0.03 to +0.07).",
    ]
    assert standing("lorarar", {"dare": differences["dare"]}, "By RMS", places=1, lower=True) == [
        "By RMS, lorarar is ahead of dare by 0.2 (0.1 to 0.3)."
    ]


def test_another_package_gives_an_item(monkeypatch, tmp_path):
    folder = tmp_path / "more-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: more\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[lorarar.paper_items]\nmine = tests.test_paper_items:MINE\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert ITEMS["mine"] is MINE


MINE = PaperItem("mine", "of mine", "Table 9", "nothing", 0.1, "tests.test_paper_items", order=1000)


@pytest.mark.parametrize("name", ["table-a3", "new-splits"])
def test_networks_that_are_not_there_are_asked_for(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(networks, "SHIPPED", tmp_path / "none")
    result = run_paper(name, "-o", "results", "--db", "a.db", "--json")
    assert result.exit_code == 0, result.output
    section = json.loads(result.stdout)[name]["section"]
    assert f"lorarar paper {name} --train" in section["paragraphs"][0]
    assert not section["figures"] and not section["says"]
    done = {row["item"]: row["done"] for row in json.loads(run_paper("-o", "results", "--json").stdout)}
    assert done[name] is None  # a section that says what it lacks answers nothing
    assert "seeds" not in run_paper("-o", "results").stdout


def test_the_network_of_every_row_of_the_test_grid_is_a_file():
    plan = grids.test_grid(PaperRequest(Path("x")))
    base = plan.find_base()
    networks_of = {row.row_name: footprint.network_of(row, base) for row in plan.methods if row.method == "lorarar"}
    assert {"lorarar", "ranks", "truth-ceiling-means"} <= networks_of.keys()
    assert all(file.is_file() for file in networks_of.values())
    assert networks_of["ranks"] == base.networks / "ranks-accepted.safetensors"


def test_a_mistake_in_one_item_does_not_end_the_others(tmp_path, monkeypatch):
    def mistaken(_work):
        raise KeyError("nobody thought of it")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(question_3, "section", mistaken)
    monkeypatch.setattr(check_1, "section", lambda _: PaperSection("made all the same"))
    result = run_paper("question-3", "check-1", "-o", "results", "--db", "a.db")
    assert result.exit_code == 1
    assert "question-3: a mistake in the program" in result.stderr and "nobody thought of it" in result.stderr
    assert "## made all the same" in Path("results/results.md").read_text()


def test_a_network_that_is_there_is_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "SHIPPED", tmp_path / "none")
    request = PaperRequest(tmp_path)
    file = tmp_path / "networks" / "parts-query-output.safetensors"
    (network,) = (one for one in table_a3.networks() if one.name == file.stem)
    file.parent.mkdir()
    _trained(file, network.options)
    (plan,) = table_a3.plans(request)
    assert [row.row_name for row in plan.methods] == ["query-output", "ties", "direct", "constants"]
    assert plan.methods[0].options["hypernet"] == file
    assert (plan.contents.size, plan.styles.size, len(plan.pictures.seeds)) == (5, 3, 4)


def test_a_network_of_another_recipe_is_left_out_and_said(tmp_path, monkeypatch, capsys):
    shipped, own = tmp_path / "shipped" / "a.safetensors", tmp_path / "networks" / "a.safetensors"
    monkeypatch.setattr(networks, "SHIPPED", shipped.parent)
    asked = networks.PaperNetwork("a", (), ())
    for file in (shipped, own):
        file.parent.mkdir()
        _trained(file, replace(networks.RECIPE, steps=networks.RECIPE.steps + 1))
    assert networks.ready([asked], PaperRequest(tmp_path)) == {"a": shipped}
    assert str(own) in capsys.readouterr().err
    _trained(own, networks.RECIPE)
    assert networks.ready([asked], PaperRequest(tmp_path)) == {"a": own}
    assert not capsys.readouterr().err


def _trained(file, options):
    """A network as a training with these options writes it."""
    write_hypernet(Hypernetwork((16,)), file, {"training": {"options": settings_of(options)}})


def test_all_choices_of_parts_have_a_figure_of_the_papers():
    choices = {frozenset(choice) for choice in table_a3.choices()}
    assert len(choices) == 15 and choices == {frozenset(parts) for parts in PARTS}


def test_splits_share_no_concept():
    for split in new_splits.splits():
        for trained, measured in zip(split.train, split.test, strict=True):
            assert trained and measured and not set(trained) & set(measured)


def test_another_base_is_counted_at_its_true_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(table_3, "sized_families", lambda: {"sdxl": "SDXL"})
    result = run_paper("table-3", "-o", "results", "--db", "a.db", "--quick", "--json")
    assert result.exit_code == 0, result.output
    sizes = json.loads(result.stdout)["table-3"]["section"]["numbers"]["sizes"]["sdxl"]
    assert round(sizes["hypernet"] / 1e6, 2) == 0.49 and round(sizes["coefficients"] / 1e6, 2) == 1.57  # the paper's
    assert sizes["layers"] == 560 and sizes["direct"] > 0


def test_new_concepts_are_drawn_with_their_truth(tmp_path):
    for group in new_concepts.groups_of(tmp_path, quick=True).values():
        group.paint()
        assert all(len(one.references) == 1 and one.references[0].is_file() for one in group.concepts)
    files = [tmp_path / "contents" / f"{name}.safetensors" for name in new_concepts.new_contents()]
    style = tmp_path / "styles" / "cyberpunk.safetensors"
    truths = [true_picture_of_loras(file, style) for file in files]
    assert len({truth.tobytes() for truth in truths}) == 3
    assert not {*new_concepts.new_contents(), *new_concepts.new_styles()} & {*SUBJECTS_BY_SLUG, *STYLES_BY_SLUG}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table-2", "new-concepts", "new-splits", "recontextualisation"])
def test_items_with_trainings_and_processes_of_their_own(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    result = run_paper(name, "-o", "results", "--db", "a.db", "--quick", "--train", "--json")
    assert result.exit_code == 0, result.output
    section = json.loads(result.stdout)[name]["section"]
    assert section["figures"] and section["says"] and section["says_not"] and section["numbers"]


def _work(made, monkeypatch, item):
    """An item at work on the grid that was made."""
    folder, *_ = made
    monkeypatch.setattr(grids, "TEST", str(folder / "tiny.toml"))
    return PaperWork(item, PaperRequest(folder / "results", db=folder / "a.db", seeds=10))


def _text(section):
    return json.dumps(section.record())


def test_preferences_are_of_simulated_raters_wherever_they_stand(made, monkeypatch):
    work = _work(made, monkeypatch, "figure-7")
    section = preferences.section(work)
    assert MARK in section.title and section.paragraphs[0].startswith(MARK)
    assert all(MARK in figure.caption for figure in section.figures) and MARK in section.tables[0].title
    assert section.says and all("Simulated raters, not people" in text for text in section.says)
    assert section.numbers["simulated"] is True
    assert any("has not both lorarar and ziplora" in text for text in section.paragraphs)
    assert "No study of lorarar and direct on pictures that MARS2 accepts" in _text(section)  # of two pairs
    shares = [one["value"] for one in section.numbers["studies"]["direct, random"] if one["section"] == "outcomes"][:3]
    assert sum(shares) == pytest.approx(1)
    with Store(made[0] / "a.db") as store:
        votes, raters = store.db["study_votes"].count, store.db["study_raters"].count
    assert preferences.section(work).numbers == section.numbers  # nobody votes twice
    with Store(made[0] / "a.db") as store:
        assert (store.db["study_votes"].count, store.db["study_raters"].count) == (votes, raters)
        assert {row["simulated"] for row in store.db["study_raters"].rows} == {1}
        assert MARK in StudyStore(store).get(_name(store, "tiny-figure-7-direct-random-")).design.wording.consent


def test_the_study_against_mars2_is_one_that_anybody_can_run(made, monkeypatch):
    section = validation.section(_work(made, monkeypatch, "check-2"))
    assert MARK in section.title and section.numbers["simulated"] is True
    assert "no person has voted" in _text(section)
    command = section.numbers["commands"][0]
    with Store(made[0] / "a.db") as store:
        name = _name(store, "tiny-check-2-")
    assert command.startswith(f"lorarar study new {name}-people --kind absolute --methods direct")
    done = CliRunner().invoke(study_app, [*shlex.split(command)[2:], "--db", str(made[0] / "a.db")])
    assert done.exit_code == 0, done.output


def _name(store, beginning):
    """The name of the one study that begins so."""
    (name,) = (name for name in StudyStore(store).names() if name.startswith(beginning))
    return name


def test_what_is_kept_is_made_once_and_again_where_it_is_damaged(tmp_path, capsys):
    work, made_of = PaperWork("table-2", PaperRequest(tmp_path)), []

    def make():
        made_of.append(1)
        return {"n": len(made_of)}

    assert [work.kept("a", {"x": 1}, make) for _ in range(2)] == [{"n": 1}] * 2
    assert work.kept("a", {"x": 2}, make) == {"n": 2}
    for file in (tmp_path / "kept" / "table-2").iterdir():
        file.write_text('{"n": ')
    assert [work.kept("a", {"x": 1}, make) for _ in range(2)] == [{"n": 3}] * 2
    assert "is damaged; it is made again" in capsys.readouterr().err
    (tmp_path / "kept" / "table-3").write_text("")
    with pytest.raises(PaperError, match="cannot be"):
        PaperWork("table-3", work.request).kept("a", {}, make)


def test_concepts_are_compared_over_the_same_pairs_or_not_at_all(made, monkeypatch):
    plan = grids.test_grid(_work(made, monkeypatch, "question-2").request)
    whole = {("a", "b"): 1.0, ("a", "c"): 0.0}
    figures = {name: {"lorarar": whole, "ties": whole} for name in question_2.MEASURES}
    question_2._check_whole(plan, figures)
    for lacking in ({"ties": {("a", "b"): 1.0}, "lorarar": whole}, {}):
        with pytest.raises(PaperError, match=r"of 2 pairs by .* have no figure of the difference to the true picture"):
            question_2._check_whole(plan, figures | {"rms-truth": lacking})


def test_studies_of_other_pictures_and_of_long_titles_have_names_of_their_own(made, monkeypatch):
    work = _work(made, monkeypatch, "figure-7")
    plan = grids.test_grid(work.request)
    report = work.report(plan)
    fewer = replace(report, pictures=report.pictures[1:])
    long = plan.model_copy(update={"title": "a base with a name of its own" * 4})
    names = []
    for seen, of in ((report, plan), (report, plan), (fewer, plan), (report, long)):
        monkeypatch.setattr(PaperWork, "report", lambda *_, seen=seen: seen)
        for scenario in ("random", "best"):
            names.append(GridStudy(f"figure-7-ziplora-{scenario}", "ab", ("a", "b"), scenario).of(work, of).name)
    assert names[:2] == names[2:4] and len({*names}) == 6
    assert all(study_name(f"{name}-people") for name in names)


def test_items_of_studies_have_their_modules():
    for item in (figure_7.ITEM, check_2.ITEM):
        module = item.load()
        assert callable(module.plans) and callable(module.section)


def test_the_check_of_the_judge_is_what_judge_check_says(made, monkeypatch):
    monkeypatch.setattr(question_4, "SAMPLE", 2)
    work = _work(made, monkeypatch, "question-4")
    section = question_4.section(work)
    check = section.numbers["check"]
    assert check["pictures"] == 2 and check["of"] == 6
    assert [one["text"] for one in check["findings"]] == [row[2] for row in section.tables[0].rows]
    changes = [name for name, _ in question_4._turned(check)]
    assert "other order, subject" in changes and any(name.startswith("wording ") for name in changes)
    assert f"wording {check['prompts'].split('-')[0]}" not in changes
    shares = section.numbers["turned"]
    agreement = {one["name"]: one["agreement"] for one in check["wording"]["templates"]}
    name = next(name for name in changes if name.startswith("wording ")).removeprefix("wording ")
    assert shares[f"wording {name}"]["value"] == pytest.approx(1 - agreement[name]["value"])
    monkeypatch.setattr(question_4, "check_judge", None)  # what is kept is not asked again
    assert question_4.section(work).numbers == section.numbers


@pytest.mark.slow
def test_two_processes_share_a_grid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(grids, "TEST", str(write_test_plan(tmp_path)))
    monkeypatch.setattr(paper_run, "WORTH", 0)
    result = run_paper("table-1", "-o", "results", "--db", "a.db", "--processes", 2)
    assert result.exit_code == 0, result.output
    assert "6 pictures, 6 drawn now or shared" in result.stderr
    with Store(tmp_path / "a.db") as store:
        assert store.db["images"].count == 6
