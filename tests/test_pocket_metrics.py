import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from transformers import SiglipVisionModel

from judge.metrics.preprocessing import IMAGENET_DEVIATION, IMAGENET_MEAN
from judge.metrics.registry import find_backbone
from judge.pocket import shipped
from judge.pocket.augmentations import BankPictures, random_crops, random_tints
from judge.pocket.bank import Bank
from judge.pocket.clip import CAPTIONS, ClipObjective, caption_contrast, new_clip
from judge.pocket.dino import new_dino
from judge.pocket.held_out_trials import HeldOutTrial, cosine_auroc
from judge.pocket.stages import clip as clip_stage
from judge.pocket.stages import dino as dino_stage
from judge.pocket.stages.bank import bank_file
from judge.pocket.vision_tower import CONFIG as TOWER
from judge.pocket.vision_tower import tower_tokens
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.build_manifest import BuildManifest
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.text_encoders import write_tokenizer
from lorarar.pocket.training_pictures import SIDE, STYLE_FAMILIES

SHAPES = ("ellipse", "rectangle")
COLOURS = ("firebrick", "teal")
MEGABYTES = 4


def drawing(shape, colour, size=SIDE, ground=(255, 255, 255, 255)):
    image = Image.new("RGBA", (size, size), ground)
    getattr(ImageDraw.Draw(image), shape)((size // 5, size // 4, 3 * size // 4, 3 * size // 4), fill=colour)
    return image


@pytest.fixture(scope="module")
def bank():
    """Four designs of two classes, each plain twice and once in two looks."""
    rows = []
    for design, (shape, colour) in enumerate((s, c) for s in SHAPES for c in COLOURS):
        picture = np.asarray(drawing(shape, colour).convert("RGB"))
        for family, look, pixels in (
            (0, 0, picture),
            (0, 0, picture[:, ::-1]),
            (1, 1, 255 - picture),
            (2, 2, picture // 2),
        ):
            rows.append((pixels, design, design // 2, family, look))
    pixels, *labels = zip(*rows, strict=True)
    pixels = np.stack(pixels)
    return Bank(pixels, pixels // 4 * 4, *map(np.array, labels), np.zeros((3, 5)), np.array(CLASS_NAMES))


@pytest.fixture
def context(bank, tmp_path, monkeypatch):
    """A build on the toy bank that ships into a folder of its own."""
    made = BuildContext(tmp_path / "build", steps=3)
    made.folder.mkdir()
    bank.save(bank_file(made))
    for name in ("CLIP", "DINO"):
        monkeypatch.setattr(shipped, name, tmp_path / "shipped" / name.lower())
    monkeypatch.setattr(shipped, "MANIFEST", BuildManifest(tmp_path / "shipped" / "judges.json"))
    monkeypatch.setattr(clip_stage, "SIZE", 6)
    monkeypatch.setattr(dino_stage, "GROUPS", 3)
    return made


def megabytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def test_views_are_painted_or_decoded(bank):
    rows, generator = torch.arange(len(bank.pixels)).repeat(8), torch.Generator().manual_seed(0)
    pictures = BankPictures(bank).sample(rows, generator)
    painted, decoded = (
        torch.from_numpy(pixels)[rows].permute(0, 3, 1, 2).float() / 255 for pixels in (bank.pixels, bank.decoded)
    )
    of_painted, of_decoded = ((pictures == pixels).flatten(1).all(1) for pixels in (painted, decoded))
    assert bool((of_painted | of_decoded).all())
    assert 0.3 < float(of_painted.float().mean()) < 0.7


def test_a_whole_cut_is_the_picture_or_its_mirror_image(bank):
    images = torch.from_numpy(bank.pixels).permute(0, 3, 1, 2).float() / 255
    cut = random_crops(images, SIDE, (1.0, 1.0), torch.Generator().manual_seed(1))
    same, mirrored = (torch.isclose(cut, wanted, atol=1e-4).flatten(1).all(1) for wanted in (images, images.flip(3)))
    assert bool((same | mirrored).all())
    assert bool(same.any()) and bool((~same).any())


def test_a_small_cut_shows_a_part_at_the_right_scale():
    ramp = torch.linspace(0, 1, SIDE).expand(50, 3, SIDE, SIDE)  # grows to the right
    cut = random_crops(ramp, 16, (0.25, 0.25), torch.Generator().manual_seed(0))
    assert cut.shape == (50, 3, 16, 16)
    span = (cut[:, 0, 0, -1] - cut[:, 0, 0, 0]).abs()
    assert span.tolist() == pytest.approx([15 / 16 * 0.5 * SIDE / (SIDE - 1)] * 50, abs=1e-3)


def test_a_tint_of_no_strength_changes_nothing(bank):
    images = torch.from_numpy(bank.pixels).permute(0, 3, 1, 2).float() / 255
    generator = torch.Generator().manual_seed(0)
    assert torch.allclose(random_tints(images, 0.0, generator), images, atol=1e-6)
    changed = random_tints(images, 0.4, generator)
    assert float(changed.min()) >= 0 and float(changed.max()) <= 1
    assert not torch.allclose(changed, images, atol=0.02)


def test_contrast_counts_every_picture_of_a_caption():
    torch.manual_seed(0)
    images, texts, own = torch.randn(5, 8), torch.randn(3, 8), [0, 2, 0, 1, 2]
    cosine = torch.cosine_similarity(images[:, None], texts[None], dim=2)
    to_text = [-torch.log_softmax(4 * cosine[i], 0)[own[i]] for i in range(5)]
    to_image = []
    for text in range(3):
        chances = torch.log_softmax(4 * cosine[:, text], 0)
        to_image.append(-torch.stack([chances[i] for i in range(5) if own[i] == text]).mean())
    wanted = (torch.stack(to_text).mean() + torch.stack(to_image).mean()) / 2
    assert float(caption_contrast(images, texts, torch.tensor(own), torch.tensor(4.0))) == pytest.approx(float(wanted))


def test_a_caption_without_a_picture_is_only_a_wrong_answer():
    torch.manual_seed(0)
    images, texts, own = torch.randn(3, 8), torch.randn(4, 8), torch.tensor([0, 2, 0])
    cosine = torch.cosine_similarity(images[:, None], texts[None], dim=2)
    to_text = -torch.stack([torch.log_softmax(4 * cosine[i], 0)[own[i]] for i in range(3)]).mean()
    chances = torch.log_softmax(4 * cosine, 0)
    to_image = -torch.stack([(chances[0, 0] + chances[2, 0]) / 2, chances[1, 2]]).mean()
    wanted = float((to_text + to_image) / 2)
    assert float(caption_contrast(images, texts, own, torch.tensor(4.0))) == pytest.approx(wanted)


def test_each_picture_has_the_captions_of_its_class_and_family(bank, tmp_path):
    tokenizer = write_tokenizer(tmp_path, ["picture"])
    objective = ClipObjective(new_clip(tokenizer), tokenizer, bank, BankPictures(bank), 12)
    images, *captions = objective.batch(torch.Generator().manual_seed(0))
    words = [[tokenizer.decode(row, skip_special_tokens=True).strip() for row in tokens] for tokens in captions[::2]]
    whole, of_class, of_family = ([kind[k] for k in own] for kind, own in zip(words, captions[1::2], strict=True))
    assert len(set(whole)) >= 3
    for text, class_text, family_text in zip(whole, of_class, of_family, strict=True):
        assert text == class_text + family_text.removeprefix("a picture")
    assert len(images) == len(whole) == 12


@pytest.fixture(scope="module")
def tower():
    torch.manual_seed(0)
    return SiglipVisionModel(TOWER)


def test_dino_starts_with_what_the_tower_sees(tower):
    """But for the class token, which takes a little attention, its tokens are the tower's."""
    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    vit = new_dino(tower)
    with torch.no_grad():
        vit.layernorm = torch.nn.Identity()
        ours = vit(pixel_values=(pixels - mean) / deviation).last_hidden_state[:, 1:]
        theirs = tower_tokens(tower, pixels * 2 - 1)
        plain = vit.embeddings((pixels - mean) / deviation)[:, 1:]
        assert torch.allclose(plain, tower.embeddings(pixels * 2 - 1), atol=1e-4)
    assert float((ours - theirs).abs().mean()) < 0.1 * float(theirs.abs().mean())


def test_the_clip_stage_ships_and_resumes(context):
    clip_stage.run_clip(context)
    facts = shipped.MANIFEST.stages()["clip"]
    assert facts["steps"] == 3
    assert megabytes(shipped.CLIP) < MEGABYTES
    backbone = find_backbone("clip", "pocket", "cpu")
    assert backbone.identity.name == "pocket"
    assert (backbone.identity.preprocessing.resize, backbone.identity.preprocessing.crop) == (SIDE, SIDE)
    assert backbone.texts(CAPTIONS).shape == (len(CLASS_NAMES) * len(STYLE_FAMILIES), 96)
    clip_stage.run_clip(context)
    assert shipped.MANIFEST.stages()["clip"] == facts
    assert find_backbone("clip", "pocket", "cpu").identity == backbone.identity


def test_the_dino_stage_ships_and_resumes(context):
    dino_stage.run_dino(context)
    facts = shipped.MANIFEST.stages()["dino"]
    assert facts["steps"] == 3
    assert megabytes(shipped.DINO) < MEGABYTES
    backbone = find_backbone("dino", "pocket", "cpu")
    assert (backbone.identity.preprocessing.resize, backbone.identity.preprocessing.crop) == (73, SIDE)
    dino_stage.run_dino(context)
    assert shipped.MANIFEST.stages()["dino"] == facts
    assert find_backbone("dino", "pocket", "cpu").identity == backbone.identity


def test_retrieval_ranks_trials_by_cosine():
    class Known:
        def images(self, pictures):
            turns = np.array([picture.getpixel((0, 0))[0] for picture in pictures]) / 255
            return np.stack([np.cos(turns), np.sin(turns)], 1).astype(np.float32)

    def trial(level, same, hard=False):
        grey = [Image.new("RGB", (4, 4), (value, value, value)) for value in (0, level)]
        return HeldOutTrial("subject", "", *grey, same, f"subject {level}", hard)

    mixed = [trial(10, True), trial(100, True), trial(50, False, hard=True), trial(200, False)]
    figures = cosine_auroc(Known(), mixed)
    assert (figures["auroc"], figures["auroc_hard"], figures["trials"]) == (0.75, 0.5, 4)
    assert "auroc_low" not in figures  # of four groups many resamples have no pair of both kinds
    many = cosine_auroc(Known(), [trial(10 + at, at % 3 > 0) for at in range(60)])
    assert many["auroc_low"] <= many["auroc"] <= many["auroc_high"]
