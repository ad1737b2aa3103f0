"""What came out, in the first line of a report: sentences about planted differences, and the judge's last check."""

import json
import random
from dataclasses import asdict, replace

import pytest

from judge import from_store
from judge.cli.report import FORMATS as FORMS
from judge.cli.report import _print_report as print_report
from judge.metrics.scores import ScoreStore
from judge.pictures import JudgedTargets
from judge.reports.comparison import compare_all, compare_with
from judge.reports.conclusion import conclude
from judge.reports.gallery import write_gallery
from judge.reports.groups import make_groups
from judge.reports.report import choose_judge, make_report
from judge.trust import Trust, keep_trust, read_trust, worst_grades
from judge.verdicts import VerdictStore
from lorarar.store import Store
from lorarar.util.statistics.crossed import difference_over_pairs
from tests.studies_database import add_verdicts, make_database

SUBJECTS, STYLES = "abcde", "vwxyz"


def grid(rate, subjects=SUBJECTS, styles=STYLES, pictures=10):
    """Verdicts of a method that is right in as many of ten pictures as ``rate(subject, style)`` says."""
    return {
        (subject, style): [(k < rate(subject, style), True) for k in range(pictures)]
        for subject in subjects
        for style in styles
    }


def uneven(more=0):
    """A rate that differs by subject and style, alike for all methods but for ``more``."""
    return lambda subject, style: SUBJECTS.index(subject) + STYLES.index(style) // 2 + more


def methods(**verdicts):
    return make_groups({(name,): pairs for name, pairs in verdicts.items()})


def test_the_method_that_leads_is_set_against_every_other():
    chance = random.Random(0)
    judged = methods(
        direct=grid(uneven()),
        lorarar=grid(lambda *pair: uneven(2)(*pair) + chance.choice((-1, 0, 1))),
        ties=grid(lambda *pair: uneven(2)(*pair) + chance.choice((-1, 0, 1))),
    )
    first, second, third = (group.average.value for group in judged)
    leader, level = ("lorarar", "ties") if second > third else ("ties", "lorarar")
    found = conclude(judged)
    assert found.sentence.startswith(f"{leader} is ahead of direct by {max(second, third) - first:.2f} (0.")
    assert found.sentence.endswith(f"; not told apart from {level}")
    assert [(one.method, one.against) for one in found.comparisons] == [(leader, "direct"), (leader, level)]
    assert conclude(judged, against="nobody").sentence == found.sentence
    against = conclude(judged, against="direct")
    assert against.sentence.startswith("Ahead of direct: lorarar by 0.") and " and ties by 0." in against.sentence
    behind = conclude(judged, against=leader).sentence
    assert behind.startswith(f"Behind {leader}: direct by {max(second, third) - first:.2f} (0.")
    assert behind.endswith(f"; not told apart from {leader}: {level}")


def test_the_sentence_says_where_nothing_can_be_concluded():
    alike = grid(uneven())
    assert conclude(methods(a=alike, b=alike)).sentence == "a and b are not told apart: a difference of +0.00"
    three = conclude(methods(a=alike, b=alike, c=alike)).sentence
    assert three.startswith("No method is told apart from a, which has the most, 0.")
    none = grid(lambda *pair: 0)
    assert conclude(methods(a=none, b=none)).sentence == "No method has a correct picture"
    alone = conclude(methods(a=alike)).sentence
    assert alone.startswith("a: 0.") and "there is no other method to compare" in alone
    assert conclude(make_groups({("",): alike})).sentence.startswith("0.")
    assert conclude(methods(a={("s", "t"): [(None, True)]})).sentence == "No picture has a verdict"
    apart = conclude(methods(a=grid(uneven(), "a"), b=grid(uneven(1), "b"))).sentence
    assert apart == "b and a are not told apart: they have no pair in common"


def test_of_one_subject_or_one_pair_nothing_is_said_of_others():
    styles = "uvwxyz"
    one = conclude(methods(a=grid(lambda *_: 2, "c", styles), b=grid(lambda *_: 7, "c", styles))).sentence
    assert one == "b is ahead of a by 0.50 (of one subject alone, nothing is said of others)"
    pair = conclude(methods(a=grid(uneven(), "c", "v"), b=grid(uneven(5), "c", "v"))).sentence
    assert pair.startswith("b and a are not told apart: a difference of +0.50 (of one subject and one style alone")


def test_few_pairs_show_nothing_and_few_subjects_or_styles_little():
    """Two methods that differ alike in every pair there is: two pairs are a coin's toss, twelve are something."""
    for subjects, styles in (("a", "vwxyz"), ("ab", "v"), ("ab", "vw")):
        wrong, right = grid(lambda *_: 0, subjects, styles), grid(lambda *_: 10, subjects, styles)
        assert "a and b are not told apart" in conclude(methods(b=wrong, a=right)).sentence
    few = conclude(methods(b=grid(lambda *_: 0, "abc", "vwxy"), a=grid(lambda *_: 10, "abc", "vwxy"))).sentence
    assert few == "a is ahead of b by 1.00 (3 subjects and 4 styles are weak evidence)"


