"""Plans, demos, blends and own folders are kept apart: by filters, refusals that teach, reports that say which."""

import json
import shutil

import pytest
from PIL import Image
from typer.testing import CliRunner

from judge import from_folders, from_store, mars2, mars2_by_method
from judge.critics import Critic
from judge.critics.preparation import Preparation
from judge.metrics.scores import ScoreStore
from judge.pictures import JudgedTargets
from judge.questions import PAPER, Reply
from judge.reports.report import choose_judge, make_report
from judge.runner import judge
from judge.targets import TargetError, present_targets
from judge.verdicts import VerdictStore
from lorarar.cli.main import app
from lorarar.imports.request import import_folder
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.filters import FilterError, PictureFilter
from lorarar.store.queries import Collection, cell_pictures
from tests.studies_database import add_verdicts, make_database


@pytest.fixture
def database(tmp_path):
    """A plan ``tiny`` of 72 pictures; a plan, a demo and a blend that show some of them too."""
    path = make_database(tmp_path)
    with Store(path) as store:
        for kind, name, row in (
            ("plan", "small", "alpha"),
            ("demo", "dog--oil", "alpha"),
            ("blend", "dog--oil", "beta"),
        ):
            number = store.collection_id(Collection(kind, name))
            with store.writing():
                store.db.execute(
                    "INSERT INTO cells SELECT ?, row, content, style, seed, image, created FROM cells c "
                    "WHERE row = ? AND content = 'dog' AND style = 'oil' AND collection <> ? GROUP BY seed",
                    [number, row, number],
                )
    return path


def chosen(path, text):
    with Store(path) as store, store.reading() as connection:
        return PictureFilter.parse(text).choose(cell_pictures(connection), path)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 75),
        ("plan=tiny", 72),
        (" plan = small ", 3),
        ("plan=tiny,plan=small", 75),
        ("demo=dog--oil", 3),
        ("blend=dog--oil,demo=dog--oil", 6),
        ("plan=tiny,row=alpha,style=oil", 12),
        ("plan=tiny,content=dog,content=cat", 36),
        ("seed=0", 25),
        ("row=beta", 36),
    ],
)
def test_a_filter_keeps_what_it_names(database, text, count):
    assert len(chosen(database, text)) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour=red", "accepted are parts like plan=quick,row=lorarar, of plan, demo, blend, import, row, content"),
        ("row", "accepted are parts like"),
        (
            "plan=none",
            r"has no plan=none; it has blend dog--oil \(3 pictures\), demo dog--oil \(3 pictures\), plan small",
        ),
        ("plan=tiny,row=gamma", "no row gamma among these pictures; there are alpha, beta"),
        ("style=oil,content=cow", "no content cow among these pictures; there are dog, can, cat, owl"),
        ("plan=tiny,seed=9", "no seed 9 among these pictures; there are 0, 1, 2"),
    ],
)
def test_what_a_filter_cannot_mean_is_said_with_what_there_is(database, text, message):
    with pytest.raises(FilterError, match=message):
        chosen(database, text)


def test_a_comma_in_a_name_is_part_of_it(database):
    with Store(database) as store, store.writing():
        store.db.execute("UPDATE collections SET name = 'a, b=c' WHERE name = 'small'")
    assert len(chosen(database, "plan=a, b=c,row=alpha")) == 3


def test_a_database_without_plans_lists_what_it_has(database):
    with Store(database) as store, store.writing():
        store.db.execute("DELETE FROM collections WHERE kind = 'plan'")
    with pytest.raises(
        FilterError, match=r"has no plan; it has blend dog--oil \(3 pictures\), demo .*--images blend=dog"
    ):
        chosen(database, "")


def test_a_databases_only_collection_needs_no_name(database):
    with Store(database) as store, store.writing():
        store.db.execute("DELETE FROM collections WHERE name <> 'dog--oil' OR kind <> 'demo'")
    assert {row.row for row in chosen(database, "")} == {"alpha"}
    assert len(chosen(database, "seed=1")) == 1


