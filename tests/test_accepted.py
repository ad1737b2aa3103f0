"""Learning from the judge: which pictures a training takes from a database, and that it learns them."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from lorarar.families import find_base
from lorarar.lora.files import read_provenance, write_adapter
from lorarar.store import Store
from lorarar.store.acceptance import JudgeChoice
from lorarar.store.schemas import SCHEMAS
from lorarar.training.accepted_pictures import read_accepted
from lorarar.training.hypernet import new_objective, train_hypernet
from lorarar.training.loop import Schedule, train
from lorarar.training.options import HypernetOptions
from lorarar.util.errors import LorarError, StoreError, TrainingError

from .conftest import random_adapter
from .studies_database import add_verdicts

OPTIONS = HypernetOptions(objective="accepted", hidden=8, pairs=2, batch=2, steps=4, decay=0.0, average=0.9)
ANYBODY = JudgeChoice()


def some(row, content, style, seed):
    """All four of one pair, one of another, halves of a third, none of the last."""
    return {"c0-s0": True, "c0-s1": (row, seed) == ("half", 1), "c1-s0": (True, False), "c1-s1": False}[
        f"{content}-{style}"
    ]


def accepted(pool, base, titles=("pool",), choice=ANYBODY):
    with Store(pool, read_only=True) as store:
        return read_accepted(store, titles, choice, find_base(str(base)))


def names(pictures):
    """How many pictures there are by the names of their pair."""
    return {
        (pictures.contents[content].name, pictures.styles[style].name): len(of_pair)
        for (content, style), of_pair in pictures.pictures.items()
    }


def test_accepted_pictures_are_those_with_both_verdicts_yes(pool, tiny_folder, capsys):
    add_verdicts(pool, some)
    pictures = accepted(pool, tiny_folder)
    assert names(pictures) == {("c0", "s0"): 4, ("c0", "s1"): 1}
    assert [one.name for one in pictures.contents] == ["c0"] and [one.name for one in pictures.styles] == ["s0", "s1"]
    [one] = pictures.pictures[0, 1]
    assert one.prompt == "a sks dog0 in look1 style" and one.file.is_file()
    assert pictures.record["titles"] == ["pool"] and pictures.record["judge"]["critic"] == "scripted"
    assert (pictures.record["pictures"], pictures.record["pairs"]) == (5, 2)
    assert "scripted accepts 5 of 16 pictures, of 2 pairs; 2 pairs without any left out" in capsys.readouterr().err


def test_a_filter_chooses_among_a_plans_pictures_and_nothing_else_is_meant(pool, tiny_folder):
    add_verdicts(pool, some)
    whole, half = accepted(pool, tiny_folder), accepted(pool, tiny_folder, ["plan=pool,row=direct"])
    assert names(half) == {("c0", "s0"): 2} and half.record["digest"] != whole.record["digest"]
    again = accepted(pool, tiny_folder, ["pool", "plan=pool,row=half"])
    assert again.record["digest"] == whole.record["digest"] and names(again) == names(whole)
    with pytest.raises(TrainingError, match=r"--accepted lake: pool.db has no such pictures, but plan pool \(16"):
        accepted(pool, tiny_folder, ["lake"])
    with pytest.raises(TrainingError, match=r"was drawn by base .*; give --base"):
        accepted(pool, "pocket")


def test_the_judge_is_the_one_a_report_has(pool, tiny_folder, capsys):
    with pytest.raises(LorarError, match="no verdicts; judge first"):
        accepted(pool, tiny_folder)
    add_verdicts(pool, lambda row, content, style, seed: seed == 0, critic="first")
    add_verdicts(pool, some, critic="second")
    by_second = accepted(pool, tiny_folder, choice=JudgeChoice(critics=("second",)))
    assert names(by_second) == {("c0", "s0"): 4, ("c0", "s1"): 1}
    capsys.readouterr()
    accepted(pool, tiny_folder)
    assert "judged these pictures too; all as a jury: --critic" in capsys.readouterr().err
    both = accepted(pool, tiny_folder, choice=JudgeChoice(critics=("first", "second")))
    assert names(both) == {("c0", "s0"): 2} and both.record["judge"]["critic"].startswith("the majority of")
    with pytest.raises(LorarError, match="there is no such judge"):
        accepted(pool, tiny_folder, choice=JudgeChoice(critics=("third",)))


@pytest.mark.parametrize(
    ("place", "message"),
    [("", "nothing that is installed here judges pictures"), ("nowhere:read", "acceptance of schema judge fails")],
)
def test_what_cannot_say_what_is_accepted_is_one_line(pool, tiny_folder, monkeypatch, place, message):
    add_verdicts(pool, some)
    schemas = {name: replace(schema, acceptance=schema.acceptance and place) for name, schema in SCHEMAS.items()}
    monkeypatch.setattr("lorarar.store.acceptance.SCHEMAS", schemas)
    with pytest.raises(StoreError, match=message) as error:
        accepted(pool, tiny_folder)
    assert "\n" not in str(error.value)


def test_what_has_changed_since_is_not_learnt_from(pool, tiny_folder, capsys):
    add_verdicts(pool, some)
    [one] = accepted(pool, tiny_folder).pictures[0, 1]
    one.file.write_bytes(b"another picture")
    less = accepted(pool, tiny_folder)
    assert names(less) == {("c0", "s0"): 4}
    assert "1 accepted picture gone or changed" in capsys.readouterr().err
    write_adapter(random_adapter(2, 77), pool.parent / "contents" / "c0.safetensors", {"prompt": "a sks dog0"})
    with pytest.raises(
        TrainingError, match=r"c0\.safetensors has changed since the pictures of c0 were drawn"
    ) as error:
        accepted(pool, tiny_folder)
    assert "\n" not in str(error.value)
    (pool.parent / "contents" / "c0.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"LoRA c0: .*cannot be found"):
        accepted(pool, tiny_folder)


def test_pairs_are_drawn_equally_and_not_pictures(pool, tiny, tiny_folder):
    add_verdicts(pool, some)
    pictures = accepted(pool, tiny_folder)
    sides = pictures.contents, pictures.styles
    objective = new_objective(tiny, *sides, replace(OPTIONS, pairs=40), 16, None, None, pictures)
    assert objective.latents.dtype == torch.float16 and len(objective.latents) == 5
    pairs, numbers, noisy, times, aims = objective.batch(torch.Generator().manual_seed(0))
    drawn = Counter(tuple(pair.tolist()) for pair in pairs.T)
    assert drawn.keys() == {(0, 0), (0, 1)} and min(drawn.values()) > 10
    of_pair = dict(enumerate([(0, 0)] * 4 + [(0, 1)]))
    assert [of_pair[number] for number in numbers.tolist()] == [tuple(p.tolist()) for p in pairs.T for _ in range(2)]
    assert len({*numbers.tolist()}) == 5 and noisy.shape == aims.shape == (80, 4, 8, 8) and times.shape == (80,)


@pytest.mark.parametrize(("head", "left"), [("columns", 0.99), ("ranks", 0.995)])  # ranks are few
def test_accepted_pictures_are_learnt(pool, tiny, tiny_folder, head, left):
    add_verdicts(pool, some)
    pictures, options = accepted(pool, tiny_folder), replace(OPTIONS, head=head, parts=("query", "output"))
    objective = new_objective(tiny, pictures.contents, pictures.styles, options, 16, None, None, pictures)
    batch, losses = objective.batch(torch.Generator().manual_seed(0)), []
    objective.batch = lambda generator, share: batch
    train(objective, Schedule(12, 0.02, decay=0.0), title="x", on_step=lambda step, loss: losses.append(loss))
    assert losses[-1] < left * losses[0]


def test_a_killed_training_ends_as_an_unbroken_one(pool, tiny, tiny_folder, tmp_path):
    add_verdicts(pool, some)
    pictures, state = accepted(pool, tiny_folder), tmp_path / "state.pt"
    arguments, how = (tiny, pictures.contents, pictures.styles), {"side": 16, "accepted": pictures}
    whole = train_hypernet(*arguments, OPTIONS, **how)
    train_hypernet(*arguments, replace(OPTIONS, steps=2), checkpoint=state, **how)
    again = train_hypernet(*arguments, OPTIONS, checkpoint=state, **how)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def test_the_command_says_whose_pictures_were_learnt_and_refuses_anothers_checkpoint(run, pool, tiny_folder, tmp_path):
    add_verdicts(pool, some)
    given = ("train", "hypernet", "--base", tiny_folder, "--db", pool, "--hidden", 8, "--pairs", 2)
    more = ("--device", "cpu", "--objective", "accepted", "--steps", 2, "-o", "h.safetensors")
    result = run(*given, *more, "--accepted", "pool")
    assert result.exit_code == 0, result.output
    assert "trained on 1 contents x 2 styles" in result.stderr
    header = read_provenance(tmp_path / "h.safetensors")
    assert header["objective"] == "accepted" and header["accepted"]["titles"] == ["pool"]
    assert header["accepted"]["judge"]["critic"] == "scripted" and header["accepted"]["pictures"] == 5
    assert header["training"]["accepted"] == header["accepted"]["digest"]
    assert [one["lora"] for one in header["training"]["contents"]]
    result = run(*given, *more, "--accepted", "pool", "--contents", "contents")
    assert result.exit_code == 2 and "--contents does not go with --objective accepted" in result.stderr
    result = run(*given, *more)
    assert result.exit_code == 2 and "needs --accepted TITLE" in result.stderr
    result = run(*given, "--accepted", "pool", "-o", "x.safetensors")
    assert result.exit_code == 2 and "--accepted goes with --objective accepted" in result.stderr
    result = run(*given, "-o", "x.safetensors")
    assert result.exit_code == 2 and "--contents and --styles are needed" in result.stderr


def test_another_set_of_accepted_pictures_is_another_training(pool, tiny, tiny_folder, tmp_path):
    add_verdicts(pool, some)
    pictures, rest = accepted(pool, tiny_folder), accepted(pool, tiny_folder, ["plan=pool,row=direct"])
    assert pictures.facts["accepted"] != rest.facts["accepted"]
    state, how = tmp_path / "state.pt", {"side": 16}
    short = replace(OPTIONS, steps=1)
    arguments = (tiny, pictures.contents, pictures.styles, short)
    train_hypernet(*arguments, checkpoint=state, makings=pictures.facts, accepted=pictures, **how)
    with pytest.raises(TrainingError, match="another training, by accepted"):
        train_hypernet(*arguments, checkpoint=state, makings=rest.facts, accepted=rest, **how)
