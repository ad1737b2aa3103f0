"""Which weights a base has: a digest of its files, or the commit of the hub that they come from.

A name says nothing of it: a folder's files can be replaced, and a branch moves. No file is downloaded for a digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lorarar.families import Base, family_of
from lorarar.families.table import INDEX
from lorarar.generation.drawable import check_drawable
from lorarar.generation.hub import is_commit, snapshot_of, tell_variant
from lorarar.generation.pipeline_folder import component_folders
from lorarar.generation.vae import VAE
from lorarar.util.digest import digest_of_facts
from lorarar.util.digest_memory import remembered_digests
from lorarar.util.errors import BaseError
from lorarar.util.model_reference import HubId, find_model

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
CONFIGS = (".json", ".txt", ".model")  # of models, schedulers and tokenizers


def base_digest(base: Base) -> str:
    """The digest of all files and choices that decide what a base computes; of a hub's base alone, the commit.

    Raises:
        BaseError: a file cannot be read, or the hub's commit cannot be found out.
    """
    base = _at_commits(base)
    try:
        weights = _digest_of_place(base)
        vae = _digest_of_vae(base) if base.vae else None
    except OSError as error:
        raise BaseError(f"cannot read {base.name}: {error}") from None
    choices = {**base.choices(), **({"vae": vae} if vae else {})}
    return digest_of_facts({"base": weights, **choices}) if choices else weights


def pinned(base: Base) -> Base:
    """The base, and its VAE, at the commits that their revisions mean now: what is loaded is what the digest says.

    Raises:
        BaseError: a commit of the hub cannot be found out, or no pictures are drawn with such a base.
    """
    check_drawable(family_of(base))
    return _at_commits(base)


def _at_commits(base: Base) -> Base:
    """The base, and its VAE, at the commits that their revisions mean now; no file of it is read.

    Raises:
        BaseError: a commit of the hub cannot be found out.
    """
    if base.vae:
        base = replace(base, vae=_pinned_vae(base.vae))
    if Path(base.location).exists() or (is_commit(base.revision) and base.variant is not None):
        return base
    snapshot = snapshot_of(base.location, base.revision, "--base")
    at_commit = replace(base, revision=snapshot.commit, variant=snapshot.variant)
    if snapshot.variant:
        tell_variant(replace(at_commit, vae=None, prediction=None))
    return at_commit


def _pinned_vae(vae: str) -> str:
    """The VAE at the commit that its revision means now, where it is on the hub."""
    model = find_model(vae, {})
    if not isinstance(model, HubId) or Path(vae).is_file() or is_commit(model.revision):
        return vae
    return f"{model.repository}@{snapshot_of(model.repository, model.revision, '--vae').commit}"


def _digest_of_place(base: Base) -> str:
    """The digest of the files of a base on this machine; of one on the hub the commit."""
    if base.folder:
        return _digest_of_files(base.folder, pipeline_files(base.folder), base.name)
    if base.file:
        architecture = family_of(base).architecture
        config = {name: dict(one.config) for name, one in architecture.components.items()} if architecture else {}
        (digest,) = remembered_digests([base.file], base.name)
        return digest_of_facts({"checkpoint": digest, "configuration": digest_of_facts(config)})
    return str(base.revision)


def _digest_of_vae(base: Base) -> str:
    """The digest of the files of the VAE that a base names beside its own; of one on the hub the commit."""
    vae = Path(str(base.vae))
    if vae.is_file():
        return remembered_digests([vae], vae.name)[0]
    if vae.is_dir():
        vae = vae / VAE if (vae / INDEX).is_file() else vae
        return _digest_of_files(vae, _model_files(vae), vae.name)
    return str(base.vae).partition("@")[2]


def _digest_of_files(folder: Path, files: Sequence[Path], name: str) -> str:
    """The digest of files by their names in a folder."""
    names = [file.relative_to(folder).as_posix() for file in files]
    return digest_of_facts(dict(zip(names, remembered_digests(files, name), strict=True)))


def pipeline_files(folder: Path) -> list[Path]:
    """The weights and configurations of a pipeline folder's components, in order.

    Raises:
        OSError: the folder cannot be read.
    """
    return [folder / INDEX, *sorted(file for part in component_folders(folder) for file in _model_files(part))]


def _model_files(folder: Path) -> list[Path]:
    """The weights and configurations of one model's folder, in order."""
    files = folder.rglob("*")
    return sorted(file for file in files if file.suffix.lower() in (*WEIGHTS, *CONFIGS) and file.is_file())
