"""What every table of a plan has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from lorarar.util.options import check_keys


class StrictTable(BaseModel):
    """A table of a plan, of which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    place: ClassVar[str]  # what it is called in messages

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if cls.model_config.get("extra") == "forbid":
            check_keys(cls.place, cls.model_fields, value)
        for name, field in cls.model_fields.items():
            if "bool" not in str(field.annotation) and _holds_switch(value.get(name)):  # pydantic takes true for 1
                raise ValueError(f"{name} can be neither true nor false, nor hold one")
        return value


def _holds_switch(given: object) -> bool:
    return isinstance(given, bool) or (isinstance(given, list) and any(map(_holds_switch, given)))
