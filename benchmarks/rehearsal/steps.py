"""What is rehearsed: real commands, most valuable first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.rehearsal.scale import CONTENTS, STYLES, Scale
from lorarar.merging.methods import METHODS
from lorarar.merging.methods.method import Method

CONTENT, STYLE = next(iter(CONTENTS)), next(iter(STYLES))
LORAS = (f"concepts/contents/{CONTENT}.safetensors", f"concepts/styles/{STYLE}.safetensors")
NETWORK, COEFFICIENTS = "hypernet.safetensors", "coefficients.safetensors"
#: What a method is given beside the LoRAs: its option and the input that is its value.
GIVEN = {"lorarar": ("--hypernet", NETWORK), "ziplora": ("--coefficients", COEFFICIENTS)}
PROMPT = "a sks dog in watercolor painting style"
PRECISIONS = {"float32": "no", "float16": "fp16", "bfloat16": "bf16"}  # as trainings call them


@dataclass(frozen=True)
class Setting:
    """How a rehearsal runs."""

    work: Path  # where inputs and results lie, and where the commands run
    scale: Scale
    device: str
    steps: int  # of each training and each drawing
    numbers: str = ""  # a dtype; empty: the command's own
    out: str = "out"  # the folder of a step's results, in the work folder

    @property
    def is_gpu(self) -> bool:
        """Whether the models are in another memory than the machine's."""
        return not self.device.startswith("cpu")

    @property
    def place(self) -> list[str]:
        """The flags of where."""
        return ["--device", self.device]

    @property
    def dtype(self) -> list[str]:
        """The flags of the numbers that pictures are drawn and judged in."""
        return ["--dtype", self.numbers] if self.numbers else []

    @property
    def precision(self) -> list[str]:
        """The flags of the numbers that trainings compute in."""
        return ["--precision", PRECISIONS[self.numbers]] if self.numbers else []

    @property
    def size(self) -> str:
        """Of pictures, as ``--size`` takes it."""
        return f"{self.scale.side}x{self.scale.side}"


@dataclass(frozen=True)
class Step:
    """A command to rehearse.

    ``memory`` is what it takes on a CPU at true size, in GB, by the numbers that it can compute in, those first that
    it would compute in by itself; on a GPU all take less of the machine's own.
    """

    title: str
    inputs: tuple[str, ...]
    arguments: Callable[[Setting], list[str]]
    memory: Mapping[str, float]
    goal: float | None = None  # GiB on a GPU at most
    on_gpu_alone: bool = False


def run_plan(title: str, rows: str, pictures: str = "seeds = 1") -> Callable[[Setting], list[str]]:
    """A command that runs a plan of one content and one style; the plan is written beside the concepts."""

    def arguments(setting: Setting) -> list[str]:
        (setting.work / (plan := f"{title}.toml")).write_text(
            f'title = "{title}"\nbase = "base"\n'
            f'[contents]\nfolder = "concepts/contents"\nnames = ["{CONTENT}"]\n'
            f'[styles]\nfolder = "concepts/styles"\nnames = ["{STYLE}"]\n'
            f'[pictures]\n{pictures}\nsteps = {setting.steps}\nsize = "{setting.size}"\n'
            f"[[methods]]\n{rows.format(steps=setting.steps, rank=setting.scale.rank)}\n"
        )
        how = [*setting.place, *setting.dtype, *setting.precision]
        return ["bench", "run", plan, *how, "--out", setting.out]

    return arguments


def _train_lora(setting: Setting) -> list[str]:
    taught = [f"concepts/contents/{CONTENT}", "--prompt", CONTENTS[CONTENT], "-o", f"{setting.out}/lora.safetensors"]
    how = ["--rank", str(setting.scale.rank), "--steps", str(setting.steps), "--resolution", str(setting.scale.side)]
    return ["train", "lora", *taught, "--base", "base", *how, *setting.place, *setting.precision]


def _train_hypernet(setting: Setting) -> list[str]:
    taught = ["--contents", "concepts/contents", "--styles", "concepts/styles", "-o", f"{setting.out}/{NETWORK}"]
    how = ["--steps", str(setting.steps), "--resolution", str(setting.scale.side)]
    return ["train", "hypernet", *taught, "--base", "base", *how, *setting.place, *setting.precision]


