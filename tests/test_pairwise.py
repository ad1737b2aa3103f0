"""Pairs of pictures: critics of planted behaviour, asked in both orders, and what reports make of them."""

import json
import random
import re
import threading
from collections import Counter
from math import exp
from pathlib import Path

import pytest
from PIL import Image

from judge.critics import Critic, CriticError
from judge.critics.preparation import Preparation
from judge.errors import JudgeError
from judge.pair_questions import PAIRS
from judge.pairwise.cells import match
from judge.pairwise.power import PairPower
from judge.pairwise.reading import read_figures
from judge.pairwise.records import record
from judge.pairwise.run import judge_pairs
from judge.pairwise.store import PairStore
from judge.pairwise.tables import sentence, who
from judge.pictures import JudgedTargets
from judge.questions import ASPECTS
from judge.reading import Writing, read
from judge.targets import from_store
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.util.files import sha256_of
from tests.served_judge import served_judge
from tests.studies_database import SEEDS, STYLES, SUBJECTS, add_verdicts, make_database
from tests.tui_app import drive, sees
from tui.catalog import Catalog

CELLS = len(SUBJECTS) * len(STYLES) * SEEDS


def method_of(path):
    return path.parent.parent.name


class Planted(Critic):
    """Answers in the words that a rule gives for the methods that are shown first and second."""

    takes_pairs = True

    def __init__(self, rule, name="planted"):
        self.identity, self.preparation = {"critic": name}, Preparation()
        self.rule, self.asked = rule, Counter()

    def ask(self, questions):
        for index, question in enumerate(questions):
            self.asked[question.pictures, question.aspect] += 1
            words = self.rule(method_of(question.first), method_of(question.second), question.aspect)
            yield index, read(Writing(words), form=question.form)


def always_first(*_):
    return "First"


def alpha_better(first, second, aspect):
    return "First" if first < second else "Second"


TURNED = {"First": "Second", "Second": "First", "Tie": "Tie"}


def drawn(weights, *of):
    """One of the three answers, by weights; of the same things always the same, whatever was drawn before."""
    seed = " ".join("/".join(one.parts[-3:]) if isinstance(one, Path) else one for one in of)
    return random.Random(seed).choices(list(TURNED), weights)[0]


class Steady(Planted):
    """Draws by Davidson's model with log strengths, the same in both orders: every outcome is one draw."""

    def __init__(self, strengths, nu):
        super().__init__(None)
        self.strengths, self.nu = strengths, nu

    def ask(self, questions):
        for index, question in enumerate(questions):
            one, two = sorted((question.first, question.second))
            odds = [exp(self.strengths[method_of(path)]) for path in (one, two)]
            words = drawn([*odds, self.nu * (odds[0] * odds[1]) ** 0.5], one, two, question.aspect)
            yield index, read(Writing(words if question.first == one else TURNED[words]), form=question.form)


class Leaning(Planted):
    """Takes the picture that is shown first so often, whatever is shown."""

    def __init__(self, share):
        super().__init__(None)
        self.share = share

    def ask(self, questions):
        for index, question in enumerate(questions):
            words = drawn([self.share, 1 - self.share, 0], question.first, question.second, question.aspect)
            yield index, read(Writing(words), form=question.form)


@pytest.fixture
def database(tmp_path):
    return make_database(tmp_path, side=8)


def ask(path, rule, **more):
    critic = rule if isinstance(rule, Critic) else Planted(rule)
    with Store(path) as store:
        return judge_pairs(match(from_store(store)), critic, PAIRS, PairStore(store), **more)


def figures(path):
    with Store(path, read_only=True) as store:
        targets = JudgedTargets(from_store(store), VerdictStore(store))
        with store.reading() as connection:
            return read_figures(connection, dict(zip(targets.targets, targets.files, strict=True)))


def tallies(path):
    return {one.facet: one for one in figures(path).tallies}


def test_a_critic_that_always_says_first_finds_nothing_and_is_found_by_its_orders(database):
    outcome = ask(database, always_first)
    assert (outcome.questions, outcome.replies, outcome.shortfall) == (CELLS * 4, CELLS * 4, "")
    result = figures(database)
    assert result.disagreements.value == 1.0 and result.shown_first.value == 1.0
    for tally in result.tallies:
        assert (tally.wins, tally.ties, tally.losses) == (0, CELLS, 0)
        assert tally.disagreements == (None if tally.facet == "both" else CELLS)
    assert "neither method was ever preferred" in result.strengths["both"].why_not
    assert sentence(result) == "In pairs, alpha and beta are not told apart."


