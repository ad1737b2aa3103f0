import json
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, LlavaOnevisionConfig, PreTrainedTokenizerFast, Qwen2Config
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil

from judge.critics import CriticError, find_critic
from judge.critics.batching import batches, in_order
from judge.critics.chat import chat
from judge.critics.local.checkpoint import checkpoint_in
from judge.critics.local.critic import LocalCritic
from judge.critics.local.llava.image_features import ImageFeatures
from judge.critics.local.llava.llava_qwen import grid, translate
from judge.critics.local.llava.loader import PictureProcessor, load
from judge.critics.local.reader import PreparedQuestion, answer_tokens, choice_tokens
from judge.critics.local.reader import chances as local_chances
from judge.critics.local.settings import LocalSettings
from judge.critics.preparation import Preparation, prepare
from judge.non_answers import NonAnswer, non_answer_of
from judge.pair_questions import FIRST_SECOND_TIE, PAIRS
from judge.pocket.critic import new_tokenizer
from judge.questions import CODE, PAPER, PromptError, Question, Rendered, Reply, parse
from judge.reading import Writing, WrittenToken

from .random_critic import answering_critic, random_critic

ROOT = Path(__file__).parents[1]
SIZES = ((64, 64), (100, 40), (40, 90), (130, 130))


def write_original(model, tokenizer, folder):
    """The same weights and settings as a llava_qwen checkpoint has them."""
    names = (
        ("model.vision_tower.", "model.vision_tower.vision_tower.vision_model."),
        ("model.multi_modal_projector.linear_1.", "model.mm_projector.0."),
        ("model.multi_modal_projector.linear_2.", "model.mm_projector.2."),
        ("model.language_model.", "model."),
    )
    state = {}
    for key, tensor in model.state_dict().items():
        old, new = next(((old, new) for old, new in names if key.startswith(old)), ("", ""))
        state[new + key.removeprefix(old)] = tensor.clone()
    folder.mkdir()
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    text, tower = model.config.text_config, model.config.vision_config
    tokenizer.save_pretrained(folder)
    settings = {
        "architectures": ["LlavaQwenForCausalLM"],
        "model_type": "llava_qwen",
        "hidden_act": "silu",
        **{name: getattr(text, name) for name in ("hidden_size", "intermediate_size", "max_position_embeddings")},
        **{name: getattr(text, name) for name in ("num_attention_heads", "num_hidden_layers", "num_key_value_heads")},
        **{name: getattr(text, name) for name in ("rms_norm_eps", "vocab_size", "eos_token_id")},
        "rope_theta": text.rope_parameters["rope_theta"],
        "rope_scaling": None,
        "use_sliding_window": False,
        "tie_word_embeddings": False,
        "image_aspect_ratio": "anyres_max_9",
        "image_grid_pinpoints": "(1x1),...,(2x2)",
        "mm_hidden_size": tower.hidden_size,
        "mm_patch_merge_type": "spatial_unpad",
        "mm_projector_type": "mlp2x_gelu",
        "mm_vision_select_feature": "patch",
        "mm_vision_select_layer": -2,
        "mm_vision_tower": "tower",
    }
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "tower").mkdir()
    whole = tower.to_diff_dict() | {"num_hidden_layers": tower.num_hidden_layers + 1}
    (folder / "tower" / "config.json").write_text(json.dumps(whole | {"model_type": "siglip_vision_model"}))


@pytest.fixture(scope="session")
def critics(tmp_path_factory):
    """A tiny critic that answers, in transformers' naming and in the original one, and one that babbles."""
    folder = tmp_path_factory.mktemp("critics")
    new_tokenizer(folder / "pocket")
    tokenizer = AutoTokenizer.from_pretrained(
        folder / "pocket", config=Qwen2Config()
    )  # as original checkpoints are read
    for name in ("hf", "babbling"):
        tokenizer.save_pretrained(folder / name)
    random_critic(tokenizer).save_pretrained(folder / "babbling")
    model = answering_critic(tokenizer)
    model.save_pretrained(folder / "hf")
    write_original(model, tokenizer, folder / "original")
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    paths = []
    for number, (width, height) in enumerate(SIZES * 2):
        coarse = noise.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        paths.append(folder / f"{number}.png")
        image.save(paths[-1])
    return paths


