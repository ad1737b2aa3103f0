"""Critics that are known by name: what they take, how they are asked, and how their answers are read."""

import json
import shlex
from dataclasses import replace

import pytest
import torch
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    Qwen2Config,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)
from typer.testing import CliRunner

from judge.critics import CriticError, find_critic
from judge.critics.local.llava.llava_qwen import TOWERS
from judge.critics.presets.matching import pair_prompts, preset_of, singles_prompts
from judge.critics.presets.table import PRESETS
from judge.critics.presets.unified_reward import SCORES, UNIFIED_REWARD_EDIT
from judge.pair_questions import PAIRS
from judge.questions import CODE, PAPER, Question
from judge.reading import Writing, read
from judge.verdicts import VerdictKey
from lorarar.cli.main import app
from lorarar.pictures.images import write_png
from lorarar.pocket.concepts import style_named, subject_named
from lorarar.pocket.ground_truth import true_picture

from .misbehaving_server import Said, says, serving

YES, NO = '{"reasoning": "alike", "score": [22, 3]}', '{"reasoning": "other", "score": [4, 25]}'


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(autouse=True)
def no_network(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.delenv("LORARAR_CRITIC", raising=False)


@pytest.fixture
def pictures(tmp_path):
    """One picture and the references of its subject and style, as folders; two questions."""
    image = true_picture(subject_named("teapot"), style_named("glowing"))
    for folder in ("g/teapot/glowing", "r/subjects/teapot", "r/styles/glowing"):
        write_png(image, tmp_path / folder / "1.png")
    return ("--generated", tmp_path / "g", "--references", tmp_path / "r", "--db", tmp_path / "a.db")


def serves(name):
    return lambda: Said(200, {"data": [{"id": name, "owned_by": "vllm"}]})


# what they take


def qwen3_vl(width, layers, inner, heads):
    """Qwen3-VL's architecture with the published settings, without weights."""
    text = {"hidden_size": width, "num_hidden_layers": layers, "intermediate_size": inner, "vocab_size": 151936}
    text |= {"num_attention_heads": heads, "num_key_value_heads": 8, "head_dim": 128}
    tower = {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "out_hidden_size": width}
    tower |= {"patch_size": 16, "deepstack_visual_indexes": [8, 16, 24], "num_position_embeddings": 2304}
    return Qwen3VLForConditionalGeneration(Qwen3VLConfig(text_config=text, vision_config=tower))


def llava_critic():
    """LLaVA-Critic's, with the published settings; without a head of its tower, of which 26 layers are used."""
    text = Qwen2Config(hidden_size=3584, num_hidden_layers=28, intermediate_size=18944, vocab_size=152064)
    text.num_attention_heads, text.num_key_value_heads = 28, 4
    tower = TOWERS["google/siglip-so400m-patch14-384"] | {"num_hidden_layers": 26, "vision_use_head": False}
    return LlavaOnevisionForConditionalGeneration(LlavaOnevisionConfig(vision_config=tower, text_config=text))


def lora_of_every_linear(model, rank):
    linears = [m for m in model.model.language_model.modules() if isinstance(m, torch.nn.Linear)]
    return sum(rank * (linear.in_features + linear.out_features) for linear in linears)


def test_memory_is_that_of_the_weights_of_the_published_architectures():
    with torch.device("meta"):
        eight, thirty_two, llava = qwen3_vl(4096, 36, 12288, 32), qwen3_vl(5120, 64, 25600, 64), llava_critic()
    counts = {name: sum(p.numel() for p in m.parameters()) for name, m in (("8", eight), ("32", thirty_two))}
    expected = {
        "llava-critic-7b": sum(p.numel() for p in llava.parameters()),
        "qwen3-vl-8b": counts["8"],
        "qwen3-vl-32b": counts["32"],
        "pvc-judge": counts["8"] + lora_of_every_linear(eight, PRESETS["pvc-judge"].adapter.rank),
        "unifiedreward-edit": counts["8"],
    }
    assert {name: preset.parameters for name, preset in PRESETS.items()} == pytest.approx(expected, rel=0.001)
    assert PRESETS["qwen3-vl-8b"].gigabytes("bfloat16") == pytest.approx(17.5, abs=0.1)
    assert PRESETS["qwen3-vl-8b"].gigabytes("4bit") == pytest.approx(4.4, abs=0.1)


def test_each_says_how_it_is_served_under_its_own_name():
    shown = run("judge", "critics").stdout
    for record in json.loads(run("judge", "critics", "--json").stdout):
        assert record["serve"] in shown and record["ask"] in shown and record["repository"] in shown
        words = shlex.split(record["serve"])
        assert words[:2] == ["vllm", "serve"]
        assert json.loads(words[words.index("--limit-mm-per-prompt") + 1])["image"] >= 2
        named = words[words.index("--lora-modules" if record["base"] else "--served-model-name") + 1]
        assert preset_of(named.partition("=")[0]) is PRESETS[record["name"]]
        assert ("--enable-lora" in words) == (record["base"] is not None)


def test_one_of_them_is_shown_with_its_prompts_in_full():
    shown = run("judge", "critics", "unifiedreward-edit").stdout
    assert UNIFIED_REWARD_EDIT.subject in shown and UNIFIED_REWARD_EDIT.style in shown and "pvc-judge" not in shown
    done = run("judge", "critics", "none")
    assert done.exit_code == 1 and "no preset none; accepted are llava-critic-7b, qwen3-vl-8b" in done.stderr


# whose name is whose


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("qwen3-vl-8b", "qwen3-vl-8b"),
        ("Qwen/Qwen3-VL-8B-Instruct", "qwen3-vl-8b"),
        ("/models/Qwen3-VL-8B-Instruct-AWQ-4bit/", "qwen3-vl-8b"),
        ("qwen3-vl:8b", "qwen3-vl-8b"),
        ("Qwen3-VL-8B-Instruct-Q4_K_M.gguf", "qwen3-vl-8b"),
        ("Qwen/Qwen3-VL-32B-Instruct-FP8@main", "qwen3-vl-32b"),
        ("PVC-Judge", "pvc-judge"),
        ("CodeGoat24/UnifiedReward-Edit-qwen3vl-8b", "unifiedreward-edit"),
        ("lmms-lab/llava-critic-7b", "llava-critic-7b"),
        ("Qwen/Qwen3-VL-8B-Thinking", None),
        ("UnifiedReward", None),
        ("pocket", None),
    ],
)
def test_a_critic_is_known_by_its_name_whoever_serves_it_in_whatever_numbers(name, preset):
    assert preset_of(name) is (PRESETS[preset] if preset else None)


