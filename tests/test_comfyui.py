"""The nodes for ComfyUI, imported as it imports them and run against a stub of its folders and its loader."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file

from lorarar.families import FAMILIES
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.readers import readings_of
from lorarar.merging.methods import METHODS
from lorarar.pocket.shipped import base
from lorarar.util.errors import AdapterError, LorarError, MethodError, OutputError

from .base_loras import adapter_of, attention, some

HOME = Path(__file__).parents[1] / "integrations" / "comfyui"
CONTENT, STYLE = "dog.safetensors", "styles/glow.safetensors"
ASKED = {"content": CONTENT, "style": STYLE, "method": "direct", "base": "pocket"}


@pytest.fixture
def loras(tmp_path):
    """ComfyUI's folder of LoRAs, with a content and a style of Pocket."""
    pocket = base()
    for name, source in (
        (CONTENT, sorted(pocket.contents.glob("*.safetensors"))[0]),
        (STYLE, sorted(pocket.styles.glob("*.safetensors"))[0]),
    ):
        (place := tmp_path / "loras" / name).parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(source.read_bytes())
    return tmp_path / "loras"


@pytest.fixture
def comfy(monkeypatch, loras):
    """What the nodes use of ComfyUI; ``comfy.loaded`` is what its loader was given."""
    folders, package, sd, utils = (ModuleType(name) for name in ("folder_paths", "comfy", "comfy.sd", "comfy.utils"))
    folders.get_folder_paths = lambda kind: [str(loras)]
    folders.get_filename_list = lambda kind: sorted(str(one.relative_to(loras)) for one in loras.rglob("*.safetensors"))
    folders.get_full_path = lambda kind, name: str(loras / name) if (loras / name).is_file() else None
    utils.load_torch_file = lambda path, safe_load=False: load_file(path)
    package.loaded = []

    def load_lora_for_models(model, clip, tensors, strength_model, strength_clip):
        package.loaded.append((tensors, strength_model, strength_clip))
        return f"{model} with it", clip and f"{clip} with it"

    sd.load_lora_for_models = load_lora_for_models
    package.sd, package.utils = sd, utils
    for module in (folders, package, sd, utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return package


@pytest.fixture
def nodes(monkeypatch, comfy):
    """The nodes' classes by name, from the folder as ComfyUI loads it: by its path, under a name of its own."""
    name = str(HOME).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, HOME / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    yield module.NODE_CLASS_MAPPINGS
    for loaded in [one for one in sys.modules if one.startswith(f"{name}.")]:
        del sys.modules[loaded]


def merged(nodes, **inputs):
    with torch.inference_mode():  # as ComfyUI runs nodes
        (name,) = nodes["LorararMerge"]().merge(**ASKED | inputs)
    return name


def test_a_merge_is_listed_by_comfyui_read_whole_by_it_and_loaded(nodes, comfy, loras):
    name = merged(nodes, content_strength=0.5)
    assert name in nodes["LorararMerge"].INPUT_TYPES()["required"]["content"][0]
    assert name.startswith("lorarar/dog--glow-direct-")
    adapter = read_adapter(loras / name)
    assert adapter.provenance["options"]["weights"] == [0.5, 1.0]
    wanted = read_adapter(loras / CONTENT).layers
    layer = next(iter(wanted))
    style = read_adapter(loras / STYLE).layers[layer]
    update = 0.5 * wanted[layer].up @ wanted[layer].down + style.up @ style.down
    assert torch.allclose(adapter.layers[layer].up @ adapter.layers[layer].down, update, atol=1e-4)
    assert nodes["LorararApply"]().load("model", name, 0.8, "clip", 0.7) == ("model with it", "clip with it")
    assert [(sorted(tensors), *strengths) for tensors, *strengths in comfy.loaded] == [
        (sorted(load_file(loras / name)), 0.8, 0.7)
    ]
    assert nodes["LorararApply"]().load("model", name, 1.0) == ("model with it", None)


@pytest.mark.parametrize("family", ["sdxl", "sd15", "flux1", "flux2-klein", "qwen-image", "z-image"])
def test_what_is_written_for_a_base_is_read_whole_by_comfyui(family, nodes, loras):
    layers = some(attention(family), next(iter(attention(family))).rpartition(".")[0])
    for name in (CONTENT, STYLE):
        write_adapter(adapter_of(layers), loras / name)
    file = loras / merged(nodes, base=family)
    readings = {one.program: one for one in readings_of(file, read_adapter(file))}
    assert readings["ComfyUI"].is_whole


def test_the_same_is_not_merged_twice_and_nothing_is_written_over(nodes, loras):
    place = loras / merged(nodes, save_as="merged/both")
    assert place == loras / "merged" / "both.safetensors"
    before = place.stat().st_mtime_ns
    assert merged(nodes, save_as="merged/both.safetensors") == "merged/both.safetensors"
    assert place.stat().st_mtime_ns == before
    with pytest.raises(OutputError, match="is there already, made of something else; name another"):
        merged(nodes, save_as="merged/both", style_strength=0.5)
    with pytest.raises(OutputError, match="is there already"):
        merged(nodes, save_as="dog")
    assert place.stat().st_mtime_ns == before


def test_what_decides_a_merge_changes_the_answer_and_what_does_not_keeps_it(nodes, loras):
    changed = nodes["LorararMerge"].IS_CHANGED
    first = changed(**ASKED)
    assert changed(**ASKED) == first
    assert changed(**ASKED, third="none", third_strength=0.5) == first
    assert len({first, changed(**ASKED, style_strength=0.5), changed(**ASKED, options="rank = 4")}) == 3
    (loras / CONTENT).write_bytes((loras / STYLE).read_bytes())
    assert changed(**ASKED) != first


def test_three_loras_one_of_them_twice_are_merged_by_a_method_with_options(nodes, loras):
    name = merged(nodes, method="ties", third=CONTENT, third_strength=0.5, options="density = 0.3\nrank = 8")
    facts = read_adapter(loras / name).provenance
    assert facts["options"] == {"seed": 0, "rank": 8, "density": 0.3, "form": "delta", "weights": [1.0, 1.0, 0.5]} | {
        key: facts["options"][key] for key in facts["options"] if key.startswith("cut")
    }
    assert len(facts["loras"]) == 3
    strong = merged(nodes, method="lorarar", style_strength=0.5)
    assert read_adapter(loras / strong).provenance["options"]["strengths"] == [1.0, 0.5]


def test_methods_of_the_table_that_merge_files_alone_are_offered(nodes):
    offered = nodes["LorararMerge"].INPUT_TYPES()["required"]["method"][0]
    assert {"direct", "ties", "np-lora", "tsv", "iso", "knots", "lorarar"} <= {*offered}
    assert {*METHODS} - {*offered} >= {"ziplora", "ziprank", "soups", "ssr"}
    assert nodes["LorararMerge"].INPUT_TYPES()["required"]["base"][0] == list(FAMILIES)


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        ({"content": "gone.safetensors"}, AdapterError, "ComfyUI has no LoRA 'gone.safetensors'"),
        ({"options": "density 3"}, MethodError, "options are no TOML"),
        ({"options": "density = 3"}, MethodError, "method direct takes no --density"),
        ({"method": "ziplora"}, MethodError, "method is 'ziplora'; accepted here are direct, ties"),
        ({"save_as": "../both"}, OutputError, "accepted is a name below ComfyUI's folder of LoRAs"),
        ({"save_as": "/tmp/both"}, OutputError, "accepted is a name below ComfyUI's folder of LoRAs"),
        ({"base": "sd15"}, AdapterError, "layer"),
    ],
)
def test_an_error_is_one_line(inputs, error, words, nodes, loras):
    before = sorted(loras.rglob("*"))
    with pytest.raises(LorarError, match=words) as raised:
        merged(nodes, **inputs)
    assert isinstance(raised.value, error)
    assert "\n" not in str(raised.value)
    assert sorted(loras.rglob("*")) == before


def test_the_example_workflow_fits_the_nodes(nodes):
    graph = json.loads((HOME / "example_workflows" / "content_and_style.json").read_text())
    by_id = {node["id"]: node for node in graph["nodes"]}
    for link, source, out, target, into, kind in graph["links"]:
        given, taken = by_id[source]["outputs"][out], by_id[target]["inputs"][into]
        assert given["type"] == taken["type"] == kind
        assert link in given["links"]
        assert taken["link"] == link
    for node in graph["nodes"]:
        if node["type"] not in nodes:
            continue
        kind = nodes[node["type"]]
        shown = {name: one for inputs in kind.INPUT_TYPES().values() for name, one in inputs.items()}
        linked = {one["name"]: one["type"] for one in node["inputs"]}
        assert {name: shown[name][0] for name in linked} == linked
        assert [one["type"] for one in node["outputs"]] == list(kind.RETURN_TYPES)
        values = dict(zip([name for name in shown if name not in linked], node["widgets_values"], strict=True))
        assert {values[name] in shown[name][0] for name in values.keys() & {"method", "base", "third"}} <= {True}
        if node["type"] == "LorararMerge":
            merged(nodes, **values | {"content": CONTENT, "style": STYLE, "base": "pocket"})
