import signal
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from lorarar.training.loop import Objective, Schedule, pick, train
from lorarar.util.errors import TrainingError

PLAN = Schedule(steps=12, rate=0.05, seed=3, warmup=2, ema=0.9, save_every=5)


class Line(Objective):
    """Fit y = 3x + 1."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(1, 1)
        self.seen = []

    def batch(self, generator):
        x = torch.randn(8, 1, generator=generator)
        self.seen.append(float(x.sum()))
        return x, 3 * x + 1

    def forward(self, x, y):
        return ((self.line(x) - y) ** 2).mean()


def test_it_learns():
    objective = Line()
    train(objective, Schedule(300, 0.1), title="line")
    assert objective.line.weight.item() == pytest.approx(3, abs=0.05)
    assert objective.line.bias.item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("stop", [3, 5, 11])
def test_a_run_that_was_interrupted_ends_as_an_unbroken_one(tmp_path, stop):
    unbroken = train(Line(), PLAN, title="line").result()

    def interrupt(step, loss):
        if step == stop + 1:
            signal.raise_signal(signal.SIGINT)

    file = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        train(Line(), PLAN, file, title="line", on_step=interrupt)
    resumed = Line()
    weights = train(resumed, PLAN, file, title="line").result()
    assert len(resumed.seen) < PLAN.steps
    for name, tensor in unbroken.items():
        assert torch.equal(weights[name], tensor)


def test_a_finished_checkpoint_is_not_trained_again(tmp_path):
    first = train(Line(), PLAN, tmp_path / "state.pt", title="line")
    again = Line()
    second = train(again, PLAN, tmp_path / "state.pt", title="line")
    assert torch.equal(second.result()["line.weight"], first.result()["line.weight"])
    assert second.seconds == first.seconds > 0
    assert again.seen == []


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    train(Line(), PLAN, tmp_path / "state.pt", title="line")
    other = Line()
    other.line = nn.Linear(1, 2)
    with pytest.raises(TrainingError, match="other parameters"):
        train(other, PLAN, tmp_path / "state.pt", title="line")


MADE_OF = {"content": {"prompt": "a dog", "pictures": ["1", "2"]}, "options": {"rate": 0.1, "steps": 12}}


@pytest.mark.parametrize(
    ("change", "schedule", "names"),
    [
        ({"content": {"prompt": "a cat", "pictures": ["1", "2"]}}, {}, "content.prompt"),
        ({"content": {"prompt": "a dog", "pictures": ["1"]}}, {}, "content.pictures"),
        ({"base": "x"}, {}, "base"),
        ({"options": {"rate": 0.2, "steps": 12}}, {"rate": 0.2}, "options.rate, schedule.rate"),
        ({}, {"seed": 4}, "schedule.seed"),
        ({}, {"steps": 13}, "steps"),  # its rates decay, so they depend on the number of steps
    ],
)
def test_the_checkpoint_of_another_training_is_refused_by_what_differs(tmp_path, change, schedule, names):
    file = tmp_path / "state.pt"
    train(Line(), PLAN, file, title="line", makings=MADE_OF)
    before = file.read_bytes()
    with pytest.raises(TrainingError) as caught:
        train(Line(), replace(PLAN, **schedule), file, title="line", makings=MADE_OF | change)
    assert str(caught.value) == (f"{file} is the checkpoint of another training, by {names}; remove it to start anew")
    assert file.read_bytes() == before


def test_more_steps_alone_go_on_where_no_step_depends_on_their_number(tmp_path):
    def rates(steps):
        return Schedule(steps, 0.05, decay=0), {**MADE_OF, "options": {"rate": 0.1, "steps": steps}}

    whole = train(Line(), rates(12)[0], title="line").result()
    for steps in (5, 12):
        schedule, makings = rates(steps)
        longer = train(Line(), schedule, tmp_path / "state.pt", title="line", makings=makings).result()
    assert all(torch.equal(longer[name], whole[name]) for name in whole)
    with pytest.raises(TrainingError, match="by steps"):
        train(Line(), rates(5)[0], tmp_path / "state.pt", title="line", makings=rates(5)[1])


def test_a_checkpoint_that_does_not_say_its_training_is_refused(tmp_path):
    torch.save({"step": 1, "weights": {}}, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match="does not say which training"):
        train(Line(), PLAN, tmp_path / "state.pt", title="line")


def scaling():
    """An accelerator that scales gradients as it does in fp16 on a GPU."""
    accelerator = Accelerator(cpu=True)
    accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**124, growth_interval=2)
    return accelerator


def test_the_scale_of_gradients_goes_on_where_it_was(tmp_path):
    scales = []

    def note(step, loss):
        scales.append(whole.scaler.get_scale())

    whole = scaling()
    unbroken = train(Line(), PLAN, title="line", accelerator=whole, on_step=note).result()
    assert len(set(scales)) > 2  # it grew, and gradients overflowed: a step was skipped

    def interrupt(step, loss):
        if step == 7:
            signal.raise_signal(signal.SIGINT)

    file = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        train(Line(), PLAN, file, title="line", accelerator=scaling(), on_step=interrupt)
    unbroken_scales = scales.copy()
    scales.clear()
    whole = scaling()
    resumed = train(Line(), PLAN, file, title="line", accelerator=whole, on_step=note).result()
    assert all(torch.equal(resumed[name], unbroken[name]) for name in unbroken)
    assert scales == unbroken_scales[-len(scales) :]


def test_a_broken_checkpoint_is_refused(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match="cannot be read"):
        train(Line(), PLAN, tmp_path / "state.pt", title="line")


@pytest.mark.parametrize("length", [2, 40, 900])
def test_a_cut_checkpoint_is_refused(tmp_path, length):
    train(Line(), PLAN, tmp_path / "state.pt", title="line")
    with (tmp_path / "state.pt").open("r+b") as file:
        file.truncate(length)
    with pytest.raises(TrainingError, match="cannot be read"):
        train(Line(), PLAN, tmp_path / "state.pt", title="line")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"makings": "nojson"}, "does not say which training"),
        ({"makings": 3}, "does not say which training"),
        ({"makings": "[1]"}, "no whole checkpoint .makings"),
        ({"steps": None}, "no whole checkpoint .steps"),
        ({"step": "1", "average": []}, "no whole checkpoint .step, average"),
        ({"weights": {"line.weight": 1}}, "no whole checkpoint .tensors"),
        ({"average": {"line.weight": torch.zeros(3)}}, "other parameters"),
        ({"optimizer": {}}, "no state of this training"),
        ({"optimizer": {"state": {}, "param_groups": []}}, "no state of this training"),
    ],
)
def test_an_unsound_checkpoint_is_one_line_and_changes_no_weight(tmp_path, change, message):
    file = tmp_path / "state.pt"
    train(Line(), PLAN, file, title="line")
    torch.save(torch.load(file, weights_only=True) | change, file)
    line = Line()
    before = {name: tensor.clone() for name, tensor in line.state_dict().items()}
    with pytest.raises(TrainingError, match=message) as caught:
        train(line, PLAN, file, title="line")
    assert "\n" not in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in line.state_dict().items())


def test_a_list_is_no_checkpoint(tmp_path):
    torch.save([1], tmp_path / "state.pt")
    with pytest.raises(TrainingError, match="does not say which training"):
        train(Line(), PLAN, tmp_path / "state.pt", title="line")


def test_the_largest_seed_trains(tmp_path):
    train(Line(), replace(PLAN, seed=2**63 - 1, steps=2), title="line")


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    class Broken(Line):
        def forward(self, x, y):
            return super().forward(x, y) * float("nan")

    with pytest.raises(TrainingError, match="step 0"):
        train(Broken(), PLAN, tmp_path / "state.pt", title="line")
    assert not (tmp_path / "state.pt").exists()


def test_rates_warm_up_and_decay():
    plan = Schedule(steps=100, rate=1.0, warmup=10)
    assert plan.rate_at(0) == pytest.approx(0.1)
    assert plan.rate_at(10) > plan.rate_at(50) > plan.rate_at(99)
    assert Schedule(steps=100, rate=1.0, decay=0).rate_at(99) == 1.0


def test_rates_may_fall_over_the_last_steps_alone():
    schedule = Schedule(steps=100, rate=1.0, decay=0.2)
    assert schedule.rate_at(0) == schedule.rate_at(80) == 1.0
    assert schedule.rate_at(90) == pytest.approx(0.5)
    assert schedule.rate_at(99) < 0.01


def test_draws_depend_on_the_generator_alone():
    draws = [pick(torch.Generator().manual_seed(5), 100, 4).tolist() for _ in range(2)]
    assert draws[0] == draws[1]


class Elsewhere(Accelerator):
    """An accelerator whose place is told by the dtype of what lies there, as a GPU's is by the device."""

    def prepare(self, *parts):
        parts[0].double()
        return super().prepare(*parts)


class DistantLine(Line):
    """A line whose batches go where its weights are."""

    def batch(self, generator):
        return tuple(part.to(self.line.weight.dtype) for part in super().batch(generator))


def test_the_moving_average_lies_where_the_weights_do(tmp_path):
    """Made before the weights are moved, it would be left behind, and could not follow them."""
    file = tmp_path / "state.pt"
    run = train(DistantLine(), PLAN, file, title="line", accelerator=Elsewhere())
    assert {tensor.dtype for tensor in [*run.average.values(), *run.weights.values()]} == {torch.float64}
    longer = replace(PLAN, decay=False)
    train(DistantLine(), replace(longer, steps=3), tmp_path / "other.pt", title="line", accelerator=Elsewhere())
    again = train(DistantLine(), longer, tmp_path / "other.pt", title="line", accelerator=Elsewhere())
    assert {tensor.dtype for tensor in again.average.values()} == {torch.float64}