def test_a_method_that_is_always_better_wins_every_cell_and_no_order_disagrees(database):
    ask(database, alpha_better)
    result = figures(database)
    assert {(one.wins, one.ties, one.losses, one.disagreements or 0) for one in result.tallies} == {(CELLS, 0, 0, 0)}
    assert result.disagreements.value == 0.0 and result.shown_first.value == 0.5
    assert sentence(result) == "In pairs, alpha is better than beta by 1.00."


def test_better_in_one_aspect_and_worse_in_the_other_is_no_better_in_both(database):
    ask(database, lambda one, two, aspect: "First" if (one < two) == (aspect == "subject") else "Second")
    both, subject, style = (tallies(database)[facet] for facet in ("both", "subject", "style"))
    assert (subject.wins, style.losses, both.ties) == (CELLS, CELLS, CELLS)


def test_the_strengths_of_a_noisy_critic_are_recovered(tmp_path):
    path = make_database(tmp_path, ("alpha", "beta", "gamma"), tuple("abcdef"), tuple("uvwxyz"), seeds=8, side=8)
    true = {"alpha": 0.5, "beta": 0.0, "gamma": -0.5}
    ask(path, Steady(true, nu=0.5))
    result = figures(path)
    for aspect in ASPECTS:
        for method, strength in true.items():
            figure = result.strengths[aspect].by_method[method]
            assert figure.value == pytest.approx(strength, abs=0.2)
            assert figure.low < strength < figure.high
    assert result.disagreements.value == 0.0
    assert "alpha is better than gamma" in sentence(result)


def test_a_critic_that_leans_to_the_first_is_seen_to(database):
    ask(database, Leaning(0.8))
    result = figures(database)
    assert result.shown_first.value == pytest.approx(0.8, abs=0.08) and result.shown_first.low > 0.5
    assert result.disagreements.value == pytest.approx(0.8**2 + 0.2**2, abs=0.12)


def test_nothing_is_asked_twice_and_another_critic_or_other_words_are_asked_anew(database):
    first, again = Planted(alpha_better), Planted(alpha_better)
    ask(database, first)
    assert set(first.asked.values()) == {1} and len(first.asked) == CELLS * 4
    outcome = ask(database, again)
    assert (outcome.existing, outcome.replies, again.asked.total()) == (CELLS * 4, 0, 0)
    assert ask(database, Planted(alpha_better, name="another")).replies == CELLS * 4


def test_other_critics_who_compared_the_pictures_are_named_and_not_mixed_in(database):
    ask(database, Planted(alpha_better, name="one"))
    assert "too" not in who(figures(database))
    ask(database, Planted(alpha_better, name="two"))
    result = figures(database)
    assert [(one.wins, one.losses) for one in result.tallies] == [(CELLS, 0)] * 3
    (other,) = result.others
    assert {result.judge.critic, other.critic} == {"one", "two"}
    assert f"{other.critic} (--judge {other.id}) compared these pictures too" in who(result)
    assert [judge["critic"] for judge in record(result)["others"]] == [other.critic]


def test_what_is_unclear_is_no_tie_says_why_and_is_asked_again(database):
    outcome = ask(database, lambda first, *_: "Yes" if first == "alpha" else "Second")
    assert (outcome.unparsed, outcome.clear) == (CELLS * 2, CELLS * 2)
    result = figures(database)
    assert {(one.decided, one.unclear) for one in result.tallies} == {(0, CELLS)}
    assert list(result.reasons) == ["prose: the answer is 'Yes', not First, Second or Tie"]
    assert sentence(result) == "In pairs, no cell has an outcome."
    assert ask(database, alpha_better).replies == CELLS * 2


def test_figures_are_by_the_critic_who_answered_and_not_by_a_later_one_whose_words_were_none(database):
    ask(database, alpha_better)
    ask(database, Planted(lambda *_: "Yes", name="another"))
    result = figures(database)
    assert (result.judge.critic, result.reasons) == ("planted", {})


def test_pictures_that_are_the_same_are_a_tie_without_asking_whatever_their_notes(database):
    alike = list((database.parent / "images" / "alpha").rglob("0.png"))
    with Store(database) as store, store.writing():
        for path in alike:
            twin = Path(str(path).replace("/alpha/", "/beta/"))
            write_png(Image.open(path), twin, {"method": "beta", "note": "another file, the same pixels"})
            store.db.execute("UPDATE images SET sha256 = ? WHERE path = ?", [sha256_of(twin), str(twin)])
    critic = Planted(alpha_better)
    outcome = ask(database, critic)
    assert outcome.settled == len(alike) * 2  # both orders show the same
    assert critic.asked.total() == (CELLS - len(alike)) * 4
    assert outcome.shortfall == ""
    both = tallies(database)["both"]
    assert (both.wins, both.ties, both.identical) == (CELLS - len(alike), len(alike), len(alike))
    assert figures(database).disagreements.value == 0.0
    assert ask(database, Planted(alpha_better)).replies == 0


