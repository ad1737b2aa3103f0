"""Pocket's critic: its pictures, its pairs, its training, on toy banks; what is trained is what is asked."""

import json
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from judge.checks.paraphrases import PARAPHRASES
from judge.critics import find_critic
from judge.critics.local.reader import answer_tokens, chances
from judge.pocket import bank as banks
from judge.pocket import critic_figures, shipped
from judge.pocket import held_out_trials as trials
from judge.pocket.augmentations import BankPictures
from judge.pocket.bank import Bank, make_bank
from judge.pocket.critic import adopt_tokenizer, new_critic, new_tokenizer
from judge.pocket.critic_training import EARLY, UNKNOWN, CriticObjective, asking_loss, disagreement
from judge.pocket.extra_classes import distinct, extra_classes
from judge.pocket.generated_wordings import generate_wording
from judge.pocket.labelled_rows import LabelledRows, draw_one
from judge.pocket.pair_reader import PairReader, verdicts
from judge.pocket.pair_sequences import ANYRES, PAD, PairSequences
from judge.pocket.pairs import UNLIKE, EasyPairs, Pairs
from judge.pocket.question_pool import QuestionPool
from judge.pocket.question_tokens import QuestionSampler
from judge.pocket.stages import critic as stage
from judge.pocket.stages import figures
from judge.pocket.stages.bank import bank_file
from judge.pocket.stages.vision_tower import run_vision_tower
from judge.pocket.vision_tower import DESIGN, LOOK, encode, standardise, supervised_contrast
from judge.pocket.word_noise import MISLEADING, WORDS, disturb, misspell
from judge.pocket.wordings import WORDINGS
from judge.questions import PAPER, Question
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.build_manifest import BuildManifest
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import held_out_designs, held_out_params, style_named, subject_named
from lorarar.pocket.styles import StyleParams
from lorarar.pocket.training_pictures import STYLE_FAMILIES, distance

from .random_critic import answering_critic


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
    pairs, hard = Pairs(bank).sample(600, torch.Generator().manual_seed(0)), 0
    assert 0.3 < (pairs.families > 0).float().mean() < 0.6
    for family, reference, test, yes in zip(pairs.families, pairs.references, pairs.tests, pairs.same, strict=True):
        assert bank.families[reference] == family
        if family == 0:
            assert bank.looks[reference] == 0
            assert (bank.designs[reference] == bank.designs[test]) == bool(yes)
            hard += not yes and bank.classes[reference] == bank.classes[test]
        elif yes:
            assert bank.looks[reference] == bank.looks[test]
        elif bank.families[test] == family:
            knobs = [StyleParams.from_knobs(bank.knobs[bank.looks[row]]) for row in (reference, test)]
            assert distance(*knobs) >= UNLIKE
            hard += 1
    assert hard > 100


def test_in_easy_pairs_one_thing_decides(bank):
    pairs = EasyPairs(bank).sample(300, torch.Generator().manual_seed(0))
    for family, reference, test, yes in zip(pairs.families, pairs.references, pairs.tests, pairs.same, strict=True):
        assert bank.families[reference] == family
        if family == 0:
            assert bank.looks[test] == 0
            assert (reference == test) == bool(yes)
            assert yes or bank.classes[reference] != bank.classes[test]
        elif yes:
            assert bank.looks[reference] == bank.looks[test]
        else:
            assert bank.families[test] not in (0, family)


