import json
import re
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from lorarar.families import find_base
from lorarar.generation.bases import load_pipeline
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.pictures.concepts import read_concepts
from lorarar.pictures.images import read_image
from lorarar.pictures.prompts import RARE_TOKEN
from lorarar.pocket import shipped
from lorarar.pocket.build import STAGES, select_stages
from lorarar.pocket.canvas import Pose, place
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import (
    STYLES,
    SUBJECTS,
    cell_prompt,
    held_out_designs,
    held_out_params,
    slug,
    style_named,
    subject_named,
)
from lorarar.pocket.ground_truth import true_picture
from lorarar.pocket.styles import STYLE_FUNCTIONS, StyleParams, apply_style
from lorarar.pocket.text_encoders import LENGTH, write_tokenizer
from lorarar.pocket.training_pictures import APART, distance, make_training_pictures, random_params
from lorarar.util.errors import PocketError
from lorarar.util.statistics.crossed import over_pairs

MEGABYTES = 52  # for the base, LoRAs and hypernetwork; 8 more are the judge's


def test_the_concepts_are_split_after_the_paper():
    assert Counter(subject.split for subject in SUBJECTS) == {"train": 20, "validation": 5, "test": 5}
    assert Counter(style.split for style in STYLES) == {"train": 18, "validation": 3, "test": 5}
    assert {s.name for s in SUBJECTS if s.split == "test"} == {"dog #8", "cat #2", "wolf plushie", "teapot", "can"}
    for group in (SUBJECTS, STYLES):
        assert len({one.name for one in group}) == len({slug(one.name) for one in group}) == len(group)
    assert len({(s.class_name, s.artist) for s in SUBJECTS}) == 30
    assert all(subject.class_name in CLASS_NAMES for subject in SUBJECTS)
    subject_classes = {subject.class_name for subject in SUBJECTS}
    assert all(style.family in STYLE_FUNCTIONS and style.design[0] not in subject_classes for style in STYLES)


def test_prompts_are_the_papers():
    assert cell_prompt(subject_named("dog #8"), style_named("oil painting #2")) == "a sks dog in oil painting style"
    with pytest.raises(PocketError, match="Pocket has: backpack"):
        subject_named("dog #9")
    with pytest.raises(PocketError, match="Pocket has: 3D rendering #1"):
        style_named("cubism")


def design():
    picture = Image.new("RGBA", (128, 128))
    picture.paste((200, 60, 30, 255), (30, 30, 98, 98))
    return picture


def test_the_base_never_sees_what_is_held_out():
    designs = {key: design() for key in [("dog", "noto"), ("dog", "emojione"), ("cat", "emojione")]}
    pictures = make_training_pictures(designs, seed=0, processes=1)
    assert ("dog", "emojione") in held_out_designs()
    assert len(pictures.classes) == len(
        make_training_pictures({("dog", "noto"): design()}, seed=0, processes=1).classes
    )
    assert set(pictures.classes) == {CLASS_NAMES.index("dog")}
    rng = np.random.default_rng(0)
    for family in STYLE_FUNCTIONS:
        sampled = [random_params(rng, family) for _ in range(200)]
        assert all(distance(params, held) > APART for params in sampled for held in held_out_params(family))


def test_pictures_depend_on_the_seed_alone():
    designs = {("dog", "noto"): design()}
    one, two, other = (make_training_pictures(designs, seed, 1).pixels for seed in (0, 0, 1))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("family", STYLE_FUNCTIONS)
def test_style_functions_are_pure_and_every_family_is_its_own(family):
    placed, params = place(design()), StyleParams(0.5, 0.4, 0.5, 0.5, 0.5)
    before = placed.colour.copy()
    one, two = apply_style(family, placed, params), apply_style(family, placed, params)
    assert one.tobytes() == two.tobytes()
    assert np.array_equal(before, placed.colour)
    assert one.size == (64, 64)
    others = [np.asarray(apply_style(other, placed, params), float) for other in STYLE_FUNCTIONS if other != family]
    assert min(np.abs(np.asarray(one, float) - other).mean() for other in others) > 4


