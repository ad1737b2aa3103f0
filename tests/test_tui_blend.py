"""Blend: what is requested, what comes back, what is kept; the drawing process on the tiny model."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest
import torch
from PIL import Image
from textual.widgets import Input, Select

from lorarar.families import FAMILIES, Base
from lorarar.generation.studio import Studio
from lorarar.merge_files import merge
from lorarar.merging.strengths import scale_adapter
from lorarar.pictures.images import read_image, write_png
from lorarar.store import Store
from lorarar.store.queries import Collection
from lorarar.util.errors import AdapterError
from tests.conftest import random_adapter
from tests.studies_database import make_database
from tests.tui_app import FakeDrawingClient, drive, sees, until, words
from tui.catalog import Catalog
from tui.drawing.client import ProcessDrawingClient
from tui.drawing.request import DrawRequest, DrawResult, WorkerMessage, parse_reply
from tui.drawing.worker import DrawingWorker, NewerRequestError, fast_methods, merge_for, newest
from tui.screens.blend import BlendScreen, merge_command
from tui.views.lora_files import bases_of, lora_files, loras_in
from tui.widgets.slider import Slider
from tui.widgets.tile import Tile


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


def status(app):
    return words(app.screen.query_one("#status"))


def result_of(request, paths, prompt, merge_seconds, draw_seconds):
    return DrawResult(
        number=request.number,
        paths=paths,
        seeds=(0, 1, 2, 3),
        prompt=prompt,
        merge_seconds=merge_seconds,
        draw_seconds=draw_seconds,
    )


def test_sliders_choices_and_words_make_a_request_and_its_pictures_show(tmp_path):
    database, client = make_database(tmp_path), FakeDrawingClient()

    async def script(app, pilot):
        await until(pilot, lambda: client.receive is not None)
        screen = app.screen
        assert isinstance(screen, BlendScreen)
        client.receive(WorkerMessage(methods=("direct", "lorarar"), weighted=("direct",)))
        await until(pilot, lambda: client.requests)
        first = client.requests[-1]
        assert (first.method, first.strengths, first.seed) == ("lorarar", (1.0, 1.0), 0)
        await pilot.press("left", "left", "h")
        screen.query_one("#style-strength", Slider).focus()
        await pilot.press("l", "shift+right", "right")
        screen.query_one("#method", Select).value = "direct"
        screen.query_one("#prompt", Input).value = "a can"
        await until(pilot, lambda: client.requests[-1].prompt == "a can")
        request = client.requests[-1]
        assert (request.strengths, request.method) == ((0.85, 1.35), "direct")
        assert len(client.requests) < 6  # moves that come fast are one request
        client.receive(WorkerMessage(steps=(3, 25), number=request.number))
        assert "step 3 of 25" in status(app)
        paths = tuple(str(write_png(Image.new("RGB", (8, 8)), tmp_path / f"{n}.png")) for n in range(4))
        client.receive(result_of(first, paths, "old", 0.1, 1.0))
        assert "old" not in status(app)  # an older request's pictures are not shown
        await pilot.press("w")
        assert not client.kept  # not yet drawn
        client.receive(result_of(request, paths, "a can", 0.012, 1.5))
        await until(pilot, lambda: "merged in 12 ms, drawn in 1.5 s" in status(app))
        assert all(tile.picture.image is not None for tile in screen.query("#pictures Tile").results(Tile))
        await pilot.press("w")
        assert client.kept == 1
        client.receive(WorkerMessage(kept="out/blend/a.safetensors"))
        assert "kept as out/blend/a.safetensors" in status(app)
        await pilot.press("r")
        await until(pilot, lambda: client.requests[-1].seed == 4)
        client.receive(WorkerMessage(error="it does not \x1bfit"))
        assert "it does not \ufffdfit" in status(app)
        await pilot.press("0", "y")
        assert "--method direct --weights 0.85,1" in app.clipboard

    drive(database, script, mode="blend", client=client, size=(120, 40))


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_blend_fits_and_clicks_move_sliders(tmp_path, size):
    async def script(app, pilot):
        slider = app.screen.query_one("#content-strength", Slider)
        await pilot.click("#content-strength", offset=(2, 1))
        assert slider.value < 0.3
        await pilot.click("#content-strength", offset=(30, 1))
        assert slider.value > 1.5

    drive(make_database(tmp_path), script, mode="blend", size=size)


def test_lora_files_are_those_of_the_collection_on_disk_and_pockets_own(tmp_path):
    (tmp_path / "mine.safetensors").touch()
    database = make_database(tmp_path, subjects=("cat",), styles=("oil",))
    catalog = Catalog(database)
    with sqlite3.connect(database) as db:
        db.execute("UPDATE adapters SET path = ? WHERE kind = 'content'", [str(tmp_path / "mine.safetensors")])
    found = lora_files(catalog.snapshot().pictures, catalog.paths.find)
    assert found["content"]["mine"] == str(tmp_path / "mine.safetensors")
    assert "oil" not in found["style"] and "glowing" in found["style"]


def test_blends_are_drawn_on_the_base_of_the_pictures_or_another_that_is_chosen(tmp_path):
    database, client = make_database(tmp_path), FakeDrawingClient()
    with sqlite3.connect(database) as db:
        db.execute("UPDATE images SET base = 'somebody/their-base'")
    pictures = Catalog(database).snapshot().pictures
    assert bases_of(pictures)[:3] == ["somebody/their-base", "pocket", "sdxl"]
    assert bases_of(()) == list(dict.fromkeys(["pocket", *FAMILIES]))
    assert lora_files(pictures, Path)["style"] == {}  # Pocket's own are not for another base

    async def script(app, pilot):
        await until(pilot, lambda: client.receive is not None)
        client.receive(WorkerMessage(methods=("direct", "lorarar"), weighted=("direct",)))
        app.screen.query_one("#folder", Input).value = str(two_loras(tmp_path))
        app.screen.query_one("#folder", Input).focus()
        await pilot.press("enter")
        await until(pilot, lambda: client.requests and client.requests[-1].base == "somebody/their-base")
        app.screen.query_one("#base", Select).value = "sdxl"
        await until(pilot, lambda: client.requests[-1].base == "sdxl")
        assert "--base sdxl" in app.screen.text_to_copy()

    drive(database, script, mode="blend", client=client, size=(120, 40))


def two_loras(tmp_path):
    """A folder of two files that are called LoRAs."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.safetensors").touch()
    return folder


