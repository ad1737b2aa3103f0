import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    Dinov2Config,
    Dinov2Model,
    ViTConfig,
    ViTModel,
)

from judge.metrics.features import Features
from judge.metrics.measure import likeness, measure
from judge.metrics.preprocessing import IMAGENET_DEVIATION, IMAGENET_MEAN, Preprocessing, imagenet
from judge.metrics.registry import find_backbone
from judge.metrics.table import METRICS, MetricError
from judge.targets import Target
from lorarar.pictures.prompts import without_token
from lorarar.pocket.text_encoders import LENGTH, write_tokenizer

PROMPT = "a sks dog in oil painting style"


def save_clip(folder):
    tokenizer = write_tokenizer(folder)
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = tower | {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": LENGTH,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    vision = tower | {"image_size": 32, "patch_size": 16}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def save_vit(folder, side=32):
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    ViTModel(ViTConfig(image_size=side, patch_size=16, **tower), add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    return save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(clip_folder):
    return find_backbone("clip", str(clip_folder), "cpu")


@pytest.fixture(scope="module")
def dino(tmp_path_factory):
    return find_backbone("dino", str(save_vit(tmp_path_factory.mktemp("vit"))), "cpu")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = []
    for number, (width, height) in enumerate([(40, 40), (64, 50), (33, 81), (45, 45)]):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 5, 3), np.uint8))
        paths.append(folder / f"{number}.png")
        coarse.resize((width, height), Image.Resampling.BICUBIC).save(paths[-1])
    return paths


def target(image, prompt=PROMPT, subjects=(), styles=()):
    return Target(image, "row", "dog", "oil", tuple(subjects), tuple(styles), "oil painting", prompt)


def by_hand(path, resize, crop, mean, deviation):
    """Shorter side to ``resize``, the middle ``crop`` pixels, value by value."""
    image = Image.open(path).convert("RGB")
    short = min(image.size)
    image = image.resize([int(resize * side / short) for side in image.size], Image.Resampling.BICUBIC)
    top, left = (image.height - crop) // 2, (image.width - crop) // 2
    values = np.empty((3, crop, crop))
    for y in range(crop):
        for x in range(crop):
            for channel, value in enumerate(image.getpixel((left + x, top + y))):
                values[channel, y, x] = (value / 255 - mean[channel]) / deviation[channel]
    return values


def test_preprocessing_is_resize_cut_and_normalise(pictures):
    prepare = imagenet(32)
    assert (prepare.resize, prepare.crop) == (37, 32)
    for path in pictures:
        wanted = by_hand(path, 37, 32, IMAGENET_MEAN, IMAGENET_DEVIATION)
        assert prepare(Image.open(path)) == pytest.approx(wanted, abs=1e-5)
    flat = prepare(Image.new("RGB", (50, 40), (255, 0, 128)))
    assert flat[:, 3, 4] == pytest.approx([(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225], abs=1e-5)


def test_dinos_preprocessing_is_dreambooths():
    prepare = imagenet(224)
    assert (prepare.resize, prepare.crop) == (256, 224)
    wide = Image.new("RGB", (512, 256))
    wide.paste((255, 255, 255), (144, 16, 368, 240))  # what the cut leaves
    assert np.unique(prepare(wide).round(4)).size == 3
    with pytest.raises(ValueError, match="does not fit"):
        Preprocessing(30, 32, IMAGENET_MEAN, IMAGENET_DEVIATION)


def test_clip_is_shown_what_its_own_processor_makes(clip, clip_folder, pictures):
    processor = CLIPImageProcessorPil.from_pretrained(clip_folder)
    for path in pictures:
        image = Image.open(path)
        wanted = processor(images=image, return_tensors="np")["pixel_values"][0]
        assert clip.identity.preprocessing(image) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    "written",
    [
        {},  # silent: the library's own numbers
        {"size": 36, "crop_size": 32, "feature_extractor_type": "CLIPFeatureExtractor"},  # as files of old have it
        {
            "size": {"shortest_edge": 40},
            "crop_size": {"height": 32, "width": 32},
            "resample": 2,
            "image_mean": [0, 0, 0],
        },
    ],
)
def test_what_a_processors_file_says_is_read_as_the_library_reads_it(tmp_path, written, pictures):
    folder = save_clip(tmp_path / "clip")
    (folder / "preprocessor_config.json").write_text(json.dumps(written))
    prepare = find_backbone("clip", str(folder)).identity.preprocessing
    image = Image.open(pictures[0])
    wanted = CLIPImageProcessorPil.from_pretrained(folder)(images=image, return_tensors="np")["pixel_values"][0]
    assert prepare(image) == pytest.approx(wanted, abs=1e-6)


