"""How a training is run: where, in which numbers, by which optimiser, and what is left of it."""

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn
from typer import Exit
from typer.main import get_command
from typer.testing import CliRunner

from lorarar.cli.console import command
from lorarar.cli.main import app
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import write_adapter
from lorarar.training.loop import Schedule, train
from lorarar.training.optimisers import check_optimiser
from lorarar.training.options import HypernetOptions, LoraOptions, ZipOptions, options_facts
from lorarar.training.out_of_memory import memory_in_one_line, what_takes_less
from lorarar.training.place import TrainingPlace, default_precision, surroundings
from lorarar.util.errors import AdapterError, BaseError, TrainingError
from lorarar.util.out_of_memory import is_out_of_memory, what_was_missing

from .test_loop import PLAN, Line, scaling


@pytest.fixture
def anew():
    """A process in which accelerate has not been used yet."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


# --- the place ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "bf16", "precision"),
    [("cpu", True, "no"), ("mps", True, "no"), ("cuda", True, "bf16"), ("cuda:1", False, "fp16")],
)
def test_a_gpu_trains_in_half_precision_by_default_and_nothing_else_does(monkeypatch, device, bf16, precision):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16 or including_emulation)
    assert default_precision(torch.device(device)) == precision


def test_the_default_place_here_and_what_it_is_in_keys(anew):
    accelerator = TrainingPlace().accelerator()
    facts = surroundings(accelerator)
    assert (facts["device"], facts["precision"]) == (accelerator.device.type, default_precision(accelerator.device))
    assert set(facts) == {"device", "precision", "versions"}


def test_how_many_processes_share_a_step_is_in_keys_where_several_do():
    alone, three = (
        SimpleNamespace(mixed_precision="no", device=torch.device("cpu"), num_processes=many) for many in (1, 3)
    )
    assert surroundings(three) == surroundings(alone) | {"processes": 3}
    assert "processes" not in surroundings(alone)


@pytest.mark.parametrize(("configured", "precision"), [("bf16", "bf16"), ("no", "no"), ("fp8", "no")])
def test_what_accelerate_is_configured_with_counts_where_it_is_half_precision(anew, monkeypatch, configured, precision):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", configured)
    assert TrainingPlace("cpu").accelerator().mixed_precision == precision


def test_a_flag_goes_before_the_configuration(anew, monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert TrainingPlace("cpu", "no").accelerator().mixed_precision == "no"


def test_a_device_that_is_not_there_is_one_line(anew):
    with pytest.raises(BaseError, match="--device is 'cuda:77', which is not to be had here"):
        TrainingPlace("cuda:77").accelerator()


def test_no_cpu_trains_in_fp16(anew):
    with pytest.raises(TrainingError, match=r"fp16.*accepted there are no, bf16"):
        TrainingPlace("cpu", "fp16").accelerator()


def test_a_second_precision_in_one_process_is_one_line_and_never_the_first_without_a_word(anew):
    TrainingPlace("cpu", "bf16").accelerator()
    with pytest.raises(TrainingError, match="--precision no is another place than this process trains in already"):
        TrainingPlace("cpu").accelerator()
    assert TrainingPlace("cpu", "bf16").accelerator().mixed_precision == "bf16"


# --- what is left of a training ------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_nothing_of_a_training_is_kept_by_its_accelerator(anew, precision):
    """The next pair of a grid has all the memory; and by counting references, without a search for circles."""
    accelerator = TrainingPlace("cpu", precision).accelerator()
    gc.disable()
    try:
        for _ in range(3):
            objective = Line()
            run = train(objective, replace(PLAN, steps=3), title="line", accelerator=accelerator)
            left = [weakref.ref(part) for part in (objective, run.optimizer, *objective.parameters())]
            del objective, run
            assert [part() for part in left if part() is not None] == []
    finally:
        gc.enable()


def test_nothing_of_a_training_that_fails_is_kept_either(anew):
    class Failing(Line):
        def forward(self, x, y):
            raise TrainingError("no")

    accelerator = TrainingPlace("cpu", "bf16").accelerator()
    objective = Failing()
    with pytest.raises(TrainingError):
        train(objective, PLAN, title="line", accelerator=accelerator)
    left = weakref.ref(objective)
    del objective
    gc.collect()  # the error's own frames were a circle
    assert left() is None


def test_an_objective_can_be_trained_on_in_the_same_precision(anew):
    accelerator = TrainingPlace("cpu", "bf16").accelerator()
    kinds = []

    class Noting(Line):
        def forward(self, x, y):
            kinds.append(self.line(x).dtype)
            return super().forward(x, y).float()

    objective = Noting()
    for _ in range(2):
        train(objective, replace(PLAN, steps=2), title="line", accelerator=accelerator)
    assert set(kinds) == {torch.bfloat16}


def test_the_scale_of_gradients_of_one_pair_is_not_where_the_next_begins():
    accelerator = scaling()
    begun = accelerator.scaler.get_scale()
    first, second = (train(Line(), PLAN, title="line", accelerator=accelerator).result() for _ in range(2))
    assert accelerator.scaler.get_scale() == begun
    assert all(torch.equal(first[name], second[name]) for name in first)


# --- numbers that are none -----------------------------------------------------------------------------------------


class Steep(torch.autograd.Function):
    """What it is given, with a gradient that is no number."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * float("nan")


