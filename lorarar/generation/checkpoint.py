"""Loading one checkpoint file as a pipeline, by the configurations and the vocabulary that are part of this package.

No network is needed, and nothing of the file but its tensors is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lorarar.families import Architecture, Family, Prediction
from lorarar.families.checkpoint import CheckpointFile, read_checkpoint
from lorarar.families.clip import END, START, merges, vocabulary
from lorarar.util.errors import BaseError

if TYPE_CHECKING:
    import torch

PREDICTION_TYPES: dict[Prediction, str] = {"epsilon": "epsilon", "v": "v_prediction"}  # as schedulers name them
LENGTH = 77  # tokens of a prompt, start and end included
#: With which every step counts where the last one is noise alone, as diffusers' guide to such models says.
ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
ZERO_SNR_SCHEDULER = "diffusers:EulerDiscreteScheduler"  # one that takes these


def load_checkpoint(file: Path, family: Family, dtype: torch.dtype, parts: Mapping[str, Any]) -> Any:
    """The pipeline of a checkpoint file, on the CPU.

    Args:
        file: one that ``find_base`` accepts.
        family: whose architecture it has.
        dtype: of its weights.
        parts: components that are there already, such as another VAE.

    Raises:
        BaseError: the family has no architecture, or the file lacks weights of it.
    """
    architecture = _architecture(family)
    made = {
        **{name: clip_tokenizer(padding) for name, padding in architecture.tokenizers.items()},
        "scheduler": _scheduler(architecture, read_checkpoint(file)),
        **family.pipeline_options,
        **parts,
    }
    kind = family.pipeline_class()
    with configurations(family) as folder:
        try:
            pipeline = kind.from_single_file(str(file), config=str(folder), dtype=dtype, local_files_only=True, **made)
        except NotImplementedError:  # of a tensor that has a place and no numbers
            raise BaseError(f"{file} lacks weights of its unet or vae; fetch it again") from None
    _check_complete(file, pipeline)
    return pipeline


def clip_tokenizer(padding: str) -> Any:
    """CLIP's tokenizer, which fills prompts up to their length with the token ``padding``."""
    from transformers import CLIPTokenizer

    pairs = merges()
    return CLIPTokenizer(
        vocab=vocabulary(pairs),
        merges=pairs,
        model_max_length=LENGTH,
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=padding,
    )


@contextmanager
def configurations(family: Family) -> Iterator[Path]:
    """A folder with the configurations of a pipeline of this family, as diffusers reads them; it is gone afterwards.

    Raises:
        BaseError: the family has no architecture.
    """
    architecture = _architecture(family)
    kinds = {name: component.kind.split(":") for name, component in architecture.components.items()}
    kinds |= {name: ["transformers", "CLIPTokenizer"] for name in architecture.tokenizers}
    with TemporaryDirectory() as place:
        folder = Path(place)
        index = {"_class_name": family.pipeline.rpartition(":")[2], **kinds}
        (folder / "model_index.json").write_text(json.dumps(index))
        for name, component in architecture.components.items():
            (folder / name).mkdir()
            (folder / name / "config.json").write_text(json.dumps(dict(component.config)))
        yield folder


def _architecture(family: Family) -> Architecture:
    if family.architecture is None:
        raise BaseError(f"family {family.name} has no architecture by which one file could be loaded")
    return family.architecture


def _scheduler(architecture: Architecture, checkpoint: CheckpointFile) -> Any:
    """The scheduler that goes with what a checkpoint says it was trained for."""
    scheduler = architecture.components["scheduler"]
    config = {**scheduler.config, "prediction_type": PREDICTION_TYPES[checkpoint.prediction or "epsilon"]}
    if not checkpoint.zero_snr:
        return resolve_name(scheduler.kind).from_config(config)
    return resolve_name(ZERO_SNR_SCHEDULER).from_config({**config, **ZERO_SNR})


def _check_complete(file: Path, pipeline: Any) -> None:
    """Refuse a pipeline of whose weights some were not in the file.

    Raises:
        BaseError: the message names one.
    """
    for name, model in pipeline.components.items():
        for weight, value in model.named_parameters() if hasattr(model, "named_parameters") else ():
            if value.is_meta:
                raise BaseError(f"{file} lacks weights of its {name}, such as {weight}; fetch it again")
