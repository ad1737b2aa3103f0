"""The drawing process: ``python -m tui.drawing.worker FOLDER DATABASE OUT``, requests on stdin, replies on stdout.

A process of its own, because a model's import and its steps would hold the interpreter that answers keys; and so
that browsing never loads one. It ends with its stdin.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from lorarar.families import Base, find_base
from lorarar.generation.noise import NoiseCell
from lorarar.generation.picture import Picture, save
from lorarar.generation.settings import DrawingOptions, DrawingSettings
from lorarar.generation.studio import Studio
from lorarar.lora.names import lora_name, pair_stem
from lorarar.merge_files import Merge, merge_loras
from lorarar.merging.methods import METHODS, method_named
from lorarar.merging.recipe import Recipe
from lorarar.pictures.description import describe
from lorarar.pictures.images import write_png
from lorarar.pictures.prompts import pair_prompt
from lorarar.store import Store
from lorarar.store.cells import Place
from lorarar.store.queries import Collection
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import AdapterError, LorarError, reason
from tui.drawing.request import DrawRequest, DrawResult, WorkerMessage, WorkerReply

OpenStudio = Callable[[Base], Studio]
OnStep = Callable[[int, int], None]  # called after every step, with how many are done, and of how many


class NewerRequestError(Exception):
    """The drawing is not needed any more: a newer request came."""


def fast_methods() -> list[str]:
    """The methods that merge in moments, so all but those that optimise for the pair or calibrate on the base."""
    return [name for name, method in METHODS.items() if not (method.per_pair or method.calibrated)]


class DrawingWorker:
    """Merges and draws what requests ask for, with a base that is loaded once.

    Args:
        folder: Where pictures are written for the app to read.
        database: Where what is kept is noted.
        out: Where the files of what is kept are written.
        open_studio: Loads a base.
        options: Of the sampler; the base's own without them.
    """

    def __init__(
        self,
        folder: Path,
        database: Path,
        out: Path,
        open_studio: OpenStudio = Studio,
        options: DrawingOptions | None = None,
    ) -> None:
        self.folder, self.database, self.out = folder, database, out
        self._open_studio = open_studio
        self._options: DrawingOptions = options or {}
        self._studio: Studio | None = None
        self._last: tuple[DrawRequest, Merge, list[Picture]] | None = None

    def draw(self, request: DrawRequest, on_step: OnStep = lambda done, total: None) -> DrawResult:
        """Merge, draw, and write the pictures into the folder; an exception of ``on_step`` ends it.

        Raises:
            LorarError: a LoRA cannot be read, does not fit, or has no prompt.
        """
        base = find_base(request.base)
        if self._studio is None or self._studio.base != base:
            self._studio = self._open_studio(base)
        started = time.perf_counter()
        merge = merge_for(request, base)
        prompt = request.prompt.strip() or prompt_of(request, merge)
        merged = time.perf_counter()
        self._studio.load_lora(merge.adapter)
        seeds = list(range(request.seed, request.seed + request.pictures))
        done, total = count(1), DrawingSettings.of(base, self._options).steps
        pictures = list(
            self._studio.generate(
                prompt,
                seeds,
                noise_of=cell_of(request),
                on_step=lambda: on_step(next(done), total),
                **self._options,
            )
        )
        paths = [write_png(p.image, self.folder / f"{request.number}-{p.seed}.png") for p in pictures]
        self._last = request, merge, pictures
        return DrawResult(
            number=request.number,
            paths=tuple(map(str, paths)),
            seeds=tuple(seeds),
            prompt=prompt,
            merge_seconds=merged - started,
            draw_seconds=time.perf_counter() - merged,
            base=request.base,
        )

    def keep(self) -> WorkerMessage:
        """Keep the last merge: its LoRA and pictures as files, what made them in the database.

        Raises:
            LorarError: nothing was drawn yet, or it cannot be written.
        """
        if self._last is None:
            raise AdapterError("nothing is drawn yet that could be kept")
        request, merge, pictures = self._last
        folder = self.out / blend_stem(request, merge)
        merge = merge.written(folder.with_name(f"{folder.name}.safetensors"))
        written = [save(replace(picture, lora=merge.adapter.sha256), folder) for picture in pictures]
        row = blend_row(request, merge)
        places = {Place(row, *cell_of(request), picture.seed): picture for picture in written}
        with Store(self.database) as store:
            merge_id = store.add_merge(merge, request.content, request.style)
            adapter = store.add_adapter(merge.adapter, merge.path or "", "merged")
            store.add_pictures(blend_collection(store, request, merge), places, adapter, merge_id)
        return WorkerMessage(kept=str(merge.path), number=request.number)


def blend_stem(request: DrawRequest, merge: Merge) -> str:
    """The stem of a blend's files: its names, and a digest that keeps LoRAs of equal names apart."""
    strengths = "-".join(f"{strength:g}" for strength in request.strengths)
    return f"{_pair(request)}--{request.method}-{strengths}-{_inputs_digest(request, merge)}"


