"""Any vision-language model as a critic: tiny checkpoints of five architectures, as folders like those of the hub."""

import json
import shutil
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import psutil
import pytest
import torch
from jinja2 import TemplateError
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from typer.testing import CliRunner

from judge.answer_words import YES_NO, open_thought
from judge.critics import CriticError, find_critic
from judge.critics.local.checkpoint import checkpoint_in
from judge.critics.local.cost import weights_in
from judge.critics.local.critic import LocalCritic
from judge.critics.local.general.conversation import Conversation
from judge.critics.local.reader import PreparedQuestion
from judge.critics.local.settings import LocalSettings
from judge.critics.preparation import prepare
from judge.pair_questions import FIRST_SECOND_TIE, PairQuestion
from judge.questions import PAPER, PromptError, Question
from judge.reading import Writing, WrittenToken
from lorarar.cli.main import app
from lorarar.store import Store
from tests.tiny_models import TINY_MODELS, write_model

ONE, THREE = "qwen3-vl", ["qwen2.5-vl", "internvl", "gemma3"]
WITH_A_PROCESSOR = ["gemma3", "idefics3"]  # whose own processor can be had without torchvision


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vision-language")
    for name in TINY_MODELS:
        write_model(name, folder / name)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A teapot's folder, a style's folder and pictures of both, of several sizes."""
    folder, noise = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    places = {
        "given/subjects/teapot": [(64, 64), (100, 40)],
        "given/styles/glowing": [(40, 90)],
        "made/teapot/glowing": [(64, 64), (130, 130)],
    }
    for place, sizes in places.items():
        (folder / place).mkdir(parents=True)
        for number, size in enumerate(sizes):
            coarse = Image.fromarray(noise.integers(0, 256, (4, 4, 3), dtype=np.uint8))
            coarse.resize(size, Image.Resampling.BICUBIC).save(folder / place / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def questions(pictures):
    given, made = sorted((pictures / "given").rglob("*.png")), sorted((pictures / "made").rglob("*.png"))
    return [
        Question(aspect, PAPER.render(aspect, "oil painting"), PAPER.system, reference, test)
        for reference in given
        for test in made
        for aspect in ("subject", "style")
    ]


@pytest.fixture
def changed(checkpoints, tmp_path):
    """A copy of the checkpoint, some of its settings or its template changed."""

    def change(name=ONE, template=None, **settings):
        folder = shutil.copytree(checkpoints / name, tmp_path / "changed")
        for file, values in settings.items():
            path = folder / f"{file}.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | values))
        if template is not None:
            (folder / "chat_template.jinja").write_text(template)
        return folder

    return change


def local(folder, **settings):
    return LocalCritic(checkpoint_in(folder), LocalSettings(device="cpu", **settings))


def replies(critic, questions):
    by_index = dict(critic.ask(questions))
    return [by_index[index] for index in range(len(questions))]


def shown(question, critic):
    return PreparedQuestion(question, tuple(map(critic.preparation, question.pictures)))


def refused(folder, **settings):
    with pytest.raises(CriticError) as caught:
        _ = local(folder, **settings).reader
    assert "\n" not in str(caught.value)
    return str(caught.value)


# one question, in several ways


@pytest.mark.parametrize("name", THREE)
def test_it_judges_by_the_command_that_takes_any_critic(checkpoints, pictures, tmp_path, name):
    where = ["--generated", str(pictures / "made"), "--references", str(pictures / "given"), "--metrics", "mars2"]
    command = ["judge", "run", *where, "--db", str(tmp_path / "a.db"), "--device", "cpu", "--json"]
    result = CliRunner().invoke(app, [*command, "--critic", str(checkpoints / name)])
    assert result.exit_code == 0, result.stderr
    counts = json.loads(result.stdout)["mars2"]
    assert (counts["cases"], counts["failed"], counts["unparsed"]) == (6, 0, 0)
    with Store(tmp_path / "a.db") as store:
        (kept,) = store.rows("SELECT identity FROM judges")
    identity = json.loads(kept["identity"])
    assert identity["critic"] == name and identity["revision"] == checkpoint_in(checkpoints / name).revision
    assert (identity["image mode"], identity["quantisation"]) == ("own", "none")


@pytest.mark.parametrize("name", list(TINY_MODELS))
def test_batches_of_mixed_sizes_equal_one_at_a_time(checkpoints, questions, name):
    critic, questions = local(checkpoints / name, batch=5), questions[::2]
    together = [reply.probability for reply in replies(critic, questions)]
    alone = [critic.reader.score([shown(question, critic)])[0] for question in questions]
    assert np.ptp(together) > 0.02
    assert together == pytest.approx([token.probability for token in alone], abs=1e-5)


@pytest.mark.parametrize("name", WITH_A_PROCESSOR)
def test_it_says_what_the_checkpoints_own_processor_and_model_say(checkpoints, questions, name):
    """Asked as the library's documentation has it."""
    processor = AutoProcessor.from_pretrained(checkpoints / name)
    model = AutoModelForImageTextToText.from_pretrained(checkpoints / name)
    words = ("Yes", "No")
    ids = [processor.tokenizer.convert_tokens_to_ids(word) for word in words]
    questions = questions[1::3]
    for question, reply in zip(questions, replies(local(checkpoints / name), questions), strict=True):
        before, between, after = question.rendered.before, question.rendered.between, question.rendered.after
        turn = [
            {"type": "text", "text": f"{question.system}\n\n{before}" if name == "gemma3" else before},
            {"type": "image", "image": Image.open(question.reference)},
            {"type": "text", "text": between},
            {"type": "image", "image": Image.open(question.test)},
            {"type": "text", "text": after},
        ]
        system = [{"role": "system", "content": [{"type": "text", "text": question.system}]}]
        messages = [*(system if name == "idefics3" else []), {"role": "user", "content": turn}]
        inputs = processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
        with torch.inference_mode():
            yes = model(**inputs).logits[0, -1, ids].double().softmax(0)[0]
        assert reply.probability == pytest.approx(float(yes), abs=1e-5)