def test_a_processor_that_does_something_else_is_refused(tmp_path):
    folder = save_clip(tmp_path / "clip")
    CLIPImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    with pytest.raises(MetricError, match="does not resize the shorter side"):
        find_backbone("clip", str(folder))


def reference_clip(folder, paths, texts):
    """Cosines (N, M) of pictures and texts, by the model's parts."""
    model, tokenizer = CLIPModel.from_pretrained(folder).eval(), CLIPTokenizer.from_pretrained(folder)
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    with torch.no_grad():
        pixels = torch.tensor(np.stack([processor(Image.open(path))["pixel_values"][0] for path in paths]))
        seen = model.visual_projection(model.vision_model(pixels).pooler_output)
        said = []
        for text in texts:
            ids = torch.tensor([tokenizer(text).input_ids])
            last = model.text_model(ids).last_hidden_state[0, ids[0].tolist().index(tokenizer.eos_token_id)]
            said.append(model.text_projection(last))
    return torch.cosine_similarity(seen[:, None], torch.stack(said)[None], dim=2).numpy()


def test_clip_t_is_the_cosine_with_the_prompt_without_its_token(clip, clip_folder, pictures, tmp_path):
    prompts = [PROMPT, "a sks teapot in glowing style", "a dog", PROMPT]
    targets = [target(path, prompt) for path, prompt in zip(pictures, prompts, strict=True)]
    scores = measure(METRICS["clip-t"], targets, Features(clip, tmp_path))
    wanted = reference_clip(clip_folder, pictures, [prompt.replace("sks ", "") for prompt in prompts])
    assert scores == pytest.approx(np.diag(wanted).tolist(), abs=1e-6)
    with_token = reference_clip(clip_folder, pictures, prompts)
    assert scores[0] != pytest.approx(float(with_token[0, 0]), abs=1e-5)


def test_clip_t_agrees_with_torchmetrics(clip, clip_folder, pictures, tmp_path):
    from torchmetrics.multimodal.clip_score import CLIPScore  # here: it loads much

    model, tokenizer = CLIPModel.from_pretrained(clip_folder).eval(), CLIPTokenizer.from_pretrained(clip_folder)
    processor = CLIPImageProcessorPil.from_pretrained(clip_folder)

    class Tensors(torch.nn.Module):  # torchmetrics wants tensors where transformers 5 gives objects
        config = model.config

        def get_image_features(self, pixels):
            return model.get_image_features(pixels).pooler_output

        def get_text_features(self, ids, mask):
            return model.get_text_features(ids, mask).pooler_output

    def process(text=None, images=None, **options):
        return tokenizer(text, **options) if text else processor(images=images, return_tensors="pt")

    prompts = [PROMPT, "a sks teapot in glowing style", "a sks dog"]
    oracle = CLIPScore(lambda: (Tensors(), process))
    pixels = [torch.tensor(np.asarray(Image.open(path))).permute(2, 0, 1) for path in pictures[:3]]
    oracle.update(pixels, [without_token(prompt) for prompt in prompts])
    targets = [target(path, prompt) for path, prompt in zip(pictures, prompts, strict=False)]
    scores = measure(METRICS["clip-t"], targets, Features(clip, tmp_path))
    assert max(100 * np.mean(scores), 0) == pytest.approx(float(oracle.compute()), abs=1e-4)


def test_dino_and_clip_i_are_mean_cosines_over_references(clip, dino, pictures, tmp_path):
    image, *others = pictures
    one = target(image, subjects=others[:2], styles=others[2:])
    model = dino.model
    pixels = [by_hand(path, 37, 32, IMAGENET_MEAN, IMAGENET_DEVIATION) for path in pictures]
    with torch.no_grad():
        tokens = model(torch.tensor(np.stack(pixels), dtype=torch.float32)).last_hidden_state[:, 0]
    cosines = torch.cosine_similarity(tokens[:1], tokens).tolist()
    assert measure(METRICS["dino"], [one], Features(dino, tmp_path)) == pytest.approx([sum(cosines[1:3]) / 2], abs=1e-5)
    model = clip.model
    with torch.no_grad():
        pixels = torch.from_numpy(np.stack([clip.identity.preprocessing(Image.open(path)) for path in pictures]))
        seen = model.visual_projection(model.vision_model(pixels).pooler_output)
    wanted = float(torch.cosine_similarity(seen[0], seen[3], dim=0))
    assert measure(METRICS["clip-i"], [one], Features(clip, tmp_path)) == pytest.approx([wanted], abs=1e-5)


