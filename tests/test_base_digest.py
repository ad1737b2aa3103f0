import json
import os
import shutil
import time

import pytest

from lorarar.families import Base, family_of, find_base
from lorarar.generation import hub
from lorarar.generation.base_digest import base_digest, pinned, pipeline_files
from lorarar.generation.hub import HubCommit, UnreachableError
from lorarar.util import digest_memory
from lorarar.util.digest_memory import remembered_sha256
from lorarar.util.errors import BaseError
from lorarar.util.files import sha256_of


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digest_memory, "LARGE", 1)
    return tmp_path / "cache" / "digests"


@pytest.fixture
def base(tmp_path, tiny_folder):
    return Base("mine", str(shutil.copytree(tiny_folder, tmp_path / "base")))


def age(path):
    """Let a file be older than a clock's tick."""
    os.utime(path, (time.time() - 100,) * 2)


def settled(tmp_path, content=b"weights"):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    age(path)
    return path


def read_of(path):
    """The digest, and whether the file was read for it."""
    sizes = []
    return remembered_sha256(path, sizes.append), bool(sizes)


def test_a_file_is_read_once_until_it_changes(tmp_path):
    path = settled(tmp_path)
    assert read_of(path) == (sha256_of(path), True)
    assert read_of(path) == (sha256_of(path), False)
    path.write_bytes(b"WEIGHTS")  # as long as before
    age(path)
    assert read_of(path) == (sha256_of(path), True)


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path, cache):
    path = tmp_path / "a.bin"
    path.write_bytes(b"weights")
    assert read_of(path)[1]
    assert read_of(path)[1]


@pytest.mark.parametrize("broken", [b"", b"nonsense", b"\xff" * 64, b"A" * 64])
def test_a_broken_memory_costs_a_reading(tmp_path, cache, broken):
    path = settled(tmp_path)
    read_of(path)
    (entry,) = cache.iterdir()
    entry.write_bytes(broken)
    assert read_of(path) == (sha256_of(path), True)
    assert read_of(path) == (sha256_of(path), False)


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path, cache):
    path = settled(tmp_path)
    cache.parent.mkdir()
    cache.write_text("no folder")
    assert read_of(path) == (sha256_of(path), True)


def test_a_base_is_known_by_weights_and_configurations_alone(base, tmp_path):
    folder = tmp_path / "base"
    digest = base_digest(base)
    (folder / "README.md").write_text("words")
    (folder / "unet" / ".lock").write_text("")
    assert base_digest(base) == digest == base_digest(Base("other", str(shutil.copytree(folder, tmp_path / "copy"))))
    for place in ("unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json", "model_index.json"):
        content = (folder / place).read_bytes()
        (folder / place).write_bytes(content + b" ")
        assert base_digest(base) != digest, place
        (folder / place).write_bytes(content)
    assert base_digest(base) == digest


def test_what_is_no_component_is_no_part_of_a_base(base, tmp_path):
    digest = base_digest(base)
    (tmp_path / "base" / "single.safetensors").write_bytes(b"x")
    assert base_digest(base) == digest


@pytest.mark.parametrize("name", ["", "..", "/", "../elsewhere"])
def test_an_index_names_no_folder_outside_its_base(base, tmp_path, name):
    """Planted are weights beside the base and in its folder, which a component of such a name would lead to."""
    index = tmp_path / "base" / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), name: ["diffusers", "X"]}))
    files = pipeline_files(tmp_path / "base")
    for folder in ("elsewhere", "base"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "x.safetensors").write_bytes(b"x")
    assert pipeline_files(tmp_path / "base") == files


def cached(folder, monkeypatch, commit, *files):
    """A cache of the hub with one commit of owner/name."""
    repository = folder / "models--owner--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    for file in ("model_index.json", *files):
        place = repository / "snapshots" / commit / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({}))
    from huggingface_hub import file_download

    monkeypatch.setattr(file_download.constants, "HF_HUB_CACHE", str(folder))


