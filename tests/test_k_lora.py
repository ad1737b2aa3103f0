"""K-LoRA: one switch time a layer is the definition's choice at every step, and pictures are drawn by it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import lorarar
from lorarar.bench.plan import read_plan
from lorarar.families import Base
from lorarar.generation.attached_loras import AttachedLora
from lorarar.generation.studio import Studio
from lorarar.generation.switching import SwitchedLoras, unswitched
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.drawn_methods import DRAWN, DrawnMethod
from lorarar.lora.files import write_adapter
from lorarar.lora.k_lora import largest_elements, switch_times
from lorarar.merging.methods import METHODS, method_named
from lorarar.store import Store
from lorarar.util.errors import AdapterError, MethodError, PlanError

from .bench_plan import pictures, write_plan
from .bench_plan import run as run_bench
from .conftest import make_unet, random_adapter

K_LORA, UNET = DRAWN["k-lora"], make_unet()


def by_the_definition(content, style, steps):
    """Which layers use content at each step, from dense updates in float64, compared anew at every step."""
    updates = {
        layer: tuple(side.layers[layer].up.double() @ side.layers[layer].down.double() for side in (content, style))
        for layer in content.layers
    }
    ratios = [ours.abs().sum() / theirs.abs().sum() for ours, theirs in updates.values()]
    mean = sum(ratios) / len(ratios)
    usual = [ratio for ratio in ratios if ratio < 3 * mean]
    gamma = sum(usual) / len(usual)
    chosen = []
    for t in range(steps):
        scale, now = 1.5 * t / steps + 0.5, set()
        for layer, pair in updates.items():
            k = min(content.layers[layer].rank * style.layers[layer].rank, pair[0].numel())
            ours, theirs = (update.abs().flatten().sort(descending=True).values[:k].sum() for update in pair)
            if (ours / gamma) / (theirs * scale) > 1:
                now.add(layer)
        chosen.append(now)
    return chosen


def uneven(seed, rank, outlier=False):
    """A LoRA whose layers' sizes differ, one of them by far where there is to be an outlier."""
    adapter, generator = random_adapter(rank, seed, UNET), torch.Generator().manual_seed(seed)
    layers = {
        name: Factors(of.down * float(torch.rand((), generator=generator) + 0.4), of.up)
        for name, of in adapter.layers.items()
    }
    first = next(iter(layers))
    return replace(adapter, layers={**layers, first: layers[first].scale(200.0 if outlier else 1.0)})


@pytest.mark.parametrize("outlier", [False, True])
@pytest.mark.parametrize("ranks", [(2, 3), (7, 16), (16, 40)])
def test_one_time_a_layer_is_the_choice_of_the_definition_at_every_step(ranks, outlier):
    content, style, steps = uneven(1, ranks[0], outlier), uneven(2, ranks[1]), 29
    times, wanted = switch_times(content, style), by_the_definition(content, style, steps)
    assert times.keys() == content.layers.keys()
    assert 0 < sum(map(len, wanted)) < steps * len(times)  # both are chosen
    assert any(0 < time < 1 for time in times.values())
    for t in range(steps):
        assert {layer for layer, time in times.items() if t / steps < time} == wanted[t]


def test_strengths_of_whole_loras_change_no_time():
    content, style = uneven(1, 2), uneven(2, 3)
    stronger = replace(content, layers={name: of.scale(7.0) for name, of in content.layers.items()})
    assert switch_times(stronger, style) == pytest.approx(switch_times(content, style), abs=1e-5)


@pytest.mark.parametrize("kind", ["random", "equal", "zeros", "rising", "falling", "few"])
@pytest.mark.parametrize("count", [1, 9, 500, 20_000])
def test_the_largest_elements_are_those_of_a_sort(kind, count):
    generator = torch.Generator().manual_seed(0)
    elements = {
        "random": torch.rand(20_000, generator=generator),
        "equal": torch.ones(20_000),
        "zeros": torch.zeros(20_000),
        "rising": torch.arange(20_000.0),
        "falling": torch.arange(20_000.0).flip(0),
        "few": torch.zeros(20_000).index_fill_(0, torch.arange(0, 20_000, 61), 5.0),  # where the sample looks
    }[kind]
    wanted = elements.sort(descending=True).values[:count]
    assert torch.equal(largest_elements(elements, count).sort(descending=True).values, wanted)


