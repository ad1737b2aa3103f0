"""What members of a jury cannot do: named, kept, and no reason for the others to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lorarar.util.errors import LorarError, StoreError
from lorarar.util.messages import message


class MemberFaults:
    """The faults of critics by name; of one that is alone a fault ends the work."""

    def __init__(self, *, jury: bool) -> None:
        self.jury = jury
        self.by_name: dict[str, str] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Keep what goes wrong within as a member's fault.

        Raises:
            LorarError: there is no jury, or the database fails, which is nobody's fault.
        """
        try:
            yield
        except StoreError:
            raise
        except LorarError as error:
            if not self.jury:
                raise
            self.by_name[name] = f"{name}: {error}"
            message(f"{self.by_name[name]}; the others of the jury go on", "yellow")