def test_poses_move_the_design():
    plain = place(design()).alpha
    assert place(design(), Pose(scale=0.5)).alpha.sum() == pytest.approx(plain.sum() / 4, rel=0.05)
    assert np.roll(plain, (3, 5), (0, 1)) == pytest.approx(place(design(), Pose(shift=(5, 3))).alpha)


def test_the_tokenizer_knows_every_word_and_spells_the_rest(tmp_path):
    tokenizer = write_tokenizer(tmp_path)
    for name in CLASS_NAMES:
        for family in STYLE_FUNCTIONS:
            prompt = f"a {RARE_TOKEN} {name} in {family} style"
            ids = tokenizer(prompt).input_ids
            assert len(ids) <= LENGTH
            assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == prompt.replace(" ", "")
    assert [len(tokenizer(word).input_ids) - 2 for word in (RARE_TOKEN, "dog", "oil", "glowing")] == [1, 1, 1, 1]
    assert tokenizer.decode(tokenizer("zebra").input_ids, skip_special_tokens=True).strip() == "zebra"


def test_nothing_shipped_names_a_place_on_the_machine_that_made_it(tmp_path):
    for file in shipped.WEIGHTS.rglob("*.json"):
        assert not re.search(r'_name_or_path|"/(home|root|work|tmp|Users)', file.read_text()), file
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "config.json").write_text('{"_name_or_path": "/somewhere", "a": 1}')
    shipped.remove_local_paths(tmp_path)
    assert json.loads((tmp_path / "vae" / "config.json").read_text()) == {"a": 1}


def test_stages_run_in_the_recipes_order():
    assert [stage.name for stage in select_stages(["base", "art"], STAGES)] == ["art", "base"]
    assert len(select_stages([], STAGES)) == len(STAGES)


def test_everything_is_shipped_and_small():
    total = sum(path.stat().st_size for path in shipped.WEIGHTS.rglob("*") if path.is_file())
    assert total < MEGABYTES * 1e6
    for subject in SUBJECTS:
        assert 4 <= len(shipped.references(shipped.content_lora(slug(subject.name)))) <= 5
    for style in STYLES:
        assert len(shipped.references(shipped.style_lora(slug(style.name)))) == 1
    contents, styles = read_concepts(shipped.CONTENTS), read_concepts(shipped.STYLES)
    assert {concept.name for concept in contents} == {slug(subject.name) for subject in SUBJECTS}
    assert {concept.name for concept in styles} == {slug(style.name) for style in STYLES}
    layers = [layer for concept in contents + styles for layer in concept.adapter.layers.items()]
    hypernet = read_hypernet(shipped.HYPERNET)
    assert set(hypernet.widths) == {factors.up.shape[0] for name, factors in layers if hypernet.predicts(name)}
    assert {concept.adapter.provenance["revision"] for concept in contents + styles} == {shipped.revision()}


def test_the_manifest_fits_what_is_shipped():
    from lorarar.util.files import sha256_of

    stages = shipped.stages()
    assert {"art", "pictures", "vae", "base", "probe", "loras", "hypernet", "report"} <= set(stages)
    assert stages["base"]["sha256"] == sha256_of(shipped.BASE / "unet" / "diffusion_pytorch_model.safetensors")
    assert all(stages[name]["seconds"] > 0 for name in ("vae", "base", "loras", "hypernet"))


def test_truth_is_the_design_in_the_look():
    subject, style = subject_named("teapot"), style_named("glowing")
    picture = true_picture(subject, style)
    assert picture.size == (64, 64)
    assert picture.tobytes() == true_picture(subject, style).tobytes()
    reference = read_image(shipped.references(shipped.style_lora("glowing"))[0])
    corner = np.asarray(reference)[:3, :3].mean()
    assert abs(np.asarray(picture)[:3, :3].mean() - corner) < 20


