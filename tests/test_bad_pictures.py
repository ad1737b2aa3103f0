"""One bad picture costs itself alone, by its name; a model that is bad itself is told from it."""

import math
import shutil

import numpy as np
import pytest
from PIL import Image

from judge.metrics.features import Features
from judge.metrics.preprocessing import Preprocessing, imagenet
from judge.metrics.registry import find_backbone
from judge.metrics.table import MetricError
from judge.reasons import print_faults
from tests.test_metrics import save_clip, save_vit

SIMPLE = Preprocessing(36, 32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.fixture(scope="module")
def dino(tmp_path_factory):
    return find_backbone("dino", str(save_vit(tmp_path_factory.mktemp("vit"))), "cpu")


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(3)
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(path)
    return paths


def whole(image, resize, crop):
    """The middle of a picture that is brought to size whole."""
    short = min(image.size)
    image = image.resize([int(resize * side / short) for side in image.size], Image.Resampling.BICUBIC)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    return np.asarray(image.crop((left, top, left + crop, top + crop)), np.float32) / 127.5 - 1


@pytest.mark.parametrize("size", [(640, 40), (40, 640), (333, 21), (5, 5), (1, 16), (16, 1)])
def test_pictures_up_to_sixteen_times_as_long_as_wide_keep_every_bit(size):
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8))
    assert np.array_equal(SIMPLE(image), whole(image, 36, 32).transpose(2, 0, 1))


@pytest.mark.parametrize("size", [(2000, 30), (30, 2001), (701, 7)])
def test_of_a_longer_picture_the_same_middle_is_seen(size):
    coarse = Image.fromarray(np.random.default_rng(2).integers(0, 256, (9, 9, 3), np.uint8))
    image = coarse.resize(size, Image.Resampling.BICUBIC)
    assert np.abs(SIMPLE(image) - whole(image, 36, 32).transpose(2, 0, 1)).max() < 0.06


@pytest.mark.parametrize("size", [(2_000_000, 1), (1, 2_000_000)])
def test_no_picture_however_thin_is_enlarged_beyond_bounds(size, monkeypatch):
    made, resize = [], Image.Image.resize

    def watched(image, wanted, *rest):
        made.append(wanted)
        return resize(image, wanted, *rest)

    monkeypatch.setattr(Image.Image, "resize", watched)
    assert imagenet(224)(Image.new("RGB", size, (255, 0, 0))).shape == (3, 224, 224)
    assert len(made) == 1 and max(made[0]) == 16 * 256 and min(made[0]) == 256


class Picky:
    """A backbone that cannot see some pictures, as a library or a memory may make one fail."""

    kind = "dino"

    def __init__(self, backbone, path, error):
        self.identity, self._backbone, self._error = backbone.identity, backbone, error
        self._disliked, self.batches = Image.open(path).convert("RGB").tobytes(), []

    def images(self, images):
        self.batches.append(len(images))
        if any(image.tobytes() == self._disliked for image in images):
            raise self._error
        return self._backbone.images(images)


@pytest.mark.parametrize(
    "error", [RuntimeError("out of memory"), MemoryError(), OverflowError("too long"), KeyError("x")]
)
def test_a_picture_on_which_a_model_fails_is_named_and_the_others_are_measured(dino, pictures, tmp_path, error):
    features = Features(Picky(dino, pictures[2], error), tmp_path / "kept")
    vectors = features.of(pictures)
    assert list(vectors) == [path for path in pictures if path != pictures[2]]
    assert list(features.faults) == [pictures[2]] and "2.png" in features.faults[pictures[2]]
    alone = Features(dino, tmp_path / "others").of(pictures)
    assert all(vectors[path] == pytest.approx(alone[path], abs=1e-5) for path in vectors)
    assert features.computed == 4


def test_a_picture_without_a_finite_vector_is_named_and_the_others_are_measured(dino, pictures, tmp_path):
    class Broken(Picky):
        def images(self, images):
            vectors = self._backbone.images(images)
            vectors[[image.tobytes() == self._disliked for image in images]] = math.nan
            return vectors

    features = Features(Broken(dino, pictures[4], None), tmp_path / "kept")
    assert list(features.of(pictures)) == pictures[:4]
    assert "gives no finite vector for" in features.faults[pictures[4]] and "4.png" in features.faults[pictures[4]]
    again = Features(dino, tmp_path / "kept")  # nothing of it was kept
    assert list(again.of(pictures)) == pictures and again.computed == 1


def test_a_model_that_fails_on_everything_ends_the_metric_at_once(dino, pictures, tmp_path):
    class Lost(Picky):
        def images(self, images):
            self.batches.append(len(images))
            raise RuntimeError("device lost")

    lost = Lost(dino, pictures[0], None)
    with pytest.raises(MetricError, match="device lost; nor does it see a plain picture"):
        Features(lost, tmp_path / "kept").of(pictures)
    assert len(lost.batches) <= 4  # halves down to one picture, and the plain one


def reset(folder, **settings):
    """Save a CLIP again with another text model's settings, the tokenizer left as it is."""
    from transformers import CLIPConfig, CLIPModel

    config = CLIPConfig.from_pretrained(folder)
    for name, value in settings.items():
        setattr(config.text_config, name, value)
    CLIPModel(config).save_pretrained(folder)
    return find_backbone("clip", str(folder), "cpu")


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    return save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def clip_copy(clip_folder, tmp_path):
    return shutil.copytree(clip_folder, tmp_path / "clip")


def test_a_clip_that_looks_for_another_end_than_its_tokenizer_writes_is_refused(clip_copy):
    with pytest.raises(MetricError, match=r"clip: the tokenizer's end of text is \d+, the model's 7$"):
        reset(clip_copy, eos_token_id=7).texts(["a dog in watercolor", "a teapot, glowing"])


def test_a_clip_with_fewer_words_than_its_tokenizer_is_refused(clip_copy):
    with pytest.raises(MetricError, match=r"the tokenizer has \d+ tokens, the model 200$"):
        reset(clip_copy, vocab_size=200).texts(["a dog in watercolor"])


def test_the_end_of_configurations_of_old_is_the_token_of_the_largest_number(clip_copy):
    vectors = reset(clip_copy, eos_token_id=2).texts(["a dog in watercolor", "a teapot, glowing"])
    assert float(vectors[0] @ vectors[1]) < 0.9999


def test_how_many_more_faults_there_are_is_told(capsys):
    print_faults([f"{number}.png is too large" for number in range(7)])
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("  0.png is too large", "  and 2 more", 6)