def test_loras_of_any_folder_are_offered_and_what_is_none_is_said(tmp_path):
    mine = tmp_path / "mine"
    (mine / "peft").mkdir(parents=True)
    (mine / "peft" / "adapter_config.json").touch()
    for name in ("dog.safetensors", "notes.txt"):
        (mine / name).touch()
    assert [path.name for path in loras_in(mine)] == ["dog.safetensors", "peft"]
    assert loras_in(mine / "peft") == [mine / "peft"] and loras_in(mine / "dog.safetensors")[0].stem == "dog"
    (mine / "empty").mkdir()
    for wrong, words_ in ((mine / "empty", "holds no LoRA"), (mine / "nowhere", "is no folder")):
        with pytest.raises(AdapterError, match=words_):
            loras_in(wrong)
    client = FakeDrawingClient()

    def offered(app, kind):
        return [value for _, value in app.screen.query_one(f"#{kind}", Select)._options]

    async def script(app, pilot):
        await until(pilot, lambda: "glowing" in str(offered(app, "style")))
        await pilot.press("f", *str(mine / "nowhere"), "enter")
        await until(pilot, lambda: "is no folder" in status(app))
        app.screen.query_one("#folder", Input).value = str(mine)
        await pilot.press("enter")
        dog = str(mine / "dog.safetensors")
        await until(pilot, lambda: dog in offered(app, "content") and dog in offered(app, "style"))
        app.screen.query_one("#content", Select).value = dog
        await until(pilot, lambda: client.requests and client.requests[-1].content == dog)

    drive(make_database(tmp_path), script, mode="blend", client=client, size=(140, 45))