def answering(monkeypatch, commit, *files):
    """Let the hub say that owner/name is at this commit; with None, give no answer."""

    def snapshot(repository, revision):
        if commit is None:
            raise UnreachableError
        return HubCommit(commit, files)

    monkeypatch.setattr("lorarar.generation.hub.snapshot_of_hub", snapshot)
    monkeypatch.setattr("lorarar.generation.hub.fetch_index", lambda *_: None)


def test_a_base_of_the_hub_is_known_by_its_commit(tmp_path, monkeypatch):
    commit, moved = "a" * 40, "b" * 40
    answering(monkeypatch, None)
    cached(tmp_path / "hub", monkeypatch, commit)
    base = Base("owner/name", "owner/name")
    assert base_digest(base) == commit
    assert pinned(base) == Base("owner/name", "owner/name", commit, variant="")
    answering(monkeypatch, moved)
    assert base_digest(base) == moved
    assert base_digest(Base("owner/name", "owner/name", commit, variant="")) == commit
    answering(monkeypatch, None)
    with pytest.raises(BaseError, match="owner/none is not on this machine, and the hub cannot be reached"):
        base_digest(Base("owner/none", "owner/none"))


@pytest.mark.parametrize("reachable", [True, False])
def test_weights_in_half_precision_are_taken_where_there_are_any_and_that_is_said_once(
    tmp_path, monkeypatch, capsys, reachable
):
    commit = "c" * 40
    files = ("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors")
    answering(monkeypatch, commit if reachable else None, *files)
    cached(tmp_path / "hub", monkeypatch, commit, *files)
    hub.tell_variant.cache_clear()
    base = pinned(Base("owner/name", "owner/name"))
    assert (base.revision, base.variant) == (commit, "fp16")
    assert pinned(base) == base == pinned(Base("owner/name", "owner/name"))
    assert base_digest(base) != commit
    assert capsys.readouterr().err.count("half precision (fp16)") == 1


def test_a_base_of_the_hub_is_of_the_family_whose_class_its_index_names(tmp_path, monkeypatch):
    commit = "d" * 40
    cached(tmp_path / "hub", monkeypatch, commit)
    index = tmp_path / "hub" / "models--owner--name" / "snapshots" / commit / "model_index.json"
    base = Base("owner/name", "owner/name", commit)
    assert family_of(base).name == "sdxl"
    index.write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    assert family_of(base).name == "sd15"


def test_what_cannot_be_reached_says_what_to_fetch_how_large_it_is_and_how(tmp_path, tiny_folder, monkeypatch):
    answering(monkeypatch, None)
    cached(tmp_path / "hub", monkeypatch, "a" * 40)
    with pytest.raises(BaseError) as caught:
        pinned(find_base("sdxl"))
    line = str(caught.value)
    assert "\n" not in line
    assert "6.9 GB" in line
    assert 'hf download stabilityai/stable-diffusion-xl-base-1.0 --include "*.json"' in line
    assert line.endswith("then name FOLDER or one checkpoint file with --base")
    with pytest.raises(BaseError, match=r"hf download some/vae --local-dir FOLDER; .* with --vae"):
        pinned(find_base(str(tiny_folder), vae="some/vae"))


def test_another_vae_or_prediction_is_another_base(base, tmp_path):
    """Planted are the base's own VAE under another name, one number of it changed, and another prediction."""
    place = tmp_path / "base"
    shutil.copytree(place / "vae", tmp_path / "vae")
    file = tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    vaes = [str(tmp_path / "vae"), str(file), str(place)]
    digests = [base_digest(find_base(str(place), vae=vae)) for vae in vaes]
    digests += [base_digest(find_base(str(place), prediction=value)) for value in ("epsilon", "v")]
    digests += [base_digest(base)]
    assert len({*digests}) == len(digests) - 1  # the VAE's folder is that of the pipeline
    assert digests[0] == digests[2]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert base_digest(find_base(str(place), vae=str(tmp_path / "vae"))) not in digests


def test_what_lies_here_is_pinned_by_itself(base):
    assert pinned(base) == base