def test_a_critic_is_asked_in_its_own_words_unless_others_are_named():
    assert singles_prompts("someone/critic") is singles_prompts("qwen3-vl-32b") is PAPER
    assert singles_prompts("unifiedreward-edit") is UNIFIED_REWARD_EDIT
    assert singles_prompts("UnifiedReward", preset="unifiedreward-edit") is UNIFIED_REWARD_EDIT
    assert singles_prompts("unifiedreward-edit", CODE) is CODE
    for names in (("PVC-Judge",), ("pvc-judge", PAPER), ("mine", None, "pvc-judge")):
        with pytest.raises(CriticError, match=r"^pvc-judge answers pairs alone: accepted is --protocol pairwise, or"):
            singles_prompts(*names)


# scores


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (YES, True),
        (NO, False),
        ('```json\n{"reasoning" : "a "quoted" word", "score" : [13, 0],}\n```', True),
        ('{"score": [12]}', False),
        ('{"score": [20, 1]}, so {"score": [20, 1]}', True),
        ('<think>"score": [1, 1]</think>{"score": [20, 1]}', True),
        ('{"score": [26, 3]}', None),
        ('{"score": [-1, 3]}', None),
        ('{"score": [12.5, 3]}', None),
        ('{"score": [nan, 3]}', None),
        ('{"score": []}', None),
        ('{"score": 20}', None),
        ('{"score": [20, 1]} or rather {"score": [2, 1]}', None),
        ("score 20 of 25", None),
        ("Yes", None),
        ("", None),
    ],
)
def test_the_first_of_the_scores_decides_and_what_is_none_has_no_answer(text, answer):
    reply = read(Writing(text), form=SCORES)
    assert (reply.answer, reply.status) == (answer, "unparsed" if answer is None else "ok")
    assert bool(reply.reason) == (answer is None) and reply.probability is None and reply.text == text