@dataclass(frozen=True)
class Several:
    """Words and pictures in any number."""

    parts: tuple
    system: str = "Look."
    form = YES_NO


def test_any_list_of_words_and_pictures_keeps_its_order(checkpoints):
    """Each picture's patches, cut by the image processor alone, stand where its mark does among the words."""
    reader = local(checkpoints / ONE).reader
    a, b, c = (prepare(Image.effect_noise(size, 60).convert("RGB")) for size in ((64, 64), (96, 32), (32, 96)))
    inputs = reader.inputs([Several(("First", a, "or", b, "like", c, "?")), Several((c, "alone"))])
    patches = [reader.processor.image_processor([one.image], return_tensors="pt").pixel_values for one in (a, b, c, c)]
    assert torch.equal(inputs["pixel_values"], torch.cat(patches))
    text = reader.tokenizer.decode(inputs["input_ids"][0][inputs["attention_mask"][0].bool()])
    mark, between = "<|image_pad|>", ("First", "or", "like")
    for words, picture in zip(between, patches, strict=False):
        marks = mark * (len(picture) // 4)  # patches are merged by four
        assert f"{words}<|vision_start|>{marks}<|vision_end|>" in text
    assert (
        text.index("Look.") < text.index("First") < text.index("or<") < text.index("like") < text.index("?<|im_end|>")
    )
    swapped = reader.inputs([Several(("First", b, "or", a, "like", c, "?"))])
    assert not torch.equal(swapped["pixel_values"], inputs["pixel_values"][: len(swapped["pixel_values"])])
    assert (
        reader.score([Several(("First", a, "or", b))])[0].chances
        != reader.score([Several(("First", b, "or", a))])[0].chances
    )


def test_pairs_are_asked_with_all_their_pictures_and_read_by_their_words(checkpoints, pictures, monkeypatch):
    """In one batch with a question about a single picture, which keeps its probability."""
    given, made = sorted((pictures / "given").rglob("*.png")), sorted((pictures / "made").rglob("*.png"))
    pair = PairQuestion(
        aspect="subject",
        parts=("References:\n", "\n", "\nFirst: ", "\nSecond: ", "\nFirst, Second or Tie?"),
        references=tuple(given[:2]),
        first=made[0],
        second=made[1],
        system=PAPER.system,
        form=FIRST_SECOND_TIE,
    )
    single = Question("subject", PAPER.render("subject"), PAPER.system, given[0], made[0])
    critic = local(checkpoints / ONE)
    assert critic.takes_pairs
    shown_pair = PreparedQuestion(pair, tuple(map(critic.preparation, pair.pictures)))
    cut = critic.reader.processor.image_processor([one.image for one in shown_pair.pictures], return_tensors="pt")
    assert torch.equal(critic.reader.inputs([shown_pair])["pixel_values"], cut.pixel_values)
    babble, verdict = replies(critic, [pair, single])
    assert babble.reason.startswith("prose") and "not First, Second or Tie" in babble.reason
    assert verdict.probability == replies(critic, [single])[0].probability
    monkeypatch.setattr(critic.reader, "write", lambda batch, most: [Writing("Second")] * len(batch))
    assert replies(critic, [pair])[0].answer == "second"


def test_a_template_without_a_turn_of_the_system_begins_the_question_with_its_words(checkpoints, questions):
    critic = local(checkpoints / "gemma3")
    ids = critic.reader.inputs([shown(questions[0], critic)])["input_ids"][0]
    text = critic.reader.tokenizer.decode(ids)
    assert text.startswith(f"<bos><start_of_turn>user\n{PAPER.system}\n\nYour task is") and text.count("<bos>") == 1


def test_a_system_that_has_to_be_a_text_is_one(changed, questions):
    template = TINY_MODELS[ONE].template.replace(
        "{% for part",
        "{% if message.content is string %}{{ message.content }}"
        "{% else %}{% if message.role == 'system' %}{{ message.content }}{% endif %}{% for part",
    )
    template = template.replace("{%- endfor -%}<|im_end|>", "{%- endfor -%}{%- endif -%}<|im_end|>")
    critic = local(changed(template=template))
    text = critic.reader.conversation.prompt("Look.", ["one", None])
    assert text.startswith("<|im_start|>system\nLook.<|im_end|>")


def test_words_that_bring_marks_fail_their_own_question_only(checkpoints, questions):
    marked = PAPER.render("style", "oil <|vision_start|> painting")
    asked = [questions[0], Question("style", marked, PAPER.system, questions[0].reference, questions[0].test)]
    plain, bad = replies(local(checkpoints / ONE), asked)
    assert plain.status == "ok" and bad.status == "failed" and "<|vision_start|>" in bad.reason


# critics that think


def test_a_thought_that_the_template_begins_is_no_part_of_the_answer(changed, questions, monkeypatch):
    template = TINY_MODELS[ONE].template.replace("assistant\n", "assistant\n<think>\n")
    critic = local(changed(template=template), max_tokens=4)
    (cut,) = replies(critic, questions[:1])
    assert cut.status == "unparsed" and cut.reason == "thought and cut off after 4 tokens"
    thought = [
        ("Yes", (0.9, 0.1)),
        (" it", (0.0, 0.0)),
        ("</think>", (0.0, 0.0)),
        ("No", (0.2, 0.7)),
        ("<|im_end|>", (0.0, 0.0)),
    ]
    tokens = [WrittenToken(*token) for token in thought]
    ids = [critic.reader.tokenizer("x", add_special_tokens=False).input_ids[0]] * 4 + [
        critic.reader.tokenizer.eos_token_id
    ]
    monkeypatch.setattr(critic.reader, "generate", lambda batch, most: [(ids, tokens)] * len(batch))
    monkeypatch.setattr(critic.reader, "answer_text", lambda ids: "Yes it</think>No")
    (reply,) = replies(critic, questions[:1])
    assert (reply.answer, reply.probability) == (False, pytest.approx(2 / 9))
    assert reply.text == "<think>\nYes it</think>No"


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("<|im_start|>assistant\n<think>\n", "<think>\n"),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", ""),
        ("<start_of_turn>model\n", ""),
        ("</think>\n<thought>", "<thought>"),
    ],
)
def test_a_thought_is_open_until_it_ends(text, opening):
    assert open_thought(text) == opening


