"""A judge that is served, in a process of its own: what ``openai_server`` speaks."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(__file__).with_name("openai_server.py")


class ServedJudge(NamedTuple):
    """A server that listens."""

    process: subprocess.Popen[str]
    port: int

    @property
    def root(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address as ``--critic`` has it."""
        return f"{self.root}/v1"


@contextmanager
def served_judge() -> Iterator[ServedJudge]:
    """A server, which goes when its input is closed."""
    with subprocess.Popen(
        [sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        yield ServedJudge(process, int(process.stdout.readline()))
        process.stdin.close()
        process.wait(30)