def test_rows_are_drawn_by_their_labels():
    """Every row of a label comes up, no other does, and a lone row has no other."""
    labels, generator = torch.tensor([3, 0, 3, 1, 3]), torch.Generator().manual_seed(0)
    rows = LabelledRows(labels)
    assert set(rows.draw(torch.full((60,), 3), generator).tolist()) == {0, 2, 4}
    assert set(rows.draw_other(torch.full((60,), 2), torch.full((60,), 3), generator).tolist()) == {0, 4}
    assert rows.draw_other(torch.tensor([1, 3]), torch.tensor([0, 1]), generator).tolist() == [1, 3]
    some = LabelledRows(torch.tensor([1, 0, 1]), torch.tensor([7, 8, 9]))
    assert set(some.draw(torch.ones(40, dtype=torch.long), generator).tolist()) == {7, 9}
    allowed = torch.tensor([[False, True, True], [False, False, True]]).repeat(40, 1)
    assert set(draw_one(allowed, generator)[::2].tolist()) == {1, 2}
    assert set(draw_one(allowed, generator)[1::2].tolist()) == {2}


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
    tokenizer = new_tokenizer(tmp_path / "critic")
    critic = answering_critic(tokenizer)
    critic.save_pretrained(tmp_path / "critic")
    tower = critic.model.vision_tower
    tokens = encode(tower, torch.from_numpy(bank.pixels[:6])).float()
    reader, sampler = PairReader(critic, tokenizer), QuestionSampler(tokenizer)
    layout = ANYRES if mode == "anyres" else PAD
    pictures = []
    for number in range(6):
        pictures.append(tmp_path / f"{number}.png")
        Image.fromarray(bank.pixels[number]).save(pictures[-1])
    for aspect in ("subject", "style"):
        longer = sampler.tokens(PARAPHRASES[0], aspect, "melting golden rendering" * 3)
        asked = PairSequences.of([*[sampler.tokens(PAPER, aspect, "glowing")] * 3, longer], layout)
        pairs = tokens.view(2, 3, *tokens.shape[1:])[:, [0, 1, 2, 2]]
        with torch.no_grad():
            read = verdicts(reader.read(asked.codes, pairs), asked.lengths)
            states = verdicts(reader.states(asked.codes, pairs), asked.lengths)
        logits = critic.lm_head(states)[:3]
        questions = [
            Question(aspect, PAPER.render(aspect, "glowing"), PAPER.system, reference, test)
            for reference, test in zip(pictures[:3], pictures[3:], strict=True)
        ]
        with find_critic(str(tmp_path / "critic"), image_mode=mode, device="cpu") as opened:
            replies = dict(opened.ask(questions))
        wanted = [yes / (yes + no) for yes, no in chances(logits, *answer_tokens(tokenizer))]
        assert torch.allclose(read[:3], logits[:, reader.answers], atol=1e-5)
        assert [replies[k].probability for k in range(3)] == pytest.approx(wanted, abs=2e-3)
        assert np.ptp(wanted) > 0.01


@pytest.fixture
def context(bank, tmp_path, monkeypatch):
    made = BuildContext(tmp_path / "build", steps=2)
    made.folder.mkdir()
    bank.save(bank_file(made))
    monkeypatch.setattr(shipped, "CRITIC", tmp_path / "shipped" / "critic")
    monkeypatch.setattr(shipped, "MANIFEST", BuildManifest(tmp_path / "shipped" / "judges.json"))
    monkeypatch.setattr(stage, "SIZE", 2)
    monkeypatch.setattr(stage, "QUESTIONS", 2)
    return made


def test_the_stages_ship_and_go_on(context):
    run_vision_tower(context)
    assert (context.folder / "eyes" / "model.safetensors").is_file()
    stage.run_critic(context)
    facts = shipped.MANIFEST.stages()["critic"]
    assert facts["steps"] == 4
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