def test_why_there_is_no_score_is_told():
    def reason(**fields):
        return read(Writing(**fields), form=SCORES).reason

    assert reason(text="Yes") == "prose: the answer is 'Yes', not a first score from 13 to 25 or one from 0 to 12"
    assert reason(text='{"reasoning": "it is', cut_after=512) == "cut off after 512 tokens"
    assert reason(text="<think>well", cut_after=512) == "thought and cut off after 512 tokens"
    assert reason(text="", refusal="no faces").startswith("refused")
    assert read(Writing(f"{NO} and so", cut_after=9), form=SCORES).answer is False


def test_how_an_answer_is_read_is_a_part_of_the_key_only_where_it_is_no_yes_or_no():
    key = VerdictKey("subject", "p", "q", "i", "r", pixels=("a", "b"))
    assert key.digest({"critic": "c"}) == "8fbe5882667184bb93410bb6d5f5a11732e28d286ef0d9f6f44860fe06bc2918"  # of 0.1
    assert (PAPER.version, CODE.version) == ("paper-da5fe7a6", "code-f9cbdf6e")
    other = replace(UNIFIED_REWARD_EDIT, form=replace(SCORES, pattern="[0-9]+"))
    readings = ("", *(repr(prompts.form) for prompts in (other, UNIFIED_REWARD_EDIT)))
    assert len({replace(key, reading=reading).digest({}) for reading in readings}) == 3
    assert other.version != UNIFIED_REWARD_EDIT.version


# behind a server


def test_scores_are_asked_for_in_words_with_room_and_yes_or_no_beside_them_with_probabilities(pictures, tmp_path):
    picture = tmp_path / "g" / "teapot" / "glowing" / "1.png"
    questions = [
        Question("subject", prompts.render("subject"), prompts.system, picture, picture, form=prompts.form)
        for prompts in (UNIFIED_REWARD_EDIT, PAPER)
    ]

    def answer(body):
        if "logprobs" in body and body["max_tokens"] > 100:
            return Said(500, {"error": "too much"})
        return says(YES) if body["max_tokens"] > 100 else says("No", [("No", 0.9), ("Yes", 0.1)])

    with serving(answer, serves("m")) as server, find_critic(server.url) as critic:
        replies = dict(critic.ask(questions))
    assert [(replies[k].answer, replies[k].probability) for k in (0, 1)] == [(True, None), (False, pytest.approx(0.1))]
    assert sorted(body["max_tokens"] for body in server.asked) == [8, 512]


@pytest.mark.parametrize(
    ("name", "options"), [("org/UnifiedReward-Edit-qwen3vl-8b-FP8", ()), ("m", ("unifiedreward-edit",))]
)
def test_a_served_critic_has_its_own_prompts_by_its_name_or_by_the_users_word(pictures, name, options):
    named = [part for preset in options for part in ("--preset", preset)]
    with serving(lambda body: says(YES), serves(name)) as server:
        critic = ("--critic", server.url, "--metrics", "mars2", "--json", *pictures)
        said = json.loads(run("judge", "run", *critic, *named).stdout)["mars2"]
        assert (said["cases"], said["asked"], said["unparsed"]) == (2, 2, 0)
        texts = [part["text"] for body in server.asked for part in body["messages"][-1]["content"] if "text" in part]
        assert sum("two scores in a list" in text for text in texts) == 2
        again = json.loads(run("judge", "run", *critic, *named).stdout)["mars2"]
        assert (again["found"], again["asked"]) == (2, 0)
        other = run("judge", "run", *critic, *named, "--prompts", "paper")
        assert json.loads(other.stdout)["mars2"]["unparsed"] == 2  # it was asked for Yes or No now, and gives scores


