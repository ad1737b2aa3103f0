"""DINOv2, SigLIP and CSD as metrics, against what transformers or the authors' own forms make of the same pictures."""

import argparse
import json
import os

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BitImageProcessorPil,
    CLIPImageProcessorPil,
    CLIPVisionModelWithProjection,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2ImageProcessorPil,
    Siglip2Model,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)
from typer.testing import CliRunner

from judge.cli.app import app
from judge.metrics.backbones.csd_weights import vision_tower
from judge.metrics.features import Features
from judge.metrics.measure import measure
from judge.metrics.preprocessing import IMAGENET_DEVIATION, IMAGENET_MEAN
from judge.metrics.registry import find_backbone
from judge.metrics.table import METRICS, MetricError
from judge.pocket.critic import new_tokenizer
from lorarar.pictures.images import write_png

from .random_critic import answering_critic
from .style_checkpoint import SIDE, new_descriptor
from .test_metrics import by_hand, save_clip, save_vit, target

TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
PROMPTS = ["a sks dog in Glowing style", "a dog", "a teapot in oil painting style, by a window"]
NAMED = ["a dog in Glowing style", *PROMPTS[1:]]  # what of them is measured
METRIC_NAMES = ("dinov2", "siglip-i", "siglip-t", "csd")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = []
    for number, (width, height) in enumerate([(300, 410), (260, 230), (64, 64)]):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 5, 3), np.uint8))
        paths.append(folder / f"{number}.png")
        coarse.resize((width, height), Image.Resampling.BICUBIC).save(paths[-1])
    return paths


def opened(paths):
    return [Image.open(path) for path in paths]


def save_dinov2(folder, model=Dinov2Model, config=Dinov2Config):
    torch.manual_seed(0)
    tower = {key: TOWER[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads")}
    model(config(image_size=28, patch_size=14, **tower)).save_pretrained(folder)
    return folder


def save_tokenizer(folder):
    """One word a token, in small letters, with an end, filled up on the right; nothing is masked."""
    words = sorted({word for text in PROMPTS for word in text.lower().replace(",", " ,").split()} - {"sks"})
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(["<pad>", "</s>", "<unk>", *words])}, "<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_input_names=["input_ids"],
        padding_side="right",
    )
    fast.save_pretrained(folder)
    return fast


def save_siglip(folder):
    torch.manual_seed(0)
    text = TOWER | {"vocab_size": 32, "max_position_embeddings": 64, "pad_token_id": 0, "eos_token_id": 1}
    config = SiglipConfig(text_config=text, vision_config=TOWER | {"image_size": 32, "patch_size": 8})
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}, resample=2).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def save_naflex(folder):
    torch.manual_seed(0)
    text = TOWER | {"vocab_size": 32, "max_position_embeddings": 64, "pad_token_id": 0, "eos_token_id": 1}
    config = Siglip2Config(text_config=text, vision_config=TOWER | {"num_patches": 16, "patch_size": 8})
    Siglip2Model(config).save_pretrained(folder)
    Siglip2ImageProcessorPil(max_num_patches=16, patch_size=8).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def save_csd(folder):
    """A checkpoint of the authors' training: tensors within, the arguments and the optimiser beside."""
    model = new_descriptor()
    state = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    folder.mkdir(exist_ok=True)
    rest = {"opt_bb": {"state": {0: {"momentum_buffer": torch.ones(2)}}}, "iter": 3, "args": argparse.Namespace(lr=0.1)}
    torch.save({"model_state_dict": state, **rest}, folder / "checkpoint.pth")
    return model


def cosine(one, two):
    return torch.cosine_similarity(one[None], two[None]).item()


def test_dinov2_sees_the_middle_224_of_256_pixels(pictures, tmp_path):
    backbone = find_backbone("dinov2", str(save_dinov2(tmp_path / "dinov2")), "cpu")
    prepare = backbone.identity.preprocessing
    theirs = BitImageProcessorPil(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224}, resample=3)
    for path in pictures:
        mine = prepare(Image.open(path))
        wanted = theirs(Image.open(path), image_mean=list(IMAGENET_MEAN), image_std=list(IMAGENET_DEVIATION))
        assert mine == pytest.approx(wanted["pixel_values"][0], abs=1e-5)
    by_pixels = by_hand(pictures[0], 256, 224, IMAGENET_MEAN, IMAGENET_DEVIATION)
    assert prepare(Image.open(pictures[0])) == pytest.approx(by_pixels, abs=1e-5)


