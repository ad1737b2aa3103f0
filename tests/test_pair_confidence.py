"""Pairs by confidence: of two pictures of a cell the better is the one that a judge of single pictures is surer of."""

import json
from pathlib import Path

import pytest

from judge.errors import JudgeError
from judge.pairwise.confidence import figures_by_confidence
from judge.pairwise.outcomes import FACETS
from judge.pairwise.records import record
from judge.pairwise.tables import sentence, tables, who
from judge.pictures import JudgedTargets
from judge.protocol import confidence, majority
from judge.questions import Reply
from judge.targets import from_store
from judge.verdicts import VerdictKey, VerdictStore
from lorarar.store import Store
from lorarar.util.files import sha256_of
from lorarar.util.statistics.davidson import two_methods
from tests.studies_database import SEEDS, STYLES, SUBJECTS, add_verdicts, make_database

CELLS = len(SUBJECTS) * len(STYLES) * SEEDS


@pytest.fixture
def database(tmp_path):
    return make_database(tmp_path, side=8)


def say(path, chances, critic="scripted"):
    """Verdicts of ``chances(method, subject, style, seed)``: of two references of the subject, then of the style's."""
    with Store(path) as store:
        verdicts, replies = VerdictStore(store), []
        judge = verdicts.judge_id(critic, {"critic": critic})
        rows = store.rows("""SELECT c.row, c.content, c.style, c.seed, i.sha256, a.path AS one, b.path AS two
            FROM cells c JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge
            JOIN adapters a ON a.id = m.content JOIN adapters b ON b.id = m.style""")
        for row in rows:
            references = [
                (aspect, file)
                for aspect, lora in (("subject", row["one"]), ("style", row["two"]))
                for file in sorted(Path(lora).with_suffix("").glob("*.png"))
            ]
            said = chances(row["row"], row["content"], row["style"], row["seed"])
            for number, ((aspect, file), chance) in enumerate(zip(references, said, strict=True)):
                digest = sha256_of(file)
                case = VerdictKey(aspect, "p-1", "words", row["sha256"], digest, (digest, row["sha256"]))
                reply = Reply.from_text("Yes") if chance is None else Reply.from_probability(chance)
                replies.append((json.dumps([critic, number, row["sha256"], digest]), case, reply))
        verdicts.add(judge, replies)


def figures(path, *, critics=("scripted",), against=None):
    with Store(path, read_only=True) as store:
        verdicts = VerdictStore(store)
        judges = [judge for judge in verdicts.judges() if judge.critic in critics]
        return figures_by_confidence(JudgedTargets(from_store(store), verdicts), judges, against)


def tallies(path, **which):
    return {one.facet: one for one in figures(path, **which).tallies}


def counts(tally):
    return tally.wins, tally.ties, tally.losses, tally.unclear


@pytest.mark.parametrize(
    ("chances", "sure"),
    [
        (([0.7]), 0.7),
        ([0.9, 0.3], 0.3),
        ([0.1, 0.9, 0.6], 0.6),
        ([0.9, 0.8, 0.4, 0.2], 0.4),
        ([0.2, 0.9, 0.4, 0.8, 0.6], 0.6),
    ],
)
def test_confidence_is_the_most_that_a_yes_can_be_asked_for(chances, sure):
    assert confidence(chances) == sure
    for threshold in (0.05, 0.25, 0.35, 0.5, 0.65, 0.85):
        assert majority([chance > threshold for chance in chances]) == (sure > threshold)
    assert confidence([]) is None


def test_the_surer_picture_is_better_in_each_aspect_and_both_are_as_sure_as_the_less_sure_one(database):
    """Alpha 0.9 and 0.6, beta 0.7 and 0.8: beta is surer as a whole, 0.7 to 0.6."""
    say(database, lambda method, *_: (0.95, 0.9, 0.6) if method == "alpha" else (0.7, 0.99, 0.8))
    found = tallies(database)
    assert counts(found["subject"]) == (CELLS, 0, 0, 0)
    assert counts(found["style"]) == counts(found["both"]) == (0, 0, CELLS, 0)
    assert found["both"].preference.value == -1.0
    assert all(one.disagreements is None for one in found.values())