def test_a_side_of_nothing_gives_way():
    nothing = {"unet.a": Factors(torch.zeros(1, 4), torch.zeros(3, 1))}
    some = {"unet.a": Factors(torch.ones(1, 4), torch.ones(3, 1))}
    for ours, theirs, time in ((some, nothing, 1.0), (nothing, some, 0.0), (nothing, nothing, 0.0)):
        assert switch_times(Adapter(ours), Adapter(theirs)) == {"unet.a": time}


def test_convolutions_have_times_and_text_encoders_and_layers_of_one_side_are_used_throughout():
    kernel = Factors(torch.ones(2, 4, 3, 3), torch.ones(5, 2, 1, 1))
    flat = Factors(torch.ones(1, 4), torch.ones(3, 1))
    content = Adapter({"unet.conv": kernel, "unet.ours": flat, "text_encoder.q": flat}, "c")
    style = Adapter({"unet.conv": kernel.scale(2.0), "text_encoder.q": flat}, "s")
    times = switch_times(content, style)
    assert times == {"unet.conv": pytest.approx(1 / 3)}
    rest = unswitched([AttachedLora(content, 2.0), AttachedLora(style)], times)
    assert rest.layers.keys() == {"unet.ours", "text_encoder.q"}
    torch.testing.assert_close(rest.layers["text_encoder.q"].dense(), 3 * flat.dense())
    torch.testing.assert_close(rest.layers["unet.ours"].dense(), 2 * flat.dense())
    assert unswitched([AttachedLora(Adapter({"unet.conv": kernel}))], times) is None


def drawn_at(time):
    """A method whose layers all switch at one time."""
    return DrawnMethod("same", "Same", "ours", f"tests.test_k_lora:at_{time}")


def at_0(content, style):
    return dict.fromkeys(content.layers, 0.0)


def at_1(content, style):
    return dict.fromkeys(content.layers, 1.0)


def pixels(studio, steps=3):
    (drawn,) = studio.generate("a sks dog", [0], steps=steps, size=(16, 16))
    return np.asarray(drawn.image).astype(int)


def test_a_layer_uses_content_until_its_time_and_then_style(tiny, tiny_folder, monkeypatch):
    content, style = (AttachedLora(random_adapter(rank, rank, UNET)) for rank in (2, 3))
    studio = Studio(Base("tiny", str(tiny_folder)), pipeline=tiny)
    plain = pixels(studio)
    alone = []
    for lora in (style, content):
        studio.load_loras([lora])
        alone.append(pixels(studio))
    for time, wanted in zip((0, 1), alone, strict=True):
        studio.load_loras([content, style], drawn_at(time))
        assert np.abs(pixels(studio) - wanted).max() <= 1
    assert np.abs(alone[0] - alone[1]).max() > 3
    studio.load_loras([content, style], K_LORA)
    asked, used = [], SwitchedLoras.used
    monkeypatch.setattr(
        SwitchedLoras, "used", lambda self, layer: asked.append((self.moment, layer)) or used(self, layer)
    )
    both = pixels(studio, steps=4)
    assert [*dict.fromkeys(moment for moment, _ in asked)] == [0, 0.25, 0.5, 0.75]
    assert {layer for _, layer in asked} == content.adapter.layers.keys()
    assert np.array_equal(pixels(studio, steps=4), both)
    assert not any(module._forward_hooks for module in tiny.unet.modules())
    studio.load_lora(None)
    assert np.array_equal(pixels(studio), plain)


def test_a_picture_says_by_which_method_its_loras_are_drawn(tiny, tiny_folder):
    loras = [AttachedLora(random_adapter(2, 1, UNET)), AttachedLora(random_adapter(2, 2, UNET), 0.5)]
    studio = Studio(Base("tiny", str(tiny_folder)), pipeline=tiny)
    studio.load_loras(loras, K_LORA)
    (drawn,) = studio.generate("a sks dog", [0], steps=1, size=(16, 16))
    assert drawn.lora == f"k-lora:{loras[0].text},{loras[1].text}"
    for wrong in (loras[:1], [*loras, loras[0]]):
        with pytest.raises(MethodError, match=r"draws with two LoRAs, .* are given"):
            studio.load_loras(wrong, K_LORA)
    names = [*loras[0].adapter.layers]
    parts = [
        AttachedLora(replace(one.adapter, layers={name: one.adapter.layers[name]}))
        for one, name in zip(loras, names[:2], strict=True)
    ]
    with pytest.raises(AdapterError, match="share no layer"):
        studio.load_loras(parts, K_LORA)


