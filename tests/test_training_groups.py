"""Several trainings at once: each ends in what it ends in alone, whatever is trained beside it."""

import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from lorarar.generation.denoisers.table import denoiser_of
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import read_provenance, write_adapter
from lorarar.training import coefficient_group, loop
from lorarar.training.clipping import clip_gradients
from lorarar.training.coefficient_group import PairGroup, likeness, train_coefficient_group
from lorarar.training.group_size import even_size, group_size
from lorarar.training.joint import train_joint, train_joint_group
from lorarar.training.lesson import Lesson
from lorarar.training.lora import train_lora
from lorarar.training.lora_group import train_lora_group
from lorarar.training.member_checkpoints import MemberState
from lorarar.training.options import OF_COEFFICIENTS, LoraOptions, ZipOptions
from lorarar.training.pair_coefficients import train_coefficients
from lorarar.util.errors import TrainingError
from lorarar.util.files import CHECKPOINT, checkpoint_beside

from .bench_plan import TRAINED, run, write_plan
from .conftest import random_adapter, write_concepts

JOINT = LoraOptions(rank=2, steps=5, rate=1e-3, batch=2, mirrored=True, decay=1.0, feed_forward=True)
NEAR = 1e-4  # of the length of what is compared


def assert_near(ours, theirs):
    assert ours.shape == theirs.shape
    assert float((ours - theirs).norm()) <= NEAR * float(theirs.norm())


@pytest.fixture
def concepts(tmp_path):
    return write_concepts(tmp_path, contents=3, styles=2)


@pytest.fixture
def pairs(concepts):
    """Three pairs, of which two share a content and two a style."""
    contents, styles = (
        [replace(one, adapter=random_adapter(2, seed + 10 * place, strength=0.2)) for seed, one in enumerate(side)]
        for place, side in enumerate(concepts)
    )
    return [(contents[0], styles[0]), (contents[0], styles[1]), (contents[1], styles[1])]


def lesson(number, count=2):
    generator = torch.Generator().manual_seed(number)
    return Lesson(torch.rand(count, 3, 16, 16, generator=generator) * 2 - 1, f"a sks thing{number}")


def assert_loras_close(ours, theirs):
    """All of one half together: AdamW makes a step of the rounding in a number whose gradient is nearly nothing."""
    assert ours.layers.keys() == theirs.layers.keys()
    for half in ("down", "up"):
        assert_near(*(torch.cat([getattr(of, half).flatten() for of in one.layers.values()]) for one in (ours, theirs)))


def assert_coefficients_close(ours, theirs):
    assert ours.keys() == theirs.keys()
    for layer, both in theirs.items():
        for one, other in zip(ours[layer], both, strict=True):
            assert_near(one, other)


def test_each_lora_of_a_group_is_what_it_is_alone(tiny):
    captioned = replace(lesson(3), captions=("a red thing", None))
    lessons = [[lesson(0), lesson(1, count=3)], [lesson(2, count=1)], [captioned, lesson(4)]]
    grouped = train_lora_group(tiny, lessons, JOINT)
    assert not any(".lora_" in name for name, _ in tiny.unet.named_parameters())
    alone = [train_lora(tiny, own, JOINT) for own in lessons]
    for ours, theirs in zip(grouped, alone, strict=True):
        assert_loras_close(ours, theirs)
    assert len({one.identity for one in grouped}) == 3


def test_each_joint_lora_of_a_group_is_what_it_is_alone(tiny, pairs):
    grouped = train_joint_group(tiny, pairs, JOINT, side=16)
    for ours, pair in zip(grouped, pairs, strict=True):
        assert_loras_close(ours, train_joint(tiny, *pair, JOINT, side=16))


@pytest.mark.parametrize("fidelity", ["l2", "mse"])
@pytest.mark.parametrize("name", OF_COEFFICIENTS)
def test_each_pairs_coefficients_are_what_they_are_alone(tiny, pairs, name, fidelity):
    how = OF_COEFFICIENTS[name].values(steps=4, rate=0.05, batch=2, fidelity=fidelity)
    grouped = train_coefficient_group(tiny, pairs, how, side=16)
    for ours, pair in zip(grouped, pairs, strict=True):
        alone = train_coefficients(tiny, *pair, how, side=16)
        assert_coefficients_close(ours, alone)
        assert any((vector != 1).any() for both in alone.values() for vector in both)


