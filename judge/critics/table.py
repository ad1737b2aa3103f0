"""The one table of kinds of critics: ours, then those of other packages by the entry points ``lorarar.critics``."""

from __future__ import annotations

from judge.critics.kind import CriticKind, check_kind
from judge.critics.local.named import named_checkpoints, runs_locally
from judge.critics.local.settings import LOCAL_OPTIONS
from judge.critics.openai.settings import SERVED_OPTIONS, is_address
from lorarar.util.registry import Registry

SERVED = CriticKind(
    name="served",
    title="a critic behind an address",
    names="an address like http://localhost:8000/v1 or several with commas between",
    runs=is_address,
    opener="judge.critics.openai.served_critic:open_served",
    options=SERVED_OPTIONS,
)
LOCAL = CriticKind(
    name="local",
    title="a critic on this machine",
    names="a folder, a hub id like OWNER/NAME",
    named=named_checkpoints,
    runs=runs_locally,
    opener="judge.critics.local.named:open_local",
    options=LOCAL_OPTIONS,
)


#: The kinds of critics; the first that runs a name opens it.
CRITICS: Registry[CriticKind] = Registry("lorarar.critics", CriticKind, (LOCAL, SERVED), check_kind)
