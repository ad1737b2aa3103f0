"""LoRAs for diffusion transformers: every spelling read, both layouts written, diffusers as the other opinion."""

import logging
import re

import pytest
import torch
from safetensors.torch import save_file

from lorarar.families import FAMILIES, find_base
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.dialects import parse_keys
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.inspection import inspect_adapter
from lorarar.lora.layouts import LAYOUTS
from lorarar.lora.programs import COMFYUI, DIFFUSERS
from lorarar.merging.methods import METHODS
from lorarar.merging.recipe import Recipe
from lorarar.util.errors import AdapterError

from .base_loras import table
from .tiny_transformers import LOADERS, TINY, layers_of, lora_of, transformer

FAMILY_NAMES = tuple(TINY)
NAMES = {name: FAMILIES[name].architecture.names for name in FAMILY_NAMES}
BLOCK = re.compile(r"\.(?!0\.)\d+\.(?=attn|attention|ff|feed|norm|proj|img_|txt_|adaLN)")


def first_blocks(name):
    """The true layers of a family's first blocks, and those outside all blocks."""
    return {
        layer: shape
        for layer, shape in table(name).items()
        if layer.startswith("transformer.") and not BLOCK.search(layer)
    }


def updates(adapter, width=3):
    """B A x of every layer for the same x, in double precision: the update by a few probes, never dense."""
    generator = torch.Generator().manual_seed(7)
    probes = {}
    for layer, factors in adapter.layers.items():
        columns = factors.down.shape[1]
        if columns not in probes:
            probes[columns] = torch.randn(columns, width, generator=generator, dtype=torch.float64)
        probe = probes[columns]
        yield layer, factors.up.double() @ (factors.down.double() @ probe)


def assert_same(ours, theirs):
    ours, theirs = dict(updates(ours)), dict(updates(theirs))
    assert ours.keys() == theirs.keys()
    for layer, update in ours.items():
        torch.testing.assert_close(theirs[layer], update, rtol=1e-5, atol=1e-6 * float(update.abs().max()), msg=layer)


def read(tmp_path, tensors, family=None, **metadata):
    path = tmp_path / "a.safetensors"
    save_file({key: tensor.clone().contiguous() for key, tensor in tensors.items()}, path, metadata)
    return read_adapter(path, family=FAMILIES[family] if family else None)


def halves(name, down, up, alpha=None, ends=("lora_down.weight", "lora_up.weight")):
    tensors = {f"{name}.{ends[0]}": down, f"{name}.{ends[1]}": up}
    return tensors if alpha is None else tensors | {f"{name}.alpha": torch.tensor(float(alpha))}


def of_diffusers(state):
    """The adapter that a state dict of diffusers is."""
    downs = {key.removesuffix(".lora_A.weight"): value for key, value in state.items() if key.endswith("lora_A.weight")}
    assert len(state) == 2 * len(downs)
    return Adapter({layer: Factors(down, state[f"{layer}.lora_B.weight"]) for layer, down in downs.items()})


def of_shape(layers, layer, rank=2, seed=0):
    return lora_of({layer: layers[layer]}, seed, (rank,)).layers[layer]