def test_a_concepts_lora_is_asked_once_for_all_of_its_pairs(tiny, pairs, monkeypatch):
    objective, asked = PairGroup(tiny, pairs, ZipOptions(batch=2), 16), []
    original = coefficient_group.predict
    monkeypatch.setattr(
        coefficient_group,
        "predict",
        lambda model, noisy, *rest: (asked.append(len(noisy)), original(model, noisy, *rest))[1],
    )
    batch = objective.share_of_step(lambda _: torch.Generator().manual_seed(1), coefficient_group.Share(0, 1))
    objective(*batch)
    assert asked == [4, 4, 12]  # two contents, two styles, and both sides of three pairs
    other = batch[0].clone()
    other[1, 0] += 1  # the second pair sees another noise of the content that it shares
    objective(other, batch[1])
    assert asked[3:] == [6, 4, 12]


def test_each_training_of_a_group_is_clipped_by_its_own_norm():
    generator = torch.Generator().manual_seed(0)
    weights = [torch.nn.Parameter(torch.zeros(3, *shape)) for shape in ((4,), (2, 5))]
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=generator) * torch.tensor([0.01, 1.0, 100.0]).view(
            -1, *[1] * (weight.dim() - 1)
        )
    before = [weight.grad.clone() for weight in weights]
    largest = clip_gradients(weights, 1.0, 3, Accelerator())
    norms = torch.cat([gradient.flatten(1) for gradient in before], dim=1).norm(dim=1)
    torch.testing.assert_close(largest, norms.max())
    for place, norm in enumerate(norms):
        alone = [torch.nn.Parameter(weight.detach()[place]) for weight in weights]
        for parameter, gradient in zip(alone, before, strict=True):
            parameter.grad = gradient[place].clone()
        torch.nn.utils.clip_grad_norm_(alone, 1.0)
        for parameter, weight in zip(alone, weights, strict=True):
            torch.testing.assert_close(weight.grad[place], parameter.grad)
        assert (norm > 1) == (place > 0)
    weights[0].grad[1, 0] = torch.nan
    assert not torch.isfinite(clip_gradients(weights, 1.0, 3, Accelerator()))


def states(folder, numbers):
    return [MemberState(folder / f"{number}.pt", {"number": number}) for number in numbers]


def test_whoever_was_killed_in_a_group_goes_on_alone_or_in_another(tiny, pairs, tmp_path):
    how = ZipOptions(steps=4, rate=0.05, batch=1)
    early = replace(how, steps=2)
    whole = [train_coefficients(tiny, *pair, how, side=16) for pair in pairs]
    one, two, three = states(tmp_path, range(3))
    train_coefficient_group(tiny, pairs[:2], early, side=16, members=[one, two])
    train_coefficients(tiny, *pairs[2], early, side=16, checkpoint=three.path, makings=three.makings)
    ended = train_coefficients(tiny, *pairs[0], how, side=16, checkpoint=one.path, makings=one.makings)
    assert_coefficients_close(ended, whole[0])
    others = train_coefficient_group(tiny, pairs[1:], how, side=16, members=[two, three])
    for ours, theirs in zip(others, whole[1:], strict=True):
        assert_coefficients_close(ours, theirs)


def test_a_group_goes_on_to_the_bits_of_an_unbroken_one(tiny, tmp_path):
    how = replace(JOINT, decay=0.0, mirrored=False)
    lessons = [[lesson(0)], [lesson(1)]]
    whole = train_lora_group(tiny, lessons, how)
    for name, kept in (("one", {"checkpoint": tmp_path / "all.pt"}), ("each", {"members": states(tmp_path, "ab")})):
        train_lora_group(tiny, lessons, replace(how, steps=2), **kept)
        again = train_lora_group(tiny, lessons, how, **kept)
        assert [lora.identity for lora in again] == [lora.identity for lora in whole], name


def test_states_of_other_trainings_and_other_steps_are_refused(tiny, tmp_path):
    lessons, how = [[lesson(0)], [lesson(1)]], replace(JOINT, decay=0.0, steps=2)
    members = states(tmp_path, "ab")
    train_lora_group(tiny, lessons, how, members=members)
    with pytest.raises(TrainingError, match="another training, by number"):
        train_lora_group(tiny, lessons, how, members=[members[0], members[1]._replace(makings={"number": 3})])
    members[1].path.unlink()
    with pytest.raises(TrainingError, match="different steps; train them one by one"):
        train_lora_group(tiny, lessons, replace(how, steps=3), members=members)


def test_pairs_are_alike_by_the_shapes_of_their_loras(tiny, pairs):
    assert len({likeness(pair) for pair in pairs}) == 1
    content, style = pairs[0]
    assert likeness((replace(content, adapter=random_adapter(3, 1)), style)) != likeness(pairs[0])
    with pytest.raises(TrainingError, match="several shapes"):
        PairGroup(tiny, [pairs[0], (replace(content, adapter=random_adapter(3, 1)), style)], ZipOptions(), 16)
    flat = Adapter({"unet.conv": Factors(down=torch.ones(2, 3, 1, 1), up=torch.ones(4, 2, 1, 1))})
    assert likeness((replace(content, adapter=flat), style)) is None


