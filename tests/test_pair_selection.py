"""Plans of a sample of their pairs: even, the same everywhere, and a larger one begins with a smaller."""

import shutil
from collections import Counter
from contextlib import nullcontext
from itertools import islice

import pytest
import torch

from lorarar.bench.pair_selection import even_order
from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.bench.truth_loss import LEVELS, truth_losses
from lorarar.families import find_base
from lorarar.store import Store
from lorarar.util.errors import PlanError

from .judged_plan import draw_pool
from .studies_database import add_verdicts
from .tui_app import drive, sees, words


def names(count, letter):
    return [f"{letter}{number}" for number in range(count)]


@pytest.mark.parametrize(("contents", "styles"), [(1, 1), (1, 5), (4, 4), (6, 4), (9, 6), (7, 5), (20, 18)])
def test_any_number_of_first_pairs_is_even_and_all_of_them_are_all(contents, styles):
    order = list(even_order(names(contents, "c"), names(styles, "s"), 0))
    assert len(order) == len({*order}) == contents * styles
    counts = Counter(range(contents)), Counter(range(styles))  # one more each, or who has none would not be there
    for pair in order:
        for side, place in zip(counts, pair, strict=True):
            side[place] += 1
            assert max(side.values()) - min(side.values()) <= 1


def test_names_and_seed_alone_decide_the_order():
    def pairs(contents, styles, seed=0):
        return [(contents[one], styles[two]) for one, two in islice(even_order(contents, styles, seed), 30)]

    contents, styles = names(12, "c"), names(12, "s")
    first = pairs(contents, styles)
    assert first == pairs(contents[::-1], sorted(styles, key=hash)) != pairs(contents, styles, seed=1)
    partners = {content: {style for one, style in first if one == content} for content in contents}
    assert len({frozenset(styles) for styles in partners.values()}) == 12


def sampled(file, pairs):
    file.write_text(file.read_text().replace("[pictures]", f"[pairs]\n{pairs}\n[pictures]", 1))
    return file


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("sample = 5", r"pairs\.sample: 2 contents and 2 styles have 4 pairs, which is less than 5"),
        ("sample = 0", r"pairs\.sample"),
        ("sample = true", r"pairs: sample can be neither true nor false"),
        ("seed = 1", r"pairs: seed is of a sample; accepted is sample = 1500 beside it"),
        ("count = 1", r"pairs: .*count"),
    ],
)
def test_what_no_sample_can_be_is_refused_when_the_plan_is_read(pool, pairs, message):
    with pytest.raises(PlanError, match=message):
        read_plan(sampled(pool, pairs))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, tiny_folder):
    return draw_pool(tmp_path_factory.mktemp("pool"), tiny_folder, "[pairs]\nsample = 3")


@pytest.fixture
def pool(tmp_path, drawn):
    shutil.copytree(drawn.parent, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "pool.toml"
    file.write_text(file.read_text().replace("[pairs]\nsample = 3\n", ""))
    return file


def test_a_larger_sample_draws_what_is_new_alone(pool):
    with Store(pool.parent / "pool.db") as store:
        shown = {(row["content"], row["style"]) for row in store.rows("SELECT * FROM cells")}
        assert len(shown) == 3
        again = run_plan(read_plan(pool), store, pool.parent / "out")
        assert (again.cells, again.existing, again.generated) == (16, 12, 4)
        less = run_plan(read_plan(sampled(pool, "sample = 2")), store, pool.parent / "out")
        assert (less.cells, less.generated) == (8, 0)
        assert {(row["content"], row["style"]) for row in store.rows("SELECT * FROM cells")} < shown


def test_reports_and_the_app_are_of_the_pairs_that_there_are(pool, run, monkeypatch):
    monkeypatch.chdir(pool.parent)
    add_verdicts("pool.db", lambda row, content, style, seed: row == "half")
    for by in ("method", "subject", "cell"):
        result = run("judge", "report", "--db", "pool.db", "--by", by, "--gallery", "page.html", "--chart", "a.svg")
        assert result.exit_code == 0, result.output

    async def look(app, pilot):
        await sees(pilot, "c0", "s1", "1.00")
        readouts = []
        for key in ("right", "down", "left", "up"):
            await pilot.press(key)
            readouts.append(words(app.screen.query_one("#readout")))
        return readouts

    readouts = drive(pool.parent / "pool.db", look)
    assert len({*readouts}) == 4 and sum("0 pictures" in text for text in readouts) == 1


def test_the_truth_loss_is_of_the_sample(tmp_path, monkeypatch):
    file, measured = tmp_path / "part.toml", []
    file.write_text(
        'base = "pocket"\n[contents]\nnames = ["clock", "can"]\n[styles]\nnames = ["oil-painting-1", "glowing"]\n'
        '[pairs]\nsample = 3\n[[methods]]\nmethod = "direct"\n'
    )

    class Measure:
        def __init__(self, studio, truths, prompt, on_pair):
            measured.append({*truths})

        def __call__(self, pairs):
            measured.append({(pair.content.name, pair.style.name) for pair in pairs})
            return {pair: torch.ones(LEVELS) for pair in measured[0]}

    monkeypatch.setattr("lorarar.bench.truth_loss.Studio", lambda base, device: nullcontext())
    monkeypatch.setattr("lorarar.bench.truth_loss._Measure", Measure)
    plan = read_plan(file)
    truth_losses(plan, find_base("pocket"), "cpu")
    chosen = {(one.name, two.name) for one, two in plan.pairs.of(plan.contents.read(), plan.styles.read())}
    assert measured == [chosen, chosen] and len(chosen) == 3