def test_blend_shows_what_its_loras_were_trained_on_as_large_as_its_pictures(tmp_path):
    database = make_database(tmp_path)
    for name in ("can", "cat", "dog", "owl", "glowing", "oil", "sticker"):
        (tmp_path / "loras" / f"{name}.safetensors").touch()

    async def script(app, pilot):
        await sees(pilot, "can", "glowing")
        await pilot.press("down", "b")
        await sees(pilot, "subject 1/2", "style")
        pinned = [tile for tile in app.screen.query("PinnedReferences Tile").results(Tile) if tile.display]
        first = app.screen.query_one("#pictures Tile")
        assert abs(pinned[0].size.width - first.size.width) <= 1 and pinned[0].size.height == first.size.height
        await pilot.press("e")
        await sees(pilot, "subject 2/2")

    drive(database, script, size=(140, 45))


def test_blend_opens_on_the_cell_of_the_matrix(tmp_path):
    database = make_database(tmp_path)
    for name in ("can", "cat", "dog", "owl", "glowing", "oil", "sticker"):
        (tmp_path / "loras" / f"{name}.safetensors").touch()

    def chosen(app):
        return [Path(str(app.screen.query_one(f"#{kind}", Select).value)).stem for kind in ("content", "style")]

    async def script(app, pilot):
        await sees(pilot, "can", "glowing")
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, BlendScreen) and chosen(app) == ["can", "glowing"])
        await pilot.press("escape", "down", "right", "3")
        await until(pilot, lambda: isinstance(app.screen, BlendScreen) and chosen(app) == ["cat", "oil"])

    drive(database, script)


def test_lines_carry_requests_and_replies():
    request = DrawRequest("a", "b", "direct", (0.5, 1.5), seed=3, number=7)
    assert DrawRequest.from_record(json.loads(request.to_line())) == request
    drawn = parse_reply(
        '{"number": 7, "paths": ["x"], "seeds": [3], "prompt": "p", "merge_seconds": 1, "draw_seconds": 2}'
    )
    assert isinstance(drawn, DrawResult) and drawn.number == 7
    assert parse_reply('{"steps": [1, 25]}').steps == (1, 25)
    assert parse_reply("no json").error


def test_of_waiting_requests_the_last_is_drawn():
    lines = SimpleQueue()
    for line in ("one", "two", "three"):
        lines.put(line)
    assert newest(lines) == "three"


def test_methods_that_optimise_are_left_out():
    assert "ziplora" not in fast_methods() and {"direct", "lorarar"} <= set(fast_methods())


@pytest.fixture
def draw_request(lora_file):
    content = lora_file("dog", seed=1, prompt="a sks dog")
    style = lora_file("ink", seed=2, prompt="a house in ink style")
    return DrawRequest(str(content), str(style), "direct", number=1, pictures=2)


@pytest.fixture
def base(tiny_folder):
    return Base("tiny", str(tiny_folder))


def test_strengths_are_weights_where_a_method_has_them(draw_request, base):
    ours = merge_for(replace(draw_request, strengths=(0.5, 1.5)), base)
    theirs = merge(draw_request.content, draw_request.style, method="direct", base=base.location, weights=(0.5, 1.5))
    for name, factors in ours.adapter.layers.items():
        assert torch.equal(factors.dense(), theirs.adapter.layers[name].dense())
    assert ours.options["weights"] == [0.5, 1.5]