class Breaking(Line):
    """A line whose numbers break at a step, where ``what`` says."""

    def __init__(self, what, at):
        super().__init__()
        self.what, self.at = what, at

    def forward(self, x, y):
        loss = super().forward(x, y)
        if len(self.seen) <= self.at:
            return loss
        if self.what == "weights":  # which the loss does not show yet
            self.line.bias.data.fill_(float("inf"))
        return {"loss": loss * float("inf"), "gradient": Steep.apply(loss), "weights": loss}[self.what]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("loss", "the loss is inf at step 5"),
        ("gradient", "the norm of the gradient is nan at step 5"),
        ("weights", "line.bias has values that are not finite at step 6"),
    ],
)
def test_numbers_that_are_none_end_a_training_and_are_never_written(tmp_path, what, words):
    file = tmp_path / "state.pt"
    schedule = Schedule(steps=6, rate=0.01, decay=0, save_every=3)
    with pytest.raises(TrainingError, match=words):
        train(Breaking(what, at=5), schedule, file, title="line")
    kept = torch.load(file, weights_only=True)
    assert kept["step"] == 3  # the state before
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept["weights"].values())
    with pytest.raises(TrainingError, match=words):
        train(Breaking(what, at=5), schedule, title="line")  # nor is there a result where no checkpoint is kept


def test_weights_of_a_checkpoint_that_are_none_are_no_result(tmp_path):
    file = tmp_path / "state.pt"
    train(Line(), PLAN, file, title="line")
    state = torch.load(file, weights_only=True)
    state["average"]["line.weight"].fill_(float("nan"))
    torch.save(state, file)
    with pytest.raises(TrainingError, match=r"line\.weight has values that are not finite"):
        train(Line(), PLAN, file, title="line")