def run(*arguments):
    return CliRunner().invoke(app, ["judge", *arguments])


@pytest.mark.parametrize("command", [("report",), ("report", "--gallery", "g.html"), ("check",)])
def test_who_reads_several_plans_is_told_how_to_choose(database, command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    add_verdicts(database, lambda *_: True)
    result = run(*command, "--db", str(database))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "2 collections: plan small (3 pictures), plan tiny (72 pictures)" in result.stderr
    assert "choose one with --images plan=small" in result.stderr
    assert not (tmp_path / "g.html").exists()


def test_a_report_is_of_one_collection_and_says_which(database, tmp_path):
    add_verdicts(database, lambda method, content, *_: method == "alpha" and content == "dog")

    def report(where, *options):
        result = run("report", "--images", where, "--db", str(database), *options)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    averages = {}
    for where in ("plan=tiny", "plan=small", "demo=dog--oil", "blend=dog--oil"):
        data = json.loads(report(where, "--format", "json"))
        averages[data["collection"]] = {group["method"]: group["average"] for group in data["groups"]}
    assert averages == {
        "plan tiny": {"alpha": 0.25, "beta": 0.0},
        "plan small": {"alpha": 1.0},
        "demo dog--oil": {"alpha": 1.0},
        "blend dog--oil": {"beta": 0.0},
    }
    assert "MARS2 (Table 1): plan small" in report("plan=small")
    assert "plan small" in report("plan=small", "--format", "csv").splitlines()[1]
    page = tmp_path / "g.html"
    report("demo=dog--oil", "--gallery", str(page))
    assert "Pictures of <b>demo dog--oil</b>" in page.read_text()


def test_python_pools_no_collections_either(database):
    add_verdicts(database, lambda *_: True)
    with Store(database) as store:
        targets = JudgedTargets(from_store(store), VerdictStore(store))
        judge = choose_judge(targets)
        pictures = targets.pictures(judge)
        for figure in (
            lambda: mars2(pictures),
            lambda: mars2_by_method(pictures),
            lambda: make_report(targets, judge, ScoreStore(store), "method"),
        ):
            with pytest.raises(FilterError, match="2 collections: plan small"):
                figure()
        assert mars2(picture for picture in pictures if picture.target.collection.name == "small") == 1.0


# folders of one's own


@pytest.fixture
def own(tmp_path):
    """A database with the pictures of a folder ``made``, which were judged; its pictures of the cat are right."""
    for subject in ("cat", "dog"):
        for number in range(2):
            image = Image.new("RGB", (8, 6), (number, len(subject), ord(subject[0])))
            write_png(image, tmp_path / "made" / subject / "oil-2" / f"{number}.png")
        reference = Image.new("RGB", (8, 8), (9, 9, ord(subject[0])))
        write_png(reference, tmp_path / "given" / "subjects" / subject / "0.png")
    write_png(Image.new("RGB", (8, 8)), tmp_path / "given" / "styles" / "oil-2" / "0.png")
    make_database(tmp_path, subjects=("dog", "can"), styles=("oil",), seeds=1)
    made, given = tmp_path / "made", tmp_path / "given"
    with Store(tmp_path / "grid.db") as store:
        targets = from_folders(made, given)
        import_folder(store, made, given)
        judge(targets, Favours("cat"), PAPER, VerdictStore(store))
    return tmp_path


class Favours(Critic):
    """Says yes about pictures of one subject."""

    def __init__(self, subject):
        self.identity, self.preparation, self.subject = {"critic": "favours"}, Preparation(), subject

    def ask(self, questions):
        for index, question in enumerate(questions):
            yield index, Reply.from_probability(0.9 if f"/{self.subject}/" in str(question.test) else 0.1)


def figures_of(result):
    assert result.exit_code == 0, result.stderr
    data = json.loads(result.stdout)
    return data["collection"], [(group["images"], group["average"]) for group in data["groups"]]


def test_an_own_folder_is_a_collection_of_its_own(own, monkeypatch):
    monkeypatch.chdir(own)
    expected = ("import made", [(4, 0.5)])
    options = ("--db", "grid.db", "--format", "json")
    assert figures_of(run("report", "--generated", "made", "--references", "given", *options)) == expected
    for name in ("made", "./made", str(own / "made")):
        assert figures_of(run("report", "--images", f"import={name}", *options)) == expected
    with Store("grid.db") as store:
        rows = store.rows(
            "SELECT i.* FROM images i JOIN cells c ON c.image = i.id JOIN collections g ON g.id = c.collection "
            "WHERE g.kind = 'import' ORDER BY i.path"
        )
        assert [(row["width"], row["height"], row["base"], row["prompt"]) for row in rows] == [(8, 6, "", "")] * 4
        targets = from_store(store, "import=made")
    assert {(target.row, target.style_words, target.prompt) for target in targets} == {("pictures", "oil", "")}
    assert "have not been judged yet" in run("report", "--db", "grid.db").stderr  # the plan is another collection


def test_an_own_folder_is_kept_as_it_is_now_and_found_after_it_moved_with_its_database(own):
    (own / "made" / "cat" / "oil-2" / "0.png").unlink()
    with Store(own / "grid.db") as store:
        import_folder(store, own / "made", own / "given")
        assert len(from_store(store, "import=made")) == 3
        assert store.rows("SELECT count(*) AS n FROM images WHERE base = ''") == [{"n": 3}]
    moved = own.rename(own.with_name("moved"))
    with Store(moved / "grid.db") as store:
        targets = from_store(store, "import=made")
        assert present_targets(store, targets) == targets
        pictures = JudgedTargets(targets, VerdictStore(store))
        assert mars2(pictures.pictures(choose_judge(pictures))) == 0.5


def test_a_folder_that_is_judged_again_after_it_moved_with_its_database_is_the_same_collection(own, monkeypatch):
    moved = own.rename(own.with_name(f"{own.name}-moved"))
    link = own.with_name(f"{own.name}-link")
    link.symlink_to(moved)
    for place in (moved, link):
        with Store(place / "grid.db") as store:
            import_folder(store, place / "made", place / "given")
            assert store.rows("SELECT name FROM collections WHERE kind = 'import'") == [{"name": "made"}]
            assert len(from_store(store, f"import={place / 'made'}")) == 4
    monkeypatch.chdir(own.parent)
    with Store(moved / "grid.db") as store:
        shutil.copytree(moved / "made", moved / "more" / "made")
        import_folder(store, moved / "more/made", moved / "given")
        counts = {
            name: len(from_store(store, f"import={name}"))
            for name in ("made", "more/made", f"./{moved.name}/made", f"{moved.name}/more/made")
        }
        assert counts == dict.fromkeys(counts, 4)
        (moved / "more" / "made").rename(moved / "more" / "made-too")
        far = own.with_name(f"{own.name}-far")
        shutil.copytree(moved / "made", far / "made-too")
        for folder in (far / "made-too", moved / "more" / "made-too"):
            import_folder(store, folder, moved / "given")
        names = {row["name"] for row in store.rows("SELECT name FROM collections WHERE kind = 'import'")}
        assert names == {"made", "more/made", "more/made-too", str(far / "made-too")}
        assert len({target.collection for target in from_store(store, "import=made-too")}) == 2
    forget = ["db", "forget", "import", "--yes", "--db", f"{moved.name}/grid.db"]
    refused = CliRunner().invoke(app, [*forget, "made-too"])
    assert refused.exit_code == 1 and "several import 'made-too'" in refused.stderr
    assert CliRunner().invoke(app, [*forget, f"{far.name}/made-too"]).exit_code == 0


# what is not there


def test_pictures_that_are_gone_are_said_once_and_their_verdicts_still_count(database, capsys):
    add_verdicts(database, lambda method, *_: method == "alpha")
    with Store(database) as store:
        before = make_report_of(store)
        for path in sorted((database.parent / "images" / "alpha").rglob("*.png"))[:2]:
            path.unlink()
        assert make_report_of(store) == before
        targets = from_store(store, "plan=tiny")
        assert len(present_targets(store, targets)) == 70
    said = capsys.readouterr().err
    assert said.count("2 pictures are not there: ") == 1 and "0.png" in said and "; left out" in said
    shutil.rmtree(database.parent / "images")
    with Store(database) as store, pytest.raises(TargetError, match=r"72 pictures are not there: .* and 70 more"):
        present_targets(store, targets)


def make_report_of(store):
    targets = JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store))
    return [line.group for line in make_report(targets, choose_judge(targets), ScoreStore(store), "method").lines]