def test_wins_ties_and_strengths_are_those_counted_by_hand(database):
    """Of three pictures of a pair one is alpha's, another is beta's in the first style alone, the others are level."""

    def chances(method, subject, style, seed):
        if seed == 0:
            return (0.9, 0.9, 0.8) if method == "alpha" else (0.9, 0.9, 0.7)
        if seed == 1 and style == STYLES[0]:
            return (0.6, 0.6, 0.55) if method == "alpha" else (0.6, 0.6, 0.95)  # by the style, to what is less sure
        return 0.3, 0.2, 0.4

    say(database, chances)
    result = figures(database)
    both = {one.facet: one for one in result.tallies}["both"]
    pairs = len(SUBJECTS) * len(STYLES)
    assert counts(both) == (pairs, CELLS - pairs - len(SUBJECTS), len(SUBJECTS), 0)
    assert both.preference.value == pytest.approx((1 - 1 / len(STYLES)) / 3)
    shares = {pair: 1 / 2 if pair[1] == STYLES[0] else 2 / 3 for pair in result.shares["alpha"]}
    assert result.shares["alpha"] == pytest.approx(shares) and len(shares) == pairs
    assert result.shares["beta"] == pytest.approx({pair: 1 - share for pair, share in shares.items()})
    odds = two_methods(*counts(both)[:3]).strengths[0]
    strength = result.strengths["both"].by_method["alpha"]
    assert strength.value == pytest.approx(odds) and strength.low is None  # of draws without the first style no bound


def test_a_correct_picture_is_better_than_one_that_is_not_whatever_the_numbers(database):
    say(database, lambda method, *_: (0.51, 0.51, 0.51) if method == "alpha" else (0.99, 0.99, 0.49))
    assert counts(tallies(database)["both"]) == (CELLS, 0, 0, 0)


def test_what_has_no_probability_is_unclear_and_a_judge_without_any_is_refused(database):
    missing = lambda method, subject, *_: (None, 0.9, 0.9) if subject == "cat" else (0.8, 0.9, 0.7)  # noqa: E731
    say(database, missing)
    cats = len(STYLES) * SEEDS
    assert counts(tallies(database)["both"]) == (0, CELLS - cats, 0, cats)
    assert counts(tallies(database)["style"]) == (0, CELLS, 0, 0)
    say(database, lambda *_: (None, None, None), critic="wordy")
    with pytest.raises(JudgeError, match=r"wordy gives none .* --protocol pairwise"):
        figures(database, critics=("wordy",))


def test_a_jurys_majority_decides_each_aspect_and_the_whole(database):
    add_verdicts(database, lambda method, *_: method == "alpha", critic="one")
    add_verdicts(database, lambda method, *_: method == "alpha", critic="two")
    say(database, lambda method, *_: (0.1, 0.1, 0.1) if method == "alpha" else (0.9, 0.9, 0.9), critic="three")
    of_jury = figures(database, critics=("one", "two", "three"))
    assert {counts(one) for one in of_jury.tallies} == {(CELLS, 0, 0, 0)} and len(of_jury.jury.members) == 3
    assert [one.disagreements for one in of_jury.tallies if one.facet != "both"] == [0, 0]


def test_every_form_says_that_it_is_by_confidence(database):
    say(database, lambda method, *_: (0.9, 0.9, 0.8) if method == "alpha" else (0.9, 0.9, 0.7))
    result = figures(database)
    assert sentence(result) == "In pairs, by confidence, alpha is better than beta by 1.00."
    assert who(result).startswith("Compared by how sure it is of each picture alone, not asked about two: scripted")
    strengths, every_two = tables(result, "plan tiny")
    assert strengths.title == "Strengths in pairs, by confidence: plan tiny"
    assert "surer that the picture is correct" in strengths.notes[0]
    assert not {"orders disagree", "alike"} & set(every_two.head)
    assert {len(row) for row in every_two.rows} == {len(every_two.head)}
    said = record(result)
    assert (said["source"], said["orders_disagree"], said["shown_first"]) == ("confidence", None, None)
    assert len(said["tallies"]) == len(FACETS)


def test_a_report_compares_by_confidence_where_it_is_told_to_and_nobody_was_asked(database, run):
    add_verdicts(database, lambda method, *_: method == "alpha")
    plain = json.loads(run("judge", "report", "--db", database, "--json").stdout)
    said = run("judge", "report", "--db", database, "--confidence", "--json")
    assert said.exit_code == 0, said.output
    assert "pairs" not in plain
    assert json.loads(said.stdout)["pairs"]["source"] == "confidence"
    assert "Strengths in pairs, by confidence" in run("judge", "report", "--db", database, "--confidence").stdout
    empty = run("judge", "report", "--db", database, "--confidence", "--critic", "nobody")
    assert empty.exit_code == 1 and len(empty.stderr.strip().splitlines()) == 1
