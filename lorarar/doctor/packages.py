"""Python, and the packages that are needed: always, or for an extra; nothing is imported to see them."""

from __future__ import annotations

import platform
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from lorarar import __version__
from lorarar.doctor.observation import Observation
from lorarar.util.formatting import count, in_words

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISTRIBUTION = "lorarar"
OLDEST = (3, 11)


def packages() -> Iterator[Observation]:
    """Python, what is always needed, and what each extra needs."""
    yield Observation(
        "python",
        "ok" if sys.version_info >= OLDEST else "fault",
        f"{platform.python_version()} at {sys.executable}",
        "" if sys.version_info >= OLDEST else f"install Python {OLDEST[0]}.{OLDEST[1]} or newer",
        {"version": platform.python_version(), "executable": sys.executable},
    )
    needed = _requirements()
    if needed is None:
        yield Observation(DISTRIBUTION, "fault", "is not installed", f"{_PIP} install --editable .")
        return
    always = needed.pop("", [])
    lacking = _lacking(always)
    yield Observation(
        DISTRIBUTION,
        "fault" if lacking else "ok",
        f"{__version__}, {_said(always, lacking)}",
        _install(lacking),
        {"version": __version__, "lacking": list(map(str, lacking))},
    )
    for extra, members in needed.items():
        lacking = _lacking(members)
        yield Observation(
            f"extra {extra}",
            "lacking" if lacking else "ok",
            _said(members, lacking),
            _install(lacking),
            {"lacking": list(map(str, lacking))},
        )


def _requirements() -> dict[str, list[Requirement]] | None:
    """What the installed package requires on this machine, by extra; under "" what it always does."""
    from packaging.requirements import Requirement

    try:
        all_of_them = [Requirement(text) for text in requires(DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return None
    by_extra = defaultdict[str, list["Requirement"]](list)
    for one in all_of_them:
        extra = _extra_of(one)
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            by_extra[extra].append(one)
    return dict(by_extra)


def _extra_of(requirement: Requirement) -> str:
    """The extra that a requirement belongs to; empty where it belongs to none."""
    _, _, after = str(requirement.marker or "").partition("extra == ")
    return after.split('"')[1] if after else ""


def _lacking(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Those that are not installed, or in another version."""
    return [one for one in requirements if not one.specifier.contains(_version(one.name) or "0", prereleases=True)]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _said(members: Iterable[Requirement], lacking: Iterable[Requirement]) -> str:
    if lacking := list(lacking):
        here = {one.name: _version(one.name) for one in lacking}
        names = [f"{name} {old} is too old" if old else f"no {name}" for name, old in here.items()]
        return in_words(names)
    return f"{count(len(list(members)), 'package')} present"


def _install(lacking: Iterable[Requirement]) -> str:
    named = [f"{one.name}{one.specifier}" for one in lacking]
    return f"{_PIP} install {shlex.join(named)}" if named else ""


_PIP = f"{shlex.quote(sys.executable)} -m pip"