def test_long_prompts_are_cut_off_at_the_models_length(clip):
    long = " ".join(["dog"] * 2 * LENGTH)
    assert clip.texts([long]) == pytest.approx(clip.texts([long + " cat"]))
    assert clip.texts([long, "dog"])[1] == pytest.approx(clip.texts(["dog"])[0], abs=1e-6)


def test_what_cannot_be_measured_is_no_number(clip, dino, pictures, tmp_path):
    features = Features(clip, tmp_path)
    targets = [target(pictures[0], ""), target(pictures[0], "sks"), target(pictures[0], "a dog")]
    assert [score is None for score in measure(METRICS["clip-t"], targets, features)] == [True, True, False]
    assert measure(METRICS["clip-i"], targets[:1], features) == [None]
    assert measure(METRICS["clip-i"], [], features) == []
    with pytest.raises(MetricError, match=r"clip-t takes a clip backbone; .* is a dino one"):
        measure(METRICS["clip-t"], targets, Features(dino, tmp_path))
    with pytest.raises(MetricError, match="takes pictures alone"):
        dino.texts(["a dog"])


@pytest.mark.parametrize(
    ("prompt", "left"),
    [
        (PROMPT, "a dog in oil painting style"),
        ("a photo of sks, sitting", "a photo of , sitting"),
        ("asks for risks", "asks for risks"),
        ("sks", ""),
    ],
)
def test_the_rare_token_is_dropped_as_a_word(prompt, left):
    assert without_token(prompt) == left


def test_another_token_can_be_dropped():
    assert without_token("a [c] dog", "[c]") == "a dog"


def test_likeness_is_the_mean_over_references():
    image, references = np.float32([1, 0]), np.float32([[1, 0], [0, 1], [0.6, 0.8]])
    assert likeness(image, references) == pytest.approx(1.6 / 3)
    assert likeness(image, references[:0]) is None
    assert likeness(np.float32([math.nan, 0]), references) is None


def test_vectors_are_computed_once(clip, pictures, tmp_path):
    first = Features(clip, tmp_path / "kept")
    made = first.of([*pictures, pictures[0]])
    assert first.computed == len(made) == len(pictures)
    copy = tmp_path / "copy.png"
    copy.write_bytes(pictures[1].read_bytes())
    again = Features(clip, tmp_path / "kept")
    kept = again.of([*pictures, copy])
    assert again.computed == 0
    assert all(np.array_equal(made[path], kept[path]) for path in pictures)
    assert np.array_equal(kept[copy], made[pictures[1]])


def test_batches_do_not_change_vectors(clip, pictures, tmp_path, monkeypatch):
    whole = Features(clip, tmp_path / "whole").of(pictures)
    monkeypatch.setattr("judge.metrics.features.BATCH", 3)
    parts = Features(clip, tmp_path / "parts").of(pictures)
    assert all(parts[path] == pytest.approx(whole[path], abs=1e-6) for path in pictures)


@pytest.mark.parametrize("damage", [lambda data: data[:-4], lambda data: b"", lambda data: data[:-1] + b"\xff"])
def test_a_broken_entry_is_computed_again(clip, pictures, tmp_path, damage):
    made = Features(clip, tmp_path).of(pictures[:2])
    entry = sorted(tmp_path.rglob("*.f32"))[0]
    entry.write_bytes(damage(entry.read_bytes()))
    for computed in (1, 0):
        features = Features(clip, tmp_path)
        again = features.of(pictures[:2])
        assert features.computed == computed
        assert all(again[path] == pytest.approx(made[path], abs=1e-6) for path in pictures[:2])