@pytest.mark.parametrize(
    ("model", "config"),
    [(Dinov2Model, Dinov2Config), (Dinov2WithRegistersModel, Dinov2WithRegistersConfig)],
)
def test_the_dinov2_metric_is_the_mean_cosine_of_class_tokens(model, config, pictures, tmp_path):
    folder = save_dinov2(tmp_path / "dinov2", model, config)
    theirs = model.from_pretrained(folder).eval()
    pixels = np.stack([by_hand(path, 256, 224, IMAGENET_MEAN, IMAGENET_DEVIATION) for path in pictures])
    with torch.no_grad():
        tokens = theirs(torch.tensor(pixels, dtype=torch.float32)).last_hidden_state[:, 0]
    wanted = (cosine(tokens[0], tokens[1]) + cosine(tokens[0], tokens[2])) / 2
    features = Features(find_backbone("dinov2", str(folder), "cpu"), tmp_path / "kept")
    (score,) = measure(METRICS["dinov2"], [target(pictures[0], subjects=pictures[1:])], features)
    assert score == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    ("save", "model", "processor"),
    [(save_siglip, SiglipModel, SiglipImageProcessorPil), (save_naflex, Siglip2Model, Siglip2ImageProcessorPil)],
)
def test_siglip_is_what_its_own_model_and_processor_make(save, model, processor, pictures, tmp_path):
    folder = save(tmp_path / "siglip")
    theirs = model.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    seen = processor.from_pretrained(folder)(images=opened(pictures), return_tensors="pt")
    words = tokenizer(NAMED, padding="max_length", max_length=64, return_tensors="pt")
    assert set(words) == {"input_ids"}
    with torch.no_grad():
        out = theirs(**words, **seen)
    to_texts = (out.logits_per_image - theirs.logit_bias) / theirs.logit_scale.exp()
    features = Features(find_backbone("siglip", str(folder), "cpu"), tmp_path / "kept")
    targets = [target(path, prompt) for path, prompt in zip(pictures, PROMPTS, strict=True)]
    assert measure(METRICS["siglip-t"], targets, features) == pytest.approx(to_texts.diag().tolist(), abs=1e-5)
    wanted = (cosine(out.image_embeds[0], out.image_embeds[1]) + cosine(*out.image_embeds[[0, 2]])) / 2
    (score,) = measure(METRICS["siglip-i"], [target(pictures[0], styles=pictures[1:])], features)
    assert score == pytest.approx(wanted, abs=1e-5)


def test_a_text_is_filled_up_to_siglips_length_whatever_comes_with_it(tmp_path):
    backbone = find_backbone("siglip", str(save_siglip(tmp_path / "siglip")), "cpu")
    alone, together = backbone.texts(["a dog"]), backbone.texts(["a dog", PROMPTS[2], "dog " * 100])
    assert alone[0] == pytest.approx(together[0], abs=1e-6)
    assert backbone.texts(["A DOG"]) == pytest.approx(alone)
    ids = backbone.tokenizer("a dog")["input_ids"]
    with torch.no_grad():
        short = backbone.model.get_text_features(input_ids=torch.tensor([ids])).pooler_output[0]
    assert cosine(short, torch.tensor(alone[0])) < 0.999  # where it is not filled up, it is another vector


def test_a_siglip_that_does_something_else_is_refused(tmp_path):
    folder = save_siglip(tmp_path / "siglip")
    SiglipImageProcessorPil(size={"shortest_edge": 32}).save_pretrained(folder)
    with pytest.raises(MetricError, match="one height and width"):
        find_backbone("siglip", str(folder))
    folder = save_siglip(tmp_path / "other")
    written = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(written | {"do_normalize": False}))
    with pytest.raises(MetricError, match="something else than"):
        find_backbone("siglip", str(folder))
    folder = save_siglip(tmp_path / "third")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(MetricError, match=r"cannot load third: it has no tokenizer\.json; .*sentencepiece"):
        find_backbone("siglip", str(folder), "cpu").texts(["a dog"])