@pytest.mark.parametrize("name", FAMILY_NAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ranks", [(2,), (2, 3)])
def test_a_round_trip_keeps_names_and_updates(tmp_path, name, layout, ranks):
    layers = layers_of(name)
    groups = [row.layers for row in NAMES[name].modules if len(row.layers) == 3 and not row.read_alone]
    shared = [[f"transformer.{layer.replace('{}', '0')}" for layer in group] for group in groups]
    adapter = lora_of(layers, ranks=ranks, shared=shared, family=name)
    path = tmp_path / ("a.safetensors" if layout != "peft" else "a")
    write_adapter(adapter, path, {}, layout)
    again = read_adapter(path, family=FAMILIES[name])
    assert {layer: factors.shape for layer, factors in again.layers.items()} == layers
    for layer, factors in adapter.layers.items():
        torch.testing.assert_close(again.layers[layer].dense(), factors.dense(), rtol=1e-6, atol=1e-6)
    for group in shared:
        assert {again.layers[layer].rank for layer in group} == {adapter.layers[group[0]].rank}


def test_a_part_of_a_module_is_written_and_comes_back_alone(tmp_path):
    layers = {layer: shape for layer, shape in layers_of("flux1").items() if layer.endswith((".to_q", "proj_mlp"))}
    adapter = lora_of(layers, family="flux1")
    write_adapter(adapter, tmp_path / "a.safetensors", {}, "comfy")
    again = read_adapter(tmp_path / "a.safetensors", family=FAMILIES["flux1"])
    assert again.layers.keys() == layers.keys()
    for layer, factors in adapter.layers.items():
        torch.testing.assert_close(again.layers[layer].dense(), factors.dense(), rtol=1e-6, atol=1e-6)


def test_three_layers_with_one_a_are_one_module_of_their_rank_and_else_of_all_ranks():
    layers = {layer: shape for layer, shape in layers_of("z-image").items() if ".attention.to_" in layer}
    group = [f"transformer.layers.0.attention.to_{part}" for part in "qkv"]
    alike = LAYOUTS["comfy"].tensors_of(lora_of(layers, ranks=(2,), shared=[group], family="z-image"))
    assert alike["diffusion_model.layers.0.attention.qkv.lora.down.weight"].shape == (2, 24)
    assert alike["diffusion_model.layers.1.attention.qkv.lora.down.weight"].shape == (6, 24)
    assert "diffusion_model.layers.0.attention.out.lora.down.weight" in alike


@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_diffusers_loads_all_keys_of_its_layout_and_no_others(caplog, name):
    loader, layers = LOADERS[name], layers_of(name)
    adapter = lora_of(layers, family=name)
    assert_loaded(caplog, name, loader.lora_state_dict(LAYOUTS["diffusers"].tensors_of(adapter)), adapter)


@pytest.mark.parametrize("name", ["flux2-klein", "qwen-image", "z-image"])  # FLUX.1's converter has fixed sizes
def test_diffusers_loads_all_keys_of_a_comfy_file_and_no_others(caplog, name):
    loader, layers = LOADERS[name], layers_of(name)
    adapter = lora_of(layers, family=name)
    state = loader.lora_state_dict(LAYOUTS["comfy"].tensors_of(adapter))
    if name == "flux2-klein":  # its converter leaves shift and scale of the last layer as they stand there
        norm = "transformer.norm_out.linear.lora_B.weight"
        state[norm] = state[norm].roll(len(state[norm]) // 2, 0)
    assert_loaded(caplog, name, state, adapter)


def assert_loaded(caplog, name, state, adapter):
    model = transformer(name)
    with caplog.at_level(logging.WARNING, logger="diffusers"):
        LOADERS[name].load_lora_into_transformer(state, transformer=model, **EXTRA.get(name, {}))
    assert not [record.getMessage() for record in caplog.records if "keys" in record.getMessage()]
    loaded = {f"transformer.{path}": one for path, one in model.named_modules() if hasattr(one, "lora_A")}
    assert loaded.keys() == adapter.layers.keys()
    for layer, module in loaded.items():
        delta = module.get_delta_weight(next(iter(module.lora_A)))
        torch.testing.assert_close(delta.detach(), adapter.layers[layer].dense(), rtol=1e-4, atol=1e-5, msg=layer)


EXTRA = {"flux1": {"network_alphas": None}}


@pytest.mark.parametrize("name", FAMILY_NAMES)
@pytest.mark.parametrize("layout", ["diffusers", "kohya", "comfy"])
def test_what_is_said_of_diffusers_is_what_its_loader_takes(name, layout):
    """At the true widths, of the first blocks."""
    adapter = lora_of(first_blocks(name), ranks=(1,), family=name)
    tensors = LAYOUTS[layout].tensors_of(adapter)
    taken = DIFFUSERS.taken(tensors, adapter.layers, name, NAMES[name])
    state = LOADERS[name].lora_state_dict({key: tensor.clone() for key, tensor in tensors.items()})
    theirs = of_diffusers({key: tensor for key, tensor in state.items() if key.startswith("transformer.")})
    assert taken.keys() == theirs.layers.keys()
    swapped = {"transformer.norm_out.linear"} if name == "flux2-klein" and layout == "comfy" else set()
    ours = {layer: adapter.layers[layer] for layer in taken if layer not in swapped}
    assert_same(Adapter(ours), Adapter({layer: theirs.layers[layer] for layer in ours}))
    assert COMFYUI.taken(tensors, adapter.layers, name, NAMES[name]).keys() >= {
        layer for layer in adapter.layers if layout == "comfy"
    }


FLUX = first_blocks("flux1")
DOUBLE, SINGLE = "transformer.transformer_blocks.0", "transformer.single_transformer_blocks.0"


def kohya_flux(prefix="lora_unet_", between="_", alpha=1.0):
    """A LoRA as kohya's trainer writes it for FLUX.1, of fused modules, each of a rank of its own."""
    names = ["double_blocks.0.img_attn.qkv", "double_blocks.0.txt_attn.qkv", "single_blocks.0.linear1"]
    names += ["double_blocks.0.img_attn.proj", "double_blocks.0.img_mlp.2", "single_blocks.0.modulation.lin"]
    tensors = {}
    for number, name in enumerate(names):
        place = NAMES["flux1"].place(name)
        rows, columns = sum(FLUX[layer][0] for layer in place.layers), FLUX[place.layers[0]][1]
        factors = of_shape({name: (rows, columns)}, name, 2 + number % 2, number)
        tensors |= halves(f"{prefix}{name.replace('.', between)}", factors.down, factors.up, alpha)
    return tensors


@pytest.mark.parametrize(("prefix", "between"), [("lora_unet_", "_"), ("diffusion_model.", ".")])
def test_fused_modules_of_flux_are_split_as_diffusers_splits_them(tmp_path, prefix, between):
    tensors = kohya_flux(prefix, between)
    ours = read(tmp_path, tensors)
    theirs = of_diffusers(LOADERS["flux1"].lora_state_dict({key: one.clone() for key, one in tensors.items()}))
    assert_same(ours, theirs)
    assert {f"{SINGLE}.attn.to_q", f"{SINGLE}.proj_mlp", f"{DOUBLE}.attn.add_v_proj"} <= ours.layers.keys()
    assert ours.layers[f"{SINGLE}.proj_mlp"].shape == (12288, 3072)


def test_a_block_sparse_module_is_split_by_block(tmp_path):
    """As of a file of split layers that was made kohya's: each has its own columns of B and rows of A."""
    parts = [of_shape(FLUX, f"{DOUBLE}.attn.{part}", 2, seed) for seed, part in enumerate(("to_q", "to_k", "to_v"))]
    up = torch.block_diag(*(part.up for part in parts))
    down = torch.cat([part.down for part in parts])
    tensors = halves("lora_unet_double_blocks_0_img_attn_qkv", down, up, 6)
    ours = read(tmp_path, tensors)
    theirs = of_diffusers(LOADERS["flux1"].lora_state_dict({key: one.clone() for key, one in tensors.items()}))
    assert_same(ours, theirs)
    assert ours.ranks == (2,)


def test_the_scale_and_shift_of_the_last_layer_are_swapped(tmp_path):
    layer = of_shape(FLUX, "transformer.norm_out.linear")
    adapter = read(tmp_path, halves("lora_unet_final_layer_adaLN_modulation_1", layer.down, layer.up))
    shift, scale = layer.up.chunk(2)
    assert torch.equal(adapter.layers["transformer.norm_out.linear"].up, torch.cat([scale, shift]))


ATTENTION = f"{DOUBLE}.attn"
SPELLINGS = [
    ("diffusers", "{name}.lora_A.weight", ".lora_B.weight"),
    ("diffusers", "transformer_blocks.0.attn.{part}.lora_A.default.weight", ".lora_B.default.weight"),
    ("diffusers-old", "{name}.lora.down.weight", ".lora.up.weight"),
    ("diffusers-kohya", "{name}.lora_down.weight", ".lora_up.weight"),
    ("onetrainer", "lora_transformer_transformer_blocks_0_attn_{flat}.lora_down.weight", ".lora_up.weight"),
    ("lycoris", "lycoris_transformer_blocks_0_attn_{flat}.lora_down.weight", ".lora_up.weight"),
    ("kohya", "lora_unet_transformer_blocks_0_attn_{flat}.lora_down.weight", ".lora_up.weight"),
    ("kohya", "lora_unet_transformer_blocks_0_attn_{flat}.lora_A.weight", ".lora_B.weight"),
    ("comfy", "diffusion_model.transformer_blocks.0.attn.{part}.lora_A.weight", ".lora_B.weight"),
    ("peft", "base_model.model.transformer_blocks.0.attn.{part}.lora_A.weight", ".lora_B.weight"),
    ("peft", "base_model.model.transformer.transformer_blocks.0.attn.{part}.lora_A.weight", ".lora_B.weight"),
]


@pytest.mark.parametrize(("dialect", "key", "up"), SPELLINGS)
@pytest.mark.parametrize("part", ["to_q", "to_out.0", "to_add_out", "add_k_proj"])
def test_every_spelling_of_diffusers_names(tmp_path, dialect, key, up, part):
    layer = f"{ATTENTION}.{part}"
    down = key.format(name=layer, part=part, flat=part.replace(".", "_"))
    stem = re.sub(r"\.lora.*", "", down)
    factors = of_shape(FLUX, layer)
    tensors = {down: factors.down, f"{stem}{up}": factors.up, f"{stem}.alpha": torch.tensor(1.0)}
    assert parse_keys(tensors).dialects == (dialect,)
    adapter = read(tmp_path, tensors)
    assert list(adapter.layers) == [layer]
    assert torch.equal(adapter.layers[layer].down, factors.down / 2)


XLABS = {
    "double_blocks.0.processor.qkv_lora1": [f"{ATTENTION}.{part}" for part in ("to_q", "to_k", "to_v")],
    "double_blocks.0.processor.qkv_lora2": [f"{ATTENTION}.add_{part}_proj" for part in "qkv"],
    "double_blocks.0.processor.proj_lora1": [f"{ATTENTION}.to_out.0"],
    "double_blocks.0.processor.proj_lora2": [f"{ATTENTION}.to_add_out"],
    "single_blocks.0.processor.qkv_lora": [f"{SINGLE}.attn.{part}" for part in ("to_q", "to_k", "to_v")],
    "single_blocks.0.processor.proj_lora": [f"{SINGLE}.proj_out"],
}


def test_processors_of_xlabs_are_read_as_diffusers_reads_them(tmp_path):
    tensors = {}
    for seed, (name, layers) in enumerate(XLABS.items()):
        factors = of_shape({name: (sum(FLUX[layer][0] for layer in layers), FLUX[layers[0]][1])}, name, 2, seed)
        tensors |= halves(name, factors.down, factors.up, ends=("down.weight", "up.weight"))
    ours = read(tmp_path, tensors)
    assert parse_keys(tensors).dialects == ("xlabs",)
    assert ours.layers.keys() == {layer for layers in XLABS.values() for layer in layers}
    assert_same(ours, of_diffusers(LOADERS["flux1"].lora_state_dict(dict(tensors))))


OTHERS = {
    "flux2-klein": {
        "diffusion_model.double_blocks.0.img_attn.qkv": [f"{ATTENTION}.{part}" for part in ("to_q", "to_k", "to_v")],
        "diffusion_model.double_blocks.0.txt_mlp.0": [f"{DOUBLE}.ff_context.linear_in"],
        "diffusion_model.single_blocks.0.linear1": [f"{SINGLE}.attn.to_qkv_mlp_proj"],
        "diffusion_model.single_blocks.0.linear2": [f"{SINGLE}.attn.to_out"],
        "diffusion_model.double_stream_modulation_img.lin": ["transformer.double_stream_modulation_img.linear"],
    },
    "qwen-image": {
        "diffusion_model.transformer_blocks.0.attn.to_q": [f"{ATTENTION}.to_q"],
        "diffusion_model.transformer_blocks.0.img_mod.1": [f"{DOUBLE}.img_mod.1"],
        "diffusion_model.transformer_blocks.0.txt_mlp.net.0.proj": [f"{DOUBLE}.txt_mlp.net.0.proj"],
    },
    "z-image": {
        "lora_unet_layers_0_attention_qkv": [f"transformer.layers.0.attention.to_{part}" for part in "qkv"],
        "lora_unet_layers_0_attention_out": ["transformer.layers.0.attention.to_out.0"],
        "lora_unet_noise_refiner_0_adaLN_modulation_0": ["transformer.noise_refiner.0.adaLN_modulation.0"],
        "lora_unet_context_refiner_0_feed_forward_w3": ["transformer.context_refiner.0.feed_forward.w3"],
    },
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_families_are_told_and_read_as_diffusers_reads_them(tmp_path, name):
    layers, tensors = first_blocks(name), {}
    ends = ("lora_A.weight", "lora_B.weight") if name == "flux2-klein" else ("lora_down.weight", "lora_up.weight")
    for seed, (module, parts) in enumerate(OTHERS[name].items()):
        factors = of_shape({module: (sum(layers[part][0] for part in parts), layers[parts[0]][1])}, module, 2, seed)
        tensors |= halves(module, factors.down, factors.up, ends=ends)
    ours = read(tmp_path, tensors)
    assert ours.layers.keys() == {part for parts in OTHERS[name].values() for part in parts}
    assert_same(ours, of_diffusers(LOADERS[name].lora_state_dict({key: one.clone() for key, one in tensors.items()})))
    told = inspect_adapter(tmp_path / "a.safetensors")
    assert told.purpose.made_for == [FAMILIES[name].title]
    assert told.unusable is None
    assert told.writers


def test_a_module_that_is_there_fused_and_split_is_read_once(tmp_path, capsys):
    layers = first_blocks("z-image")
    names = [f"transformer.layers.0.attention.to_{part}" for part in "qkv"]
    alone = {name: of_shape(layers, name, 2, seed) for seed, name in enumerate(names)}
    tensors = {}
    for name, factors in alone.items():
        stem = f"diffusion_model.{name.removeprefix('transformer.')}"
        tensors |= halves(stem, factors.down, factors.up, ends=("lora.down.weight", "lora.up.weight"))
    up = torch.cat([factors.up for factors in alone.values()])
    fused = halves(
        "diffusion_model.layers.0.attention.qkv", alone[names[0]].down, up, ends=("lora.down.weight", "lora.up.weight")
    )
    adapter = read(tmp_path, tensors | fused)
    assert adapter.layers.keys() == set(names)
    assert torch.equal(adapter.layers[names[2]].down, alone[names[2]].down)
    assert "layers are there each alone too" in capsys.readouterr().err
    one = {key: tensor for key, tensor in tensors.items() if ".to_q." in key}
    with pytest.raises(AdapterError, match="is there twice, alone and in a module"):
        read(tmp_path, one | fused)


T5 = "text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q"


def test_a_text_encoder_of_zeros_is_reported_and_any_other_refused(tmp_path, capsys):
    flux = of_shape(FLUX, f"{ATTENTION}.to_q")
    tensors = halves(f"{ATTENTION}.to_q", flux.down, flux.up)
    still = halves(T5, torch.ones(2, 8), torch.zeros(8, 2), 1)
    bias = {"diffusion_model.double_blocks.0.img_attn.proj.diff_b": torch.zeros(4)}
    assert list(read(tmp_path, tensors | still | bias).layers) == [f"{ATTENTION}.to_q"]
    assert "2 modules of zeros, which change nothing, are left out" in capsys.readouterr().err
    assert inspect_adapter(tmp_path / "a.safetensors").left_out
    with pytest.raises(AdapterError, match=r"is of a text encoder that LoRAs for FLUX\.1 leave as it is"):
        read(tmp_path, tensors | halves(T5, torch.ones(2, 8), torch.ones(8, 2)))


def test_the_text_encoder_of_flux_that_loras_change_is_read(tmp_path):
    layer = "text_encoder.text_model.encoder.layers.0.mlp.fc1"
    clip = of_shape(table("flux1"), layer)
    flux = of_shape(FLUX, f"{ATTENTION}.to_q")
    name = "lora_te1_text_model_encoder_layers_0_mlp_fc1"
    adapter = read(tmp_path, kohya_flux() | halves(name, clip.down, clip.up))
    assert layer in adapter.layers
    whole = Adapter({layer: clip, f"{ATTENTION}.to_q": flux})
    keys = LAYOUTS["kohya"].tensors_of(whole)
    assert "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight" in keys


def test_a_lokr_on_a_fused_module_is_refused_and_on_a_plain_one_read(tmp_path):
    small, large = torch.randn(3, 4), torch.randn(3072, 768)
    with pytest.raises(AdapterError, match=r"is LoKr on to_q, to_k, to_v in one matrix: a Kronecker product"):
        read(
            tmp_path,
            {f"diffusion_model.double_blocks.0.img_attn.qkv.lokr_w{n}": w for n, w in ((1, small), (2, large))},
        )
    plain = {"lokr_w1": torch.randn(4, 4), "lokr_w2": torch.randn(768, 768)}
    adapter = read_plain(
        tmp_path, {f"diffusion_model.double_blocks.0.img_attn.proj.{role}": w for role, w in plain.items()}
    )
    assert list(adapter.layers) == [f"{ATTENTION}.to_out.0"]


def read_plain(tmp_path, tensors):
    from lorarar.lora.conversion.layer import Conversion

    save_file(tensors, tmp_path / "b.safetensors")
    return read_adapter(tmp_path / "b.safetensors", Conversion(1))


def test_a_loha_on_a_fused_module_is_split_exactly():
    from lorarar.lora.conversion.products import update_of
    from lorarar.lora.fused import split_roles

    roles = {"hada_w1_a": torch.randn(12, 2), "hada_w1_b": torch.randn(2, 5)}
    roles |= {"hada_w2_a": torch.randn(12, 2), "hada_w2_b": torch.randn(2, 5)}
    place = NAMES["flux1"].place("double_blocks.0.img_attn.qkv")
    parts = [update_of(own).dense() for _, own in split_roles(place, roles)]
    assert torch.equal(torch.cat(parts), update_of(roles).dense())


@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_every_true_layer_is_read_by_its_original_name(name):
    names, own = NAMES[name], [layer for layer in table(name) if layer.startswith("transformer.")]
    for layer in own:
        module = layer.removeprefix("transformer.")
        seat = names.seat(module)
        for spelt in (seat.name, seat.name.replace(".", "_")):
            assert names.place(spelt).layers[seat.part] == layer
        assert names.place(module).layers == (layer,)


def of_files_alone(row):
    """Whether a method needs nothing but both files: nothing optimised or calibrated, no hypernetwork."""
    return not (row.per_pair or row.calibrated or any(option.type == "file" for option in row.options))


@pytest.mark.parametrize("method", [name for name, row in METHODS.own.items() if of_files_alone(row)])
def test_every_method_of_the_files_alone_merges_them(method):
    name = FAMILY_NAMES[len(method) % len(FAMILY_NAMES)]
    layers = {layer: shape for layer, shape in layers_of(name).items() if "blocks.0" in layer or "layers.0" in layer}
    content, style = (lora_of(layers, seed, (2,), family=name) for seed in (1, 2))
    result = Recipe(METHODS[method], find_base(name), {}).merge((content, style))
    assert result.layers.keys() == layers.keys()


def test_a_merge_is_written_for_comfyui_and_read_again(run, tmp_path):
    for number, spelling in enumerate(("lora_unet_", "diffusion_model.")):
        save_file(kohya_flux(spelling, "_" if number == 0 else "."), tmp_path / f"{number}.safetensors")
    done = run(
        "merge",
        "0.safetensors",
        "1.safetensors",
        "-o",
        "m.safetensors",
        "--base",
        "flux1",
        "--method",
        "direct",
        "--layout",
        "comfy",
    )
    assert done.exit_code == 0, done.stderr
    assert "ComfyUI whole" in done.stderr
    one, merged = (read_adapter(tmp_path / f"{name}.safetensors") for name in ("0", "m"))
    assert merged.layers.keys() == one.layers.keys()
    told = run("inspect", "m.safetensors", "--base", "qwen-image")
    assert "FLUX.1" in told.stdout
    wrong = run(
        "merge", "0.safetensors", "1.safetensors", "-o", "n.safetensors", "--base", "sdxl", "--method", "direct"
    )
    assert wrong.exit_code == 1
    assert "it is a LoRA for FLUX.1" in wrong.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"modelspec.title": "FLUX.1-Turbo-Alpha"}, "Turbo"),
        ({"modelspec.title": "Hyper-FLUX.1-dev-8steps-lora"}, "Hyper"),
        ({"ss_output_name": "Qwen-Image-Lightning-8steps-V1.1"}, "Lightning"),
        ({"modelspec.architecture": "flux-1-kontext-dev/lora"}, "Kontext"),
        ({"ss_base_model_version": "qwen_image_edit"}, "Edit"),
        ({"modelspec.title": "my dog", "modelspec.architecture": "flux-1-dev/lora"}, None),
    ],
)
def test_loras_for_few_steps_and_for_edits_are_told_by_their_headers(tmp_path, metadata, kind):
    from lorarar.lora.admission import Admission

    factors = of_shape(FLUX, f"{ATTENTION}.to_q")
    adapter = read(tmp_path, halves(f"{ATTENTION}.to_q", factors.down, factors.up), **metadata)
    path, base = tmp_path / "a.safetensors", find_base("flux1")
    told = inspect_adapter(path).purpose.few_steps
    assert (told or "").partition(",")[0] == (kind or "")
    assert Admission(anyway=True).admit(adapter, path, base) is adapter
    if kind:
        with pytest.raises(AdapterError, match=f"is {kind}, (for few steps|to edit pictures), by its header"):
            Admission().admit(adapter, path, base)
    else:
        Admission().admit(adapter, path, base)