@pytest.fixture(scope="session")
def questions(pictures):
    """Two aspects of every picture against three references."""
    return [
        Question(aspect, PAPER.render(aspect, "oil painting"), PAPER.system, reference, test)
        for reference in pictures[:3]
        for test in pictures
        for aspect in ("subject", "style")
    ]


def local(folder, **settings):
    return LocalCritic(checkpoint_in(folder), LocalSettings(device="cpu", **settings))


def chances(critic, questions):
    replies = dict(critic.ask(questions))
    assert sorted(replies) == list(range(len(questions)))
    assert {reply.status for reply in replies.values()} <= {"ok"}
    return np.array([replies[index].probability for index in range(len(questions))])


def shown(question, critic):
    return PreparedQuestion(question, tuple(map(critic.preparation, question.pictures)))


# one question, four ways


@pytest.mark.parametrize("image_mode", ["anyres", "pad"])
def test_batches_of_mixed_sizes_and_reuse_equal_one_at_a_time(critics, questions, image_mode):
    asked = questions[::5]
    alone = chances(local(critics / "hf", image_mode=image_mode, reuse=False, batch=1), asked)
    together = chances(local(critics / "hf", image_mode=image_mode, reuse=False, batch=7), asked)
    reused = chances(local(critics / "hf", image_mode=image_mode, batch=5), asked)
    assert alone.max() - alone.min() > 0.05
    assert abs(together - alone).max() < 1e-5
    assert abs(reused - alone).max() < 1e-5


def test_half_precision_says_nearly_the_same(critics, questions):
    settings = {"image_mode": "pad", "dtype": "bfloat16"}
    whole, half = (local(critics / "hf", **settings | more) for more in ({"dtype": "float32"}, {}))
    assert abs(chances(half, questions[:6]) - chances(whole, questions[:6])).max() < 0.05


def test_the_probability_is_the_softmax_over_yes_and_no(critics, questions):
    critic = local(critics / "hf")
    reader = critic.reader
    inputs = reader.inputs([shown(questions[0], critic)])
    with torch.inference_mode():
        logits = reader.model(**inputs).logits[0, -1].double()
    mass = logits.softmax(0)
    expected = mass[reader.yes].sum() / (mass[reader.yes].sum() + mass[reader.no].sum())
    assert next(critic.ask(questions[:1]))[1].probability == pytest.approx(float(expected), abs=1e-5)


def test_the_original_naming_loads_whole_and_says_the_same(critics, questions):
    theirs, ours = local(critics / "original"), local(critics / "hf")
    stored = load_file(critics / "original" / "model.safetensors")
    loaded = theirs.reader.model.state_dict()
    assert len(stored) == len(loaded)
    assert torch.equal(stored["model.mm_projector.2.weight"], loaded["model.multi_modal_projector.linear_2.weight"])
    assert abs(chances(theirs, questions[:8]) - chances(ours, questions[:8])).max() < 1e-6


