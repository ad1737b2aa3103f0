import signal

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from judge.metrics.registry import find_backbone
from judge.pocket import held_out_trials as trials
from judge.pocket import shipped
from judge.pocket.augmentations import BankPictures, random_crops, random_tints
from judge.pocket.bank import Bank
from judge.pocket.clip import CAPTIONS, caption_contrast
from judge.pocket.dino import DinoObjective, distillation
from judge.pocket.held_out_trials import HeldOutTrial, cosine_auroc
from judge.pocket.stages import clip as clip_stage
from judge.pocket.stages import dino as dino_stage
from judge.pocket.stages.bank import bank_file
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.build_manifest import BuildManifest
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import style_named, subject_named
from lorarar.pocket.training_pictures import SIDE, STYLE_FAMILIES
from lorarar.training.loop import Schedule, train

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
    return Bank(pixels, pixels // 4 * 4, *(np.array(label) for label in labels), np.zeros((3, 5)))


@pytest.fixture
def context(bank, tmp_path, monkeypatch):
    """A build on the toy bank that ships into a folder of its own and is measured on few trials."""
    made = BuildContext(tmp_path / "build", steps=3)
    made.folder.mkdir()
    bank.save(bank_file(made))
    for name in ("CLIP", "DINO"):
        monkeypatch.setattr(shipped, name, tmp_path / "shipped" / name.lower())
    monkeypatch.setattr(shipped, "MANIFEST", BuildManifest(tmp_path / "shipped" / "judges.json"))
    monkeypatch.setattr(trials, "HELD_SUBJECTS", (subject_named("cat #2"), subject_named("teapot")))
    monkeypatch.setattr(trials, "HELD_STYLES", (style_named("glowing"), style_named("oil painting #2")))
    subjects = [(s.class_name, artist) for s in trials.HELD_SUBJECTS for artist in (s.artist, "another")]
    designs = {key: drawing("ellipse", "teal", 128, (0, 0, 0, 0)) for key in subjects}
    monkeypatch.setattr(dino_stage, "fetch_designs", lambda folder: designs)
    monkeypatch.setattr(clip_stage, "SIZE", 6)
    monkeypatch.setattr(dino_stage, "SIZE", 3)
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


def test_distillation_never_compares_a_cut_with_itself():
    torch.manual_seed(0)
    aims, logits = torch.softmax(torch.randn(2, 3, 5), 2), torch.randn(4, 3, 5)
    parts = []
    for teacher in range(2):
        for student in range(4):
            if teacher != student:
                chances = torch.log_softmax(logits[student], 1)
                parts += [-(aims[teacher, n] * chances[n]).sum() for n in range(3)]
    assert float(distillation(aims, logits)) == pytest.approx(float(torch.stack(parts).mean()))


def test_the_teacher_follows_the_student_and_has_no_gradient(bank):
    torch.manual_seed(0)
    objective = DinoObjective(bank, 4)
    before = objective.teacher.prototypes.clone()
    train(objective, Schedule(2, 1e-2), title="dino")
    moved, ahead = (
        float((sorter.prototypes.detach() - before).abs().max()) for sorter in (objective.teacher, objective.student)
    )
    assert 0 < moved < ahead
    assert float(objective.centre.abs().max()) > 0
    assert all(p.grad is None for p in objective.teacher.parameters())


def test_a_distillation_that_was_interrupted_ends_as_an_unbroken_one(bank, tmp_path):
    def fresh():
        torch.manual_seed(0)
        return DinoObjective(bank, 2)

    def interrupt(step, loss):
        if step == 2:
            signal.raise_signal(signal.SIGINT)

    plan, file = Schedule(4, 1e-3), tmp_path / "state.pt"
    unbroken = train(fresh(), plan, title="dino").result()
    with pytest.raises(KeyboardInterrupt):
        train(fresh(), plan, file, title="dino", on_step=interrupt)
    resumed = train(fresh(), plan, file, title="dino").result()
    assert {"centre", "teacher.prototypes"} <= set(unbroken)
    assert all(torch.equal(resumed[name], tensor) for name, tensor in unbroken.items())


def test_the_clip_stage_ships_measures_and_resumes(context):
    clip_stage.run_clip(context)
    facts = shipped.MANIFEST.stages()["clip"]
    assert facts["steps"] == 3
    assert facts["words"]["cells"] == 4
    assert {"auroc", "auroc_hard"} <= set(facts["style"])
    assert 0 <= facts["words"]["class_right"] <= 1
    assert megabytes(shipped.CLIP) < MEGABYTES
    backbone = find_backbone("clip", "pocket", "cpu")
    assert backbone.identity.name == "pocket"
    assert (backbone.identity.preprocessing.resize, backbone.identity.preprocessing.crop) == (SIDE, SIDE)
    assert backbone.texts(CAPTIONS).shape == (len(CLASS_NAMES) * len(STYLE_FAMILIES), 96)
    clip_stage.run_clip(context)
    assert shipped.MANIFEST.stages()["clip"] == facts
    assert find_backbone("clip", "pocket", "cpu").identity == backbone.identity


def test_the_dino_stage_ships_measures_and_resumes(context):
    dino_stage.run_dino(context)
    facts = shipped.MANIFEST.stages()["dino"]
    assert facts["steps"] == 3
    assert facts["subject"]["trials"] == 16
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
    assert figures["auroc_low"] <= 0.75 <= figures["auroc_high"]
