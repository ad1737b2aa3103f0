"""The drawing process: ``python -m tui.drawing.worker FOLDER DATABASE OUT``, wishes on stdin, replies on stdout.

A process of its own, because a model's import and its steps would hold the interpreter that answers keys; and so
that browsing never loads one. It ends with its stdin.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from lorarar.families import Base, find_base
from lorarar.generation.studio import Picture, Studio, save
from lorarar.merge_files import Merge, merge_pair
from lorarar.merging.methods import METHODS, method_named
from lorarar.merging.recipe import Recipe
from lorarar.pictures.images import write_png
from lorarar.pictures.prompts import pair_prompt
from lorarar.store import Store
from lorarar.util.errors import AdapterError, LorarError, reason
from tui.drawing.request import DrawRequest

STEPS, GUIDANCE = 25, 4.0
Open = Callable[[Base], Studio]
Step = Callable[[int], None]  # told of every step that is done


class NewerWishError(Exception):
    """What is being drawn is not wanted any more."""


def methods() -> list[str]:
    """Those that merge in moments: none that optimises for the pair."""
    return [name for name, method in METHODS.items() if "coefficients" not in method.takes]


class Painter:
    """A base that is loaded once, and the last merge it drew."""

    def __init__(self, folder: Path, database: Path, out: Path, open_studio: Open = Studio) -> None:
        self.folder, self.database, self.out = folder, database, out
        self._open = open_studio
        self._studio: Studio | None = None
        self._last: tuple[DrawRequest, Merge, list[Picture]] | None = None

    def draw(self, wish: DrawRequest, on_step: Step = lambda done: None) -> dict[str, Any]:
        """Merge, draw, and write the pictures into the folder; what ``on_step`` raises ends it.

        Raises:
            LorarError: a LoRA cannot be read, does not fit, or has no prompt.
        """
        base = find_base(wish.base)
        if self._studio is None or self._studio.base != base:
            self._studio = self._open(base)
        started = time.perf_counter()
        done = blended(wish, base)
        prompt = wish.prompt.strip() or prompt_of(done)
        merged = time.perf_counter()
        self._studio.load_lora(done.adapter)
        seeds = list(range(wish.seed, wish.seed + wish.pictures))
        steps = count(1)
        drawn = list(
            self._studio.generate(prompt, seeds, steps=STEPS, guidance=GUIDANCE, on_step=lambda: on_step(next(steps)))
        )
        paths = [write_png(p.image, self.folder / f"{wish.number}-{p.seed}.png") for p in drawn]
        self._last = wish, done, drawn
        return {
            "number": wish.number,
            "paths": list(map(str, paths)),
            "seeds": seeds,
            "prompt": prompt,
            "merge_seconds": merged - started,
            "draw_seconds": time.perf_counter() - merged,
        }

    def keep(self) -> dict[str, Any]:
        """Keep the last merge: its LoRA and pictures as files, what made them in the database.

        Raises:
            LorarError: nothing was drawn yet, or it cannot be written.
        """
        if self._last is None:
            raise AdapterError("nothing is drawn yet that could be kept")
        wish, done, drawn = self._last
        strengths = "-".join(f"{strength:g}" for strength in wish.strengths)
        name = f"{Path(wish.content).stem}--{Path(wish.style).stem}--{wish.method}-{strengths}"
        done = done.written(self.out / f"{name}.safetensors")
        with Store(self.database) as store:
            merge = store.add_merge(done, wish.content, wish.style)
            adapter = store.add_adapter(done.adapter, done.path or "", "merged")
            for picture in drawn:
                made = save(replace(picture, lora=done.adapter.sha256), self.out / name, str(picture.seed))
                store.add_image(made, adapter, merge)
        return {"kept": str(done.path), "number": wish.number}


def blended(wish: DrawRequest, base: Base) -> Merge:
    """The merge of a wish, in memory."""
    recipe = Recipe.with_strengths(method_named(wish.method), base, wish.strengths)
    return merge_pair(recipe, Path(wish.content), Path(wish.style))


def prompt_of(merge: Merge) -> str:
    """The prompt for content and style at once, from the headers of their LoRAs.

    Raises:
        AdapterError: a LoRA does not say its prompt.
    """
    content, style = (adapter.provenance.get("prompt") for adapter in (merge.content, merge.style))
    if not isinstance(content, str) or not isinstance(style, str):
        raise AdapterError("these LoRAs do not say their prompts; write one")
    return pair_prompt(content, style)


def main(folder: str, database: str, out: str) -> None:
    """Answer wishes until stdin ends."""
    talk, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no reply

    def say(**facts: Any) -> None:
        talk.write(json.dumps(facts) + "\n")
        talk.flush()

    def step(done: int) -> None:
        if not lines.empty():
            raise NewerWishError
        say(steps=[done, STEPS])

    lines: SimpleQueue[str] = SimpleQueue()
    Thread(target=listen, args=(lines,), daemon=True).start()
    painter = Painter(Path(folder), Path(database), Path(out))
    say(methods=methods())
    while line := newest(lines):
        facts = json.loads(line)
        try:
            say(**(painter.keep() if facts["do"] == "keep" else painter.draw(DrawRequest.from_record(facts), step)))
        except NewerWishError:
            say(dropped=True, number=facts["number"])
        except LorarError as error:
            say(error=str(error), number=facts.get("number", 0))
        except (RuntimeError, ValueError, OSError) as error:  # of a library: this wish fails, the next may not
            say(error=reason(error), number=facts.get("number", 0))


def listen(lines: SimpleQueue[str]) -> None:
    """Put what comes on stdin in line; at its end, an empty one."""
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def newest(lines: SimpleQueue[str]) -> str:
    """The next line; of several wishes that wait, the last. Empty at the end."""
    line = lines.get()
    while not lines.empty():
        line = lines.get()
    return line


if __name__ == "__main__":
    main(*sys.argv[1:4])
