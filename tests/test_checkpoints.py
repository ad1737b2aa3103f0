"""One checkpoint file as a base."""

import pytest
import torch

from lorarar.families import FAMILIES, Family, find_base
from lorarar.generation.bases import load_pipeline
from lorarar.util.registry import Registry

from .checkpoint_files import new_pipeline, tiny_family, write_checkpoint

KINDS = ("sdxl", "ssd-1b", "koala-700m", "sd15")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No network, and the tiny families beside the others."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    rows = (*FAMILIES.values(), *map(tiny_family, KINDS))
    monkeypatch.setattr("lorarar.families.table.FAMILIES", Registry("lorarar.none", Family, rows))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network is asked"))


def public(config):
    return {key: value for key, value in config.items() if not key.startswith("_")}


def states(pipeline):
    return {
        f"{name}.{key}": value
        for name, model in pipeline.components.items()
        if hasattr(model, "state_dict")
        for key, value in model.state_dict().items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_file_is_its_folder_tensor_for_tensor(kind, tmp_path):
    pipeline = new_pipeline(tiny_family(kind))
    pipeline.save_pretrained(tmp_path / "folder")
    file = write_checkpoint(pipeline, tmp_path / "one.safetensors")
    ours, theirs = (load_pipeline(find_base(str(place)), "cpu") for place in (file, tmp_path / "folder"))
    assert type(ours) is type(theirs)
    one, other = states(ours), states(theirs)
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[key]) for key, value in one.items())
    assert set(ours.components) == set(theirs.components)
    assert public(ours.scheduler.config) == public(theirs.scheduler.config)