def test_missing_partners_are_counted_by_method_and_left_out(database):
    with Store(database) as store:
        with store.writing():
            store.db.execute("DELETE FROM cells WHERE row = 'beta' AND seed = 2")
        matching = match(from_store(store))
        assert (len(matching.cells), dict(matching.missing)) == (CELLS * 2 // 3, {"beta": CELLS // 3})
    ask(database, alpha_better)
    assert figures(database).missing == {"beta": CELLS // 3}


@pytest.mark.parametrize(
    ("methods", "why"),
    [
        (["alpha", "gone"], "no pictures of gone; there are methods alpha, beta"),
        (["alpha"], "pairs need two methods"),
    ],
)
def test_what_cannot_be_compared_is_one_line(database, methods, why):
    with Store(database) as store, pytest.raises(JudgeError, match=why):
        match(from_store(store), methods)


def test_a_critic_of_single_pictures_is_refused_before_anything_is_asked(database):
    critic = Planted(alpha_better)
    critic.takes_pairs = False
    with pytest.raises(CriticError, match="takes no questions about two pictures"):
        ask(database, critic)
    assert not critic.asked


def test_two_runs_share_the_questions_of_pairs(database):
    critics, outcomes, begun = [Planted(alpha_better) for _ in range(2)], [], threading.Barrier(2)

    def work(critic):
        waited = []

        def rule(*shown):
            if not waited:
                waited.append(begun.wait(20))
            return alpha_better(*shown)

        critic.rule = rule
        outcomes.append(ask(database, critic))

    runs = [threading.Thread(target=work, args=(critic,)) for critic in critics]
    for each in runs:
        each.start()
    for each in runs:
        each.join(60)
    asked = critics[0].asked + critics[1].asked
    assert (asked.total(), max(asked.values())) == (CELLS * 4, 1)
    assert sum(outcome.replies for outcome in outcomes) == CELLS * 4 and all(outcome.replies for outcome in outcomes)


def test_an_interrupted_run_of_pairs_keeps_its_replies(database):
    class Stopped(Planted):
        def ask(self, questions):
            for count, reply in enumerate(super().ask(questions)):
                if count == 7:
                    raise KeyboardInterrupt
                yield reply

    with pytest.raises(KeyboardInterrupt):
        ask(database, Stopped(alpha_better))
    assert ask(database, alpha_better).existing == 7


def test_pairs_and_single_verdicts_are_never_mixed(database):
    ask(database, alpha_better)
    with Store(database) as store:
        assert store.rows("SELECT * FROM verdicts") == [] and VerdictStore(store).judges() == []
    add_verdicts(database, lambda *_: True)
    with Store(database) as store:
        assert store.rows("SELECT DISTINCT choice FROM pair_verdicts WHERE choice = 'tie'") == []
    assert tallies(database)["both"].wins == CELLS


def test_references_that_changed_take_their_choices_away(database):
    ask(database, alpha_better)
    reference = database.parent / "loras" / "cat" / "1.png"
    write_png(Image.new("RGB", (9, 9)), reference)
    subject, style = (tallies(database)[aspect] for aspect in ASPECTS)
    cats = len(STYLES) * SEEDS
    assert (subject.wins, subject.unclear, style.wins) == (CELLS - cats, cats, CELLS)


def test_more_pairs_tell_smaller_differences_apart_and_that_is_said():
    few, many = PairPower.of(10), PairPower.of(500)
    assert many.effect < few.effect and few.needed == many.needed
    assert re.fullmatch(
        r"with 10 subject-style pairs, 80% of runs tell two methods apart that differ by \S+ logits "
        r"\(\S+ wins for each loss\); 0.5 logits \(1.65 wins for each loss\) takes some \d+ pairs \(docs/judge.md\)",
        few.sentence,
    )
    assert "takes" not in many.sentence


@pytest.fixture(scope="module")
def server():
    with served_judge() as judge:
        yield judge.url


@pytest.mark.parametrize("model", ["nearer", "nearer_words"])
def test_a_served_critic_is_asked_about_pairs_and_reported(tmp_path, run, server, model):
    """The server calls the picture better that is nearer to the first reference in colour."""
    path = make_database(tmp_path, subjects=("cat", "dog"), styles=("oil",), side=8)
    arguments = ("--critic", server, "--model", model, "--db", path)
    result = run("judge", "run", "--protocol", "pairwise", "--methods", "alpha,beta", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["cells"], said["pairwise"][server]["asked"], said["power"]["pairs"]) == (6, 24, 2)
    power, asked = (result.stderr.index(word) for word in ("Power: with 2 subject-style pairs", "24 asked"))
    assert power < asked
    with Store(path) as store:
        (row,) = store.rows("SELECT count(*) AS n, count(probability) AS p FROM pair_verdicts WHERE status = 'ok'")
    assert row == {"n": 24, "p": 24 if model == "nearer" else 0}
    report = json.loads(run("judge", "report", "--db", path, "--json").stdout)
    assert report["pairs"]["orders_disagree"] == 0.0 and report["pairs"]["judge"]["critic"] == model
    assert {one["in"]: one["wins"] + one["ties"] + one["losses"] for one in report["pairs"]["tallies"]}["both"] == 6


def test_a_report_has_pairs_beside_mars2_in_every_form(database, run):
    ask(database, alpha_better)
    forms = {"table": "Every two methods in pairs", "markdown": "### Strengths in pairs", "csv": "in,wins"}
    for form, words in forms.items():
        assert words in run("judge", "report", "--db", database, "--format", form).stdout
    add_verdicts(database, lambda *_: True)
    page = database.parent / "page.html"
    table = run("judge", "report", "--db", database, "--gallery", page)
    assert "MARS2 (Table 1)" in table.stdout and "Strengths in pairs" in table.stdout
    assert "In pairs, alpha is better than beta" in page.read_text()
    both = json.loads(run("judge", "report", "--db", database, "--json").stdout)
    assert both["pairs"]["strengths_undefined"]["both"] and both["groups"][0]["average"] == 1.0
    assert "pairs" not in json.loads(run("judge", "report", "--db", database, "--critic", "scripted", "--json").stdout)


def test_the_app_shows_the_reports_strengths_beside_mars2(database):
    ask(database, Steady({"alpha": 0.4, "beta": -0.4}, nu=0.5))
    add_verdicts(database, lambda *_: True)
    reported, catalog = figures(database), Catalog(database)
    assert catalog.pairs(catalog.snapshot().pictures) == reported
    strength = reported.strengths["both"].by_method["alpha"]

    async def script(app, pilot):
        await sees(
            pilot, "strength in pairs", f"{strength.value:.2f} [", "In pairs, alpha", "The two orders disagree in 0%"
        )

    drive(database, script, size=(240, 30), mode="scores")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--protocol", "both"), "--protocol"),
        (("--methods", "alpha,beta"), "--methods goes with --protocol pairwise"),
        (("--protocol", "pairwise", "--metrics", "dino"), "--metrics are of single pictures"),
        (("--protocol", "pairwise", "--methods", "alpha,gone"), "no pictures of gone"),
    ],
)
def test_a_run_that_makes_no_sense_is_one_line(database, run, arguments, words):
    result = run("judge", "run", "--db", database, "--critic", "http://127.0.0.1:9/v1", *arguments)
    assert result.exit_code == 1 and words in result.stderr and len(result.stderr.splitlines()) == 1


def test_plain_folders_with_methods_become_a_collection_that_is_compared(database, run, server):
    made, given = database.parent / "made", database.parent / "given"
    for method, brightness in (("alpha", 0), ("beta", 90)):
        for number in (1, 2):  # names of two methods have nothing in common
            file = made / method / "dog" / "oil" / f"{method}-{number}.png"
            write_png(Image.new("RGB", (8, 8), (brightness, 9, number)), file)
    for folder in ("subjects/dog", "styles/oil"):
        write_png(Image.new("RGB", (8, 8), (80, 9, 3)), given / folder / "0.png")
    where = ("--generated", made, "--references", given, "--db", database.parent / "own.db")
    arguments = ("--protocol", "pairwise", "--critic", server, "--model", "nearer")
    result = run("judge", "run", *where, *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    assert (json.loads(result.stdout)["methods"], json.loads(result.stdout)["cells"]) == (["alpha", "beta"], 2)
    for pictures in ((), where[:4]):
        report = json.loads(run("judge", "report", "--db", where[-1], *pictures, "--json").stdout)
        assert [(one["method"], one["losses"]) for one in report["pairs"]["tallies"]] == [("alpha", 2)] * 3