def test_a_base_that_nothing_is_drawn_with_is_said_in_one_line(run, monkeypatch):
    monkeypatch.setattr("lorarar.generation.drawable.DENOISER_KINDS", {"UNet2DConditionModel": None})
    done = run("generate", "--prompt", "a dog", "--base", "qwen-image", "-o", "a.png")
    assert done.exit_code == 1
    assert "no pictures are drawn with it" in done.stderr.replace("\n", " ")


def test_blocks_of_a_transformer_have_weights_and_those_of_unets_are_refused():
    from lorarar.merging.blocks import read_blocks

    layers = {layer: shape for layer, shape in layers_of("flux1").items() if ".to_q" in layer}
    adapter = lora_of(layers)
    (weights, preset) = read_blocks({"1": "single_transformer_blocks.1:0", "2": "b-lora"}, 2)
    assert weights.apply(adapter).layers.keys() == {
        layer for layer in layers if ".single_transformer_blocks.1." not in layer
    }
    with pytest.raises(AdapterError, match="is a block of UNets, and lora0"):
        preset.apply(adapter)


def test_magnitudes_of_rows_are_split_and_those_of_columns_refused():
    from lorarar.lora.fused import split_roles

    place = NAMES["flux1"].place("double_blocks.0.img_attn.qkv")
    roles = {"up": torch.randn(12, 2), "down": torch.randn(2, 5), "dora_scale": torch.rand(12, 1)}
    parts = [own["dora_scale"] for _, own in split_roles(place, roles)]
    assert torch.equal(torch.cat(parts), roles["dora_scale"])
    with pytest.raises(AdapterError, match="magnitudes of columns on to_q, to_k, to_v in one matrix"):
        list(split_roles(place, roles | {"dora_scale": torch.rand(1, 5)}))
    with pytest.raises(AdapterError, match="has 13 rows, which are not those of to_q, to_k, to_v"):
        list(split_roles(place, {"up": torch.randn(13, 2), "down": torch.randn(2, 5)}))


@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_a_folder_of_a_pipeline_is_a_base(tmp_path, name):
    from lorarar.families import family_of
    from lorarar.lora.base_layers import layers_of as layers_of_base
    from lorarar.lora.base_weights import read_adapter_for
    from lorarar.lora.fit import check_fit

    kind = FAMILIES[name].pipeline.rpartition(":")[2]
    (tmp_path / "p" / "transformer").mkdir(parents=True)
    (tmp_path / "p" / "model_index.json").write_text(f'{{"_class_name": "{kind}"}}')
    weights = {key: tensor.contiguous() for key, tensor in transformer(name).state_dict().items()}
    save_file(weights, tmp_path / "p" / "transformer" / "diffusion_pytorch_model.safetensors")
    base = find_base(str(tmp_path / "p"))
    assert family_of(base).name == name
    assert layers_of_base(base) == layers_of(name)
    write_adapter(lora_of(layers_of(name), family=name), tmp_path / "a.safetensors", {}, "comfy")
    adapter = read_adapter_for(base, tmp_path / "a.safetensors")
    assert adapter.layers.keys() == layers_of(name).keys()
    check_fit(adapter, base)
