"""The best setting of a pair, searched by judged pictures: ``lorarar tune``."""

import json
import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import optuna
import pytest

from judge.judges import Judges
from judge.tuning.budget import Budget
from judge.tuning.comparisons import Comparison, strengths
from judge.tuning.confirmation import confirm, front_runners, of_seeds
from judge.tuning.errors import TuningError
from judge.tuning.goals.chances import chance_of_majority
from judge.tuning.goals.pairwise import PairwiseReferee
from judge.tuning.goals.table import GOALS, goal_named
from judge.tuning.merged import write_merges
from judge.tuning.merits import OF_SETTINGS, CellValue, Merit, SharedCell, merits
from judge.tuning.proposals import propose
from judge.tuning.ranges import NUMBERS
from judge.tuning.referee import Bench
from judge.tuning.request import APART, TuneRequest, plan_tuning
from judge.tuning.rounds import RoundPlanner
from judge.tuning.search import Search
from judge.tuning.settings import Setting
from judge.tuning.space import SearchSpace, values_for
from judge.verdicts import Verdict
from lorarar.families import find_base
from lorarar.lora.files import read_adapter
from lorarar.store import Store
from lorarar.tryout.request import TryoutRequest
from lorarar.util.errors import MethodError

from .served_judge import served_judge

SPACE = SearchSpace(
    ("direct", "np-lora", "ties", "lorarar"),
    values={"hypernet": ["other"], "blocks": [{"content": "craft", "style": "craft"}]},
)
PAIR = ("dog", "oil")


class Liking:
    """A referee that likes much of the content; it looks at the names of rows alone."""

    def __init__(self, waits=""):
        self.heard, self.waits, self.facts = [], waits, {"by": "a test"}

    def hear(self, plan):
        self.heard.append(plan)
        return self.waits

    def like(self, row):
        weights = dict(row.model_extra or {}).get("weights", [1.0, 1.0])
        return weights[0] - 0.5 * weights[1] + (row.method == "tsv") * 0.1

    def merits(self, plans):
        cells = {
            row.row_name: (row, len(plan.pictures.seeds) * plan.pair_count) for plan in plans for row in plan.methods
        }
        found = {name: Merit(self.like(row), cells) for name, (row, cells) in cells.items()}
        return dict(sorted(found.items(), key=lambda item: -item[1].value))

    def levels(self, plan, row):
        return {}

    def differences(self, plan, one, other):
        rows = {row.row_name: row for row in plan.methods}
        return {PAIR: [self.like(rows[one]) - self.like(rows[other])] * len(plan.pictures.seeds)}


@pytest.fixture
def asked(pool, tmp_path, tiny_folder):
    """A request for the first pair of a tiny grid's LoRAs, or for all pairs of its folders."""

    def ask(pictures=14, every=False, **given):
        names = ("contents", "styles") if every else ("contents/c0.safetensors", "styles/s0.safetensors")
        tryout = TryoutRequest(
            *(str(pool.parent / name) for name in names),
            base=str(tiny_folder),
            seeds=range(2),
            pictures={"steps": 1, "guidance": 1.0},
            methods=("direct", "tsv"),
            judged=True,
        )
        return TuneRequest(tryout=tryout, every=every, pictures=pictures, confirm=2, **given)

    return ask


def searched(request, tmp_path, referee):
    with Store(tmp_path / "t.db") as store:
        search = Search(plan_tuning(request), referee, store, tmp_path / "out")
        search.run()
    return search


def cells(tmp_path):
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        return database.execute("SELECT count(*), max(id) FROM images").fetchone()