def test_pictures_that_cannot_be_read_are_named(clip, pictures, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(pictures[0].read_bytes()[:80])
    features = Features(clip, tmp_path / "kept")
    assert list(features.of([broken, pictures[0], tmp_path / "missing.png"])) == [pictures[0]]
    assert {path.name for path in features.faults} == {"broken.png", "missing.png"}
    assert "broken.png is not a sound" in features.faults[broken]
    targets = [target(pictures[0], styles=[broken]), target(broken), target(pictures[0], styles=[pictures[1]])]
    assert [score is None for score in measure(METRICS["clip-i"], targets, features)] == [True, True, False]
    assert [score is None for score in measure(METRICS["clip-t"], targets, features)] == [False, True, False]


def test_a_folder_that_cannot_be_written_is_said(clip, pictures, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MetricError, match="cannot keep features"):
        Features(clip, tmp_path / "file").of(pictures)


def test_vectors_that_are_not_finite_are_refused(pictures, tmp_path):
    backbone = find_backbone("dino", str(save_vit(tmp_path / "vit")), "cpu")
    backbone.model.layernorm.weight.data[0] = math.nan
    with pytest.raises(MetricError, match=r"no finite vector for .*0\.png"):
        Features(backbone, tmp_path / "kept").of(pictures)
    assert not (tmp_path / "kept").exists()


def test_an_identity_says_what_decides_the_vectors(clip, clip_folder, tmp_path):
    record = clip.identity.record()
    assert record["name"] == clip_folder.name
    assert record["dtype"] == "float32"
    assert record["version"].startswith("transformers ")
    assert record["preprocessing"]["resize"] == 36
    copy = save_clip(tmp_path / clip_folder.name)
    assert find_backbone("clip", str(copy), "cpu").identity == clip.identity
    model = CLIPModel.from_pretrained(copy)
    model.logit_scale.data += 1
    model.save_pretrained(copy)
    changed = find_backbone("clip", str(copy), "cpu").identity
    assert changed.revision != clip.identity.revision
    digests = {one.digest for one in (clip.identity, changed, replace(changed, dtype="float16"))}
    assert len(digests) == 3


def test_half_precision_stays_close(clip, clip_folder, pictures):
    half = find_backbone("clip", str(clip_folder), "cpu", "bfloat16")
    assert half.model.dtype == torch.bfloat16
    images = [Image.open(path) for path in pictures]
    assert half.images(images) == pytest.approx(clip.images(images), abs=0.05)
    assert half.identity.digest != clip.identity.digest


def test_dinov2_is_welcome(pictures, tmp_path):
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14)
    Dinov2Model(config).save_pretrained(tmp_path)
    backbone = find_backbone("dino", str(tmp_path), "cpu")
    assert backbone.identity.preprocessing == imagenet(28)
    vectors = backbone.images([Image.open(path) for path in pictures])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_backbones_that_cannot_be_used_are_refused(clip_folder, tmp_path):
    vit = str(save_vit(tmp_path / "vit"))
    with pytest.raises(MetricError, match="type vit; accepted for clip are: clip"):
        find_backbone("clip", vit)
    with pytest.raises(MetricError, match="type clip; accepted for dino are: vit, dinov2"):
        find_backbone("dino", str(clip_folder))
    with pytest.raises(MetricError, match="neither pocket, nor a model folder, nor a hub id"):
        find_backbone("dino", "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MetricError, match=r"config\.json is missing"):
        find_backbone("dino", str(tmp_path / "empty"))


def test_a_model_with_weights_missing_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    weights = save_vit(tmp_path / "vit") / "model.safetensors"
    tensors = load_file(weights)
    del tensors["layernorm.weight"]
    save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(MetricError, match=r"lacks 1 weights, layernorm\.weight"):
        _ = find_backbone("dino", str(tmp_path / "vit")).model
    weights.write_bytes(b"nonsense")
    with pytest.raises(MetricError, match="cannot load"):
        _ = find_backbone("dino", str(tmp_path / "vit")).model


def test_what_is_cached_needs_no_model(clip_folder, pictures, tmp_path, monkeypatch):
    targets = [target(path, styles=pictures[:1]) for path in pictures]

    def scores(features):
        return [measure(METRICS[name], targets, features) for name in ("clip-i", "clip-t")]

    made = scores(Features(find_backbone("clip", str(clip_folder), "cpu"), tmp_path))
    monkeypatch.setattr("transformers.CLIPModel.from_pretrained", lambda *_, **__: pytest.fail("the model is loaded"))
    assert scores(Features(find_backbone("clip", str(clip_folder), "cpu"), tmp_path)) == made


def test_a_hub_id_is_pinned_to_its_commit(tmp_path, monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--someone--vit"
    save_vit(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("someone/vit", "someone/vit@main", f"someone/vit@{commit}"):
        identity = find_backbone("dino", name, "cpu").identity
        assert (identity.name, identity.revision) == ("someone/vit", commit)
    with pytest.raises(MetricError, match="cannot load someone/other as a dino backbone"):
        find_backbone("dino", "someone/other")


def test_naming_metrics_and_backbones_loads_nothing_heavy():
    code = "import sys, judge.metrics.table, judge.metrics.registry; print(*sys.modules)"
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert not {"torch", "transformers", "numpy", "PIL"} & set(done.stdout.split())