def csd_truth(model, paths):
    """Style embeddings of pictures, by the authors' own form and CLIP's image processor of transformers."""
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    with torch.no_grad():
        return model(processor(images=opened(paths), return_tensors="pt")["pixel_values"])


def test_csd_is_the_style_embedding_of_the_authors_checkpoint(pictures, tmp_path):
    styles = csd_truth(save_csd(tmp_path / "csd"), pictures)
    wanted = (cosine(styles[0], styles[1]) + cosine(styles[0], styles[2])) / 2
    for name in ("csd", "csd/checkpoint.pth"):
        features = Features(find_backbone("csd", str(tmp_path / name), "cpu"), tmp_path / "kept")
        assert features.name == name
        (score,) = measure(METRICS["csd"], [target(pictures[0], styles=pictures[1:])], features)
        assert score == pytest.approx(wanted, abs=1e-5)


def test_csd_by_the_names_of_transformers_is_the_same(pictures, tmp_path):
    model = save_csd(tmp_path / "csd")
    ours = vision_tower(model.state_dict(), SIDE)
    assert isinstance(ours, CLIPVisionModelWithProjection)
    named = {
        name.replace("vision_model.", "backbone.vision_model.").replace("visual_projection", "style_projection"): tensor
        for name, tensor in ours.state_dict().items()
    }
    assert not any("resblocks" in name for name in named)
    named["content_projection.weight"] = torch.zeros(3, 128)
    (tmp_path / "other").mkdir()
    save_file({name: t.half().contiguous() for name, t in named.items()}, tmp_path / "other" / "model.safetensors")
    vectors = find_backbone("csd", str(tmp_path / "other"), "cpu").images(opened(pictures))
    assert vectors == pytest.approx(csd_truth(model, pictures).numpy(), abs=5e-3)