def test_a_search_draws_within_its_budget_stops_losers_early_and_goes_on_where_it_was(asked, tmp_path):
    first = searched(asked(), tmp_path, Liking())
    assert cells(tmp_path)[0] == first.picture_count <= 14
    best, *_, worst = first.merits
    assert first.planner.counts[best] > first.planner.counts[worst] == 2
    assert {seed for plan in first.plans for seed in plan.pictures.seeds} == set(
        range(APART, APART + first.planner.counts[best])
    )
    before = cells(tmp_path)
    again = searched(asked(), tmp_path, Liking())
    assert cells(tmp_path) == before and again.merits == first.merits
    assert [plan.title for plan in again.plans] == [plan.title for plan in first.plans]
    assert first.plans[0].title.startswith("tune-c0-s0-mars2-")


def test_what_leads_is_confirmed_on_seeds_of_its_own_beside_the_best_plain_method(asked, tmp_path):
    referee = Liking()
    search = searched(asked(), tmp_path, referee)
    settings, plain = front_runners(search)
    plan = search.tuning.confirmation_plan(settings)
    assert (
        settings[0].name == next(iter(search.merits)) and search.tuning.space.is_plain(plain) and plain != settings[0]
    )
    assert not {*plan.pictures.seeds} & {seed for one in search.plans for seed in one.pictures.seeds}
    found = confirm(search, goal_named("mars2"), referee, plan, plain)
    assert found.leader == settings[0] and found.difference.value > 0 and found.cells == 2


def test_one_setting_for_all_pairs_is_searched_over_even_pairs(asked, tmp_path):
    search = searched(asked(20, every=True), tmp_path, Liking())
    assert search.plans[0].pair_count == 4 and search.tuning.step == 4
    assert cells(tmp_path)[0] == search.picture_count <= 20
    assert search.tuning.confirmation_plan(search.settings[:1]).pair_count == 4
    assert [search.tuning.cells(level) for level in (1, 2, 3)] == [4, 8, 12]


def test_further_loras_are_searched_with_the_pair_and_have_weights_of_their_own(asked, tmp_path, pool):
    more = pool.parent / "contents" / "c1.safetensors"
    request = asked()
    request = replace(request, tryout=replace(request.tryout, more=[str(more)], methods=("direct",)))
    tuning = plan_tuning(request)
    assert tuning.title != plan_tuning(asked()).title
    assert [dict(one.options).get("weights") for one in tuning.space.starts][1:3] == [(0.8, 0.8, 1.0), (1.0, 0.7, 1.0)]
    search = searched(request, tmp_path, Liking())
    found = {len(dict(one.options)["weights"]) for one in search.tried.values() if dict(one.options).get("weights")}
    assert found == {3} and not search.failures
    with Store(tmp_path / "t.db") as store:
        [file] = write_merges(tuning, search.settings[0], {}, tmp_path / "merged.safetensors", store)
    assert read_adapter(file).ranks == (6,)
    with pytest.raises(MethodError, match="lorarar lacks a way to merge more than two LoRAs"):
        plan_tuning(replace(request, tryout=replace(request.tryout, methods=("lorarar",))))


def test_a_search_that_waits_goes_no_further(asked, tmp_path):
    search = searched(asked(), tmp_path, Liking("somebody has to vote"))
    assert search.waits_for == "somebody has to vote" and len(search.plans) == 1


@pytest.mark.parametrize("pictures", [10, 11, 17, 40, 75, 300])
def test_no_round_goes_beyond_what_is_left_and_the_end_is_reached(pictures):
    planner = RoundPlanner(pictures, 14, lambda level: 2 * level)
    planner.check()
    best, number, kinds = [], 0, []
    while (made := planner.next(best)) is not None:
        rows = made.rows or [f"s{number + at}" for at in range(made.count)]
        number += made.count
        planner.note(made, rows)
        kinds.append(made.kind)
        best = sorted(planner.counts, key=lambda row: random.Random(row).random())
        assert planner.left >= 0
    assert kinds[0] == "start" and "more" in kinds and planner.left < 8
    assert len({*planner.counts.values()}) > 1