def test_a_method_that_leads_by_pairs_of_its_own_may_be_behind_another():
    lucky = grid(lambda *_: 10, "efgh") | grid(lambda *_: 1, "abcd")
    found = conclude(methods(lucky=lucky, steady=grid(lambda *_: 5, "abcd")))
    assert found.sentence == "lucky is behind steady by 0.40"


def test_many_methods_are_adjusted_for_and_one_alone_is_not():
    chance = random.Random(3)
    rates = {f"m{k}": grid(lambda *pair: uneven(3)(*pair) + chance.choice((-3, 0, 3))) for k in range(7)}
    judged = methods(base=grid(uneven(2)), **rates)
    shares = {group.name[0]: group.shares for group in judged}
    alone = {name: difference_over_pairs(shares[name], shares["base"]).p for name in rates}
    adjusted = {one.method: one.difference.p for one in compare_with(judged, "base")}
    smallest = min(alone, key=alone.get)
    assert adjusted[smallest] == pytest.approx(7 * alone[smallest])
    assert all(adjusted[name] >= alone[name] for name in rates)
    assert len(compare_all(judged)) == 28
    (single,) = compare_with([group for group in judged if group.name[0] in ("base", smallest)], "base")
    assert single.difference.p == alone[smallest]


def test_attempts_are_over_the_pairs_that_every_method_has_and_say_where_they_are_a_lower_bound():
    always = {("a", "v"): [(True, True)] * 10}
    never = {("a", style): [(False, True)] * 10 for style in "wxyz"}
    half = grid(lambda *_: 5, "a")
    lucky, steady = methods(lucky=always | never, steady=half)  # one pair always, four never; every pair half the time
    assert lucky.attempts.mean.value == pytest.approx((1 + 4 * 11) / 5) and lucky.attempts.at_least
    assert lucky.attempts.without == 4 and lucky.attempts.pairs == 5
    assert steady.attempts.mean.value == pytest.approx(11 / 6) and not steady.attempts.at_least
    few, all_pairs, nothing = methods(few=always, steady=half, nothing={("a", "v"): [(None, True)]})
    assert few.attempts.pairs == all_pairs.attempts.pairs == 1 and nothing.attempts is None
    assert all(group.attempts is None for group in methods(one=grid(uneven(), "a"), two=grid(uneven(), "b")))
    by_subject = make_groups({("m", "a"): always, ("n", "a"): half, ("m", "b"): grid(uneven(), "b")})
    assert [group.attempts.pairs for group in by_subject] == [1, 1, 5]


def test_the_worst_grade_of_a_part_is_what_its_check_came_to():
    findings = [("order", "good"), ("wording", "fair"), ("wording", "poor"), ("people", ""), ("order", "good")]
    grades = worst_grades(findings)
    assert grades == {"order": "good", "wording": "poor"}
    trust = Trust("2026-11-26T06:00:00+00:00", "plan quick", 48, grades)
    assert trust.sentence == (
        "The judge itself: poor in wording; good in order (judge check of 2026-11-26, 48 pictures of plan quick)"
    )
    assert "nothing could be graded" in Trust("2026-11-26", "plan quick", 48, {}).sentence


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path, chance = make_database(tmp_path_factory.mktemp("conclusion")), random.Random(2)
    add_verdicts(path, lambda *_: (chance.random() < 0.6, chance.random() < 0.7), "first")
    return path


def report_of(database):
    with Store(database) as store:
        targets = JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store))
        return make_report(targets, choose_judge(targets), ScoreStore(store), "method")


def test_every_form_of_a_report_says_what_came_out_and_how_far_the_judge_can_be_trusted(database, tmp_path, capsys):
    report, printed = report_of(database), {}
    for form in FORMS:
        print_report(report, form, paper=False)
        printed[form] = capsys.readouterr()
    data = json.loads(printed["json"].out)["conclusion"]
    sentence, unchecked = f"{data['sentence']}.", "was not checked: lorarar judge check."
    assert data["trust"] is None and data["comparisons"]
    lines = printed["table"].out.splitlines()
    assert lines[0] == sentence and lines[1].endswith(unchecked)
    assert printed["markdown"].out.startswith(f"{sentence}\n\n")
    assert printed["latex"].out.startswith(f"% {sentence}\n% How far")
    assert sentence in printed["csv"].err and printed["csv"].out.startswith("method,")
    page = write_gallery(replace(report, pictures=()), tmp_path / "gallery.html").read_text()
    assert f"<b>{sentence}</b> How far" in page


def test_a_check_is_on_record_for_its_judge_and_its_words_alone(database):
    with Store(database) as store:
        verdicts = VerdictStore(store)
        (judge,) = verdicts.judges()
        assert read_trust(store.db, judge) is None
        for prompts, grade in (("other", "poor"), (judge.prompts, "poor"), (judge.prompts, "good")):
            trust = Trust("2026-11-26T06:00:00+00:00", "plan tiny", 4, {"order": grade})
            keep_trust(verdicts, judge.identity, prompts, trust)
        assert read_trust(store.db, judge) == trust  # the last one
    conclusion = report_of(database).conclusion
    assert conclusion.lines[1].startswith("The judge itself: good in order (judge check of 2026-11-26")
    assert conclusion.record()["trust"] == {**asdict(trust), "sentence": trust.sentence}