def test_the_figures_are_of_what_is_shipped(context, monkeypatch):
    """Measured with the shipped weights on two subjects and styles of each split, whose answers are known."""
    monkeypatch.setattr(shipped, "CRITIC", Path(stage.__file__).parents[1] / "weights" / "critic")
    subjects, styles = ("cat #2", "dog #2"), ("glowing", "oil painting #1")
    monkeypatch.setattr(trials, "HELD_SUBJECTS", tuple(map(subject_named, subjects)))
    monkeypatch.setattr(trials, "HELD_STYLES", tuple(map(style_named, styles)))
    designs = {
        (subject.class_name, artist): drawing("ellipse", "teal")
        for subject in trials.HELD_SUBJECTS
        for artist in (subject.artist, "another")
    }
    monkeypatch.setattr(figures, "fetch_designs", lambda folder: designs)
    monkeypatch.setattr(critic_figures, "PARAPHRASES", PARAPHRASES[:2])
    figures.run_figures(context)
    facts = shipped.MANIFEST.stages()["figures"]
    critic = facts["critic"]
    assert (critic["subject"]["trials"], critic["style"]["trials"]) == (16, 8)
    assert critic["style"]["right"] >= 0.75
    assert critic["test"]["cells"] == critic["validation"]["cells"] == 1
    assert critic["test"]["lowest_wording"] <= critic["test"]["accepted"] <= critic["test"]["highest_wording"]
    assert facts["clip"]["words"]["cells"] == 4
    assert set(facts["dino"]["subject"]) >= {"auroc", "auroc_hard"}


def sentences(text):
    """The long sentences of a question, without marks and case, and without how to answer."""
    parts = re.split(r"[.?!:\n]", re.sub(r"\{\w+\}", " x ", text.lower()))
    words = (" ".join(re.findall(r"[a-z]+", part)) for part in parts)
    return {sentence for sentence in words if sentence.count(" ") >= 5 and not sentence.startswith("answer with")}


def test_no_generated_wording_is_one_of_the_checks():
    """A check in other words measures what was understood only where its words were not learnt by heart."""
    rng = random.Random(1)
    generated = [generate_wording(rng) for _ in range(3000)]
    learnt = {
        s for prompts in (*generated, *WORDINGS) for text in (prompts.subject, prompts.style) for s in sentences(text)
    }
    asked = {s for prompts in PARAPHRASES[2:] for text in (prompts.subject, prompts.style) for s in sentences(text)}
    assert len(learnt) > 2000 and len(asked) > 40
    assert not learnt & asked


def test_generated_wordings_are_sound_and_many():
    rng = random.Random(0)
    generated = [generate_wording(rng) for _ in range(300)]
    assert len({prompts.subject for prompts in generated}) > 295
    for prompts in generated:
        for text in (prompts.subject, prompts.style):
            assert not re.search(r"[\[\]|<>]", text), text
            assert set(re.findall(r"\{(\w+)\}", text)) <= {"reference", "test", "style"}
            assert re.search(r"\b(yes|no)\b", text, re.IGNORECASE)


def test_noise_keeps_pictures_and_styles_and_changes_most_words():
    rng = random.Random(0)
    disturbed = [disturb(PAPER.style, rng) for _ in range(200)]
    marks = re.compile(r"\{\w+\}")
    assert all(marks.findall(text) == marks.findall(PAPER.style) for text in disturbed)
    assert len(set(disturbed)) == 200
    kept = [len(set(text.split()) & set(PAPER.style.split())) / len(set(PAPER.style.split())) for text in disturbed]
    assert 0.5 < np.mean(kept) < 0.9
    assert any(len(text) > len(PAPER.style) for text in disturbed)


def test_idle_talk_names_no_style():
    """A style's name tells that a question is about styles; else noise would ask something else."""
    assert not {*WORDS, *MISLEADING} & {word for family in STYLE_FAMILIES for word in family.lower().split()}


def test_a_misspelt_word_is_off_by_one_letter_at_most():
    rng = random.Random(0)
    words = [misspell("subject", rng) for _ in range(100)]
    assert {len(word) for word in words} == {6, 7, 8}
    assert all(sum(a != b for a, b in zip(word, "subject", strict=True)) <= 1 for word in words if len(word) == 7)


