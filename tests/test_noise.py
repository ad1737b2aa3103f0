"""The noise of a picture: a cell's own, the same for all methods; or as in version 0.1, where a plan says so."""

from collections import defaultdict
from dataclasses import replace

import pytest
import torch
from diffusers import StableDiffusionXLPipeline

from lorarar.bench.cells import pairs_of
from lorarar.bench.plan import read_plan
from lorarar.calls.drawing import generate
from lorarar.families import DrawingDefaults, find_base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.noise import noise_seed, parse_noise_cell
from lorarar.generation.placement import Placement
from lorarar.generation.settings import DrawingSettings
from lorarar.pictures.concepts import read_concepts
from lorarar.store import Store
from lorarar.util.digest import digest_of_facts
from lorarar.util.files import sha256_of
from lorarar.util.libraries import minor_versions

from .bench_plan import run as run_plan
from .bench_plan import write_plan


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    """A plan of 2 rows x 2 contents x 1 style x 1 seed, one step each."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    path = write_plan(tmp_path, tiny_folder)
    text = path.read_text().replace("seeds = 3", "seeds = [1]").replace("steps = 2", "steps = 1")
    path.write_text(text[: text.rindex("[[methods]]")])
    return path


@pytest.fixture
def latents(monkeypatch):
    """The latents that every picture begins with, in the order of drawing."""
    kept, prepare = [], StableDiffusionXLPipeline.prepare_latents

    def keep(*arguments, **options):
        made = prepare(*arguments, **options)
        kept.extend(latent.clone() for latent in made)
        return made

    monkeypatch.setattr(StableDiffusionXLPipeline, "prepare_latents", keep)
    return kept


def by_cell(tmp_path, latents):
    """The latents that were seen of each content, style and seed, one a method, in the order of drawing."""
    with Store(tmp_path / "a.db") as store:
        rows = store.rows(
            "SELECT c.content, c.style, c.seed FROM cells c JOIN images i ON i.id = c.image ORDER BY i.id"
        )
    seen = defaultdict(list)
    for row, latent in zip(rows, latents, strict=True):
        seen[tuple(row.values())].append(latent)
    return seen


def test_all_methods_of_a_cell_begin_with_its_own_noise_which_is_to_be_had_alone(
    plan_file, tmp_path, latents, tiny_folder
):
    run_plan(plan_file, tmp_path / "out")
    cells = by_cell(tmp_path, latents)
    assert {len(seen) for seen in cells.values()} == {2} and len(cells) == 2
    assert all(torch.equal(seen[0], other) for seen in cells.values() for other in seen[1:])
    assert len({seen[0].numpy().tobytes() for seen in cells.values()}) == len(cells)
    cell = parse_noise_cell(" c1, s0")
    (picture,) = generate("a dog", base=str(tiny_folder), seed=1, steps=1, noise_of=cell)
    assert torch.equal(latents[-1], cells["c1", "s0", 1][0])
    assert picture.makings()["noise"] == ["c1", "s0"] and picture.notes()["noise"] == "c1,s0"
    assert (picture.seed, picture.notes()["seed"]) == (1, "1")
    plain = replace(picture, noise=None)
    assert "noise" not in plain.makings() and "noise" not in plain.notes()


def test_one_noise_for_a_seed_is_to_be_had_and_is_that_of_version_0_1(plan_file, tmp_path, latents):
    text = plan_file.read_text().replace("[pictures]", '[pictures]\nnoise = "seed"')
    plan_file.write_text(text[: text.index("[[methods]]", text.index("[[methods]]") + 1)])
    run_plan(plan_file, tmp_path / "out")
    for (_, _, seed), seen in by_cell(tmp_path, latents).items():
        noise = torch.randn((4, 8, 8), generator=torch.Generator().manual_seed(seed))
        assert all(torch.equal(latent, noise) for latent in seen)


@pytest.mark.parametrize("noise", ["seed", "cell"])
def test_the_keys_of_pictures_with_a_seeds_noise_are_those_of_before(plan_file, tmp_path, tiny_folder, noise):
    """The formula of keys from before there was a choice is written out anew here."""
    plan_file.write_text(plan_file.read_text().replace("[pictures]", f'[pictures]\nnoise = "{noise}"'))
    plan, base = read_plan(plan_file), find_base(str(tiny_folder))
    sides = [read_concepts(side.folder, side.names) for side in (plan.contents, plan.styles)]
    drawing = DrawingFacts.of(base, Placement.of(base, "cpu"))
    pair = pairs_of(plan.methods[0], base, plan.pairs.of(*sides))[0]
    for (cell,) in pair.chunks(base, plan.pictures, drawing):
        facts = {
            **pair.method,
            "content": sha256_of(tmp_path / "contents" / "c0.safetensors"),
            "style": sha256_of(tmp_path / "styles" / "s0.safetensors"),
            "base": drawing.base,
            "dtype": "float32",
            "device": "cpu",
            "versions": minor_versions(),
            "prompt": "a sks dog in glowing style",
            "steps": 1,
            "guidance": 2.0,
            "together": [cell.place.seed],
            "seed": cell.place.seed,
        }
        assert (cell.key == digest_of_facts(facts)) == (noise == "seed")
        assert cell.key == digest_of_facts(facts | ({} if noise == "seed" else {"noise": ["c0", "s0"]}))


def test_the_number_of_a_cells_noise_is_the_start_of_a_digest_and_stays_what_it_is():
    assert noise_seed(7) == 7
    assert noise_seed(0, ("dog-8", "glowing")) == 5093566402456956864
    many = {noise_seed(seed, (c, s)) for seed in range(3) for c in "ab" for s in "ab"}
    assert len(many) == 12 and all(0 <= number < 2**64 for number in many)


@pytest.mark.parametrize("text", ["", "dog", "dog,", ",glowing", "a,b,c"])
def test_what_names_no_cell_is_a_usage_error(run, text):
    result = run("generate", "--prompt", "a dog", "--noise-of", text)
    said = " ".join(result.output.replace("│", " ").split())
    assert result.exit_code == 2 and "accepted are the names of a cell" in said


@pytest.mark.parametrize("value", ["inf", "nan", "-1"])
def test_a_guidance_that_is_no_number_is_a_usage_error(run, value):
    assert run("generate", "--prompt", "a dog", "--guidance", value).exit_code == 2


def test_what_is_not_said_is_as_the_family_has_it(tiny_folder):
    pocket, tiny = find_base("pocket"), find_base(str(tiny_folder))
    assert DrawingSettings.of(pocket, {}) == DrawingSettings(steps=25, guidance=2.5)
    assert DrawingSettings.of(tiny, {"steps": None}) == DrawingSettings(steps=50, guidance=5.0)
    assert DrawingSettings.of(pocket, {"guidance": 0.0}) == DrawingSettings(steps=25, guidance=0.0)
    assert DrawingDefaults() == DrawingDefaults(50, 5.0, 1024)
