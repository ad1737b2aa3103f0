"""What a large critic costs where there is no GPU, said before its weights are read.

Seconds are rough: multiplications by the language model's weights alone, at the speed at which this machine multiplies
matrices. Pictures are counted at 512 px, as the published checkpoints cut them, or as Qwen's, Gemma's and
InternVL's do, which take about as many tokens.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, get_args

from judge.critics.critic import CriticError
from judge.critics.local.readers import ShownAs
from judge.critics.weight_bytes import BYTES
from lorarar.util.dtype import Dtype
from lorarar.util.formatting import in_words
from lorarar.util.tensor_header import read_tensor_header

LARGE = 10**9  # weights from which on the cost is said
TOKENS: Mapping[ShownAs, int] = {"anyres": 3699, "pad": 730, "own": 350}  # of a picture
WORDS = 150  # tokens of a question's words
SIDE = 768  # of the matrices that are multiplied to measure the speed
_SPANS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def weights_of(config: Mapping[str, Any]) -> int:
    """How many weights the language model of a checkpoint's settings has; 0 where they do not say.

    They are Qwen2's, and stand at the top in the original kind of checkpoint, under ``text_config`` in transformers'.
    """
    text = config.get("text_config", config)
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
    text = text if isinstance(text, Mapping) else {}
    numbers = [number for name in names if isinstance(number := text.get(name), int) and number > 0]
    if len(numbers) < len(names):
        return 0
    width, inner, layers, heads, vocabulary = numbers
    shared = text.get("num_key_value_heads")
    keys = width * (shared if isinstance(shared, int) else heads) // heads
    layer = 2 * width * width + 2 * width * keys + 3 * width * inner
    return layers * layer + 2 * vocabulary * width


def weights_in(files: Iterable[Path]) -> int:
    """How many weights safetensors files hold.

    Raises:
        CriticError: one cannot be read.
    """
    shapes = (shape for file in files for shape in read_tensor_header(file, CriticError).shapes.values())
    return sum(map(prod, shapes))


def check_memory(name: str, weights: int, numbers: str, memory: int) -> None:
    """Refuse a critic whose weights alone are more than a machine has memory, which would end the process unexplained.

    Args:
        name: the critic's.
        weights: how many it has.
        numbers: a dtype or a quantisation, in which they are kept.
        memory: bytes that the machine has.

    Raises:
        CriticError: it is; the message says what fits.
    """
    if weights * BYTES[numbers] <= memory:
        return
    smaller = [other for other, size in BYTES.items() if other in get_args(Dtype) and weights * size <= memory]
    ways = [f"--dtype {other} ({weights * BYTES[other] / 1e9:.0f} GB)" for other in sorted(smaller)[:1]]
    raise CriticError(
        f"{name} takes {weights * BYTES[numbers] / 1e9:.0f} GB of memory in {numbers}, and this machine has "
        f"{memory / 1e9:.0f}; take {' or '.join([*ways, 'an address as --critic'])}"
    )


def tokens_of(shown_as: ShownAs, *, shared: bool) -> int:
    """How many tokens are computed for a question; its first picture may be computed once for all that share it."""
    return WORDS + TOKENS[shown_as] * (1 if shared else 2)


def operations_a_second(dtype: str) -> float:
    """Multiplications and additions of matrices that this machine does in a second on the CPU, measured in a moment."""
    import torch

    matrix = torch.ones(SIDE, SIDE, dtype=getattr(torch, dtype))
    matrix @ matrix  # the first call sets things up
    started = time.perf_counter()
    matrix @ matrix
    return 2 * SIDE**3 / max(time.perf_counter() - started, 1e-6)


def cost_in_words(name: str, weights: int, numbers: str, seconds: float, questions: int, shown_as: ShownAs) -> str:
    """The cost in a line.

    Args:
        name: the critic's.
        weights: how many it has.
        numbers: a dtype or a quantisation, in which they are kept.
        seconds: a question.
        questions: that are to be asked.
        shown_as: how it is shown pictures.
    """
    memory = f"{weights * BYTES[numbers] / 1e9:.0f} GB of memory in {numbers}"
    each = f"some {seconds:.2g} s a question" if seconds < 10 else f"some {round(seconds, -1):.0f} s a question"
    time_of_all = f"{questions} questions: some {span(seconds * questions)}"
    ways = in_words(["a GPU", *(["--image-mode pad"] if shown_as == "anyres" else []), "an address as --critic"])
    return f"{name} runs on the CPU and takes {memory} and {each}, {time_of_all}. Quicker are {ways}."


def span(seconds: float) -> str:
    """A time as people say it: ``3 hours``."""
    unit, name = next(((unit, name) for unit, name in _SPANS if seconds >= 2 * unit), (1, "seconds"))
    return f"{seconds / unit:.0f} {name}"
