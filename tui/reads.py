"""Reading in a worker's thread what is shown in ours, so that no key waits for the disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from textual.worker import Worker, get_current_worker

from lorarar.util.errors import LorarError
from tui.notices import notify_error

if TYPE_CHECKING:
    from textual.widget import Widget

T = TypeVar("T")


def read_in_worker(node: Widget, work: Callable[[], T], show: Callable[[T], None], group: str) -> None:
    """Call ``work`` in a worker's thread and ``show`` its result in ours, as long as ``node`` is there.

    A ``LorarError`` becomes a notice. Within a group of the node, the result of the newest call is the only one that
    shows: whether there is a newer one is looked up in our thread, where they start.
    """

    def run() -> None:
        worker = get_current_worker()
        try:
            result = work()
        except LorarError as error:
            notify_error(node, error)
            return
        node.call_later(show_newest, worker, result)

    def show_newest(worker: Worker[None], result: T) -> None:
        if node.is_attached and not worker.is_cancelled:
            show(result)

    node.run_worker(run, group=group, exclusive=True, thread=True)
