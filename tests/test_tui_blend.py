"""Blend: what is wished for, what comes back, what is kept; the drawing process on the tiny model."""

import asyncio
import json
import subprocess
import sys
import threading
from dataclasses import replace
from queue import SimpleQueue

import pytest
import torch
from PIL import Image
from textual.widgets import Input, Select

from lorarar.families import Base
from lorarar.generation.studio import Studio
from lorarar.merge_files import merge
from lorarar.merging.strengths import scale_adapter
from lorarar.pictures.images import read_image, write_png
from lorarar.store import Store
from lorarar.util.errors import AdapterError
from tests.conftest import random_adapter
from tests.studies_database import make_database
from tests.tui_app import FakeEasel, drive, until, words
from tui.catalog import Catalog
from tui.drawing.client import ProcessEasel
from tui.drawing.request import Drawn, Said, Wish, reply
from tui.drawing.worker import NewerWishError, Painter, blended, methods, newest
from tui.screens.blend import BlendScreen, known_loras
from tui.widgets.slider import Slider
from tui.widgets.tile import Tile


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


def said(app):
    return words(app.screen.query_one("#said"))


def test_sliders_choices_and_words_make_a_wish_and_its_pictures_show(tmp_path):
    database, easel = make_database(tmp_path), FakeEasel()

    async def script(app, pilot):
        await until(pilot, lambda: easel.tell is not None)
        screen = app.screen
        assert isinstance(screen, BlendScreen)
        easel.tell(Said(methods=("direct", "lorarar")))
        await until(pilot, lambda: easel.wishes)
        first = easel.wishes[-1]
        assert (first.method, first.strengths, first.seed) == ("lorarar", (1.0, 1.0), 0)
        await pilot.press("left", "left", "h")
        screen.query_one("#style-strength", Slider).focus()
        await pilot.press("l", "shift+right", "right")
        screen.query_one("#method", Select).value = "direct"
        screen.query_one("#prompt", Input).value = "a can"
        await until(pilot, lambda: easel.wishes[-1].prompt == "a can")
        wish = easel.wishes[-1]
        assert (wish.strengths, wish.method) == ((0.85, 1.35), "direct")
        assert len(easel.wishes) < 6  # moves that come fast are one wish
        easel.tell(Said(steps=(3, 25), number=wish.number))
        assert "step 3 of 25" in said(app)
        paths = tuple(write_png(Image.new("RGB", (8, 8)), tmp_path / f"{n}.png") for n in range(4))
        easel.tell(Drawn(first.number, paths, (0, 1, 2, 3), "old", 0.1, 1.0))
        assert "old" not in said(app)  # an older wish's pictures are not shown
        await pilot.press("w")
        assert not easel.kept  # not yet drawn
        easel.tell(Drawn(wish.number, paths, (0, 1, 2, 3), "a can", 0.012, 1.5))
        await until(pilot, lambda: "merged in 12 ms, drawn in 1.5 s" in said(app))
        assert all(tile._picture.image is not None for tile in screen.query("#pictures Tile").results(Tile))
        await pilot.press("w")
        assert easel.kept == 1
        easel.tell(Said(kept="out/blend/a.safetensors"))
        assert "kept as out/blend/a.safetensors" in said(app)
        await pilot.press("r")
        await until(pilot, lambda: easel.wishes[-1].seed == 4)
        easel.tell(Said(error="it does not \x1bfit"))
        assert "it does not \ufffdfit" in said(app)
        await pilot.press("0", "y")
        assert "--method direct --weights 0.85,1" in app.clipboard

    drive(database, script, mode="blend", easel=easel, size=(120, 40))


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_blend_fits_and_clicks_move_sliders(tmp_path, size):
    async def script(app, pilot):
        slider = app.screen.query_one("#content-strength", Slider)
        await pilot.click("#content-strength", offset=(2, 1))
        assert slider.value < 0.3
        await pilot.click("#content-strength", offset=(30, 1))
        assert slider.value > 1.5

    drive(make_database(tmp_path), script, mode="blend", size=size)


def test_known_loras_are_those_on_disk_and_pockets_own(tmp_path):
    (tmp_path / "mine.safetensors").touch()
    rows = [
        {"path": str(tmp_path / "mine.safetensors"), "kind": "content"},
        {"path": str(tmp_path / "gone.safetensors"), "kind": "style"},
        {"path": "nul\0l", "kind": "style"},
    ]
    found = known_loras(rows)
    assert found["content"]["mine"] == str(tmp_path / "mine.safetensors")
    assert "gone" not in found["style"] and "glowing" in found["style"]


def test_lines_carry_wishes_and_replies():
    wish = Wish("a", "b", "direct", (0.5, 1.5), seed=3, number=7)
    assert Wish.of(json.loads(wish.line())) == wish
    drawn = reply('{"number": 7, "paths": ["x"], "seeds": [3], "prompt": "p", "merge_seconds": 1, "draw_seconds": 2}')
    assert isinstance(drawn, Drawn) and drawn.number == 7
    assert reply('{"steps": [1, 25]}').steps == (1, 25)
    assert reply("no json").error


def test_of_waiting_wishes_the_last_is_drawn():
    lines = SimpleQueue()
    for line in ("one", "two", "three"):
        lines.put(line)
    assert newest(lines) == "three"


def test_methods_that_optimise_are_left_out():
    assert "ziplora" not in methods() and {"direct", "lorarar"} <= set(methods())


