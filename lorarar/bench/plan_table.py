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
        if cls.model_config.get("extra") == "forbid" and isinstance(value, dict):
            check_keys(cls.place, cls.model_fields, value)
        return value