def test_a_csd_on_the_hub_is_pinned_to_its_commit_whichever_file_it_has(tmp_path, monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "models--someone--style" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    torch.save(new_descriptor().state_dict(), snapshot / "pytorch_model.bin")
    (tmp_path / "models--someone--style" / "refs").mkdir()
    (tmp_path / "models--someone--style" / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("someone/style", f"someone/style@{commit}"):
        backbone = find_backbone("csd", name, "cpu")
        assert (backbone.identity.name, backbone.identity.revision) == ("someone/style", commit)
    assert backbone.images([Image.new("RGB", (64, 64), "red")]).shape == (1, 24)
    with pytest.raises(MetricError, match=r"has none of .*, or cannot be reached"):
        find_backbone("csd", "someone/other")


class Evil:
    def __reduce__(self):
        return os.mkdir, ("run-by-the-pickle",)


def test_a_csd_that_is_none_is_one_line_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MetricError, match=r"no CSD is customary: name yours, .*--csd or \$LORARAR_CSD"):
        find_backbone("csd")
    with pytest.raises(MetricError, match="neither a file of weights, nor a model folder"):
        find_backbone("csd", "nothing")
    torch.save({"model_state_dict": {"a": Evil()}}, "evil.pth")
    with pytest.raises(MetricError, match="refused: it would run code"):
        _ = find_backbone("csd", "evil.pth", "cpu").model
    assert not (tmp_path / "run-by-the-pickle").exists()
    model = save_csd(tmp_path / "csd")
    state = model.state_dict()
    torch.save({name: t for name, t in state.items() if "ln_post" not in name}, "less.pth")
    with pytest.raises(MetricError, match=r"2 are missing, .*post_layernorm\.bias among them"):
        _ = find_backbone("csd", "less.pth", "cpu").model
    torch.save(state | {"extra": torch.zeros(1)}, "more.pth")
    with pytest.raises(MetricError, match=r"1 are unknown, vision_model\.extra"):
        _ = find_backbone("csd", "more.pth", "cpu").model
    torch.save({"weight": torch.zeros(2)}, "lora.pth")
    with pytest.raises(MetricError, match=r"not CSD's: visual_projection\.weight is missing"):
        _ = find_backbone("csd", "lora.pth", "cpu").model
    (tmp_path / "empty").mkdir()
    with pytest.raises(MetricError, match=r"has none of model\.safetensors, pytorch_model\.bin, checkpoint\.pth"):
        find_backbone("csd", "empty")


def test_a_backbone_of_another_kind_is_refused(tmp_path):
    with pytest.raises(MetricError, match="of type vit; accepted for dinov2 are: dinov2, dinov2_with_registers"):
        find_backbone("dinov2", str(save_vit(tmp_path / "vit")))
    with pytest.raises(MetricError, match="of type clip; accepted for siglip are: siglip, siglip2"):
        find_backbone("siglip", str(save_clip(tmp_path / "clip")))


@pytest.fixture
def place(tmp_path, monkeypatch, pictures):
    """Models, two generated pictures and their references in a folder of their own, from which commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    for number in range(2):
        write_png(Image.open(pictures[number]), tmp_path / f"made/cat/oil/{number}.png")
    write_png(Image.open(pictures[1]), tmp_path / "given/subjects/cat/0.png")
    write_png(Image.open(pictures[2]), tmp_path / "given/styles/oil/0.png")
    save_dinov2(tmp_path / "dinov2")
    save_siglip(tmp_path / "siglip")
    save_csd(tmp_path / "csd")
    return tmp_path


def lorarar_judge(*words):
    return CliRunner().invoke(app, words)


FOLDERS = ("--generated", "made", "--references", "given")
NAMED_MODELS = ("--dinov2", "dinov2", "--siglip", "siglip", "--csd", "csd/checkpoint.pth", "--device", "cpu")


def test_new_metrics_are_measured_kept_and_known_by_their_backbones(place):
    done = lorarar_judge("run", "--metrics", "dinov2,siglip-i,siglip-t,csd", *FOLDERS, *NAMED_MODELS, "--json")
    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout)
    assert [counts[name]["measured"] for name in METRIC_NAMES] == [2, 2, 0, 2]
    again = json.loads(
        lorarar_judge("run", "--metrics", "dinov2,siglip-i,csd", *FOLDERS, *NAMED_MODELS, "--json").stdout
    )
    assert [again[name]["found"] for name in ("dinov2", "siglip-i", "csd")] == [2, 2, 2]


def test_a_report_says_which_backbones_its_columns_are_by_and_the_caution_of_csd(place):
    answering_critic(new_tokenizer(place / "critic")).save_pretrained(place / "critic")
    named = ("mars2,dino,dinov2,csd", *FOLDERS, *NAMED_MODELS, "--dino", "dinov2", "--critic", "critic")
    done = lorarar_judge("run", "--metrics", *named)
    assert done.exit_code == 0, done.output
    report = lorarar_judge("report", "--format", "markdown", *FOLDERS).stdout
    assert "| DINOv2" in report and "| CSD" in report
    assert "DINOv2: mean cosine to the subject's references, 224 of 256 pixels, higher is better; by dinov2 (" in report
    assert METRICS["csd"].caution in report
    known = json.loads(lorarar_judge("report", "--json", *FOLDERS).stdout)
    assert known["cautions"] == {"csd": METRICS["csd"].caution}
    assert set(known["backbones"]) == {"dino", "dinov2", "csd"}
    (group,) = known["groups"]
    assert group["dino"] != group["dinov2"]  # 28 pixels a side of one, as the model is made for, 224 of the other


def test_every_metric_is_listed_with_who_uses_it():
    listed = {row["name"]: row for row in json.loads(lorarar_judge("metrics", "--json").stdout)}
    assert set(METRIC_NAMES) < set(listed) == set(METRICS)
    assert all(row["paper"] for row in listed.values())
    assert listed["csd"]["customary"] is None and "2605.09030" in listed["csd"]["caution"]
    assert "arXiv 2504.13206" in lorarar_judge("metrics").stdout


def test_a_csd_that_nobody_named_is_one_line(place):
    done = lorarar_judge("run", "--metrics", "csd", *FOLDERS)
    assert done.exit_code == 1
    assert "no CSD is customary" in " ".join(done.stderr.split())
    assert "Traceback" not in done.output