def test_the_size_of_a_group_comes_from_the_size_of_the_base(tiny):
    here, joint = Accelerator(), LoraOptions(batch=2)
    assert group_size(denoiser_of(tiny), here, joint) == 16
    assert group_size(denoiser_of(tiny), here, joint, wanted=3) == 3

    class Weight:
        def __init__(self, nbytes):
            self.nbytes = nbytes

    class Denoiser:
        def __init__(self, nbytes):
            self.parameters = lambda: [Weight(nbytes)]

    assert group_size(Denoiser(100 * 2**20), here, joint) == 12
    assert group_size(Denoiser(100 * 2**20), here, ZipOptions(batch=2)) == 6
    assert group_size(Denoiser(3 * 2**30), here, LoraOptions()) == 1
    assert group_size(Denoiser(1), here, replace(joint, optimiser="adamw8bit"), wanted=3) == 1


@pytest.mark.parametrize(
    ("number", "most", "processes", "size"),
    [(25, 16, 2, 13), (25, 16, 1, 13), (25, 16, 4, 7), (9, 16, 2, 5), (2, 16, 1, 2), (1, 16, 8, 1), (40, 16, 2, 10)],
)
def test_processes_share_groups_out_evenly(number, most, processes, size):
    assert even_size(number, most, processes) == size


@pytest.fixture
def plan_file(tmp_path, tiny_folder):
    """Joint training and ZipLoRA for two contents in one style."""
    path = write_plan(tmp_path, tiny_folder)
    head, *_ = path.read_text().partition("[[methods]]")
    path.write_text('together = "auto"\n' + head + TRAINED)
    return path


def files_of(out):
    return {path.relative_to(out): path for path in sorted((out / "trained").rglob("*")) if path.is_file()}


def test_a_grid_trains_its_pairs_at_once_into_the_files_of_pairs_alone(plan_file, tmp_path, capsys):
    assert run(plan_file, tmp_path / "many").trained == 4
    assert "joint 2 pairs" in capsys.readouterr().err
    plan_file.write_text(plan_file.read_text().replace('together = "auto"', ""))
    assert run(plan_file, tmp_path / "one", db="b.db").trained == 4
    assert "joint c0--s0" in capsys.readouterr().err
    many, one = files_of(tmp_path / "many"), files_of(tmp_path / "one")
    assert many.keys() == one.keys() and len(many) == 4
    for name, file in many.items():
        assert read_provenance(file) == read_provenance(one[name])
        ours, theirs = load_file(file), load_file(one[name])
        assert_near(*(torch.cat([of[key].flatten() for key in theirs]) for of in (ours, theirs)))


def test_a_killed_grid_goes_on_where_each_pair_is(plan_file, tmp_path, monkeypatch):
    steps, original = [], loop._take_step

    def noted(run, *rest):
        steps.append(run.step)
        return original(run, *rest)

    @contextmanager
    def stop_after_the_first():
        yield lambda: len(steps) == 1

    monkeypatch.setattr(loop, "_take_step", noted)
    monkeypatch.setattr(loop, "held_interrupt", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        run(plan_file, tmp_path / "out")
    assert [file.name.endswith(CHECKPOINT) for file in files_of(tmp_path / "out").values()] == [True, True]
    assert run(plan_file, tmp_path / "out").trained == 4
    assert steps == [0, 1, 0, 1]  # the step that was taken is not taken again
    assert [file.suffix for file in files_of(tmp_path / "out").values()] == [".safetensors"] * 4


def test_a_pair_that_fails_stops_no_other_of_its_group(plan_file, tmp_path, capsys):
    words = {"prompt": "a sks dog " + "and a cat " * 40}
    write_adapter(random_adapter(2, 1, strength=0.2), tmp_path / "contents" / "c1.safetensors", words)
    outcome = run(plan_file, tmp_path / "out")
    assert outcome.trained == 2 and len(outcome.failures) == 2
    assert all("c1" in failure and "longer than" in failure for failure in outcome.failures)
    assert "2 pairs are trained one by one: " in capsys.readouterr().err


def test_broken_states_stop_no_other_of_a_group_either(plan_file, tmp_path):
    assert run(plan_file, tmp_path / "out").trained == 4
    [file] = (tmp_path / "out" / "trained" / "joint").glob("c0*")
    for path in (tmp_path / "out" / "trained").rglob("*.safetensors"):
        path.unlink()
    checkpoint_beside(file).write_bytes(b"nothing")
    shutil.rmtree(tmp_path / "out" / "images")
    outcome = run(plan_file, tmp_path / "out", db="b.db")
    assert outcome.trained == 3
    [failure] = outcome.failures
    assert "joint, c0" in failure and "cannot be read as a checkpoint" in failure
