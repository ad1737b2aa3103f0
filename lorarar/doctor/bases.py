"""Which families' weights are on this machine, Pocket's first of all; the hub is not asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorarar.doctor.observation import Observation
from lorarar.families import DEFAULT_BASE, FAMILIES, Family
from lorarar.families.table import INDEX
from lorarar.generation.drawable import check_drawable
from lorarar.generation.hub import download_command, size_text
from lorarar.util.errors import BaseError
from lorarar.util.hub_cache import cached_file, has_weights

VAE = "vae"


def bases() -> Iterator[Observation]:
    """Every family's base: whether all of its models are here, and what is done with them."""
    for family in FAMILIES.values():
        yield _pocket(family) if family.name == DEFAULT_BASE else _family(family)


def _pocket(family: Family) -> Observation:
    """The embedded base, with its hypernetwork and its LoRAs."""
    base = family.find_base()
    lacking = _lacking_models(family, Path(base.location))
    lacking += [place.name for place in (base.hypernet, base.contents, base.styles) if place and not place.exists()]
    if lacking:
        words = f"its {', '.join(lacking)} are not at {base.location}"
        return Observation(family.name, "fault", words, "install lorarar again, or: lorarar pocket build")
    return Observation(family.name, "ok", f"all there, at {base.location}", facts={"path": base.location})


def _family(family: Family) -> Observation:
    """A base that has to be fetched, by its commit in the hub's cache or its folder."""
    try:
        base, use = family.find_base(), _use(family)
    except BaseError as error:
        return Observation(family.name, "lacking", str(error), "install the package that gives it again")
    index = base.folder / INDEX if base.folder else cached_file(base.location, INDEX, base.revision)
    facts = {"location": base.location, "drawn": not use}
    if index is None or (lacking := _lacking_models(family, index.parent)):
        here = f"only a part of it is here, without {', '.join(lacking)}" if index else "not on this machine"
        size = size_text(family.architecture)
        fetch = download_command(base.location, family.architecture)
        return Observation(family.name, "lacking", f"{here} ({size}){use}", fetch, facts)
    return Observation(
        family.name, "ok", f"all there, at {index.parent}{use}", facts={**facts, "path": str(index.parent)}
    )


def _use(family: Family) -> str:
    """What a base is not for; empty where it is for all."""
    try:
        check_drawable(family)
    except BaseError:
        return "; its LoRAs are merged without it, and nothing is drawn with it"
    return ""


def _lacking_models(family: Family, folder: Path) -> list[str]:
    """The models of a pipeline's folder whose weights are not all there."""
    models = (*family.modules.adapted, *family.modules.unchanged, VAE)
    return [name for name in models if not has_weights(folder / name)]
