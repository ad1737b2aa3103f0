"""Loading a checkpoint's weights into its model.

Invariant: every weight of the model comes from the checkpoint and every weight of the checkpoint goes into the model,
less what transformers itself leaves out of an architecture; only safetensors are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from judge.critics.critic import CriticError
from lorarar.util.errors import reason


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Whatever a broken checkpoint makes a library raise, as one line.

    Raises:
        CriticError: something was raised.
    """
    try:
        yield
    except CriticError:
        raise
    except Exception as error:  # what a broken checkpoint makes the library raise is its writer's choice
        raise CriticError(f"cannot load {folder}: {reason(error)}") from None


def load_weights(
    kind: Any, folder: Path, config: Any, device: str, dtype: str, more: Mapping[str, Any]
) -> PreTrainedModel:
    """A model with a checkpoint's weights, ready on its device.

    Args:
        kind: the class of the model.
        folder: the checkpoint's.
        config: of the model.
        device: that it runs on.
        dtype: that it computes in.
        more: whatever else ``from_pretrained`` is told.

    Raises:
        CriticError: a weight is missing, does not fit, or is one that the model has no place for.
    """
    logging.disable_progress_bar()
    model, info = kind.from_pretrained(
        folder,
        config=config,
        dtype=getattr(torch, dtype),
        device_map=device,
        attn_implementation="sdpa" if kind._supports_sdpa else "eager",  # a config could name code of the hub
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        **more,
    )
    for fault in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if keys := sorted(map(str, info[fault])):
            raise CriticError(f"{folder}: {len(keys)} {fault.replace('_', ' ')}, such as {keys[0]}")
    return model.eval().requires_grad_(False)


def write_greedily(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, ends: int | list[int]) -> None:
    """Have a model always write the likeliest token, up to an end; a checkpoint's own settings may sample."""
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=tokenizer.pad_token_id)