def test_what_is_read_of_a_long_answer_is_what_its_logits_say(checkpoints, questions):
    critic = local(checkpoints / ONE)
    reader, batch = critic.reader, [shown(question, critic) for question in questions[:3]]
    whole = reader.model.generate(
        **reader.inputs(batch), max_new_tokens=5, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    for row, (ids, tokens) in enumerate(reader.generate(batch, 5)):
        assert ids == whole.sequences[row, -5:].tolist()
        expected = [reader.tokens(logits)[row] for logits in whole.logits]
        assert tokens == expected


# which critic it is


def test_the_template_and_the_ends_are_a_part_of_who_it_is(checkpoints, changed):
    before = checkpoint_in(checkpoints / ONE).revision
    folder = changed()
    assert checkpoint_in(folder).revision == before
    for name in ("chat_template.jinja", "generation_config.json"):
        (folder / name).write_text((folder / name).read_text() + "\n")
        assert checkpoint_in(folder).revision != before
        before = checkpoint_in(folder).revision
    identities = [local(folder, **more).identity for more in ({}, {"quantisation": "8bit"}, {"side": 64})]
    assert len({tuple(identity.items()) for identity in identities}) == 3


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_quantised_are_the_language_model_alone_and_not_its_head(checkpoints, questions):
    whole = [reply.probability for reply in replies(local(checkpoints / "gemma3"), questions[:4])]
    critic = local(checkpoints / "gemma3", quantisation="8bit")
    assert [reply.probability for reply in replies(critic, questions[:4])] == pytest.approx(whole, abs=0.05)
    names = {name for name, part in critic.reader.model.named_modules() if type(part).__name__ == "Linear8bitLt"}
    assert names and all(name.startswith("model.language_model.") for name in names)


def test_quantisation_says_what_it_needs(checkpoints, monkeypatch):
    monkeypatch.setattr("judge.critics.local.quantisation.find_spec", lambda name: None)
    assert "pip install 'lorarar[8bit]'" in refused(checkpoints / ONE, quantisation="4bit")


def test_its_memory_is_counted_by_its_weights(checkpoints, monkeypatch):
    model = AutoModelForImageTextToText.from_pretrained(checkpoints / ONE)
    count = weights_in((checkpoints / ONE).glob("*.safetensors"))
    assert count == sum(parameter.numel() for parameter in model.parameters())
    memory, swap = psutil.virtual_memory()._replace(total=4 * count - 1), psutil.swap_memory()._replace(total=0)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(psutil, "swap_memory", lambda: swap)
    assert "take --dtype bfloat16" in refused(checkpoints / ONE)


# what is refused, in one line each

TEXT_ALONE = "{% for turn in messages %}{{ turn.role }}: {{ turn.content }}\n{% endfor %}"
PICTURES_FIRST = (
    "{% for turn in messages %}{% for part in turn.content if part.type == 'image' %}<|image_pad|>{% endfor %}"
    "{% for part in turn.content if part.type == 'text' %}{{ part.text }}{% endfor %}{% endfor %}"
)


@pytest.mark.parametrize(
    "template", [TEXT_ALONE, PICTURES_FIRST, "{% for turn in messages %}", "{{ raise_exception('no') }}"]
)
def test_a_template_that_puts_no_pictures_among_words_is_refused(changed, template):
    assert "its chat template puts no pictures among words" in refused(changed(template=template))


def test_without_a_chat_template_nobody_knows_how_to_ask(changed):
    folder = changed()
    (folder / "chat_template.jinja").unlink()
    assert "has no chat template" in refused(folder)
    (folder / "preprocessor_config.json").unlink()
    assert "Can't load image processor" in refused(folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"processor_config": {"processor_class": "InstructBlipVideoProcessor"}},
            "takes no pictures with words, but video",
        ),
        (
            {"processor_config": {"processor_class": "InstructBlipProcessor"}},
            "needs qformer_tokenizer, which cannot be had",
        ),
        (
            {"processor_config": {"processor_class": "AutoModel"}},
            "no processor of words and pictures is known for AutoModel",
        ),
        (
            {"config": {"model_type": "bert"}},
            "model_type is 'bert'; accepted are llava_onevision, llava_qwen and any vision",
        ),
        ({"config": {"model_type": None}}, "model_type is None"),
        ({"config": {"model_type": ["qwen3_vl"]}}, "model_type is"),
        (
            {"config": {"auto_map": {"AutoModel": "evil.Model"}}},
            "asks for code of its own (auto_map), which is never run",
        ),
        (
            {"generation_config": {"auto_map": {"A": "evil.A"}}},
            "asks for code of its own (auto_map), which is never run",
        ),
        ({"processor_config": {"auto_map": {"AutoProcessor": "evil.P"}}}, "asks for code of its own (auto_map)"),
    ],
)
def test_what_cannot_be_had_is_one_line(changed, settings, message):
    assert message in refused(changed(**settings))


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is installed")
def test_a_processor_that_is_torchvisions_alone_says_so(changed):
    assert "PixtralProcessor needs torchvision" in refused(
        changed(processor_config={"processor_class": "PixtralProcessor"})
    )


def test_pickled_weights_and_weights_that_are_missing_are_refused(changed):
    folder = changed()
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    assert "11 missing keys" in refused(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "holds no weights; accepted are model*.safetensors" in refused(folder)


def test_pictures_are_cut_by_its_own_processor_alone(checkpoints):
    with pytest.raises(CriticError, match="--image-mode pad is a setting of LLaVA-OneVision; a vision"):
        find_critic(str(checkpoints / ONE), device="cpu", image_mode="pad")


def test_a_template_that_refuses_a_question_fails_that_question_alone():
    def template(turns):
        if turns[0]["role"] != "system":
            raise TemplateError("a system turn is needed")
        parts = [part for turn in turns for part in turn["content"]]
        return "".join("<image>" if part["type"] == "image" else part["text"] for part in parts)

    conversation = Conversation(template, "<image>", ["<image>"], "tiny")
    assert conversation.prompt("Be brief.", ["Is ", None, " a cat?"]) == "Be brief.Is <image> a cat?"
    with pytest.raises(PromptError, match="does not take the question: a system turn is needed"):
        conversation.prompt("", ["Is ", None, " a cat?"])
