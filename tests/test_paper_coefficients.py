"""Items of the paper about coefficients: where they lie, and how far they go from pair to pair."""

import json

import numpy as np
import pytest

from judge.paper import grids
from judge.paper.errors import PaperError
from judge.paper.given_loras import network_file
from judge.paper.items import figure_3_8
from judge.paper.layer_patterns import LayerPatterns, PatternGroup
from judge.paper.request import PaperRequest
from judge.paper.work import PaperWork
from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.families import Base
from lorarar.pocket import shipped
from lorarar.store import Store

from .paper_grid import PLAN, run_paper, write_test_plan

QUERY = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
OUTPUT = "unet.up_blocks.0.attentions.0.transformer_blocks.0.attn2.to_out.0"
PAIRS = [(content, style) for content in "abc" for style in "xyz"]


def _patterns(shift):
    """Patterns of nine pairs whose coefficients of a layer are all alike but for what ``shift`` gives a pair."""
    columns = np.linspace(-0.1, 0.1, 11)
    return LayerPatterns.of(
        (pair, {OUTPUT: (0.5 + columns, 1 + columns), QUERY: (0.8 + shift(pair) + columns, 0.2 + columns)})
        for pair in PAIRS
    )


def test_what_does_not_look_at_its_input_has_no_spread_over_pairs():
    patterns = _patterns(lambda pair: 0.0)
    assert patterns.over_pairs().value == pytest.approx(0, abs=1e-7)
    assert patterns.within_pairs() == pytest.approx(np.linspace(-0.1, 0.1, 11).std())


def test_spread_over_pairs_is_that_of_the_layers_that_have_it():
    patterns = _patterns(lambda pair: {"a": -0.3, "b": 0.0, "c": 0.3}[pair[0]])
    (first, second) = patterns.groups.values()
    over = patterns.over_pairs(first)
    assert over.value == pytest.approx(np.std([-0.3, 0, 0.3]) / np.sqrt(2))  # content's side alone
    assert over.low < over.value  # of three contents a resample may hold one alone
    assert patterns.over_pairs(second).value == pytest.approx(0, abs=1e-7)
    assert LayerPatterns.of_record(json.loads(json.dumps(patterns.record()))).over_pairs(first) == over


def test_groups_are_in_the_order_of_the_network_and_named_for_people():
    patterns = _patterns(lambda pair: 0.0)
    assert patterns.layers == [QUERY, OUTPUT]
    assert [group.words for group in patterns.groups] == [
        "down 1, self-attention, query",
        "up 0, text attention, output",
    ]
    assert PatternGroup.of("text_encoder.text_model.layers.0.q").rank > PatternGroup.of(OUTPUT).rank


def test_layers_that_not_all_pairs_have_are_left_out():
    of = (np.ones(3), np.ones(3))
    patterns = LayerPatterns.of([(("a", "x"), {QUERY: of, OUTPUT: of}), (("a", "y"), {QUERY: of})])
    assert patterns.layers == [QUERY]
    with pytest.raises(ValueError, match="no layer"):
        LayerPatterns.of([(("a", "x"), {QUERY: of}), (("a", "y"), {OUTPUT: of})])


def test_question_3_is_of_the_network_that_is_given_and_draws_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_paper("question-3", "--quick", "-o", "out", "--db", "none.db", "--json")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "none.db").exists()
    section = json.loads(result.stdout)["question-3"]["section"]
    numbers = section["numbers"]
    assert numbers["over_pairs"]["value"] < numbers["within_pairs"]
    assert {group["layers"] for group in numbers["groups"].values()} <= {1, 2, 3, 4, 6}
    assert len(section["figures"]) == 2 and all(
        (tmp_path / "out" / one["file"]).is_file() for one in section["figures"]
    )
    assert any("change nothing" in text for text in section["says"])


def test_a_base_without_a_network_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("judge.paper.given_loras.find_base", lambda name: Base(name, "somewhere"))
    with pytest.raises(PaperError, match="--hypernet FILE"):
        network_file(PaperRequest(tmp_path, "other"))
    assert network_file(PaperRequest(tmp_path, "other", hypernet=shipped.HYPERNET)) == shipped.HYPERNET


def test_figures_3_and_8_are_of_the_merges_that_were_drawn(tmp_path, monkeypatch):
    plan = tmp_path / "two.toml"
    head = PLAN[: PLAN.index("[[methods]]")].replace('"tiny"', '"two"')
    plan.write_text(head + '[[methods]]\nmethod = "ziplora"\nsteps = 1\n[[methods]]\nmethod = "lorarar"\n')
    monkeypatch.setattr(grids, "TEST", str(plan))
    with Store(tmp_path / "a.db") as store:
        run_plan(read_plan(plan), store, tmp_path / "pictures")
    request = PaperRequest(tmp_path / "out", db=tmp_path / "a.db", seeds=10)
    section = figure_3_8.section(PaperWork("figure-3-8", request))
    traits = section.numbers["traits"]
    assert traits["lorarar"]["spread"]["value"] > traits["ziplora"]["spread"]["value"]  # after one step from one
    assert traits["ziplora"]["one_sided"]["value"] == 0
    assert (tmp_path / "out" / section.figures[0].file).is_file()
    assert "44 layers" in section.paragraphs[0]  # of 66 that are predicted, those that ZipLoRA has too


def test_a_grid_without_one_of_the_two_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(grids, "TEST", str(write_test_plan(tmp_path)))
    with pytest.raises(PaperError, match="no row ziplora"):
        figure_3_8.section(PaperWork("figure-3-8", PaperRequest(tmp_path)))


def test_what_is_of_one_side_alone_is_counted():
    columns = {("a", "x"): {QUERY: (np.array([1, 0, 1, 0.5]), np.array([0, 1, 1, -0.05]))}}
    assert figure_3_8._traits(columns)["one_sided"] == {("a", "x"): 0.75}