def test_too_small_a_budget_is_one_line_that_says_the_least():
    with pytest.raises(TuningError, match="9 pictures is too little to search by; accepted is --pictures 10 or more"):
        RoundPlanner(9, 14, lambda level: 2 * level).check()


def test_minutes_become_pictures_once_it_is_known_how_long_one_takes(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    budget = Budget(None, 2.0, after=10, _start=0.0)
    assert budget.allows(0, 10) == 10
    now[0] = 20.0
    budget.note(0, 5.0)
    assert budget.pace is None
    budget.note(10, 20.0)
    assert budget.allows(10, 10) == 10 + 50 - 10  # a hundred seconds are left, two each
    now[0] = 500.0
    assert budget.allows(30, 10) == 30


def test_a_trial_that_suggests_what_a_setting_needs_draws_the_setting():
    more = [Setting.of("np-lora", {"mu": 2.0, "weights": [0.9, 1.25]}), Setting.of("ties", {"density": 0.35})]
    assert len(SPACE.starts) == len({one.name for one in SPACE.starts}) > 8
    for setting in (*SPACE.starts, *more):
        study = optuna.create_study()
        study.enqueue_trial(SPACE.parameters(setting))
        assert SPACE.draw(study.ask()) == setting
        assert setting.row.row_name == setting.name and SPACE.is_plain(setting) == (not setting.options)


def test_a_search_begins_with_the_methods_that_are_searched_alone():
    values = {"hypernet": ["other"], "blocks": [{"content": "craft", "style": "craft"}]}
    for methods in (("ties",), ("direct", "np-lora"), ("lorarar",)):
        assert {one.method for one in SearchSpace(methods, values=values).starts} == {*methods}


def test_what_is_given_is_held_and_not_searched():
    space = SearchSpace(("direct", "ties"), {"weights": "1,0.5", "density": 0.3})
    assert [one.words for one in space.starts] == ["direct, weights 1,0.5", "ties, weights 1,0.5, density 0.3"]
    assert propose(space, dict.fromkeys(space.starts, 0.5), 4, 0) == []


def test_proposals_are_new_within_bounds_and_follow_from_the_seed_and_what_is_told():
    told = {one: dict(one.options).get("weights", (1, 1))[0] for one in SPACE.starts}
    first = propose(SPACE, told, 6, 3)
    assert first == propose(SPACE, told, 6, 3) != propose(SPACE, told, 6, 4)
    assert len(first) == 6 and not {*first} & {*told}
    for setting in first:
        for name, value in setting.options:
            if name in NUMBERS:
                span = NUMBERS[name]
                assert all(span.low <= one <= span.high for one in span.numbers(value))
    narrow = SPACE.within(SPACE.starts[:1])
    assert not any(name in ("hypernet", "blocks") for one in propose(narrow, told, 20, 0) for name, _ in one.options)


def test_networks_that_learnt_from_accepted_pictures_are_tried_and_no_other():
    base = find_base("pocket")
    values = values_for(base, [["unet.mid_block.a"], ["unet.up_blocks.1.a"]], ())
    assert values == {"hypernet": ["ranks-accepted"], "blocks": [{"content": "craft", "style": "craft"}]}
    assert values_for(base, [["unet.mid_block.a"], ["unet.mid_block.b"]], ("hypernet",)) == {}


def test_a_hard_cell_blames_no_setting_and_a_lucky_picture_makes_no_leader():
    easy, hard = SharedCell(PAIR, 0), SharedCell(PAIR, 1)
    values = [CellValue("old", easy, 0.8), CellValue("old", hard, 0.0), CellValue("new", easy, 0.75)]
    found = merits(values)
    assert list(found) == ["old", "new"] and found["old"].pictures == 2
    assert found["old"].value - found["new"].value == pytest.approx(0.05 * OF_SETTINGS / (1 + OF_SETTINGS))
    steady = [CellValue("steady", SharedCell(PAIR, seed), 0.8) for seed in range(8)]
    others = [CellValue("other", SharedCell(PAIR, seed), 0.3) for seed in range(8)]
    assert next(iter(merits([*steady, *others, CellValue("lucky", SharedCell(PAIR, 8), 0.9)]))) == "steady"
    assert merits([]) == {}


def test_settings_that_won_all_comparisons_have_a_strength_and_votes_of_several_count_each():
    cell = SharedCell(PAIR, 0)
    all_won = strengths([Comparison("a", "b", cell, 1), Comparison("a", "c", cell, 1)])
    assert next(iter(all_won)) == "a" and all(np.isfinite(one.value) for one in all_won.values())
    thrice = strengths([Comparison("a", "b", cell, 1, by) for by in "xyz"])
    assert thrice["a"].value > strengths([Comparison("a", "b", cell, 1)])["a"].value
    assert strengths([Comparison("a", "b", cell, 0)])["a"].value == pytest.approx(0)
    assert strengths([]) == {}


@pytest.mark.parametrize("chances", [(0.9,), (0.2, 0.7), (0.1, 0.5, 0.8), (0.6, 0.6, 0.3, 0.9)])
def test_the_chance_of_a_majority_is_the_sum_over_all_ways_to_have_one(chances):
    ways = product((True, False), repeat=len(chances))
    weights = {way: np.prod([c if yes else 1 - c for c, yes in zip(chances, way, strict=True)]) for way in ways}
    expected = sum(weight for way, weight in weights.items() if 2 * sum(way) > len(way))
    assert chance_of_majority([Verdict("ok", c > 0.5, c) for c in chances]) == pytest.approx(expected)


def test_a_critic_without_probabilities_is_taken_to_be_sure_and_a_missing_answer_is_no_no():
    yes, no, missing = Verdict("ok", True, None), Verdict("ok", False, None), Verdict("failed", None, None)
    assert chance_of_majority([yes, yes, no]) == 1.0 and chance_of_majority([yes, no]) == 0.0
    assert chance_of_majority([yes, missing]) is None and chance_of_majority([]) is None


@pytest.mark.parametrize(("wins", "losses"), [(0.1, 0.1), (0.4, 0.1), (0.0, 0.0), (0.05, 0.6)])
@pytest.mark.parametrize("seeds", [4, 8, 20])
def test_intervals_over_few_seeds_cover_what_they_claim(wins, losses, seeds):
    random = np.random.default_rng(0)
    drawn = random.choice([1.0, -1.0, 0.0], (1000, seeds), p=[wins, losses, 1 - wins - losses])
    ends = [of_seeds(row, (-1, 1)) for row in drawn]
    assert np.mean([one.low <= wins - losses <= one.high for one in ends]) >= 0.93
    assert of_seeds([0.0] * seeds, (-1, 1)).high > 0.05


def test_of_a_metric_the_interval_is_student_s_and_one_seed_has_none():
    found = of_seeds([1.0, 2.0, 3.0], None)
    assert found.value == 2 and found.low == pytest.approx(2 - 4.3027 / 3**0.5, abs=1e-3)
    assert of_seeds([1.0], None).low is None


def test_goals_are_a_table_with_all_metrics_beside_it():
    assert {"mars2", "pairwise"} <= {*GOALS} and goal_named("clip-t").title == "CLIP-T"
    with pytest.raises(TuningError, match="accepted are mars2, pairwise"):
        goal_named("mars3")


def test_a_pair_of_pocket_is_tuned_from_the_command_line_and_again_for_nothing(run, tmp_path):
    call = ("tune", "dog #8", "glowing", "--pictures", "10", "--confirm", "2", "--steps", "2", "--json")
    only = ("--method", "direct", "--method", "np-lora", "-o", "mine.safetensors")
    done = run(*call, *only)
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["goal"] == "mars2" and record["search"]["pictures"] == 10 and record["files"] == ["mine.safetensors"]
    assert record["judges"][0]["critic"] == "pocket" and record["seeds"]["confirmation"] == [0, 1]
    tuned = read_adapter(tmp_path / "mine.safetensors").provenance
    assert tuned["method"] == record["setting"]["method"] and tuned["tuning"]["search"] == record["search"]
    page = Path(record["page"]).read_text()
    assert "Searched by 10 pictures" in page and record["tried"][0]["name"] in page
    with closing(sqlite3.connect("lorarar.db")) as database:
        images = database.execute("SELECT count(*) FROM images").fetchone()
        again = json.loads(run(*call, *only).stdout)
        assert again == record and database.execute("SELECT count(*) FROM images").fetchone() == images
        titles = {name for (name,) in database.execute("SELECT name FROM collections")}
    assert record["title"] in titles and f"{record['title']}-round-1" in titles
    assert "Best: " in run(*[one for one in call if one != "--json"], *only).stdout


def test_a_metric_is_a_goal_too_and_less_of_it_may_be_better(run):
    call = ("tune", "dog-8", "glowing", "--pictures", "10", "--confirm", "1", "--steps", "1", "--json")
    scored = json.loads(run(*call, "--goal", "rms-truth", "--method", "direct").stdout)
    assert scored["metric"] == "rms-truth" and all(one["value"] < 0 for one in scored["tried"])
    leader = scored["confirmation"]["levels"][scored["tried"][0]["name"]]
    assert leader["value"] > 0 and leader["value_low"] is None


@pytest.fixture(scope="module")
def server():
    """A judge that is served."""
    with served_judge() as judge:
        yield judge.url


@pytest.mark.parametrize(("goal", "model"), [("mars2", "logprobs"), ("pairwise", "nearer")])
def test_own_loras_of_a_base_are_tuned_by_a_served_judge_at_every_goal(run, pool, tiny_folder, server, goal, model):
    loras = ("contents/c0.safetensors", "styles/s0.safetensors", "contents/c1.safetensors")
    drawn = ("--base", tiny_folder, "--steps", "1", "--guidance", "1", "--pictures", "10", "--confirm", "2")
    judged = ("--goal", goal, "--critic", server, "--model", model, "--method", "direct", "--method", "ties")
    done = run("tune", *loras, *drawn, *judged, "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert (record["goal"], record["search"]["pictures"]) == (goal, 10)
    [file] = record["files"]
    assert read_adapter(Path(file)).provenance["tuning"]["judges"][0]["critic"] == model
    assert run("tune", *loras, *drawn, *judged, "--json").stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pictures", "9"), "accepted is --pictures 10 or more"),
        ((), "accepted is --pictures N or --minutes M"),
        (("--pictures", "20", "--minutes", "1"), "accepted is --pictures N or --minutes M"),
        (("--pictures", "20", "--goal", "mars"), "accepted are mars2, pairwise"),
        (("--pictures", "20", "--method", "k-lora"), "merge none"),
        (("--pictures", "20", "--method", "ziplora"), "ziplora lacks pictures"),
        (("--pictures", "20", "--raters", "2"), "go with --human"),
        (("--pictures", "20", "--critic", "nobody"), "'nobody' is none of pocket"),
        (("--pictures", "20", "-o", "merged.bin"), "accepted is a name ending in .safetensors"),
    ],
)
def test_what_cannot_be_searched_is_one_line_before_anything_is_drawn(run, tmp_path, arguments, words):
    done = run("tune", "dog-8", "glowing", *arguments)
    assert done.exit_code == 1 and words in done.stderr.splitlines()[-1], done.stderr
    assert done.stdout == "" and not (tmp_path / "out/tune/images").exists()


def test_a_referee_of_pairs_says_nothing_of_plans_without_pictures(tmp_path):
    with Store(tmp_path / "a.db"):
        referee = PairwiseReferee(Bench(tmp_path / "a.db", Judges(), "pairwise"))
    assert referee.merits([]) == {}