@pytest.mark.parametrize("command", ["run", "check", "exploit"])
def test_who_answers_pairs_alone_is_refused_in_one_line_before_anything_is_asked_or_written(
    pictures, tmp_path, command
):
    metrics = {"run": ("--metrics", "mars2"), "exploit": ("--clip", "pocket", "--dino", "pocket")}.get(command, ())
    with serving(lambda body: says("Yes"), serves("PVC-Judge")) as server:
        done = run("judge", command, "--critic", server.url, *metrics, *pictures)
        assert not server.asked
    assert (done.exit_code, done.stdout) == (1, "")
    last = done.stderr.strip().splitlines()[-1]
    assert "pvc-judge answers pairs alone: accepted is --protocol pairwise, or another critic such as llava" in last
    assert not (tmp_path / "a.db").exists()
    here = run("judge", command, "--critic", "pvc-judge", *metrics, *pictures)
    assert "answers pairs alone" in here.stderr and not (tmp_path / "a.db").exists()
    wrong = run("judge", command, "--critic", "pocket", "--preset", "nobody", *pictures)
    assert wrong.exit_code == 1 and "no preset nobody; accepted are llava-critic-7b" in wrong.stderr


def test_an_unfitting_preset_asks_in_vain_and_says_why(pictures):
    with serving(lambda body: says("Yes"), serves("m")) as server:
        done = run(
            "judge", "run", "--critic", server.url, "--preset", "unifiedreward-edit", "--metrics", "mars2", *pictures
        )
    assert done.exit_code == 1
    assert "2 x prose: the answer is 'Yes', not a first score from 13 to 25 or one from 0 to 12" in done.stderr


# on this machine


def test_a_preset_is_a_critic_of_this_machine_and_is_never_downloaded_unasked(pictures, monkeypatch):
    monkeypatch.setenv("LORARAR_CRITIC", "qwen3-vl-8b")
    write_png(true_picture(subject_named("can"), style_named("glowing")), pictures[1] / "teapot" / "glowing" / "2.png")
    done = run("judge", "run", *pictures, "--metrics", "mars2")
    assert "qwen3-vl-8b (17.5 GB; hf download Qwen/Qwen3-VL-8B-Instruct)" in done.stderr
    with pytest.raises(CriticError, match="cannot fetch Qwen/Qwen3-VL-8B-Instruct"):
        find_critic("qwen3-vl-8b")
    with pytest.raises(CriticError, match="LoRA of Qwen/Qwen3-VL-8B-Instruct and is asked behind a server alone: vllm"):
        find_critic("pvc-judge")


# pairs


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("pvc-judge", '{"reasoning": "the winner is clear", "winner": "Image A"}', "first"),
        ("pvc-judge", '```json\n{"reasoning": "…",\n "winner" : "image_b",}\n```', "second"),
        ("pvc-judge", '{"winner": "tie"}', "tie"),
        ("pvc-judge", '{"winner": "Image A"} or {"winner": "Image B"}', None),
        ("pvc-judge", '{"winner": "neither of the images"}', None),
        ("pvc-judge", "Image A", None),
        ("unifiedreward-edit", "The handle is kept. Edited Image 2 is better.", "second"),
        ("unifiedreward-edit", "Both images are equally good.", "tie"),
        ("unifiedreward-edit", "Image 1 is better than Image 2, or Image 2 is better", None),
        ("unifiedreward-edit", "First", None),
        ("qwen3-vl-8b", "First.", "first"),
    ],
)
def test_each_says_in_words_of_its_own_which_of_two_pictures_is_better(name, text, answer):
    assert read(Writing(text), form=pair_prompts(name).form).answer == answer


def test_pairs_are_asked_of_all_in_their_words_with_the_pictures_they_were_trained_with(tmp_path):
    for name, preset in PRESETS.items():
        prompts = pair_prompts(name)
        assert prompts is preset.pairs and preset.protocols[-1] == "pairs"
        question = prompts.ask("style", (tmp_path, tmp_path), (tmp_path, tmp_path), "oil")
        assert len(question.references) == (1 if name in ("pvc-judge", "unifiedreward-edit") else 2)
    assert pair_prompts("someone/critic") is PAIRS
    assert pair_prompts("mine", "pvc-judge") is PRESETS["pvc-judge"].pairs
