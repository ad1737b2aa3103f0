"""Quantised weights, by bitsandbytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from judge.critics.critic import CriticError
from judge.critics.local.settings import Quantisation


def quantised(quantisation: Quantisation | None, dtype: str, full: Callable[[], Sequence[str]]) -> dict[str, Any]:
    """What ``from_pretrained`` is told to load weights in so few bits.

    Args:
        quantisation: 8bit or 4bit; None: nothing is told.
        dtype: that is computed in.
        full: names the parts that stay in full precision. (Naming any replaces the default, which is the head.)

    Raises:
        CriticError: bitsandbytes is not installed.
    """
    if quantisation is None:
        return {}
    if not find_spec("bitsandbytes"):
        raise CriticError(
            f"{quantisation} needs bitsandbytes, which is not installed: pip install 'lorarar[8bit]', "
            "or leave --quantisation out"
        )
    import torch
    from transformers import BitsAndBytesConfig

    bits: dict[str, Any] = {"load_in_8bit": True} if quantisation == "8bit" else {"load_in_4bit": True}
    if quantisation == "4bit":
        bits |= {"bnb_4bit_compute_dtype": getattr(torch, dtype), "bnb_4bit_quant_type": "nf4"}
    return {"quantization_config": BitsAndBytesConfig(**bits, llm_int8_skip_modules=list(full()))}
