"""People as the goal of a search: ``lorarar tune --human``, tried with a rater who votes and with simulated ones."""

from judge.judges import Judges
from judge.tuning.goals.table import GOALS
from judge.tuning.referee import Bench
from lorarar.bench.plan import read_plan
from lorarar.store import Store
from studies.rater.trials import trials_of
from studies.reports.standing_votes import standing_votes
from studies.sessions import open_study
from studies.simulate import SCREEN
from studies.store import StudyStore
from studies.tuning import GOAL, PeopleReferee, study_of


def referee(pool, **told):
    return PeopleReferee(Bench(pool, Judges(), "people", told))


def vote_for(pool, name, method):
    """One person votes for a method wherever it is shown."""
    with Store(pool) as store:
        study = StudyStore(store).get(name)
        session = open_study(store, name, "ANNA")
        session.consent()
        for trial in trials_of(study.design, "ANNA"):
            methods = study.item_methods[trial.item.number]
            wanted = methods.index(method) if method in methods else 0
            session.vote("left" if (wanted == 0) != trial.mirrored else "right", 2.0, SCREEN)
        assert session.finished


def test_people_are_a_goal_of_the_table_by_an_entry_point():
    assert GOAL.name == "people" and GOAL.name not in GOALS.own


def test_a_round_waits_for_people_and_then_follows_what_they_preferred(pool):
    plan = read_plan("pool.toml")
    asked = referee(pool, raters=1, simulate=None)
    name = study_of(plan.title)
    waits = asked.hear(plan)
    assert f"lorarar study run {name}" in waits and waits.startswith("0 of 1") and asked.merits([plan]) == {}
    vote_for(pool, name, "half")
    again = referee(pool, raters=1, simulate=None)
    assert again.hear(plan) == "" and referee(pool, raters=2, simulate=None).hear(plan).startswith("1 of 2")
    assert list(again.merits([plan])) == ["half", "direct"]
    differences = again.differences(plan, "half", "direct")
    assert {value for values in differences.values() for value in values} == {1.0} and again.levels(plan, "half") == {}
    assert again.facts == {"studies": [name], "simulated": False, "note": ""}


def test_simulated_raters_are_marked_and_count_as_nobody(pool):
    plan, judged = read_plan("pool.toml"), []
    told = {"raters": 2, "simulate": 0.1}
    asked = PeopleReferee(Bench(pool, Judges(), "people", told, judged.append))
    assert asked.hear(plan) == "" and judged == [plan] and {*asked.merits([plan])} == {"half", "direct"}
    assert asked.facts["simulated"] and "not people" in str(asked.facts["note"])
    people = referee(pool, raters=1, simulate=None)
    assert people.hear(plan).startswith("0 of 1") and people.merits([plan]) == {}
    with Store(pool) as store:
        studies = StudyStore(store)
        study = studies.get(study_of(plan.title))
        before = len(standing_votes(studies, study, simulated=True))
        assert before and not standing_votes(studies, study, simulated=False)
    asked.hear(plan)  # again: nobody votes twice
    with Store(pool) as store:
        assert len(standing_votes(StudyStore(store), study, simulated=True)) == before


def test_a_study_s_name_is_made_of_a_title_that_may_be_none():
    assert study_of("tune über " + "x" * 90 + "-ab12-round-3").endswith("-ab12-round-3")
    assert len(study_of("x" * 90)) == 64 and study_of("a b") == "a-b"
