"""SDXL with random weights, as a pipeline folder in half precision and as one checkpoint file."""

from __future__ import annotations

import json
from pathlib import Path
from pkgutil import resolve_name
from types import SimpleNamespace

import torch

from benchmarks.rehearsal.original_names import original_weights
from benchmarks.rehearsal.random_file import RandomTensor, write_random
from lorarar.families import Architecture
from lorarar.families.meta_models import meta_model
from lorarar.generation.checkpoint import clip_tokenizer
from lorarar.util.files import replacing

VARIANT = "fp16"
FILES = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}  # of weights, by library


def write_folder(architecture: Architecture, folder: Path) -> Path:
    """A pipeline folder as the hub has SDXL's: the variant fp16 of each model, its configuration, both tokenizers."""
    index: dict[str, object] = {"_class_name": "StableDiffusionXLPipeline"}
    for name, component in architecture.components.items():
        library, kind = component.kind.split(":")
        index[name] = [library, kind]
        if name == "scheduler":
            resolve_name(component.kind).from_config(dict(component.config)).save_pretrained(folder / name)
        else:
            model = meta_model(component)
            model.config.save_pretrained(folder / name) if library == "transformers" else model.save_config(
                folder / name
            )
            _write(model.state_dict(), folder / name / f"{FILES[library]}.{VARIANT}.safetensors")
    for name, padding in architecture.tokenizers.items():
        clip_tokenizer(padding).save_pretrained(folder / name)
        index[name] = ["transformers", "CLIPTokenizer"]
    with replacing(folder / "model_index.json") as partial:  # last: with it the folder is whole
        partial.write_text(json.dumps(index, indent=1))
    return folder


def write_file(architecture: Architecture, file: Path) -> Path:
    """The same models in one checkpoint file under their original names."""
    models = {name: meta_model(one) for name, one in architecture.components.items() if name != "scheduler"}
    return _write(original_weights(SimpleNamespace(**models)), file)


def _write(weights: dict[str, torch.Tensor], file: Path) -> Path:
    tensors = {name: RandomTensor.like(name, weight) for name, weight in weights.items() if weight.is_floating_point()}
    return write_random(file, tensors, torch.float16)