def blend_row(request: DrawRequest, merge: Merge) -> str:
    """The row of a blend: method and strengths, and the prompt where it is another than both LoRAs say."""
    prompt = request.prompt.strip()
    with suppress(AdapterError):
        if prompt == prompt_of(request, merge):
            prompt = ""
    return f"{request.row}: {prompt}" if prompt else request.row


def blend_collection(store: Store, request: DrawRequest, merge: Merge) -> Collection:
    """The collection of a blend: its pair's; where that is of other LoRAs with these names, one with a digest."""
    pair = _pair(request)
    others = store.rows(
        """SELECT 1 FROM cells s JOIN collections g ON g.id = s.collection AND g.kind = 'blend' AND g.name = ?
        JOIN images i ON i.id = s.image JOIN merges m ON m.id = i.merge
        JOIN adapters a ON a.id = m.content JOIN adapters b ON b.id = m.style
        WHERE (a.sha256, b.sha256, m.base) <> (?, ?, ?) LIMIT 1""",
        pair,
        merge.content.sha256,
        merge.style.sha256,
        merge.base.name,
    )
    return Collection("blend", f"{pair} {_inputs_digest(request, merge)}" if others else pair)


def cell_of(request: DrawRequest) -> NoiseCell:
    """The cell of a blend: the names of its content and its style, whose noise its pictures have."""
    return lora_name(Path(request.content)), lora_name(Path(request.style))


def _pair(request: DrawRequest) -> str:
    return pair_stem(*cell_of(request))


def _inputs_digest(request: DrawRequest, merge: Merge) -> str:
    inputs = {"content": merge.content.sha256, "style": merge.style.sha256, "base": request.base}
    return digest_of_facts(inputs)[:8]


def merge_for(request: DrawRequest, base: Base) -> Merge:
    """Merge what a request asks for, in memory."""
    recipe = Recipe.with_strengths(method_named(request.method), base, request.strengths)
    return merge_loras(recipe, Path(request.content), Path(request.style))


def prompt_of(request: DrawRequest, merge: Merge) -> str:
    """The prompt for content and style at once, as texts beside their LoRAs or their headers say it.

    Raises:
        AdapterError: a LoRA does not say its prompt, or a text beside one is unsound.
    """
    content = describe(Path(request.content), merge.content.metadata)
    style = describe(Path(request.style), merge.style.metadata)
    if not content.prompt or not style.prompt:
        raise AdapterError("these LoRAs do not say their prompts; write one")
    return pair_prompt(content.prompt, style.prompt, words=style.style or "")


def main(folder: str, database: str, out: str) -> None:
    """Answer requests until stdin ends."""
    stdout, sys.stdout = sys.stdout, sys.stderr  # what a library prints must not mix with replies

    def send(reply: WorkerReply) -> None:
        stdout.write(reply.to_line())
        stdout.flush()

    def on_step(done: int, total: int) -> None:
        if not lines.empty():
            raise NewerRequestError
        send(WorkerMessage(steps=(done, total)))

    lines: SimpleQueue[str] = SimpleQueue()
    Thread(target=listen, args=(lines,), daemon=True).start()
    worker = DrawingWorker(Path(folder), Path(database), Path(out))
    methods = fast_methods()
    weighted = tuple(name for name in methods if METHODS[name].takes("weights"))
    send(WorkerMessage(methods=tuple(methods), weighted=weighted))
    while line := newest(lines):
        send(answer(worker, json.loads(line), on_step))


def answer(worker: DrawingWorker, record: Mapping[str, Any], on_step: OnStep) -> WorkerReply:
    """Do what a line asks for; an error becomes a reply, since the next request may succeed."""
    number = record.get("number", 0)
    try:
        return worker.keep() if record["do"] == "keep" else worker.draw(DrawRequest.from_record(record), on_step)
    except NewerRequestError:
        return WorkerMessage(dropped=True, number=number)
    except LorarError as error:
        return WorkerMessage(error=str(error), number=number)
    except (RuntimeError, ValueError, OSError) as error:  # of a library
        return WorkerMessage(error=reason(error), number=number)


def listen(lines: SimpleQueue[str]) -> None:
    """Queue the lines of stdin; at its end, an empty one."""
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def newest(lines: SimpleQueue[str]) -> str:
    """The next line; of several that wait, the last. Empty at the end."""
    line = lines.get()
    while not lines.empty():
        line = lines.get()
    return line


if __name__ == "__main__":
    main(*sys.argv[1:4])
