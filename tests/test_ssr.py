"""SSR-Merge against its definition, and the calibration that it needs against plain hooks."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

import lorarar
from lorarar.families import find_base
from lorarar.generation.calibration import Calibrator
from lorarar.generation.calibration_cache import CalibrationCache
from lorarar.generation.input_moments import InputMoment
from lorarar.generation.placement import Placement
from lorarar.generation.studio import Studio
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import read_adapter, read_provenance, write_adapter
from lorarar.merging.methods import MergeInputs, method_named
from lorarar.merging.methods.ssr import recombination, ssr
from lorarar.merging.recipe import Recipe
from lorarar.util.errors import AdapterError, MethodError

from .bench_plan import run as run_bench
from .bench_plan import write_plan
from .conftest import random_adapter
from .test_methods import relative

RIDGE = 1e-4
LAYER = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


def random_tokens(count, columns, seed):
    """Tokens whose directions differ in strength."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(count, columns, generator=generator, dtype=torch.float64)
    return tokens * torch.logspace(0, -2, columns, dtype=torch.float64) + 0.3


def random_downs(ranks, columns, tokens):
    """An A for each LoRA, whose own tokens it reads with a mean square of 1."""
    downs = []
    for seed, (rank, own) in enumerate(zip(ranks, tokens, strict=True)):
        down = torch.randn(rank, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        downs.append(down / (own @ down.T).square().mean().sqrt())
    return downs


def defined(downs, tokens, ridge):
    """R token by token, as the paper has it."""
    stacked, whole = torch.cat(downs), sum(len(one) for one in tokens)
    rank = len(stacked)
    gram, cross = torch.zeros(rank, rank, dtype=torch.float64), torch.zeros(rank, rank, dtype=torch.float64)
    row = 0
    for down, own in zip(downs, tokens, strict=True):
        for x in own:
            z, mine = stacked @ x, down @ x
            gram += torch.outer(z, z)
            cross[row : row + len(down)] += torch.outer(mine, z)
        row += len(down)
    return cross / whole @ torch.linalg.inv(gram / whole + ridge * torch.eye(rank, dtype=torch.float64))


def roots(tokens):
    return [(one / len(one) ** 0.5, len(one)) for one in tokens]


@pytest.mark.parametrize(("ranks", "counts"), [((2, 5), (40, 40)), ((3, 1, 4), (40, 9, 25))])
def test_the_recombination_is_its_definition_token_by_token(ranks, counts):
    tokens = [random_tokens(count, 12, seed) for seed, count in enumerate(counts)]
    downs = random_downs(ranks, 12, tokens)
    wanted = defined(downs, tokens, RIDGE)
    assert relative(recombination(downs, roots(tokens), RIDGE), wanted) < 1e-9
    assert relative(wanted, torch.eye(sum(ranks))) > 0.1  # it does something here


def test_a_lora_counts_the_same_however_its_strength_is_divided_between_both_factors():
    tokens = [random_tokens(40, 12, seed) for seed in (0, 1)]
    one, two = random_downs((2, 3), 12, tokens)
    scale = torch.tensor([1e-3] * 2 + [10.0] * 3, dtype=torch.float64)
    wanted = scale.diag() @ recombination([one, two], roots(tokens), RIDGE) @ scale.diag().inverse()
    assert relative(recombination([one * 1e-3, two * 10], roots(tokens), RIDGE), wanted) < 1e-9


def test_disjoint_inputs_are_the_plain_sum_and_white_ones_the_mean():
    left, right = (torch.zeros(30, 12, dtype=torch.float64) for _ in range(2))
    left[:, :6], right[:, 6:] = random_tokens(30, 6, 0), random_tokens(30, 6, 1)
    one, two = random_downs((2, 3), 12, (left, right))
    one[:, 6:], two[:, :6] = 0, 0
    eye = torch.eye(5, dtype=torch.float64)
    assert (recombination([one, two], roots((left, right)), 1e-9) - eye).abs().max() < 1e-5
    white = torch.eye(12, dtype=torch.float64) * 12**0.5
    for count in (2, 3):
        downs = random_downs((1, 2, 2)[:count], 12, [white] * count)
        rank = sum(map(len, downs))
        mixed = recombination(downs, roots([white] * count), 1e-9)
        assert (mixed - torch.eye(rank, dtype=torch.float64) / count).abs().max() < 1e-5


def test_a_lora_that_reads_nothing_has_no_part_in_the_others():
    tokens = [random_tokens(20, 6, seed) for seed in (0, 1)]
    one = random_downs((2,), 6, tokens[:1])[0]
    mixed = recombination([one, torch.zeros(3, 6, dtype=torch.float64)], roots(tokens), RIDGE)
    assert mixed.isfinite().all()
    assert mixed[:, 2:].abs().max() == mixed[2:].abs().max() == 0


def test_the_merge_is_b_r_a_with_weights_on_b_and_lonely_or_unread_layers_are_kept():
    content, style = random_adapter(2, 0), random_adapter(3, 1)
    names = sorted(content.layers)
    style = replace(style, layers={name: style.layers[name] for name in names[1:]})
    unread = names[2]
    tokens = [
        {name: random_tokens(50, one.layers[name].down.shape[1], side).float() for name in one.layers if name != unread}
        for side, one in enumerate((content, style))
    ]
    moments = [{name: InputMoment.of(own) for name, own in side.items()} for side in tokens]
    blend = ssr((content, style), MergeInputs(), weights=(0.5, 2.0), ridge=RIDGE, moments=moments)
    assert sorted(blend.layers) == names
    for name in names:
        ours, theirs = content.layers[name], style.layers.get(name)
        if theirs is None or name == unread:
            wanted = 0.5 * ours.dense() + (2 * theirs.dense() if theirs else 0)
            assert relative(blend.layers[name].dense(), wanted) < 1e-6
            continue
        downs = [ours.down.double(), theirs.down.double()]
        mixed = recombination(downs, roots([side[name].double() for side in tokens]), RIDGE)
        ups = torch.cat([0.5 * ours.up, 2 * theirs.up], dim=1).double()
        assert relative(blend.layers[name].dense().double(), ups @ mixed @ torch.cat(downs)) < 5e-3
        assert torch.equal(blend.layers[name].down, torch.cat([ours.down, theirs.down]))
        assert blend.layers[name].rank == 5
    cut = ssr((content, style), MergeInputs(rank=2), weights=(0.5, 2.0), ridge=RIDGE, moments=moments)
    assert {factors.rank for factors in cut.layers.values()} == {2}
    assert cut.energy.share > 0


@pytest.mark.parametrize("shape", [(40, 12), (5, 12), (1, 3)])
def test_a_moment_keeps_what_it_is_of_in_the_corner_of_a_root(shape):
    tokens = random_tokens(*shape, 3).float() * 1e5  # beyond half precision
    moment = InputMoment.of(tokens)
    rows = min(shape)
    assert moment.is_sound
    assert moment.packed.numel() == rows * shape[1] - rows * (rows - 1) // 2
    assert relative(moment.root().T @ moment.root(), tokens.T @ tokens / len(tokens)) < 2e-3
    assert not replace(moment, tokens=moment.tokens + shape[1]).is_sound or shape[0] > shape[1]
    assert InputMoment.of(torch.zeros(3, 4)).root().abs().max() == 0


def stop():
    raise InterruptedError


def naive_inputs(studio, adapter, prompt, seed, layers):
    """What some layers get, by hooks of this test's own on the whole first step."""
    seen = {}
    studio.load_lora(adapter)
    for layer in layers:
        component, _, path = layer.partition(".")
        modules = dict(getattr(studio.pipeline, component).named_modules())
        module = modules.get(path) or modules[path.removeprefix("text_model.")]
        module.register_forward_pre_hook(lambda _, inputs, layer=layer: seen.setdefault(layer, inputs[0].detach()))
    with suppress(InterruptedError):
        list(studio.generate(prompt, [seed], guidance=1.0, on_step=stop))
    return seen


def test_moments_are_of_what_a_denoiser_and_its_text_encoders_read_with_the_lora_alone(tiny_folder):
    base, prompt = find_base(str(tiny_folder)), "a sks dog"
    conv, word = "unet.down_blocks.1.resnets.0.conv1", "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"
    adapter = random_adapter(2, 0)
    rows, columns = Studio(base).layers[word]
    extra = {
        conv: Factors(torch.randn(2, 8, 3, 3) * 0.1, torch.randn(16, 2, 1, 1) * 0.1),
        word: Factors(torch.randn(2, columns) * 0.1, torch.randn(rows, 2) * 0.1),
    }
    adapter = replace(adapter, layers={**adapter.layers, **extra})
    calibrator = Calibrator(base, Placement.of(base, "cpu"))
    moments = calibrator.moments(adapter, prompt, 5)
    assert moments.keys() == adapter.layers.keys()
    cross = LAYER.replace("attn1.to_q", "attn2.to_k")
    seen = naive_inputs(Studio(base, "cpu"), adapter, prompt, 5, [LAYER, cross, conv, word])
    for layer in (LAYER, cross, word):
        tokens = seen[layer].flatten(0, -2)
        root = moments[layer].root()
        assert moments[layer].tokens == len(tokens)
        assert relative(root.T @ root, tokens.T @ tokens / len(tokens)) < 2e-3
    read = F.conv2d(seen[conv], extra[conv].down, None, 1, 1).flatten(2)[0].T  # z of every place of the kernel
    own = moments[conv].root() @ extra[conv].down.flatten(1).T
    assert relative(own.T @ own, read.T @ read / len(read)) < 2e-3
    q, k, v, out = (moments[LAYER.replace("to_q", part)] for part in ("to_q", "to_k", "to_v", "to_out.0"))
    assert q is k is v
    assert q is not out
    prompts = {id(moment) for layer, moment in moments.items() if ".attn2.to_k" in layer or ".attn2.to_v" in layer}
    assert len(prompts) == 1


def test_calibrations_are_kept_by_all_that_decides_them_and_broken_files_are_made_again(tiny_folder, monkeypatch):
    base, adapter = find_base(str(tiny_folder)), random_adapter(2, 0)
    calibrator = Calibrator(base, Placement.of(base, "cpu"))
    first = calibrator.moments(adapter, "a sks dog", 0)
    others = [
        calibrator.moments(adapter, "a sks cat", 0),
        calibrator.moments(adapter, "a sks dog", 1),
        calibrator.moments(random_adapter(2, 1), "a sks dog", 0),
    ]
    files = sorted(calibrator.cache.folder.iterdir())
    assert len(files) == 4
    assert all(not torch.equal(first[LAYER].packed, one[LAYER].packed) for one in others)
    again = Calibrator(base, Placement.of(base, "cpu"))
    monkeypatch.setattr(Studio, "__init__", lambda *_, **__: pytest.fail("the base is loaded"))
    kept = again.moments(adapter, "a sks dog", 0)
    assert kept.keys() == first.keys()
    assert all(torch.equal(kept[layer].root(), moment.root()) for layer, moment in first.items())
    monkeypatch.undo()
    monkeypatch.setenv("LORARAR_CACHE", str(calibrator.cache.folder.parent))
    for file in files:
        file.write_bytes(file.read_bytes()[:-100])
    facts = {"lora": adapter.identity, **again.makings(["a sks dog"], 0)}
    assert CalibrationCache().read(facts) is None
    anew = again.moments(adapter, "a sks dog", 0)
    assert torch.equal(anew[LAYER].packed, first[LAYER].packed)
    assert CalibrationCache().read(facts) is not None


def two_files(folder):
    prompts = {"dog": "a sks dog", "glow": "a house in glowing style"}
    return [
        write_adapter(random_adapter(2 + seed, seed), folder / f"{name}.safetensors", {"prompt": prompt})
        for seed, (name, prompt) in enumerate(prompts.items())
    ]


def test_a_merge_says_what_calibrated_it_and_prompts_come_from_flags_texts_and_headers(run, tiny_folder, tmp_path):
    dog, glow = two_files(tmp_path)
    command = ("merge", dog, glow, "-o", "out.safetensors", "--method", "ssr", "--base", tiny_folder, "--device", "cpu")
    done = run(*command, "--json")
    assert done.exit_code == 0, done.output
    assert "calibrate" in json.loads(done.stdout)["seconds"]
    facts = read_provenance(tmp_path / "out.safetensors")
    assert facts["options"] == {"seed": 0, "weights": [1.0, 1.0], "ridge": RIDGE}
    assert facts["calibration"]["prompts"] == ["a sks dog", "a house in glowing style"]
    assert (facts["calibration"]["step"], facts["calibration"]["seed"]) == (1, 0)
    assert {"base", "dtype", "device", "versions", "steps"} <= facts["calibration"].keys()
    first = read_adapter(tmp_path / "out.safetensors")
    plain = lorarar.merge(dog, glow, method="direct", base=str(tiny_folder)).adapter
    assert relative(first.layers[LAYER].dense(), plain.layers[LAYER].dense()) > 0.05
    (tmp_path / "glow.txt").write_text("a house in neon style")
    assert run(*command, "--content-prompt", "a sks cat").exit_code == 0
    other = read_provenance(tmp_path / "out.safetensors")["calibration"]["prompts"]
    assert other == ["a sks cat", "a house in neon style"]
    assert read_adapter(tmp_path / "out.safetensors").sha256 != first.sha256
    write_adapter(random_adapter(2, 0), dog)
    for flags, why in (
        ((), "does not say its prompt"),
        (("--content-prompt", "a dog", "--content-images", tmp_path), "it takes prompts alone"),
        (("--content-prompt", "a dog", "--precision", "no"), "--precision is of no use to ssr"),
        (("--content-prompt", "a dog", "--ridge", "0"), "above 0"),
    ):
        refused = run(*command, *flags)
        assert refused.exit_code == 1
        assert why in refused.stderr.replace("\n", " ")


def test_all_pairs_of_two_folders_are_there_the_second_time_unless_a_prompt_changes(run, tiny_folder, tmp_path):
    for side, file in zip("cs", two_files(tmp_path), strict=True):
        (tmp_path / side).mkdir()
        file.rename(tmp_path / side / file.name)
    command = ("merge", "--all", "c", "s", "-o", "out", "--method", "ssr", "--base", tiny_folder)
    assert "1 merge, 0 were there already" in run(*command).stderr
    assert "0 merges, 1 were there already" in run(*command).stderr
    (tmp_path / "c" / "dog.txt").write_text("a sks cat")
    assert "1 merge, 0 were there already" in run(*command).stderr
    assert len(list((tmp_path / "cache" / "calibrations").iterdir())) == 3


def test_three_loras_are_merged_in_python_and_nothing_is_merged_uncalibrated(tiny_folder, tmp_path):
    files = two_files(tmp_path)
    third = write_adapter(random_adapter(1, 7), tmp_path / "third.safetensors")
    with pytest.raises(AdapterError, match=r"third.safetensors does not say its prompt"):
        lorarar.merge(*files, more=[third], method="ssr", base=str(tiny_folder))
    third.with_suffix(".txt").write_text("a sks cat")
    merged = lorarar.merge(*files, more=[third], method="ssr", base=str(tiny_folder), weights=(1, 0.5, 1))
    assert merged.adapter.layers[LAYER].rank == 6
    assert merged.calibration["prompts"] == ["a sks dog", "a house in glowing style", "a sks cat"]
    recipe = Recipe(method_named("ssr"), find_base(str(tiny_folder)))
    with pytest.raises(MethodError, match="what each of 2 LoRAs reads on the base"):
        recipe.merge([read_adapter(file) for file in files])


def test_a_convolution_in_groups_is_refused_in_one_line(tiny_folder):
    base = find_base(str(tiny_folder))
    layer = "unet.down_blocks.1.resnets.0.conv1"
    adapter = Adapter({layer: Factors(torch.ones(1, 8, 3, 3), torch.ones(16, 1, 1, 1))}, "grouped")
    with Studio(base, "cpu") as studio:
        module = studio.pipeline.unet.down_blocks[1].resnets[0].conv1
        module.padding = "same"
        with pytest.raises(MethodError, match="convolutions without groups"):
            Calibrator.on(studio).moments(adapter, "a dog", 0)


def test_a_plans_row_calibrates_on_the_base_that_draws_and_other_prompts_are_other_pictures(tiny_folder, tmp_path):
    plan = write_plan(tmp_path, tiny_folder)
    text = plan.read_text().replace("seeds = 3", "seeds = 1")
    plan.write_text(text[: text.index("[[methods]]")] + '[[methods]]\nmethod = "ssr"\nridge = 1e-3\n')
    first = run_bench(plan, tmp_path / "out")
    assert first.generated == 2
    assert run_bench(plan, tmp_path / "out").generated == 0
    (tmp_path / "contents" / "c0.txt").write_text("a sks cat")
    assert run_bench(plan, tmp_path / "out").generated >= 1