def test_where_a_method_has_no_weights_each_side_of_its_result_is_scaled(draw_request, base, tmp_path):
    from lorarar.merging.hypernet import Hypernetwork
    from lorarar.merging.hypernet_file import write_hypernet

    adapter = random_adapter(2, 0)
    widths = {factors.up.shape[0] for factors in adapter.layers.values()}
    torch.manual_seed(0)
    write_hypernet(Hypernetwork(sorted(widths)), tmp_path / "hypernet.safetensors")
    with_hypernet = replace(base, hypernet=tmp_path / "hypernet.safetensors")
    draw_request = replace(draw_request, method="lorarar")
    one, content, style = (
        merge_for(replace(draw_request, strengths=s), with_hypernet) for s in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    )
    half = merge_for(replace(draw_request, strengths=(0.5, 2.0)), with_hypernet)
    for name in one.adapter.layers:
        whole, c, s, mixed = (m.adapter.layers[name].dense() for m in (one, content, style, half))
        assert torch.allclose(whole, c + s, atol=1e-5)
        assert torch.allclose(mixed, 0.5 * c + 2 * s, atol=1e-5)
    assert half.options["strengths"] == [0.5, 2.0]
    name = next(iter(one.coefficients))
    assert torch.allclose(half.coefficients[name][0], one.coefficients[name][0] * 0.5)


def test_a_drawing_worker_draws_drops_and_keeps(draw_request, base, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("tui.drawing.worker.find_base", lambda name: base)
    folders = tmp_path / "shown", tmp_path / "r.db", tmp_path / "out"
    worker = DrawingWorker(*folders, lambda base: Studio(base, pipeline=tiny), {"steps": 2})
    with pytest.raises(AdapterError, match="nothing is drawn yet"):
        worker.keep()
    told = []
    done = worker.draw(draw_request, lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)] and done.prompt == "a sks dog in ink style"
    assert all(read_image(path).size for path in done.paths) and len(done.paths) == 2

    def stop(done, total):
        raise NewerRequestError

    with pytest.raises(NewerRequestError):
        worker.draw(replace(draw_request, number=2), stop)
    kept = worker.keep()
    catalog = Catalog(tmp_path / "r.db")
    snapshot = catalog.snapshot()
    assert snapshot.collection == Collection("blend", "dog--ink") and len(catalog.collections()) == 1
    rows = snapshot.pictures
    assert [(row.row, row.content, row.style, row.seed) for row in rows] == [
        ("direct 1/1", "dog", "ink", 0),
        ("direct 1/1", "dog", "ink", 1),
    ]
    made = catalog.merge(rows[0].merge)
    assert (
        str(catalog.paths.find(made["adapter"]["path"])) == kept.kept
        and scale_adapter(random_adapter(2, 0), 0.0).layers
    )
    with Store(tmp_path / "r.db") as store:
        assert store.rows("SELECT count(*) AS n FROM images")[0]["n"] == 2
    worker.draw(replace(draw_request, strengths=(1.3, 0.5), number=3))
    assert Path(worker.keep().kept).exists() and Path(kept.kept).exists()
    worker.draw(replace(draw_request, prompt="a dog in a box", number=4))
    worker.keep()
    assert all(catalog.paths.find(row.path).exists() for row in rows)  # other words are other files
    cells = catalog.snapshot().cells
    assert {cell: {row.prompt for row in pictures} for cell, pictures in cells.items()} == {
        ("direct 1/1", "dog", "ink"): {"a sks dog in ink style"},
        ("direct 1.3/0.5", "dog", "ink"): {"a sks dog in ink style"},
        ("direct 1/1: a dog in a box", "dog", "ink"): {"a dog in a box"},
    }