def draw(base: str, *more: str) -> Callable[[Setting], list[str]]:
    """A command that draws one picture with a LoRA."""

    def arguments(setting: Setting) -> list[str]:
        how = ["--steps", str(setting.steps), "--size", setting.size, *setting.place, *setting.dtype]
        return ["generate", "--prompt", PROMPT, "--lora", LORAS[0], "--base", base, *how, *more, "--out", setting.out]

    return arguments


def merging(method: Method, how: str = "", *more: str) -> Step:
    """A step that merges a content and a style."""
    given = GIVEN.get(method.name, ())

    def arguments(setting: Setting) -> list[str]:
        out = ["-o", f"{setting.out}/merged.safetensors", *setting.place]
        return ["merge", *LORAS, "--method", method.name, "--base", "base", *given, *more, *out]

    return Step(f"merge by {method.title}{how}", ("base", "concepts", *given[1:]), arguments, {"": 4})


def _predict(setting: Setting) -> list[str]:
    return ["coefficients", *LORAS, "--base", "base", *GIVEN["lorarar"], "-o", f"{setting.out}/{COEFFICIENTS}"]


def _judge(setting: Setting) -> list[str]:
    shown = ["--generated", "judged/generated", "--references", "judged/references"]
    return ["judge", "run", "--critic", "critic", "--metrics", "mars2", *shown, *setting.place, *setting.dtype]


#: GB of memory on a CPU: the base, what the backward pass needs, what is trained.
OF_LORA = {"float32": 24, "bfloat16": 15}
OF_PAIR = {"float32": 26, "bfloat16": 15}
OF_DRAWING = {"float32": 21, "bfloat16": 12}

STEPS: Mapping[str, Step] = {
    "lora": Step("train a LoRA", ("base", "concepts"), _train_lora, OF_LORA, 10),
    "ziplora": Step(
        "a pair by ZipLoRA: train, merge, draw",
        ("base", "concepts"),
        run_plan("ziplora", 'method = "ziplora"\nsteps = {steps}'),
        OF_PAIR,
        8,
    ),
    "hypernet": Step("train a hypernetwork", ("base", "concepts"), _train_hypernet, OF_PAIR, 8),
    "joint": Step(
        "a pair by joint training: train, draw",
        ("base", "concepts"),
        run_plan("joint", 'method = "joint"\nsteps = {steps}\nrank = {rank}'),
        OF_LORA,
        10,
    ),
    "draw": Step("draw a picture", ("base", "concepts"), draw("base"), OF_DRAWING),
    "draw-file": Step(
        "draw a picture, the base one file",
        ("base.safetensors", "concepts"),
        draw("base.safetensors"),
        OF_DRAWING,
    ),
    "draw-offload": Step(
        "draw a picture, models on the GPU in turn",
        ("base", "concepts"),
        draw("base", "--offload", "model"),
        OF_DRAWING,
        on_gpu_alone=True,
    ),
    "coefficients": Step(
        "coefficients of a pair",
        ("base", "concepts", NETWORK),
        _predict,
        {"": 3},
    ),
    **{f"merge-{method}": merging(row) for method, row in METHODS.own.items()},
    **{
        f"merge-{method}-core": merging(row, " in core space", "--space", "core")
        for method, row in METHODS.own.items()
        if any(option.name == "space" for option in row.options)
    },
    "grid": Step(
        "a grid of two cells",
        ("base", "concepts"),
        run_plan("grid", 'method = "direct"', "seeds = 2"),
        OF_DRAWING,
    ),
    "verdict": Step("a picture's verdict", ("critic", "judged"), _judge, {"float32": 36, "bfloat16": 18}),
}


def in_numbers(step: Step, setting: Setting, available: float) -> Setting:
    """The setting in the numbers that the step computes in: its own, or on a CPU with too little memory the smaller.

    Args:
        step: what is rehearsed.
        setting: how; numbers that it has stay.
        available: memory, in GB.
    """
    if setting.is_gpu or setting.numbers or "" in step.memory:
        return setting
    share, (own, *_, smallest) = setting.scale.memory, step.memory
    fits = next((numbers for numbers, memory in step.memory.items() if memory * share <= available), smallest)
    return replace(setting, numbers="" if fits == own else fits)
