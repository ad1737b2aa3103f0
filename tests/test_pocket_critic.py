"""Pocket's critic: its pictures, its pairs, its training, on toy banks; what is trained is what is asked."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from judge.critics import find_critic
from judge.critics.local.reader import answer_tokens, probabilities
from judge.pocket import bank as banks
from judge.pocket import held_out_trials as trials
from judge.pocket import shipped
from judge.pocket.bank import Bank, make_bank
from judge.pocket.critic import new_critic, new_tokenizer
from judge.pocket.critic_training import CriticObjective
from judge.pocket.extra_classes import distinct, extra_classes
from judge.pocket.pairs import UNLIKE, EasyPairs, Pairs
from judge.pocket.stages import critic as stage
from judge.pocket.stages.bank import bank_file
from judge.pocket.stages.vision_tower import encode, run_vision_tower
from judge.pocket.vision_tower import DESIGN, LOOK, standardise, supervised_contrast
from judge.questions import PAPER, Question
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.build_manifest import BuildManifest
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import held_out_designs, held_out_params, style_named, subject_named
from lorarar.pocket.styles import StyleParams
from lorarar.pocket.training_pictures import STYLE_FAMILIES, distance


def drawing(shape, colour):
    image = Image.new("RGBA", (128, 128))
    getattr(ImageDraw.Draw(image), shape)((20, 30, 100, 110), fill=colour)
    return image


@pytest.fixture(scope="module")
def bank():
    """Designs of Pocket's own classes, a held-out one among them, and of other things, in a few looks."""
    designs = {
        (name, artist): drawing(shape, colour)
        for name, shape in (("cat", "ellipse"), ("dog", "rectangle"), ("violin", "ellipse"), ("kite", "rectangle"))
        for artist, colour in (("noto", "teal"), ("emojione", "firebrick"), ("twemoji", "gold"))
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(banks, "LOOKS_OF_FAMILY", 4)
        patch.setattr(banks, "DESIGNS_OF_LOOK", 6)
        patch.setattr(banks, "OWN", 0.5)
        return make_bank(designs, seed=0, processes=1)


def test_the_bank_leaves_out_what_is_held_out(bank):
    held = {key for key in held_out_designs() if key[0] in ("cat", "dog")}
    assert held == {("cat", "emojione"), ("dog", "noto-v1"), ("dog", "twemoji"), ("dog", "emojione")}
    assert int(bank.designs.max()) + 1 == 12 - 3
    assert set(bank.classes[bank.own]) == {CLASS_NAMES.index("cat"), CLASS_NAMES.index("dog")}
    assert len(bank.own) < len(bank.classes)
    for look in range(1, int(bank.looks.max()) + 1):
        family = STYLE_FAMILIES[int(bank.families[bank.looks == look][0])]
        assert len(set(bank.designs[bank.looks == look])) == 6
        knobs = StyleParams.from_knobs(bank.knobs[look])
        assert all(distance(knobs, other) > 0.12 for other in held_out_params(family))


def test_other_things_are_none_of_pockets(tmp_path):
    groups = {"Objects": ["violin", "alarm-clock", "no-sign"], "Animals & Nature": ["dog-face", "dodo"], "Flags": ["x"]}
    (tmp_path / "metadata.json").write_text(json.dumps({"categories": groups | {key: [] for key in REST}}))
    assert [extra.name for extra in extra_classes(tmp_path)] == ["dodo", "violin"]


REST = ("Activities", "Food & Drink", "Travel & Places")


def test_a_drawing_like_an_earlier_one_is_left_out():
    ours, same, other = drawing("ellipse", "teal"), drawing("ellipse", "darkcyan"), drawing("rectangle", "gold")
    assert list(distinct({"a": ours, "b": same, "c": other})) == ["a", "c"]


def test_pairs_are_what_they_say(bank):
    pairs, generator = Pairs(bank), torch.Generator().manual_seed(0)
    hard = 0
    for _ in range(12):
        _, references, tests, same = pairs.sample("subject", 16, generator)
        for reference, test, yes in zip(references, tests, same, strict=True):
            assert bank.looks[reference] == 0
            assert (bank.designs[reference] == bank.designs[test]) == bool(yes)
            hard += not yes and bank.classes[reference] == bank.classes[test]
        family, references, tests, same = pairs.sample("style", 16, generator)
        for reference, test, yes in zip(references, tests, same, strict=True):
            assert bank.families[reference] == family
            if yes:
                assert bank.looks[reference] == bank.looks[test]
            elif bank.families[test] == family:
                knobs = [StyleParams.from_knobs(bank.knobs[bank.looks[row]]) for row in (reference, test)]
                assert distance(*knobs) >= UNLIKE
                hard += 1
    assert hard > 20


def test_in_easy_pairs_one_thing_decides(bank):
    pairs, generator = EasyPairs(bank), torch.Generator().manual_seed(0)
    for aspect in ("subject", "style") * 4:
        family, references, tests, same = pairs.sample(aspect, 16, generator)
        for reference, test, yes in zip(references, tests, same, strict=True):
            assert bank.families[reference] == family
            if aspect == "subject":
                assert bank.looks[test] == 0
                assert (reference == test) == bool(yes)
                assert yes or bank.classes[reference] != bank.classes[test]
            elif yes:
                assert bank.looks[reference] == bank.looks[test]
            else:
                assert bank.families[test] not in (0, family)


def test_standardised_tokens_have_means_of_unit_deviation(tmp_path):
    torch.manual_seed(0)
    projector = new_critic(new_tokenizer(tmp_path)).model.multi_modal_projector
    tokens = torch.randn(50, 9, 128) * 5 + torch.randn(50, 1, 128) + 3
    standardise(projector, tokens)
    projector.requires_grad_(False)
    means = projector(tokens).mean(1)
    assert float(means.mean(0).abs().max()) < 1e-4
    told = DESIGN + LOOK
    assert means.std(0)[:told].numpy() == pytest.approx(np.ones(told), rel=1e-4)
    assert not projector(tokens)[..., told:].any()


def test_contrast_is_that_of_khosla_and_others():
    torch.manual_seed(0)
    features, labels = torch.randn(5, 3), torch.tensor([0, 0, 1, 1, 1])
    cosine = torch.cosine_similarity(features[:, None], features[None], dim=2) / 0.1
    parts = []
    for i in range(5):
        others = [j for j in range(5) if j != i]
        total = torch.stack([cosine[i, j].exp() for j in others]).sum().log()
        parts.append(torch.stack([total - cosine[i, j] for j in others if labels[j] == labels[i]]).mean())
    assert float(supervised_contrast(features, labels)) == pytest.approx(float(torch.stack(parts).mean()), rel=1e-5)


@pytest.mark.parametrize("mode", ["pad", "anyres"])
def test_what_is_trained_is_what_is_asked(bank, tmp_path, mode):
    """The training's logits on cached tokens are the shipped critic's answer to the whole question."""
    torch.manual_seed(0)
    tokenizer = new_tokenizer(tmp_path / "critic")
    critic = new_critic(tokenizer)
    for parameter in critic.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.09)
    critic.eval()
    critic.save_pretrained(tmp_path / "critic")
    tower = critic.model.vision_tower
    tokens = torch.stack([encode(tower, torch.from_numpy(bank.pixels[:6])).float()] * 2)
    objective = CriticObjective(critic, tokenizer, Pairs(bank), tokens, 2)
    pictures = []
    for number in range(6):
        pictures.append(tmp_path / f"{number}.png")
        Image.fromarray(bank.pixels[number]).save(pictures[-1])
    family = STYLE_FAMILIES.index("glowing")
    for aspect, number in (("subject", 0), ("style", family)):
        with torch.no_grad():
            logits = objective.logits(
                objective.questions[0, aspect, number], tokens[0, :3], tokens[0, 3:], mode == "anyres"
            )
        questions = [
            Question(aspect, PAPER.render(aspect, "glowing"), PAPER.system, reference, test)
            for reference, test in zip(pictures[:3], pictures[3:], strict=True)
        ]
        with find_critic(str(tmp_path / "critic"), image_mode=mode, device="cpu") as opened:
            replies = dict(opened.ask(questions))
        wanted = probabilities(logits, *answer_tokens(tokenizer))
        assert [replies[k].probability for k in range(3)] == pytest.approx(wanted, abs=2e-3)
        assert np.ptp(wanted) > 0.01