def test_a_picture_that_changed_is_another_picture_and_a_broken_one_is_left_to_the_critic(database, capsys):
    first, second = sorted((database.parent / "images" / "alpha").rglob("*.png"))[:2]
    write_png(Image.new("RGB", (16, 16), (1, 2, 3)), first)
    second.write_bytes(second.read_bytes()[:30])
    with Store(database) as store:
        present = present_targets(store, from_store(store, "plan=tiny"))
    assert (len(present), second in {target.image for target in present}) == (71, True)
    assert "1 picture has changed since it was made" in capsys.readouterr().err


def test_a_lora_without_references_stops_no_other(database, capsys):
    shutil.rmtree(database.parent / "loras" / "oil")
    with Store(database) as store:
        targets = from_store(store, "plan=tiny")
        assert {target.style for target in targets} == {"glowing", "sticker"}
        assert "24 pictures are left out: no references are in " in capsys.readouterr().err
        shutil.rmtree(database.parent / "loras")
        with pytest.raises(TargetError, match=r"no references, which should be in .*loras/can, "):
            from_store(store, "plan=tiny")


def test_a_run_in_which_nothing_is_there_ends_with_1_and_writes_no_verdict(database):
    shutil.rmtree(database.parent / "images")
    result = run("run", "--images", "plan=tiny", "--db", str(database))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "72 pictures are not there" in result.stderr
    with Store(database) as store:
        VerdictStore(store)
        assert store.rows("SELECT count(*) AS n FROM verdicts") == [{"n": 0}]