def test_kept_blends_of_other_loras_of_the_same_names_are_a_collection_of_their_own(
    draw_request, lora_file, base, tiny, tmp_path, monkeypatch
):
    monkeypatch.setattr("tui.drawing.worker.find_base", lambda name: base)
    worker = DrawingWorker(
        tmp_path / "shown", tmp_path / "r.db", tmp_path / "out", lambda base: Studio(base, pipeline=tiny), {"steps": 1}
    )
    (tmp_path / "other").mkdir()
    other = Path(draw_request.style).rename(tmp_path / "other" / "ink.safetensors")
    again = lora_file("ink", seed=3, prompt="a house in ink style")
    for style in (again, other, again, other):
        worker.draw(replace(draw_request, style=str(style), prompt="a sks dog in ink style"))
        worker.keep()
    catalog = Catalog(tmp_path / "r.db")
    first, second = (size.collection for size in catalog.collections())
    assert first == Collection("blend", "dog--ink") and second.name.startswith("dog--ink ")
    for collection in (first, second):
        assert [(row.row, row.seed) for row in catalog.pictures(collection)] == [("direct 1/1", 0), ("direct 1/1", 1)]
    assert {row.sha256 for row in catalog.pictures(first)}.isdisjoint(row.sha256 for row in catalog.pictures(second))


def test_what_is_copied_is_a_command_that_merges():
    request, weighted = DrawRequest("my dog.safetensors", "ink.safetensors", "direct"), ("direct",)
    assert merge_command(request, ()).startswith("lorarar merge 'my dog.safetensors' ink.safetensors -o")
    strong = replace(request, strengths=(0.5, 1.25))
    assert merge_command(strong, weighted).endswith("--method direct --weights 0.5,1.25")
    assert merge_command(replace(request, method="lorarar"), weighted).endswith("--method lorarar")
    assert merge_command(replace(strong, method="lorarar"), weighted).endswith("--method lorarar --strengths 0.5,1.25")


def test_a_lora_without_a_prompt_asks_for_one(lora_file, base, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("tui.drawing.worker.find_base", lambda name: base)
    worker = DrawingWorker(tmp_path, tmp_path / "r.db", tmp_path, lambda base: Studio(base, pipeline=tiny))
    with pytest.raises(AdapterError, match="write one"):
        worker.draw(DrawRequest(str(lora_file("a")), str(lora_file("b", seed=1)), "direct"))


class Replies:
    """What a drawing process says, one at a time, waited for however long it takes: one that dies says so too."""

    def __init__(self):
        self._queue = asyncio.Queue()
        self.receive = self._queue.put_nowait

    async def next(self):
        return await self._queue.get()


def test_the_process_says_its_methods_and_what_goes_wrong(tmp_path):
    async def go():
        replies = Replies()
        client = ProcessDrawingClient(tmp_path / "r.db", tmp_path / "out")
        await client.start(replies.receive)
        client.draw(DrawRequest("no such file", "nor this", "direct", number=5))
        ready, refused = await replies.next(), await replies.next()
        folder = client.folder
        await client.close()
        assert not folder.exists()
        return ready, refused

    ready, refused = asyncio.run(go())
    assert "direct" in ready.methods
    assert "direct" in ready.weighted and "lorarar" in set(ready.methods) - set(ready.weighted)
    assert "no such file" in refused.error and refused.number == 5


def test_a_process_that_died_is_started_again_by_the_next_request(tmp_path):
    async def go():
        replies = Replies()
        client = ProcessDrawingClient(tmp_path / "r.db", tmp_path / "out")
        await client.start(replies.receive)
        assert "direct" in (await replies.next()).methods
        client.process.kill()
        assert "the next change starts it again" in (await replies.next()).error
        client.draw(DrawRequest("no such file", "nor this", "direct", number=7))
        assert "direct" in (await replies.next()).methods
        assert (await replies.next()).number == 7
        await client.close()

    asyncio.run(go())


def test_the_process_ends_with_its_stdin(tmp_path):
    words_ = [sys.executable, "-m", "tui.drawing.worker", str(tmp_path), str(tmp_path / "r.db"), str(tmp_path)]
    done = subprocess.run(words_, input="", capture_output=True, text=True, check=True)
    assert "methods" in done.stdout
