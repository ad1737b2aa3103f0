"""Metrics against true pictures, and which backbone measures what: independent truths and planted faults."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from judge.metrics.backbones.clip import Clip
from judge.metrics.instruments import Instruments
from judge.metrics.scores import ScoreStore
from judge.metrics.stored_scores import score_keys
from judge.metrics.table import METRICS
from judge.metrics.truth import TrueCells
from judge.pocket import ground_truth
from judge.reports.groups import mean_scores
from judge.reports.report import by_group
from judge.targets import Target
from lorarar.pictures.images import write_png
from lorarar.pocket.concepts import style_named, subject_named
from lorarar.pocket.ground_truth import true_picture
from lorarar.store import Store

GLOWING, STICKER = style_named("glowing"), style_named("sticker")
CAN, TEAPOT = subject_named("can"), subject_named("teapot")
RMS, IDENTIFIED = METRICS["rms-truth"], METRICS["identified"]


def target(path, image, subject="can", style="glowing", row="direct"):
    write_png(image, path)
    return Target(path, row, subject, style, (), (), "glowing", "")


@pytest.fixture
def scores(tmp_path):
    with Store(tmp_path / "a.db") as store:
        yield ScoreStore(store)


def measured(scores, metric, targets):
    cells = TrueCells("pocket", ground_truth)
    outcome = scores.score(metric, targets, cells)
    stored = scores.of(metric, json.dumps(cells.record(), sort_keys=True))
    return outcome, [stored[key] for key in score_keys(metric, targets)]


def noisy(image, amount, seed):
    noise = np.random.default_rng(seed).normal(0, amount, (*image.size, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("shown", "identified"),
    [
        ((CAN, GLOWING), 1.0),
        ((TEAPOT, GLOWING), 0.0),  # the right style of a wrong subject
        ((CAN, STICKER), 0.0),  # the right subject in a wrong style
    ],
)
def test_a_picture_is_identified_where_it_is_its_own_cells(shown, identified, scores, tmp_path):
    picture = target(tmp_path / "a.png", noisy(true_picture(*shown), 20, 0))
    assert measured(scores, IDENTIFIED, [picture])[1] == [identified]


def test_nearness_is_the_root_mean_square_of_blurred_pixels_over_pictures_and_pairs(scores, tmp_path):
    pictures, squares = [], {}
    for number, (subject, amount) in enumerate([(CAN, 10), (CAN, 60), (TEAPOT, 30)]):
        true = true_picture(subject, GLOWING)
        image = noisy(true, amount, number)
        pictures.append(target(tmp_path / f"{number}.png", image, subject.slug))
        one, other = (np.asarray(p.filter(ImageFilter.GaussianBlur(1.5)), float) for p in (image, true))
        squares.setdefault(subject.slug, []).append(((one - other) ** 2).mean())
    outcome, values = measured(scores, RMS, pictures)
    assert outcome.measured == 3
    assert values == pytest.approx([square**0.5 for of_pair in squares.values() for square in of_pair])
    (mean,) = by_group(dict(zip(pictures, values, strict=True)), "method", quadratic=RMS.quadratic).values()
    assert mean.value == pytest.approx(np.mean([np.mean(of) for of in squares.values()]) ** 0.5)
    assert measured(scores, RMS, pictures)[0].existing == 3  # nothing is measured twice


def test_a_root_mean_square_is_no_mean_of_roots():
    assert mean_scores({("a", "b"): [1.0, 7.0]}, quadratic=True).value == 5
    assert mean_scores({("a", "b"): [1.0, 7.0]}).value == 4


def test_what_has_no_true_picture_has_no_score_and_a_reason(scores, tmp_path):
    small = target(tmp_path / "small.png", Image.new("RGB", (8, 8)))
    mine = target(tmp_path / "mine.png", Image.new("RGB", (64, 64)), subject="mine")
    gone = replace(mine, image=tmp_path / "gone.png", subject="can")
    outcome = scores.score(RMS, [small, mine, gone], TrueCells("pocket", ground_truth))
    assert outcome.measured == 0
    assert outcome.faults == ("3 pictures without a true picture, or that cannot be read, or of another size than it",)


def test_a_backbone_is_the_familys_own_where_it_has_one_else_the_customary(tmp_path, monkeypatch):
    opened = []

    def find(kind, name, device):
        opened.append((kind, name))
        return Clip(None, None, None)

    monkeypatch.setattr("judge.metrics.registry.find_backbone", find)
    monkeypatch.setattr("judge.metrics.instruments.Features", lambda backbone: None)
    bases = ["pocket", "sdxl", "someone/base", ""]
    targets = [
        replace(target(tmp_path / f"{n}.png", Image.new("RGB", (8, 8))), base=base) for n, base in enumerate(bases)
    ]
    members = [found for _, found in Instruments({}).of(METRICS["clip-i"], targets)]
    assert members == [targets[:1], targets[1:]]
    assert opened == [("clip", "pocket"), ("clip", "openai/clip-vit-base-patch32")]
    instruments = Instruments({"dino": "mine"})
    for _ in range(2):  # found once
        assert [len(found) for _, found in instruments.of(METRICS["dino"], targets)] == [4]
    assert opened[2:] == [("dino", "mine")]
    assert [(cells.base, found) for cells, found in instruments.of(RMS, targets)] == [("pocket", targets[:1])]


def test_true_pictures_by_other_designs_or_styles_are_other_instruments(monkeypatch):
    before = ground_truth.revision()
    assert before == ground_truth.revision()
    monkeypatch.setattr(ground_truth, "STYLES", ground_truth.STYLES[1:])
    assert ground_truth.revision() != before