def test_a_report_says_truly_why_it_has_no_verdicts(database):
    with Store(database) as store:
        verdicts = VerdictStore(store)
        targets = JudgedTargets(from_store(store, "plan=tiny"), verdicts)
        with pytest.raises(Exception, match="has no verdicts; judge first"):
            choose_judge(targets)
    add_verdicts(database, lambda *_: True)
    with Store(database) as store:
        with store.writing():
            store.db.execute("UPDATE verdicts SET status = 'failed', verdict = NULL, reason = 'the server answers 401'")
        with pytest.raises(Exception, match=r"all 216 questions .* failed .*mostly: the server answers 401"):
            choose_judge(JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store)))
        with store.writing():
            store.db.execute("UPDATE verdicts SET image = 'another'")
        with pytest.raises(Exception, match="these 72 pictures have not been judged yet by 1: scripted"):
            choose_judge(JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store)))


def test_where_things_were_looked_for_is_said(database, monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with Store(database) as store:
        with store.writing():
            store.db.execute("UPDATE images SET path = 'gone/' || id || '.png'")
        looked = rf"gone/1\.png, .* and 70 more \(looked for in {tmp_path}, {tmp_path / 'elsewhere'}, "
        with pytest.raises(TargetError, match=looked):
            present_targets(store, from_store(store, "plan=tiny"))