def test_a_critic_takes_up_another_tokenizer(tmp_path):
    """Tokens that both have keep their meaning; a new one starts as the mean of what it was written with."""
    old = new_tokenizer(tmp_path / "old")
    critic = new_critic(old)
    rows = critic.get_input_embeddings().weight.detach().clone()
    kept = old.convert_ids_to_tokens(range(261))  # special tokens and bytes
    fresh = Tokenizer(models.BPE({token: k for k, token in enumerate([*kept, "xq"])}, [("x", "q")]))
    fresh.pre_tokenizer, fresh.decoder = old.backend_tokenizer.pre_tokenizer, old.backend_tokenizer.decoder
    new = PreTrainedTokenizerFast(tokenizer_object=fresh)
    adopt_tokenizer(critic, old, new)
    after = critic.get_input_embeddings().weight
    assert len(after) == critic.config.text_config.vocab_size == 262
    assert torch.equal(after[:261], rows[:261])
    x, q = (old.get_vocab()[letter] for letter in "xq")
    assert torch.allclose(after[261], (rows[x] + rows[q]) / 2)
    assert critic.lm_head.weight is after


def test_every_batch_has_an_answer(bank, tmp_path):
    """The mean over no answers is not a number; of few pairs all are blends now and then."""
    tokenizer = new_tokenizer(tmp_path)
    pool = QuestionPool(tokenizer, 2)
    objective = CriticObjective(new_critic(tokenizer), tokenizer, Pairs(bank), BankPictures(bank), pool, 2)
    answers = [objective.batch(torch.Generator().manual_seed(seed))[2] for seed in range(30)]
    assert all((answer != UNKNOWN).any() for answer in answers)
    assert any((answer == UNKNOWN).any() for answer in answers)


def test_disagreement_is_none_where_verdicts_agree_and_at_most_one():
    one = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    assert float(disagreement(torch.stack([one, one + 3]))) == pytest.approx(0, abs=1e-6)
    differences = (0.462117**2 + 0.761594**2) / 2  # of tanh
    assert float(disagreement(torch.stack([one, -one]))) == pytest.approx(differences, rel=1e-4)
    assert float(disagreement(torch.stack([one, one, -one]))) == pytest.approx(differences * 2 / 3, rel=1e-4)
    assert float(disagreement(torch.stack([100 * one, -100 * one]))) == pytest.approx(1)


def test_a_verdict_counts_where_it_is_read_and_a_little_before():
    """Of three rows the last has no answer; what stands before the second picture and in the filling counts nothing."""
    logits = torch.randn(3, 6, 2, generator=torch.Generator().manual_seed(0))
    starts, lengths, answers = torch.tensor([2, 3, 1]), torch.tensor([5, 6, 4]), torch.tensor([1, 0, UNKNOWN])
    costs = -logits.log_softmax(2)
    early = torch.stack([*costs[0, 2:4, 1], *costs[1, 3:5, 0]]).mean()
    wanted = (costs[0, 4, 1] + costs[1, 5, 0]) / 2 + EARLY * early
    assert float(asking_loss(logits, starts, lengths, answers)) == pytest.approx(float(wanted), rel=1e-6)


def test_questions_of_a_pool_are_about_what_is_asked(tmp_path):
    tokenizer, families = new_tokenizer(tmp_path), torch.tensor([0, 9, 0, 14] * 6)
    sequences = QuestionPool(tokenizer, 3).sample(families, torch.Generator().manual_seed(1))
    texts = [
        tokenizer.decode(row[:length].clamp(min=0))
        for row, length in zip(sequences.codes, sequences.lengths, strict=True)
    ]
    for family, text in zip(families.tolist(), texts, strict=True):
        assert [name for name in STYLE_FAMILIES[1:] if name in text] == ([STYLE_FAMILIES[family]] if family else [])
    assert len(set(texts)) > 12
    assert sequences.codes.shape[1] == int(sequences.lengths.max())


def test_a_bank_survives_its_file(bank, tmp_path):
    bank.save(tmp_path / "bank.npz")
    again = Bank.load(tmp_path / "bank.npz")
    assert np.array_equal(again.pixels, bank.pixels)
    assert np.array_equal(again.knobs, bank.knobs)