def test_a_grid_is_drawn_by_it_known_by_all_that_decides_it_and_goes_on(tmp_path, tiny_folder):
    plan_file = write_plan(tmp_path, tiny_folder)
    head, _, _ = plan_file.read_text().partition("[[methods]]")
    plan_file.write_text(head.replace("seeds = 3", "seeds = 2") + '[[methods]]\nmethod = "k-lora"\n')
    outcome = run_bench(plan_file, tmp_path / "out")
    assert not outcome.failures
    assert (outcome.cells, outcome.generated, outcome.trained) == (4, 4, 0)
    assert not (tmp_path / "out" / "loras").exists()
    whole = pictures(tmp_path / "out" / "images")
    (tmp_path / "out" / "images" / next(iter(whole))).unlink()
    again = run_bench(plan_file, tmp_path / "out")
    assert (again.existing, again.generated) == (3, 1)
    assert pictures(tmp_path / "out" / "images") == whole
    with Store(tmp_path / "a.db") as store:
        rows = store.rows("""
            SELECT m.method, i.makings, i.adapter, m.content, m.style, a.path, a.layers FROM cells c
            JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge JOIN adapters a ON a.id = m.adapter""")
        assert len(rows) == 4
        for row in rows:
            makings = json.loads(row["makings"])
            assert (row["method"], row["path"], row["layers"]) == ("k-lora", "", 0)
            assert {"method", "options", "content", "style", "base", "steps", "seed", "prompt"} <= makings.keys()
            assert makings["method"] == "k-lora"
    write_adapter(random_adapter(3, 77, strength=0.2), tmp_path / "styles" / "s0.safetensors", {"prompt": "x"})
    assert run_bench(plan_file, tmp_path / "out").generated == 4
    plan_file.write_text(plan_file.read_text() + "rank = 3\n")
    with pytest.raises(PlanError, match="k-lora takes no rank"):
        read_plan(plan_file)


def test_the_commands_draw_by_it_and_say_that_no_file_holds_it(run, lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 3, 1)
    how = ("--prompt", "a sks dog", "--base", tiny_folder, "--steps", 2, "--size", "16x16", "-o", "out")
    loras = ("--lora", pair[0], "--lora", f"{pair[1]}:0.8")
    done = run("generate", *how, *loras, "--method", "k-lora")
    assert done.exit_code == 0, done.output
    summed = run("generate", *how, *loras)
    assert summed.exit_code == 0 and len([*(tmp_path / "out").glob("*.png")]) == 2
    one = run("generate", *how, *loras[:2], "--method", "k-lora")
    assert one.exit_code == 1 and "draws with two LoRAs" in one.stderr
    other = run("generate", *how, *loras, "--method", "ties")
    assert other.exit_code == 1 and "accepted are k-lora" in other.stderr
    merged = run("merge", *pair, "-o", "m.safetensors", "--base", tiny_folder, "--method", "k-lora")
    assert merged.exit_code == 1 and "which no file can hold; draw by lorarar generate" in merged.stderr
    listed = run("methods").stdout
    assert "k-lora, draws only, in plans and by lorarar generate: K-LoRA (Ouyang et al., 2025)" in listed
    by_name = {method["name"]: method for method in json.loads(run("methods", "--json").stdout)}
    assert [name for name, method in by_name.items() if method["draws_only"]] == ["k-lora"]


def test_it_is_in_no_table_of_merges_and_python_draws_by_it(tiny_folder, lora_file):
    assert "k-lora" not in METHODS
    with pytest.raises(MethodError, match="no file can hold"):
        method_named("k-lora")
    pair = [(lora_file("c", 2, 0), 1.0), (lora_file("s", 2, 1), 1.0)]
    (drawn,) = lorarar.generate("x", lora=pair, base=str(tiny_folder), method="k-lora", steps=1, size=(16, 16))
    assert drawn.lora.startswith("k-lora:")