@pytest.fixture
def wish(lora_file):
    content = lora_file("dog", seed=1, prompt="a sks dog")
    style = lora_file("ink", seed=2, prompt="a house in ink style")
    return Wish(str(content), str(style), "direct", number=1, pictures=2)


@pytest.fixture
def base(tiny_folder):
    return Base("tiny", str(tiny_folder))


def test_strengths_are_weights_where_a_method_has_them(wish, base):
    ours = blended(replace(wish, strengths=(0.5, 1.5)), base)
    theirs = merge(wish.content, wish.style, method="direct", base=base.location, weights=(0.5, 1.5))
    for name, factors in ours.adapter.layers.items():
        assert torch.equal(factors.dense(), theirs.adapter.layers[name].dense())
    assert ours.options["weights"] == [0.5, 1.5]


def test_where_a_method_has_no_weights_each_side_of_its_result_is_scaled(wish, base, tmp_path):
    from lorarar.merging.hypernet import Hypernetwork
    from lorarar.merging.hypernet_file import write_hypernet

    adapter = random_adapter(2, 0)
    widths = {factors.up.shape[0] for factors in adapter.layers.values()}
    torch.manual_seed(0)
    write_hypernet(Hypernetwork(sorted(widths)), tmp_path / "hypernet.safetensors")
    with_hypernet = replace(base, hypernet=tmp_path / "hypernet.safetensors")
    wish = replace(wish, method="lorarar")
    one, content, style = (
        blended(replace(wish, strengths=s), with_hypernet) for s in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    )
    half = blended(replace(wish, strengths=(0.5, 2.0)), with_hypernet)
    for name in one.adapter.layers:
        whole, c, s, mixed = (m.adapter.layers[name].dense() for m in (one, content, style, half))
        assert torch.allclose(whole, c + s, atol=1e-5)
        assert torch.allclose(mixed, 0.5 * c + 2 * s, atol=1e-5)
    assert half.options["strengths"] == [0.5, 2.0]
    name = next(iter(one.coefficients))
    assert torch.allclose(half.coefficients[name][0], one.coefficients[name][0] * 0.5)


def test_a_painter_draws_drops_and_keeps(wish, base, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("tui.drawing.worker.find_base", lambda name: base)
    monkeypatch.setattr("tui.drawing.worker.STEPS", 2)
    painter = Painter(tmp_path / "shown", tmp_path / "r.db", tmp_path / "out", lambda base: Studio(base, pipeline=tiny))
    with pytest.raises(AdapterError, match="nothing is drawn yet"):
        painter.keep()
    told = []
    done = painter.draw(wish, told.append)
    assert told == [1, 2] and done["prompt"] == "a sks dog in ink style"
    assert all(read_image(path).size for path in done["paths"]) and len(done["paths"]) == 2

    def stop(step):
        raise NewerWishError

    with pytest.raises(NewerWishError):
        painter.draw(replace(wish, number=2), stop)
    kept = painter.keep()
    catalog = Catalog(tmp_path / "r.db")
    shots = catalog.shots()
    assert [(s.row, s.content, s.style, s.seed) for s in shots] == [
        ("direct", "dog", "ink", 0),
        ("direct", "dog", "ink", 1),
    ]
    made = catalog.merge(shots[0].merge)
    assert made["adapter"]["path"] == kept["kept"] and scale_adapter(random_adapter(2, 0), 0.0).layers
    with Store(tmp_path / "r.db") as store:
        assert store.rows("SELECT count(*) AS n FROM images")[0]["n"] == 2


def test_a_lora_without_a_prompt_asks_for_one(lora_file, base, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("tui.drawing.worker.find_base", lambda name: base)
    painter = Painter(tmp_path, tmp_path / "r.db", tmp_path, lambda base: Studio(base, pipeline=tiny))
    with pytest.raises(AdapterError, match="write one"):
        painter.draw(Wish(str(lora_file("a")), str(lora_file("b", seed=1)), "direct"))


def test_the_process_says_its_methods_and_what_goes_wrong(tmp_path):
    heard, ready = [], threading.Event()

    async def go():
        easel = ProcessEasel(tmp_path / "r.db", tmp_path / "out")
        await easel.start(heard.append)
        easel.draw(Wish("no such file", "nor this", "direct", number=5))
        for _ in range(1200):
            if len(heard) > 1:
                ready.set()
                break
            await asyncio.sleep(0.05)
        folder = easel._folder
        await easel.close()
        return folder

    folder = asyncio.run(go())
    assert ready.is_set() and "direct" in heard[0].methods
    assert "no such file" in heard[1].error and heard[1].number == 5
    assert not folder.exists()


def test_a_process_that_died_is_started_again_by_the_next_wish(tmp_path):
    heard = []

    async def until(true):
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.05)

    async def go():
        easel = ProcessEasel(tmp_path / "r.db", tmp_path / "out")
        await easel.start(heard.append)
        await until(lambda: heard)
        easel._process.kill()
        await until(lambda: len(heard) > 1)
        easel.draw(Wish("no such file", "nor this", "direct", number=7))
        await until(lambda: len(heard) > 3)
        await easel.close()

    asyncio.run(go())
    assert "the next change starts it again" in heard[1].error
    assert "direct" in heard[2].methods and heard[3].number == 7


def test_the_process_ends_with_its_stdin(tmp_path):
    words_ = [sys.executable, "-m", "tui.drawing.worker", str(tmp_path), str(tmp_path / "r.db"), str(tmp_path)]
    done = subprocess.run(words_, input="", capture_output=True, text=True, timeout=120, check=True)
    assert "methods" in done.stdout
