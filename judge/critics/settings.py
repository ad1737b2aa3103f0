"""Settings of critics: what one kind does not take is refused here, before anything is loaded or sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judge.critics.critic import CriticError
from judge.critics.kind import CriticKind
from judge.critics.table import CRITICS
from lorarar.util.errors import reason
from lorarar.util.messages import message
from lorarar.util.options import OptionError
from lorarar.util.suggestion import did_you_mean

Settings = Mapping[str, Any]  # by the names of a kind's options; None is as good as not given


def kind_of(name: str) -> CriticKind:
    """The kind that runs a critic of that name.

    Raises:
        CriticError: there is none.
    """
    kind = next((kind for kind in CRITICS.values() if _runs(kind, name)), None)
    if kind is None:
        jury = "; a jury is --critic once for each" if "," in name else ""
        accepted = ", ".join(kind.accepted for kind in CRITICS.values())
        near = did_you_mean(name, [one for kind in CRITICS.values() for one in kind.named()])
        raise CriticError(f"{name[:80]!r} is none of {accepted}{jury}{near}")
    return kind


def _runs(kind: CriticKind, name: str) -> bool:
    """Whether a kind runs that name; one of another package that cannot say so does not, in one line."""
    try:
        return bool(kind.runs(name))
    except Exception as error:
        if kind.name in CRITICS.own:
            raise
        message(f"The critic {kind.name} is left out: {type(error).__name__}: {reason(error)}", "yellow")
        return False


def complete_settings(kind: CriticKind, given: Settings) -> dict[str, Any]:
    """All settings of a kind: those that are given, checked, and the defaults of the others; raises as the check."""
    return {option.name: option.default for option in kind.options} | check_settings(kind, given)


def check_settings(kind: CriticKind, given: Settings) -> dict[str, Any]:
    """The given settings as their kind has them.

    Raises:
        CriticError: a setting is another kind's, or a value is not accepted.
    """
    values = {name: value for name, value in given.items() if value is not None}
    options = {option.name: option for option in kind.options}
    _refuse_foreign(kind, values)
    try:
        return {name: options[name].check(value) for name, value in values.items()}
    except OptionError as error:
        raise CriticError(str(error)) from None


def _refuse_foreign(kind: CriticKind, values: Settings) -> None:
    """Refuse what the kind does not take, and say whose setting it is."""
    foreign = [name for name in values if not kind.takes(name)]
    if not foreign:
        return
    taken = ", ".join(option.flag for option in kind.options) or "no setting"
    raise CriticError(f"{', and '.join(map(_owned, foreign))}; {kind.title} takes {taken}")


def _owned(name: str) -> str:
    """Whose setting that is, in words."""
    owners = [kind.title for kind in CRITICS.values() if kind.takes(name)]
    flag = "--" + name.replace("_", "-")
    return f"{flag} is a setting of {' or '.join(owners)}" if owners else f"no critic has {flag}"