@pytest.mark.parametrize("image_mode", ["anyres", "pad"])
def test_the_prompt_has_the_tokens_the_mode_says(critics, questions, image_mode):
    critic = local(critics / "hf", image_mode=image_mode)
    reader = critic.reader
    crop = reader.processor.num_image_tokens
    for question in questions[:: len(questions) // 12]:
        pair = shown(question, critic)
        words = sum(map(len, reader.words(question.parts, question.system)))
        seen = [len(reader.images.features(picture)) for picture in pair.pictures]
        assert reader.inputs([pair])["input_ids"].shape[1] == words + sum(seen)
        assert all((count == crop + 1) == (image_mode == "pad") for count in seen)


@pytest.mark.parametrize(("image_mode", "tokens"), [("anyres", 3699), ("pad", 730)])
def test_a_picture_of_512_has_the_published_number_of_tokens(critics, image_mode, tokens):
    """With LLaVA-Critic's own sizes, which the image processor has by default."""
    tokenizer = load(checkpoint_in(critics / "hf"), "cpu", "float32")[1].tokenizer
    processor = PictureProcessor(
        LlavaOnevisionImageProcessorPil(), tokenizer, num_image_tokens=729, vision_feature_select_strategy="full"
    )
    assert ImageFeatures(None, processor, image_mode).tokens((512, 512)) == tokens


def test_generation_is_greedy_and_parsed_strictly(critics, questions):
    critic = local(critics / "babbling", generate=True)
    replies = dict(critic.ask(questions[:2]))
    assert {reply.status for reply in replies.values()} == {"unparsed"}
    assert all(reply.answer is None and reply.text and reply.reason for reply in replies.values())
    assert replies[0].text == dict(critic.ask(questions[:1]))[0].text
    assert replies[0].mass is None  # its words alone decide


# a verdict only where one was given


@pytest.mark.parametrize("reuse", [True, False])
def test_a_checkpoint_of_random_weights_gives_no_verdict(critics, questions, reuse):
    replies = dict(local(critics / "babbling", image_mode="pad", reuse=reuse).ask(questions[::3]))
    assert {reply.status for reply in replies.values()} == {"unparsed"} and len(replies) == len(questions[::3])
    assert all(reply.probability is None and (reply.mass or 0) < 0.5 for reply in replies.values())
    kinds = {non_answer_of(reply.reason) for reply in replies.values()}
    assert kinds <= {NonAnswer.PROSE, NonAnswer.CUT_OFF, NonAnswer.EMPTY} and NonAnswer.PROSE in kinds


def test_where_the_first_token_decides_it_is_the_only_one(critics, questions):
    critic = local(critics / "hf", image_mode="pad", batch=8)
    calls = []
    critic.reader.model.register_forward_pre_hook(lambda *_: calls.append(1))
    replies = dict(critic.ask(questions[:8:2]))
    assert len(calls) == 1
    assert all(reply.mass > 0.5 and reply.text in ("Yes", "No", "yes", "no") for reply in replies.values())


def test_only_questions_whose_first_token_decides_nothing_go_on(critics, questions, monkeypatch):
    """As where a mark stands before the answer; the others keep their reading, to the bit."""
    critic = local(critics / "hf", image_mode="pad", batch=8)
    asked = questions[:8:2]
    plain = chances(critic, asked)
    score = critic.reader.score_with_prefix_cache
    longer = []

    def marked(batch):
        return [WrittenToken("**", (0.1, 0.1)), *score(batch)[1:]]

    def write(batch, most):
        longer.append((len(batch), most))
        return [Writing("**No**", [WrittenToken("**", (0.1, 0.1)), WrittenToken("No", (0.2, 0.6))])]

    monkeypatch.setattr(critic.reader, "score_with_prefix_cache", marked)
    monkeypatch.setattr(critic.reader, "write", write)
    replies = dict(critic.ask(asked))
    assert longer == [(1, 8)]
    assert (replies[0].answer, replies[0].probability, replies[0].text) == (False, pytest.approx(0.25), "**No**")
    assert [replies[at].probability for at in (1, 2, 3)] == list(plain[1:])


def test_what_is_written_has_its_tokens_and_says_where_it_was_cut_off(critics, questions):
    critic = local(critics / "hf", image_mode="pad")
    pairs = [shown(question, critic) for question in questions[:6]]
    together = critic.reader.write(pairs, 3)
    alone = [critic.reader.write([pair], 3)[0] for pair in pairs]
    assert [writing.text for writing in together] == [writing.text for writing in alone]
    first = critic.reader.score(pairs)
    for writing, token in zip(together, first, strict=True):
        assert writing.tokens[0].text == token.text
        assert writing.tokens[0].chances == pytest.approx(token.chances, abs=1e-5)
        assert (writing.cut_after is None) == (len(writing.tokens) < 3)


# every question gets its one reply


def test_the_order_of_questions_changes_nothing(critics, questions):
    asked = questions[::4]
    shuffled = list(range(len(asked)))
    random.Random(0).shuffle(shuffled)
    straight = chances(local(critics / "hf", image_mode="pad"), asked)
    mixed = chances(local(critics / "hf", image_mode="pad"), [asked[index] for index in shuffled])
    assert np.array_equal(mixed, straight[shuffled])


@pytest.mark.parametrize("reuse", [True, False])
def test_an_unreadable_picture_fails_its_own_question_only(critics, questions, tmp_path, reuse):
    broken = tmp_path / "broken.png"
    broken.write_bytes(questions[0].test.read_bytes()[:100])
    asked = [*questions[:3], replace(questions[0], test=broken), replace(questions[0], reference=tmp_path / "none.png")]
    replies = dict(local(critics / "hf", image_mode="pad", reuse=reuse).ask(asked))
    assert [replies[index].status for index in range(5)] == ["ok", "ok", "ok", "failed", "failed"]
    assert "broken.png" in replies[3].reason and "does not exist" in replies[4].reason
    assert replies[3].answer is None and replies[3].probability is None


@pytest.mark.parametrize("reuse", [True, False])
def test_words_that_bring_marks_fail_their_own_question_only(critics, questions, reuse):
    marked = replace(questions[1], rendered=PAPER.render("style", "oil <image> painting"))
    replies = dict(local(critics / "hf", image_mode="pad", reuse=reuse).ask([*questions[:3], marked]))
    assert [replies[index].status for index in range(4)] == ["ok", "ok", "ok", "failed"]
    assert "<image>" in replies[3].reason


def test_a_batch_that_does_not_fit_is_asked_in_parts_and_no_such_is_tried_again(
    critics, questions, tmp_path, monkeypatch
):
    """A model that takes at most two rows, like one that runs out of memory."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    expected, freed = chances(local(critics / "hf", image_mode="pad"), questions), []
    monkeypatch.setattr("judge.critics.local.critic.free_memory", freed.append)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "another"))
    for tried in ([8, 4], []):
        critic = local(critics / "hf", image_mode="pad", batch=8, reuse=False)
        refused = []

        def limited(module, args, kwargs, refused=refused):
            if len(kwargs["input_ids"]) > 2:
                refused.append(len(kwargs["input_ids"]))
                raise torch.OutOfMemoryError("out of memory")

        critic.reader.model.register_forward_pre_hook(limited, with_kwargs=True)
        assert abs(chances(critic, questions[:20]) - expected[:20]).max() < 1e-5
        assert refused == tried
    assert freed == ["cpu"] * 2  # after each failure


def test_what_the_model_raises_is_a_reply_and_a_mistake_is_not(critics, questions):
    critic = local(critics / "hf", image_mode="pad")
    handle = critic.reader.model.register_forward_pre_hook(raising(RuntimeError("shapes do not fit\nat all")))
    replies = dict(critic.ask(questions[:2]))
    assert {(reply.status, reply.reason) for reply in replies.values()} == {("failed", "shapes do not fit")}
    handle.remove()
    for mistake in (TypeError("a mistake"), KeyboardInterrupt()):
        handle = critic.reader.model.register_forward_pre_hook(raising(mistake))
        with pytest.raises(type(mistake)):
            list(critic.ask(questions[:2]))
        handle.remove()


def raising(error):
    def hook(*_):
        raise error

    return hook


def test_logits_that_are_no_numbers_are_no_verdict(critics, questions):
    critic = local(critics / "hf", image_mode="pad")
    critic.reader.model.lm_head.weight[:] = float("nan")
    replies = dict(critic.ask(questions[:3]))
    assert {(reply.status, reply.answer) for reply in replies.values()} == {("failed", None)}


def test_no_questions_no_model(critics):
    critic = local(critics / "hf")
    assert list(critic.ask([])) == []
    assert "reader" not in vars(critic)


# the order of asking


def test_questions_are_asked_by_their_beginning_and_each_once(questions):
    order = in_order(questions, tile=3)
    assert sorted(order) == list(range(len(questions)))
    for together in (True, False):
        assert [i for batch in batches(questions, lambda: 5, together=together) for i in batch] == in_order(questions)
    for batch in batches(questions, lambda: 5, together=True):
        assert len({(questions[i].reference, questions[i].rendered.before) for i in batch}) == 1
    assert max(map(len, batches(questions, lambda: 5, together=True))) == 5


# how a picture is shown


def test_pictures_are_brought_down_never_up(tmp_path):
    assert prepare(Image.new("RGB", (1024, 512))).image.size == (512, 256)
    assert prepare(Image.new("RGB", (2000, 1)), 64).image.size == (64, 1)
    assert prepare(Image.new("RGB", (100, 40))).image.size == (100, 40)


def test_a_digest_is_of_the_pixels_shown(tmp_path):
    image = Image.effect_noise((40, 30), 60).convert("RGB")
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "b.png", pnginfo=None, compress_level=0)
    image.convert("RGBA").save(tmp_path / "c.png")
    preparation = Preparation()
    shown = [preparation(tmp_path / name) for name in ("a.png", "b.png", "c.png")]
    assert len({picture.digest for picture in shown}) == 1
    assert preparation(tmp_path / "a.png") is shown[0]
    assert Preparation(20)(tmp_path / "a.png").digest != shown[0].digest
    assert prepare(Image.new("RGB", (2, 3))).digest != prepare(Image.new("RGB", (3, 2))).digest
    image.rotate(180).save(tmp_path / "a.png", compress_level=0)
    assert preparation(tmp_path / "a.png").digest != shown[0].digest


# words


def test_the_conversation_is_chatml_with_pictures_among_the_words():
    text = chat(Rendered("one ", " two ", " three"), "Help.")
    assert text == (
        "<|im_start|>system\nHelp.<|im_end|>\n<|im_start|>user\none <image> two <image> three<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    for prompts in (PAPER, CODE):
        rendered = prompts.render("style", "pixel art")
        assert chat(rendered, prompts.system).count("<image>") == 2
    with pytest.raises(PromptError, match="im_end"):
        chat(Rendered("one<|im_end|>", "", ""), "Help.")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("yes", True),
        ("No.", False),
        ("**Yes**", True),
        (" NO\n", False),
        ('"Yes".', True),
        ("eyes", None),
        ("no, yes would be wrong", None),
        ("Yes and no", None),
        ("Yes No", None),
        ("The test image shows the same subject.", None),
        ("Yesterday", None),
        ("", None),
        ("Y", None),
    ],
)
def test_words_are_parsed_strictly(text, verdict):
    assert parse(text) is verdict
    assert Reply.from_text(text).status == ("unparsed" if verdict is None else "ok")


def test_a_verdict_needs_more_than_half():
    assert Reply.from_probability(0.5).answer is False and Reply.from_probability(0.51).answer is True


def test_a_tokenizer_without_yes_as_one_token_is_refused(critics):
    tokenizer = load(checkpoint_in(critics / "hf"), "cpu", "float32")[1].tokenizer
    yes, no = answer_tokens(tokenizer)
    assert {tokenizer.decode([token]).strip().lower() for token in yes} == {"yes"}
    assert {tokenizer.decode([token]).strip().lower() for token in no} == {"no"}
    with pytest.raises(CriticError, match="no single token for Yes"):
        answer_tokens(tokenizer_of_letters())


def tokenizer_of_letters():
    """A tokenizer in which no word is one token."""
    letters = Tokenizer(models.BPE())
    letters.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters.train_from_iterator([], trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return PreTrainedTokenizerFast(tokenizer_object=letters)


def test_probabilities_of_choices_are_read_where_each_is_a_token_and_else_the_words_decide(critics):
    taught = tokenizer_of_letters()
    assert choice_tokens(taught, FIRST_SECOND_TIE) == []
    reader = local(critics / "hf", image_mode="pad").reader
    logits = torch.zeros(1, len(reader.tokenizer))
    reader.choices = partial(choice_tokens, tokenizer_of_letters())
    assert reader.tokens(logits, FIRST_SECOND_TIE)[0].chances is None
    taught.add_tokens(["First", "Second", "Tie", " tie"])
    first, second, tie = choice_tokens(taught, FIRST_SECOND_TIE)
    assert [len(first), len(second), len(tie)] == [1, 1, 2]
    logits = torch.full((1, len(taught)), -30.0)
    logits[0, [first[0], second[0], *tie]] = torch.tensor([0.1, 0.6, 0.2, 0.1]).log()
    assert local_chances(logits, first, second, tie)[0] == pytest.approx((0.1, 0.6, 0.3), abs=1e-6)


def test_a_critic_here_is_asked_about_two_pictures_beside_all_references(critics, pictures):
    questions = [
        PAIRS.ask(aspect, tuple(pictures[:3]), (pictures[one], pictures[two]), "oil")
        for aspect in ("subject", "style")
        for one, two in ((3, 4), (4, 3))
    ]
    critic = local(critics / "babbling", image_mode="pad", max_tokens=3)
    reader, pair = critic.reader, shown(questions[0], critic)
    crop = reader.processor.num_image_tokens
    marks = (reader.inputs([pair])["input_ids"] == reader.model.config.image_token_index).sum()
    assert marks == 5 * (crop + 1)
    lost = PAIRS.ask("subject", (pictures[0],), (pictures[1], Path("gone.png")))
    replies = dict(critic.ask([*questions, lost]))
    assert [replies[index].status for index in range(5)] == ["unparsed"] * 4 + ["failed"]
    (writing,) = reader.write([pair], 3)
    assert replies[0].text == writing.text and replies[0].reason == "cut off after 3 tokens"


# which critic it is


def test_what_decides_the_answers_is_recorded(critics):
    identity = local(critics / "hf", image_mode="pad").identity
    assert identity["image mode"] == "pad" and identity["dtype"] == "float32" and identity["answer"] == "logits"
    assert re.fullmatch("sha256-[0-9a-f]{16}", identity["revision"])
    assert identity == local(critics / "hf", image_mode="pad", batch=3, reuse=False).identity  # the same answers
    for other in ({"image_mode": "anyres"}, {"side": 64}, {"dtype": "bfloat16"}, {"generate": True}):
        assert local(critics / "hf", **({"image_mode": "pad"} | other)).identity != identity
    with pytest.raises(TypeError):
        identity["dtype"] = "float16"


def test_a_folder_with_other_weights_is_another_revision(critics, copied):
    folder = copied("hf")
    before = checkpoint_in(folder).revision
    assert before == checkpoint_in(critics / "hf").revision
    state = load_file(folder / "model.safetensors")
    state["image_newline"] += 1
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    assert checkpoint_in(folder).revision != before


def test_a_folder_of_the_hubs_cache_is_its_commit(critics, tmp_path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    (tmp_path / "snapshots").mkdir()
    folder = shutil.copytree(critics / "hf", tmp_path / "snapshots" / commit)
    assert checkpoint_in(folder).revision == commit


# what is refused


@pytest.fixture
def copied(critics, tmp_path):
    def copy(kind):
        return shutil.copytree(critics / kind, tmp_path / kind)

    return copy


def rewrite(path, **changes):
    settings = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in settings.items() if value is not ...}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mm_vision_select_layer": -1}, "mm_vision_select_layer is -1; accepted is -2"),
        ({"mm_patch_merge_type": "flat"}, "mm_patch_merge_type is 'flat'; accepted is 'spatial_unpad'"),
        ({"mm_projector_type": "linear"}, "mm_projector_type"),
        ({"image_aspect_ratio": "pad"}, "accepted is anyres_max_N"),
        ({"image_grid_pinpoints": [[64, 65]]}, "image_grid_pinpoints"),
        ({"image_grid_pinpoints": "(1x1),...,(99999x99999)"}, "image_grid_pinpoints"),
        ({"image_grid_pinpoints": None}, "image_grid_pinpoints"),
        ({"mm_vision_tower": "openai/clip"}, "mm_vision_tower is 'openai/clip'; accepted is google/siglip"),
        ({"mm_vision_tower": "../original/tower"}, "mm_vision_tower"),
        ({"mm_hidden_size": 7}, "mm_hidden_size is 7"),
        ({"image_token_index": 7}, "image_token_index is 7"),
        ({"rope_theta": ...}, "lacks rope_theta"),
        ({"rope_scaling": {"type": "yarn"}}, "rope_scaling"),
        ({"vocab_size": 3}, "is token"),
        ({"num_hidden_layers": 2}, "unexpected keys"),
        ({"num_hidden_layers": 4}, "missing keys"),
        ({"auto_map": {"AutoModel": "evil.Model"}}, "asks for code of its own"),
        (
            {"model_type": "llava_mistral", "architectures": ["LlavaMistral"]},
            "accepted are llava_onevision, llava_q",
        ),
    ],
)
def test_an_original_that_is_something_else_is_refused(copied, changes, message):
    folder = copied("original")
    rewrite(folder / "config.json", **changes)
    with pytest.raises(CriticError, match=re.escape(message)) as caught:
        load(checkpoint_in(folder), "cpu", "float32")
    assert "\n" not in str(caught.value)


def test_pinpoints_are_turned_and_ranges_counted(tmp_path):
    assert grid([[64, 128]], 64, tmp_path) == [[128, 64]]
    whole = grid("(1x1),...,(6x6)", 384, tmp_path)
    assert len(whole) == 36 and whole[0] == [384, 384] and whole[-1] == [2304, 2304]


def test_llava_critics_settings_are_translated(tmp_path):
    """Qwen2-7B's and so400m's, as far as the released configs of this kind agree."""
    settings = {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28}
    settings |= {"num_key_value_heads": 4, "vocab_size": 152064, "max_position_embeddings": 32768}
    settings |= {"rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "image_aspect_ratio": "anyres_max_9"}
    settings |= {"mm_vision_tower": "google/siglip-so400m-patch14-384", "image_grid_pinpoints": "(1x1),...,(6x6)"}
    config = translate(settings, tmp_path, 151646, 151647)
    usual = LlavaOnevisionConfig()
    assert config.vision_config.to_dict() == usual.vision_config.to_dict()
    assert sorted(config.image_grid_pinpoints) == sorted(usual.image_grid_pinpoints)
    assert config.text_config.rope_parameters["rope_theta"] == 1000000.0
    assert config.image_token_index == usual.image_token_index


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "processor_config.json"])
def test_code_in_any_settings_is_refused_and_not_run(copied, tmp_path, name):
    folder = copied("hf")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    settings = json.loads((folder / name).read_text()) if (folder / name).exists() else {}
    (folder / name).write_text(json.dumps(settings | {"inner": [{"auto_map": {"AutoTokenizer": "evil.Evil"}}]}))
    with pytest.raises(CriticError, match=rf"{name} asks for code of its own \(auto_map\)"):
        load(checkpoint_in(folder), "cpu", "float32")
    assert not (tmp_path / "ran").exists()


def test_pickled_weights_are_refused(copied):
    folder = copied("hf")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(CriticError, match=r"holds no weights; accepted are model\*\.safetensors"):
        load(checkpoint_in(folder), "cpu", "float32")


def test_broken_weights_are_one_line(copied):
    folder = copied("hf")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(CriticError, match="cannot load") as caught:
        load(checkpoint_in(folder), "cpu", "float32")
    assert "\n" not in str(caught.value)


def test_an_adapter_is_refused(copied):
    folder = copied("hf")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "elsewhere/base"}')
    with pytest.raises(CriticError, match="holds an adapter"):
        load(checkpoint_in(folder), "cpu", "float32")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_settings_that_are_no_object_are_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CriticError, match=r"config\.json"):
        checkpoint_in(tmp_path)


def test_a_processor_that_does_not_fit_the_model_is_refused(copied, critics, questions):
    folder = copied("hf")
    _, processor = load(checkpoint_in(folder), "cpu", "float32")
    processor.image_processor.save_pretrained(folder)
    assert chances(local(folder), questions[:2]) == pytest.approx(chances(local(critics / "hf"), questions[:2]))
    rewrite(folder / "preprocessor_config.json", size={"height": 32, "width": 32})
    with pytest.raises(CriticError, match="the tower's 64"):
        load(checkpoint_in(folder), "cpu", "float32")


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
def test_quantisation_says_what_it_needs(critics):
    with pytest.raises(CriticError, match="8bit needs bitsandbytes, which is not installed"):
        load(checkpoint_in(critics / "hf"), "cpu", "float32", "8bit")


# by name


def test_a_critic_is_found_by_its_folder(critics, questions):
    with find_critic(str(critics / "hf"), device="cpu", batch=2) as critic:
        assert critic.identity["critic"] == "hf"
        assert critic.identity["image mode"] == "anyres"
        assert next(critic.ask(questions[:1]))[0] == 0


@pytest.mark.parametrize("name", ["", "pockets", "a/b/c", "./none", "~/x", "/none"])
def test_a_name_that_is_none_lists_what_is_accepted(name):
    with pytest.raises(CriticError, match=r"pocket, llava-critic-7b, .*, a folder, a hub id .* http://"):
        find_critic(name)


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CriticError, match="cannot fetch nobody/nothing@v1 from the hub") as caught:
        find_critic("nobody/nothing@v1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_mode": "crop"}, "--image-mode is 'crop'; accepted are anyres, pad"),
        ({"dtype": "int8"}, "--dtype is 'int8'; accepted are float32"),
        ({"quantisation": "2bit"}, "accepted are 8bit, 4bit"),
        ({"batch": 0}, "--batch is 0; accepted is an integer of 1 or more"),
        ({"side": 0}, "--side is 0"),
        ({"device": "abacus"}, "no device abacus"),
    ],
)
def test_settings_that_are_not_accepted_are_refused_at_once(critics, settings, message):
    with pytest.raises(CriticError, match=message):
        find_critic(str(critics / "hf"), **settings)


def test_importing_critics_loads_nothing_heavy():
    code = "import sys, judge.critics; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "transformers", "httpx2", "PIL", "numpy", "huggingface_hub"}