@pytest.fixture
def context(bank, tmp_path, monkeypatch):
    made = BuildContext(tmp_path / "build", steps=2)
    made.folder.mkdir()
    bank.save(bank_file(made))
    monkeypatch.setattr(shipped, "CRITIC", tmp_path / "shipped" / "critic")
    monkeypatch.setattr(shipped, "MANIFEST", BuildManifest(tmp_path / "shipped" / "judges.json"))
    monkeypatch.setattr(trials, "HELD_SUBJECTS", (subject_named("cat #2"), subject_named("teapot")))
    monkeypatch.setattr(trials, "HELD_STYLES", (style_named("glowing"), style_named("oil painting #2")))
    designs = {
        (subject.class_name, artist): drawing("ellipse", "teal")
        for subject in trials.HELD_SUBJECTS
        for artist in (subject.artist, "another")
    }
    monkeypatch.setattr(stage, "fetch_designs", lambda folder: designs)
    monkeypatch.setattr(stage, "SIZE", 4)
    return made


def test_the_stages_ship_measure_and_go_on(context):
    run_vision_tower(context)
    assert (context.folder / "eyes" / "model.safetensors").is_file()
    stage.run_critic(context)
    facts = shipped.MANIFEST.stages()["critic"]
    assert (facts["steps"], facts["subject"]["trials"], facts["style"]["trials"]) == (4, 16, 8)
    assert 0 <= facts["subject"]["auroc"] <= 1
    size = sum(path.stat().st_size for path in shipped.CRITIC.iterdir())
    assert size < 8e6
    with find_critic(str(shipped.CRITIC), image_mode="pad", device="cpu") as critic:
        assert critic.reader.yes and critic.reader.no
    weights = shipped.CRITIC / "model.safetensors"
    before = weights.read_bytes()
    shutil.rmtree(context.folder / "eyes")
    context.checkpoint("critic").unlink()
    stage.run_critic(context)  # goes on from what is shipped, where easy pairs are past
    assert weights.read_bytes() != before
    assert shipped.MANIFEST.stages()["critic"]["steps"] == 2


def test_a_bank_survives_its_file(bank, tmp_path):
    bank.save(tmp_path / "bank.npz")
    again = Bank.load(tmp_path / "bank.npz")
    assert np.array_equal(again.pixels, bank.pixels)
    assert np.array_equal(again.knobs, bank.knobs)
