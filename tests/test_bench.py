import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from lorarar.bench.plan import read_plan
from lorarar.bench.shipped_plans import shipped_plans
from lorarar.generation.picture import save
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.merge_files import merge_loras
from lorarar.merging.methods import METHODS
from lorarar.merging.recipe import Recipe
from lorarar.store import Store
from lorarar.util.errors import ImageError, MethodError, PlanError

from .bench_plan import TRAINED, pictures, run, write_plan
from .conftest import random_adapter


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    """A plan of 3 rows x 2 contents x 1 style x 3 seeds on the tiny base."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    return write_plan(tmp_path, tiny_folder)


def test_a_grid_is_computed_once_with_all_that_made_it(plan_file, tmp_path):
    plan_file.write_text(plan_file.read_text() + TRAINED)
    outcome = run(plan_file, tmp_path / "out")
    assert (outcome.cells, outcome.existing, outcome.generated, outcome.trained) == (30, 0, 30, 4)
    assert not outcome.failures
    again = run(plan_file, tmp_path / "out")
    assert (again.existing, again.generated, again.trained) == (30, 0, 0)
    with Store(tmp_path / "a.db") as store:
        rows = store.rows("""
            SELECT c.row, c.content, c.style, c.seed, m.method, i.prompt, i.path, i.adapter, i.merge
            FROM cells c JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge""")
        assert len(rows) == 30
        assert {row["prompt"] for row in rows} == {"a sks dog in glowing style"}
        assert {row["method"] for row in rows} == {"direct", "ziplora", "joint", "lorarar"}
        assert all(row["adapter"] for row in rows)


def test_merged_loras_can_be_let_go_but_not_what_was_trained(plan_file, tmp_path):
    plan_file.write_text("keep_loras = false\n" + plan_file.read_text().replace("seeds = 3", "seeds = 1") + TRAINED)
    run(plan_file, tmp_path / "out")
    left = {path.parent.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.safetensors")}
    assert left == {"trained/joint", "trained/ziplora"}


def test_a_cell_alone_is_the_cell_in_the_grid(plan_file, tmp_path):
    run(plan_file, tmp_path / "out")
    whole = pictures(tmp_path / "out" / "images")
    text = plan_file.read_text()
    plan_file.write_text(
        text[: text.index("[[methods]]")].replace("seeds = 3", "seeds = [2]")
        + '[[methods]]\nmethod = "lorarar"\nhypernet = "hypernet.safetensors"\n'
    )
    run(plan_file, tmp_path / "alone", "b.db")
    alone = pictures(tmp_path / "alone" / "images")
    assert len(alone) == 2
    assert all(whole[name] == data for name, data in alone.items())


def test_a_renamed_folder_of_loras_is_found_again_by_the_next_run_which_draws_nothing(plan_file, tmp_path):
    text = plan_file.read_text()
    text = text[: text.index("[[methods]]")].replace("seeds = 3", "seeds = 1") + '[[methods]]\nmethod = "direct"\n'
    plan_file.write_text(text)
    run(plan_file, tmp_path / "out")
    (tmp_path / "contents").rename(tmp_path / "renamed")
    plan_file.write_text(text.replace('"contents"', '"renamed"'))
    again = run(plan_file, tmp_path / "out")
    assert (again.generated, again.failures) == (0, [])
    with Store(tmp_path / "a.db") as store, store.reading() as database:
        kept = database.execute("SELECT path FROM adapters WHERE kind = 'content'").fetchall()
        contents = [path for (path,) in kept]
        assert sorted(contents) == ["renamed/c0.safetensors", "renamed/c1.safetensors"]
        assert all(store.paths.references(path) for path in contents)


@pytest.mark.parametrize("batch", [1, 2])
def test_missing_and_changed_pictures_alone_are_drawn_again_to_the_same_bytes(plan_file, tmp_path, batch):
    plan_file.write_text(plan_file.read_text().replace("batch = 1", f"batch = {batch}"))
    run(plan_file, tmp_path / "out")
    before = pictures(tmp_path / "out")
    next((tmp_path / "out/images/direct/c0--s0").glob("0-*.png")).unlink()
    next((tmp_path / "out/images/lorarar/c1--s0").glob("2-*.png")).write_bytes(b"broken")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    outcome = run(plan_file, tmp_path / "out")
    assert outcome.generated == (2 if batch == 1 else 3)
    assert pictures(tmp_path / "out") == before
    touched = [path for path, when in times.items() if path.exists() and path.stat().st_mtime_ns != when]
    assert len(touched) <= 2


def test_a_changed_plan_draws_what_is_new_alone(plan_file, tmp_path):
    run(plan_file, tmp_path / "out")
    plan_file.write_text(plan_file.read_text().replace("seeds = 3", "seeds = 4"))
    outcome = run(plan_file, tmp_path / "out")
    assert (outcome.cells, outcome.existing, outcome.generated, outcome.trained) == (24, 18, 6, 0)
    plan_file.write_text(plan_file.read_text().replace("weights = [0.5, 0.5]", "weights = [0.4, 0.6]"))
    assert run(plan_file, tmp_path / "out").generated == 8


def test_one_bad_pair_does_not_stop_the_others(plan_file, tmp_path, monkeypatch):
    from lorarar.util.errors import AdapterError

    def fails_once(recipe, content, style, *rest, real=merge_loras, **more):
        if content.stem == "c0" and recipe.method.name == "direct":
            raise AdapterError("broken on purpose")
        return real(recipe, content, style, *rest, **more)

    monkeypatch.setattr("lorarar.bench.adapters.merge_loras", fails_once)
    outcome = run(plan_file, tmp_path / "out")
    assert outcome.generated == 12
    assert outcome.failures == ["direct, c0--s0: broken on purpose", "average, c0--s0: broken on purpose"]
    monkeypatch.undo()
    assert run(plan_file, tmp_path / "out").generated == 6


def test_a_disk_that_cannot_be_written_stops_the_run_and_loses_nothing(plan_file, tmp_path, monkeypatch):
    def full(picture, folder, name, real=save):
        if (folder.parent.name, name[:2]) == ("average", "1-"):
            raise ImageError("cannot write it: No space left on device")
        return real(picture, folder, name)

    monkeypatch.setattr("lorarar.bench.drawing.save", full)
    with pytest.raises(ImageError, match="No space left"):
        run(plan_file, tmp_path / "out")
    monkeypatch.undo()
    outcome = run(plan_file, tmp_path / "out")
    assert (outcome.existing, outcome.generated) == (7, 11)


def test_sigkill_in_the_middle_redoes_nothing_misses_nothing_and_ends_in_the_same_bytes(plan_file, tmp_path, note):
    plan_file.write_text(plan_file.read_text() + TRAINED)
    run(plan_file, tmp_path / "whole", "whole.db")
    whole = pictures(tmp_path / "whole")
    command = [sys.executable, "-m", "lorarar", "bench", "run", str(plan_file), "-o", str(tmp_path / "broken")]
    command += ["--db", str(tmp_path / "broken.db")]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    done_at_kill = []
    for kill in range(3):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while len(list((tmp_path / "broken").rglob("*.png"))) < 4 + 9 * kill and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with Store(tmp_path / "broken.db") as store:
            done_at_kill.append({row["key"]: row["sha256"] for row in store.rows("SELECT key, sha256 FROM images")})
    outcome = run(plan_file, tmp_path / "broken", "broken.db")
    same = sum(whole.get(name) == data for name, data in pictures(tmp_path / "broken").items())
    finished = ", ".join(str(len(done)) for done in done_at_kill)
    note(f"killed with {finished} of 30 cells finished; {outcome.generated} drawn after, {same} of 30 byte-identical")
    assert outcome.existing == len(done_at_kill[-1])
    assert outcome.existing + outcome.generated == 30
    assert 0 < len(done_at_kill[0]) <= len(done_at_kill[1]) <= len(done_at_kill[2]) < 30
    assert pictures(tmp_path / "broken") == whole
    with Store(tmp_path / "broken.db") as store:
        assert store.rows("PRAGMA integrity_check")[0]["integrity_check"] == "ok"
        assert len(store.rows("SELECT path FROM images")) == 30


@pytest.mark.slow
def test_ctrl_c_ends_between_two_pictures(plan_file, tmp_path):
    command = [sys.executable, "-m", "lorarar", "bench", "run", str(plan_file), "-o", str(tmp_path / "out")]
    process = subprocess.Popen([*command, "--db", str(tmp_path / "a.db")], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("bench "):
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate()
    assert process.returncode == 130
    assert "what was finished is kept" in said
    drawn = len(pictures(tmp_path / "out"))
    assert 0 < drawn < 18
    assert run(plan_file, tmp_path / "out").existing == drawn


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits are set in a forked child")
def test_a_full_disk_is_one_line_and_the_next_run_goes_on(plan_file, tmp_path):
    plan_file.write_text(plan_file.read_text() + TRAINED)
    limit = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (60_000, 60_000)); import signal; "
    limit += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    arguments = ["bench", "run", str(plan_file), "-o", str(tmp_path / "out"), "--db", str(tmp_path / "a.db")]
    code = f"{limit}from lorarar.cli.main import app; app({arguments!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    outcome = run(plan_file, tmp_path / "out")
    assert outcome.existing + outcome.generated == 30
    assert not outcome.failures


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[contents]", 'title = "../../up"\n[contents]'), r"title: '../../up' is no title; accepted"),
        (("[contents]", 'title = ".hidden"\n[contents]'), r"title: '.hidden' is no title"),
        (("[contents]", 'title = "a\\\\b"\n[contents]'), r"title: .* is no title"),
        (("seeds = 3", "seeds = []"), r"pictures\.seeds"),
        (("seeds = 3", "seeds = [1, 1]"), "distinct"),
        (("seeds = 3", "seeds = [0, 18446744073709551616]"), "a number from 0 to 18446744073709551615"),
        (("seeds = 3", "seeds = 99999999999999999999"), "seeds are up to 100000"),
        (('method = "direct"\nname', 'method = "ziplora"\nseed = 9223372036854775808\nname'), r"methods\.1.*seed"),
        (("seeds = 3", "seeds = -1"), r"pictures\.seeds"),
        (("seeds = 3", "seeds = true"), "pictures: seeds can be neither true nor false, nor hold one"),
        (("seeds = 3", "seeds = [0, true]"), "pictures: seeds can be neither"),
        (("weights = [0.5, 0.5]", "weights = [true, 0.5]"), "weights is .* accepted"),
        (("steps = 2\nguidance", "steps = 0\nguidance"), r"pictures\.steps"),
        (("guidance = 2.0", "guidance = nan"), r"pictures\.guidance"),
        (
            ("guidance = 2.0", "gudance = 2.0"),
            r"pictures: \[pictures\] takes no gudance; it takes prompt, .*; did you mean guidance\?",
        ),
        (
            ('method = "direct"\nname', 'method = "magic"\nname'),
            r"methods\.1: unknown method 'magic'; accepted are joint",
        ),
        (('name = "average"', 'name = "../evil"'), r"methods\.1\.name"),
        (('name = "average"\n', ""), "two rows are named 'direct'"),
        (("weights = [0.5, 0.5]", "weights = [0.5]"), r"methods\.1"),
        (
            ("weights = [0.5, 0.5]", "density = 0.5"),
            "direct takes no density; it takes weights, rank, seed, blocks, balance$",
        ),
        (('method = "direct"\nname', 'method = "joint"\nratee = 1\nname'), "joint takes no ratee; it takes rank"),
        (('method = "direct"\nname', 'method = "ziplora"\nsteps = 0\nname'), r"methods\.1.*steps"),
        (('method = "direct"\nname', 'method = "joint"\nrate = -1\nname'), r"methods\.1.*rate"),
        (('folder = "contents"', 'folder = "nowhere"'), r"contents\.folder: .*nowhere is no folder"),
        (('hypernet = "hypernet.safetensors"', 'hypernet = "none.pth"'), r"none\.pth does not exist"),
        (('hypernet = "hypernet.safetensors"', 'hypernet = "none"'), r"none does not exist"),
        (("[pictures]", "[pictures"), "TOML"),
    ],
)
def test_a_bad_plan_says_where(plan_file, change, message):
    from lorarar.util.errors import LorarError

    text = plan_file.read_text()
    assert change[0] in text
    plan_file.write_text(text.replace(*change))
    with pytest.raises(LorarError, match=message) as caught:
        read_plan(plan_file)
    assert "\n" not in str(caught.value)


def test_shipped_plans_are_sound(tmp_path):
    assert shipped_plans() == [
        "constants",
        "demo",
        "half-held-out",
        "pocket",
        "quick",
        "sdxl",
        "training-pairs",
        "validation",
    ]
    plan = read_plan("pocket")
    names = [row.row_name for row in plan.methods]
    plain = ["joint", "direct", "constants", "dare", "ties", "dare-ties", "np-lora", "ziplora"]
    networks = ["lorarar", "ranks", "truth-ceiling"]
    assert names == [*plain, *(name for network in networks for name in (network, f"{network}-means"))]
    assert (len(plan.contents.names), len(plan.styles.names), len(plan.pictures.seeds)) == (5, 5, 10)
    read_plan("quick")
    read_plan("demo")
    pool = read_plan("training-pairs")
    assert (len(pool.contents.read()), len(pool.styles.read()), len(pool.methods)) == (20, 18, 6)
    with pytest.raises(PlanError, match=r"contents\.folder"):
        read_plan("sdxl")
    with pytest.raises(
        PlanError, match="shipped plan: constants, demo, half-held-out, pocket, quick, sdxl, training-pairs, validation"
    ):
        read_plan(tmp_path / "none.toml")


DETAIL = "detail.safetensors"


def with_more(plan_file, rows='[[methods]]\nmethod = "direct"\n[[methods]]\nmethod = "ties"\n'):
    """The plan with a third LoRA in every merge."""
    write_adapter(random_adapter(2, 30, strength=0.2), plan_file.parent / DETAIL, {})
    head = plan_file.read_text().partition("[[methods]]")[0]
    plan_file.write_text(f'more = ["{DETAIL}"]\n{head}{rows}')
    return plan_file


def test_further_loras_are_merged_with_every_pair_and_decide_its_pictures(plan_file, tmp_path):
    before = run(plan_file, tmp_path / "out").cells
    outcome = run(with_more(plan_file), tmp_path / "out")
    assert (before, outcome.failures, outcome.generated) == (18, [], 12)
    three = [plan_file.parent / name for name in ("contents/c0.safetensors", "styles/s0.safetensors", DETAIL)]
    merged = merge_loras(Recipe(METHODS["direct"], read_plan(plan_file).find_base(), loras=3), *three)
    with Store(tmp_path / "a.db") as store:
        assert store.rows("SELECT count(*) AS n FROM merge_inputs") == [{"n": 4}]
    there = [read_adapter(file) for file in (tmp_path / "out" / "loras" / "direct").glob("c0*")]
    [one] = [adapter for adapter in there if adapter.ranks == (6,)]
    assert all(torch.equal(one.layers[name].up, own.up) for name, own in merged.adapter.layers.items())
    assert run(plan_file, tmp_path / "out").generated == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('[[methods]]\nmethod = "ziplora"\n', "merges two LoRAs, a content and a style, and 3 are given"),
        ('[[methods]]\nmethod = "joint"\n', "joint is of two LoRAs; leave it out, or more"),
        ('[[methods]]\nmethod = "direct"\nweights = [1.0, 0.5]\n', "accepted are 3 finite numbers"),
    ],
)
def test_what_cannot_merge_further_loras_is_refused_with_the_plan(plan_file, rows, message):
    with pytest.raises((PlanError, MethodError), match=message):
        read_plan(with_more(plan_file, rows))
