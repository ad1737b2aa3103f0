"""A terminal of a size under tmux, for what only a terminal shows."""

import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
TMUX = shutil.which("tmux")


class Terminal:
    """A tmux server of its own with one window, in which a command runs."""

    def __init__(self, folder, command, size=(100, 40)):
        self.socket = str(folder / "tmux")
        environment = {"PYTHONPATH": str(ROOT), "LORARAR_CACHE": str(folder / "cache"), "PYTHONSAFEPATH": "1"}
        settings = " ".join(f"{name}={value}" for name, value in environment.items())
        # a library of the tests' process may have said how large its own terminal is
        command = f"env -u COLUMNS -u LINES {settings} {command}"
        words_ = ["new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), command]
        subprocess.run([TMUX, "-S", self.socket, "-f", "/dev/null", *words_], check=True)

    def run(self, *words_):
        done = subprocess.run([TMUX, "-S", self.socket, *words_], capture_output=True, text=True, check=False)
        return done.stdout

    def press(self, *keys):
        self.run("send-keys", *keys)

    def wait(self, text, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if text in (shown := self.run("capture-pane", "-p")):
                return shown
            time.sleep(0.05)
        raise AssertionError(f"{text!r} never came; the screen is:\n{self.run('capture-pane', '-p')}")

    def close(self):
        self.run("kill-server")


@contextmanager
def terminals(folder):
    """What opens terminals, each with a folder of its own; they are closed at the end."""
    opened = []

    def open_one(command, **more):
        own = folder / f"terminal-{len(opened)}"
        own.mkdir()
        opened.append(Terminal(own, command, **more))
        return opened[-1]

    try:
        yield open_one
    finally:
        for one in opened:
            one.close()