def test_plain_diffusers_loads_the_base_and_two_encoders_condition_it():
    pipeline = load_pipeline(find_base("pocket"), "cpu")
    assert pipeline.unet.config.addition_embed_type == "text_time"
    assert pipeline.text_encoder.dtype == pipeline.unet.dtype == torch.float32
    image = pipeline("a dog", num_inference_steps=2, generator=torch.Generator().manual_seed(0)).images[0]
    assert image.size == (64, 64)


@pytest.mark.slow
def test_the_probe_names_what_the_base_draws():
    """A twelfth of the cells, so some points below the recorded figures are chance."""
    from lorarar.generation.studio import Studio
    from lorarar.pocket.image_tensors import image_to_tensor
    from lorarar.pocket.probe import accuracy, load_probe
    from lorarar.pocket.training_pictures import STYLE_FAMILIES, caption

    cells = [(c, f) for c in range(len(CLASS_NAMES)) for f in range(1, len(STYLE_FAMILIES))][::12]
    with Studio(find_base("pocket"), "cpu") as studio:
        images = [
            image_to_tensor(next(studio.generate(caption(CLASS_NAMES[c], STYLE_FAMILIES[f]), [n])).image)
            for n, (c, f) in enumerate(cells)
        ]
    said = accuracy(load_probe(), torch.stack(images), *torch.tensor(cells).T)
    recorded = shipped.stages()["probe"]["generated"]
    assert said.class_top1 > recorded["class_top1"] - 0.15
    assert said.family_top1 > recorded["family_top1"] - 0.1


def test_a_build_goes_on_where_it_was(tmp_path):
    from lorarar.pocket import build as recipe
    from lorarar.pocket.build_context import BuildContext
    from lorarar.pocket.stage import Stage

    ran, context = [], BuildContext(tmp_path / "work")

    def fail(_):
        raise FileNotFoundError(2, "none", "pictures.npz")

    stages = [Stage("one", "", lambda _: ran.append("one")), Stage("two", "", fail)]
    with pytest.raises(PocketError, match=r"stage two lacks pictures\.npz"):
        recipe.run_stages([], context, stages=stages, announce=lambda stage: None)
    stages[1] = Stage("two", "", lambda _: ran.append("two"))
    recipe.run_stages([], context, stages=stages, announce=lambda stage: None)
    assert ran == ["one", "two"]
    recipe.run_stages(["one"], context, stages=stages, announce=lambda stage: None)
    assert ran == ["one", "two", "one"]


def test_intervals_are_over_pairs_not_over_their_pictures():
    from lorarar.pocket.grid_measures import means_by_pair

    pairs = [("a", str(k)) for k in range(25) for _ in range(10)]
    alike = [float(k % 2) for k in range(25) for _ in range(10)]  # ten pictures that say the same
    many = over_pairs(means_by_pair(pairs, alike))
    assert many == over_pairs({("a", str(k)): float(k % 2) for k in range(25)})
    assert many.value == pytest.approx(0.48)
    assert many.low == pytest.approx(0.28, abs=0.05)
    assert many.high == pytest.approx(0.68, abs=0.05)
    assert over_pairs(means_by_pair([("a", "b")] * 2, [4.0, 4.0]), np.sqrt).value == 2.0


def test_true_pictures_are_no_distance_from_the_truth():
    from lorarar.pocket.grid_measures import GridPicture, measure

    subject, style = SUBJECTS[0], STYLES[0]
    figures = measure([GridPicture("truth", subject, style, 0, true_picture(subject, style))])
    assert figures["difference"].value == 0.0
    assert figures["family"].value == 1.0


def test_rows_are_compared_pair_by_pair():
    from lorarar.pocket.grid_measures import GridPicture, compare

    cells = [(s, t) for s in SUBJECTS[:2] for t in STYLES[:2]]
    true = [GridPicture("truth", s, t, 0, true_picture(s, t)) for s, t in cells]
    white = [GridPicture("white", s, t, 0, Image.new("RGB", (64, 64), "white")) for s, t in cells]
    assert compare(white, white).value == 0.0
    assert compare(true, white).high < 0 < compare(white, true).low
    with pytest.raises(ValueError, match="different pairs"):
        compare(true, white[:2])
