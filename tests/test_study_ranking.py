"""The ranking plot: strengths with their intervals as bars, from the figures of a report alone."""

from studies.figures import STRENGTH, Figure, StudyReport
from studies.ranking import WIDTH, ranking, ranking_tables


def report(*strengths):
    figures = [
        Figure("model", "Bradley-Terry with ties", STRENGTH + name, value, low, high)
        for name, value, low, high in strengths
    ]
    return StudyReport("s", "ab", False, (*figures, Figure("model", "", "nu", 0.5)), ())


def test_methods_are_ranked_by_strength_on_one_scale():
    ranked = ranking(report(("weak", -1.0, -2.0, 0.0), ("strong", 1.5, 1.0, 2.0), ("none", None, None, None)))
    assert [one.method for one in ranked] == ["strong", "weak"]
    strong, weak = (one.bar for one in ranked)
    assert len(strong) == len(weak) == WIDTH
    assert (weak.index("├"), weak.index("●"), weak.index("┤")) == (0, 10, 20)  # of -2 to 2, 0 in the middle
    assert (strong.index("┊"), strong.index("├"), strong.index("●"), strong.index("┤")) == (20, 30, 35, 40)


def test_an_end_without_a_bound_points_out_of_the_plot():
    bar = ranking(report(("a", 1.0, -1.0, None), ("b", -1.0, None, None)))
    assert (bar[0].bar[-1], bar[0].bar.count("├"), bar[0].bar.count("┤")) == ("▷", 1, 0)
    assert set(bar[1].bar) == {"·", "●", "┊"}  # no interval at all


def test_a_report_without_strengths_has_no_ranking():
    assert ranking_tables(report()) == []
    (table,) = ranking_tables(report(("a", 0.5, 0.1, 0.9), ("b", -0.5, -0.9, -0.1)))
    assert [row[:2] for row in table.rows] == [["1", "a"], ["2", "b"]]