def test_in_fp16_a_step_is_left_out_but_not_every_step():
    accelerator = scaling()
    accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    with pytest.raises(TrainingError, match="gradient is nan at step 2"):  # after 4 and 2
        train(Breaking("gradient", at=0), PLAN, title="line", accelerator=accelerator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_lora_that_its_dtype_cannot_hold_is_not_written(tmp_path, dtype):
    up = torch.full((4, 1), 1e6 if dtype == torch.float16 else float("nan"))
    adapter = Adapter({"unet.x.to_q": Factors(torch.ones(1, 4).to(dtype), up.to(dtype))})
    with pytest.raises(AdapterError, match=r"to_q.*not finite"):
        write_adapter(adapter, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


# --- out of memory -------------------------------------------------------------------------------------------------

FULL = [
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has"), "the GPU", "2.50 GiB"),
    (
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 5368709120 bytes. Error"),
        "this machine",
        "5 GiB",
    ),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "the GPU", ""),
    (RuntimeError("std::bad_alloc"), "this machine", ""),
    (OSError(12, "Cannot allocate memory"), "this machine", ""),
    (MemoryError(), "this machine", ""),
]


@pytest.mark.parametrize(("error", "place", "amount"), FULL)
def test_out_of_memory_is_one_line_that_says_where_and_how_much(error, place, amount):
    assert is_out_of_memory(error)
    more = f" (for another {amount})" if amount else ""
    assert what_was_missing(error) == f"{place} has not enough memory{more}"


@pytest.mark.parametrize(
    ("options", "precision", "ways"),
    [
        (LoraOptions(batch=4), "no", "batch 2, precision bf16, optimiser adamw8bit, rank 32, a smaller resolution"),
        (LoraOptions(rank=1, optimiser="adamw8bit"), "bf16", "a smaller resolution"),
        (HypernetOptions(batch=2), "bf16", "batch 1, a smaller resolution"),
        (ZipOptions(), "no", "precision bf16, another device, as cpu"),
    ],
)
def test_what_takes_less_memory_is_said_by_the_options(options, precision, ways):
    assert ", ".join(what_takes_less(options, precision)) == ways


def test_a_training_that_ran_out_of_memory_holds_none_of_it():
    """Its frames are in the error's traceback, and would hold all that they had made as long as somebody has it."""
    made = []

    def step():
        activations = torch.ones(3)
        made.append(weakref.ref(activations))
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB")

    with pytest.raises(TrainingError) as caught, memory_in_one_line(ZipOptions(), Accelerator()):
        step()
    assert made[0]() is None
    assert "\n" not in str(caught.value)
    assert "has not enough memory (for another 1.00 GiB) for this training; less is taken by" in str(caught.value)


# --- optimisers ----------------------------------------------------------------------------------------------------


def test_the_optimiser_is_in_keys_where_it_is_not_the_one_that_ever_was():
    for options in (LoraOptions(), ZipOptions(), HypernetOptions()):
        assert "optimiser" not in options_facts(options)
        assert options_facts(replace(options, optimiser="adamw8bit"))["optimiser"] == "adamw8bit"
    assert "optimiser" not in PLAN.facts()
    assert replace(PLAN, optimiser="adamw8bit").facts()["optimiser"] == "adamw8bit"


def test_an_optimiser_whose_package_is_missing_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bitsandbytes.optim", None)
    with pytest.raises(TrainingError, match=r"pip install 'lorarar\[8bit\]', or take --optimiser adamw"):
        check_optimiser("adamw8bit", torch.device("cpu"))


def test_an_optimiser_that_takes_no_step_on_a_device_is_one_line(monkeypatch):
    def fail(*args, **kwargs):
        raise NotImplementedError("no kernel\nfor this")

    monkeypatch.setattr("lorarar.training.optimisers.OPTIMISERS", {"adamw8bit": lambda: fail})
    with pytest.raises(TrainingError, match=r"--optimiser adamw8bit on cpu fails: NotImplementedError: no kernel$"):
        check_optimiser("adamw8bit", torch.device("cpu"))


class Wide(Line):
    """A line with a weight that is wide enough for eight bits."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Parameter(torch.ones(64, 64))

    def forward(self, x, y):
        return super().forward(x, y) + ((self.wide @ self.wide).mean() - 2) ** 2


def test_eight_bits_learn_and_go_on_to_the_bit(tmp_path):
    pytest.importorskip("bitsandbytes")
    check_optimiser("adamw8bit", torch.device("cpu"))
    schedule = replace(PLAN, optimiser="adamw8bit", decay=0)
    run = train(Wide(), schedule, tmp_path / "whole.pt", title="line")
    state = run.optimizer.state[run.weights["wide"]]
    assert {state["state1"].dtype, state["state2"].dtype} == {torch.uint8}
    train(Wide(), replace(schedule, steps=5), tmp_path / "state.pt", title="line")
    resumed = train(Wide(), schedule, tmp_path / "state.pt", title="line").result()
    assert all(torch.equal(resumed[name], tensor) for name, tensor in run.result().items())
    with pytest.raises(TrainingError, match=r"by schedule\.optimiser"):
        train(Wide(), replace(schedule, optimiser="adamw"), tmp_path / "state.pt", title="line")


# --- commands ------------------------------------------------------------------------------------------------------


def run(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def flags(words):
    group = get_command(app)
    for name in words.split():
        group = group.commands[name]
    context = group.make_context(words, [], resilient_parsing=True)
    return {flag for parameter in group.get_params(context) for flag in parameter.opts}


NO_TRAINING = {"means"}  # below train, of what was trained
TRAINING = [
    *(f"train {name}" for name in get_command(app).commands["train"].commands if name not in NO_TRAINING),
    "merge",
    "coefficients",
    "bench run",
    "pocket build",
]


@pytest.mark.parametrize("words", TRAINING)
def test_every_command_that_trains_says_where_and_in_which_numbers(words):
    assert {"--device", "--precision"} <= flags(words)
    assert ("--optimiser" in flags(words)) is words.startswith("train")


def test_a_precision_that_is_none_is_one_line_with_what_is_accepted():
    done = run("train", "lora", "x", "--prompt", "x", "-o", "x.safetensors", "--precision", "fp8")
    assert done.exit_code == 2
    assert "--precision is 'fp8'; accepted are no, fp16, bf16" in done.stderr


def test_where_nothing_is_optimised_no_precision_is_taken(tmp_path):
    place, a, b = (tmp_path / f"{name}.safetensors" for name in "cab")
    for unread in (a, b):
        unread.write_text("no LoRA")
    for words in (
        ("merge", a, b, "-o", place, "--method", "direct", "--precision", "bf16"),
        ("coefficients", a, b, "-o", place, "--method", "lorarar", "--precision", "bf16"),
        ("coefficients", a, b, "-o", place, "--method", "lorarar", "--device", "cpu"),
    ):
        done = run(*words)
        assert done.exit_code == 1
        assert f"{words[-2]} is of no use to {words[-3]} here" in " ".join(done.output.split())


def test_out_of_memory_is_one_line_in_every_command(monkeypatch, capsys):
    for error, *_ in FULL:

        @command
        def full(error=error):
            raise error

        with pytest.raises(Exit) as caught:
            full()
        assert caught.value.exit_code == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith(f"Memory: {what_was_missing(error)}; ")


def test_other_faults_of_a_command_stay_what_they_are():
    @command
    def broken():
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        broken()
