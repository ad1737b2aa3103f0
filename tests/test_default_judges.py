"""Who judges pictures where nobody is named, and the brand on figures by judges that do not know the pictures."""

import json
import os
import re
from dataclasses import replace

import numpy as np
import psutil
import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from judge.brand import brand, knows
from judge.critics import Critic, CriticError
from judge.critics.guarded import GuardedCritic
from judge.critics.kind import CriticKind
from judge.critics.local import cost
from judge.critics.local.checkpoint import Checkpoint
from judge.critics.local.critic import LocalCritic
from judge.critics.local.settings import LocalSettings
from judge.critics.preparation import Preparation
from judge.default_judges import by_judge, default_judge
from judge.errors import JudgeError
from judge.metrics.stored_scores import best_scores
from judge.metrics.table import METRICS
from judge.pictures import judge_of_most
from judge.questions import Reply
from judge.runner import judge_pictures
from judge.targets import Target, from_folders
from judge.verdicts import Judge, VerdictStore
from lorarar.cli.main import app
from lorarar.families import FAMILIES
from lorarar.families.pocket import POCKET
from lorarar.pictures.images import write_png
from lorarar.pictures.notes import base_of, read_note
from lorarar.store import Store
from lorarar.util.hub_cache import is_cached
from studies.creation.acceptance import find_judge
from studies.errors import StudyError
from tests.studies_database import add_verdicts, make_database
from tests.tui_app import drive, sees, until
from tui.catalog import Catalog
from tui.screens.scores import ScoresScreen

#: LLaVA-Critic-7B's language model, whose published size is 7.6 thousand million weights.
SEVEN = {
    "model_type": "llava_qwen",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}


@pytest.fixture(autouse=True)
def nothing_downloaded(tmp_path, monkeypatch):
    """A hub's cache with nothing in it, no network, and no defaults of the user's own."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for name in ("LORARAR_CRITIC", "LORARAR_CLIP", "LORARAR_DINO", "LORARAR_DB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def noise(tmp_path):
    """Grey noise as generated picture and as references, which Pocket's critic finds right in everything."""
    for number, folder in enumerate(("g/S/ST", "r/subjects/S", "r/styles/ST")):
        grey = np.random.default_rng(number).integers(90, 160, (80, 80), dtype=np.uint8)
        write_png(Image.fromarray(grey).convert("RGB"), tmp_path / folder / "1.png")
    return "--generated", "g", "--references", "r"


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def target(base, number=0):
    return Target(f"{number}.png", "direct", "can", "oil", (), (), "oil", "", base=base)


# what a picture says of its base


def test_a_pngs_note_is_read_without_its_pixels(tmp_path):
    image = Image.new("RGB", (8, 8))
    ours = write_png(image, tmp_path / "ours.png", {"prompt": "a", "base": "sdxl ü", "seed": "1"})
    assert read_note(ours, "base") == "sdxl ü"
    assert (base_of("", ours), base_of("mine", ours)) == ("sdxl ü", "mine")
    plain = PngImagePlugin.PngInfo()
    plain.add_text("base", "pocket")
    image.save(tmp_path / "text.png", pnginfo=plain)
    assert read_note(tmp_path / "text.png", "base") == "pocket"


def test_a_note_that_cannot_be_read_is_none(tmp_path):
    image, packed = Image.new("RGB", (8, 8)), PngImagePlugin.PngInfo()
    packed.add_text("base", "pocket", zip=True)
    image.save(tmp_path / "packed.png", pnginfo=packed)
    write_png(image, tmp_path / "long.png", {"base": "x" * 70_000})
    write_png(image, tmp_path / "other.png", {"prompt": "base"})
    image.save(tmp_path / "photo.jpg")
    whole = write_png(image, tmp_path / "whole.png", {"base": "pocket"}).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:40])
    (tmp_path / "huge.png").write_bytes(whole[:8] + b"\xff\xff\xff\xffiTXt" + whole[8:])
    os.mkfifo(tmp_path / "pipe.png")
    names = ("packed.png", "long.png", "other.png", "photo.jpg", "cut.png", "huge.png", "pipe.png", "gone.png", ".")
    assert {name: read_note(tmp_path / name, "base") for name in names} == dict.fromkeys(names, "")


def test_a_true_picture_says_whose_it_is(tmp_path):
    assert run("pocket", "truth", "can", "glowing", "-o", tmp_path / "t.png").exit_code == 0
    assert read_note(tmp_path / "t.png", "base") == "pocket"


# who judges


@pytest.mark.parametrize(
    ("base", "part", "judge"),
    [
        ("pocket", "critic", "pocket"),
        ("pocket", "clip", "pocket"),
        ("pocket", "mine", "the customary"),  # a kind of backbones that Pocket has none of
        ("sdxl", "critic", "the customary"),
        ("sdxl", "dino", "the customary"),
        ("someone/base", "critic", "the customary"),
        ("", "critic", "the customary"),
    ],
)
def test_a_family_has_its_own_judges_and_others_the_customary_ones(base, part, judge, monkeypatch):
    assert default_judge(part, base, "the customary") == judge
    monkeypatch.setenv(f"LORARAR_{part.upper()}", "mine")
    assert default_judge(part, base, "the customary") == ("pocket" if judge == "pocket" else "mine")


def test_pictures_of_several_families_have_several_judges():
    targets = [target(base, number) for number, base in enumerate(("pocket", "sdxl", "pocket", ""))]
    apart = {"pocket": [targets[0], targets[2]], "llava": [targets[1], targets[3]]}
    assert by_judge("critic", targets, None, "llava") == apart
    assert by_judge("critic", targets, "named", "llava") == {"named": targets}


def test_a_default_that_does_not_know_the_pictures_has_to_be_named(monkeypatch):
    monkeypatch.setenv("LORARAR_CLIP", "pocket")
    assert by_judge("clip", [target("pocket")], None, "x") == {"pocket": [target("pocket")]}
    with pytest.raises(JudgeError, match=r"LORARAR_CLIP is pocket, which knows .* of sdxl: .* with --clip"):
        by_judge("clip", [target("pocket"), target("sdxl")], None, "x")


def test_who_is_a_stranger_follows_from_the_familys_row(monkeypatch):
    assert [knows("pocket", base) for base in ("pocket", "sdxl", "")] == [True, False, False]
    assert knows("llava-critic-7b", "sdxl") and knows("sdxl", "pocket")
    assert brand("pocket", ["pocket"] * 3) == "" == brand("mine", ["sdxl"])
    hostile = "a\x1b[31m\n" + "b" * 99
    words = brand("pocket", ["pocket", "sdxl", "", hostile])
    assert "3 of 4 pictures here: of sdxl, of no base that is known, of a" in words
    assert words.isprintable() and len(words) < 200
    open_minded = {**FAMILIES, "pocket": replace(POCKET, judges_own_alone=False)}
    monkeypatch.setattr("judge.brand.FAMILIES", open_minded)
    assert brand("pocket", ["sdxl"]) == ""


# where a default judge is not there


def test_noise_is_not_judged_by_a_toy_and_the_line_teaches(noise, tmp_path):
    done = run("judge", "run", *noise)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.strip().splitlines()
    for part in (
        "llava-critic-7b (16.1 GB; hf download lmms-lab/llava-critic-7b)",
        "openai/clip-vit-base-patch32 (0.61 GB; hf download openai/clip-vit-base-patch32)",
        "facebook/dino-vits16 (0.09 GB; hf download facebook/dino-vits16)",
        "--critic (a folder, a hub id, an address like http://localhost:8000/v1)",
        "--metrics",
    ):
        assert part in line
    assert not (tmp_path / "lorarar.db").exists()
    check = run("judge", "check", *noise)
    assert check.exit_code == 1 and "hf download lmms-lab" in check.stderr and "--metrics" not in check.stderr
    only = run("judge", "run", *noise, "--critic", "pocket", "--metrics", "mars2,dino").stderr
    assert "facebook/dino-vits16" in only and "llava" not in only and "openai" not in only
    assert not (tmp_path / "lorarar.db").exists()


def test_a_configured_toy_is_refused_and_a_configured_hub_id_is_taught(noise, monkeypatch):
    monkeypatch.setenv("LORARAR_CRITIC", "pocket")
    assert "LORARAR_CRITIC is pocket, which knows pictures of pocket alone" in run("judge", "run", *noise).stderr
    monkeypatch.setenv("LORARAR_CRITIC", "someone/critic@v2")
    done = run("judge", "run", *noise, "--metrics", "mars2")
    assert "someone/critic@v2 (hf download someone/critic --revision v2)" in done.stderr


def test_a_judge_that_is_none_ends_a_run_before_anything_is_asked_and_its_variable_is_named(
    noise, tmp_path, monkeypatch
):
    named = ("--critic", "pocket", "--dino", "pocket")
    done = run("judge", "run", *noise, *named, "--clip", "nonsense")
    line = "Metric: 'nonsense' is neither pocket, nor a model folder, nor a hub id like OWNER/NAME"
    assert (done.exit_code, done.stderr.strip()) == (1, line)
    monkeypatch.setenv("LORARAR_CLIP", "nonsense")
    assert run("judge", "exploit", *noise, *named).stderr.strip() == line.replace("Metric: ", "Metric: $LORARAR_CLIP: ")
    monkeypatch.setenv("LORARAR_CRITIC", "nonsense")
    assert run("judge", "check", *noise).stderr.startswith("Judge: $LORARAR_CRITIC: 'nonsense' is none of pocket")
    assert not (tmp_path / "lorarar.db").exists()


def test_a_model_is_here_only_when_all_of_it_is(tmp_path):
    place = tmp_path / "hub" / "models--someone--model"
    snapshot = place / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("a" * 40)
    assert not is_cached("someone/model")
    (snapshot / "config.json").write_text("{}")
    assert not is_cached("someone/model")
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))
    (snapshot / weights["a"]).touch()
    assert not is_cached("someone/model")
    (snapshot / weights["b"]).touch()
    assert is_cached("someone/model") and not is_cached("someone/model", "v2") and not is_cached("no id at all")
    (snapshot / "model.safetensors.index.json").write_text("[")
    assert not is_cached("someone/model")


# figures of pictures that a judge does not know


def test_a_named_toy_is_branded_in_every_form(noise, tmp_path):
    named = ("--critic", "pocket", "--clip", "pocket", "--dino", "pocket", "--device", "cpu")
    done = run("judge", "run", *noise, *named, "--metrics", "mars2,clip-i", "--json")
    assert done.exit_code == 0, done.stderr
    words = "Without worth: pocket knows pictures of pocket alone; 1 of 1 picture here: of no base that is known."
    assert json.loads(done.stdout)["brands"] == [words]
    assert done.stderr.count(words) == 1
    for form in ("table", "markdown", "latex", "csv", "json"):
        told = run("judge", "report", "--images", "import=g", "--format", form, "--gallery", f"{form}.html").stdout
        assert words in " ".join(told.split()), form
    assert words in (tmp_path / "json.html").read_text()
    assert Catalog(tmp_path / "lorarar.db").snapshot().brand == words
    scores = Catalog(tmp_path / "lorarar.db")
    assert scores.scores(scores.snapshot().pictures).brands == (words,)


def test_a_note_makes_a_picture_pockets_and_nothing_is_branded(noise, tmp_path):
    write_png(Image.new("RGB", (64, 64)), tmp_path / "g/S/ST/1.png", {"base": "pocket"})
    done = run("judge", "run", *noise, "--metrics", "mars2", "--device", "cpu", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["brands"] == []
    assert "MARS2 by pocket: 2 questions" in done.stderr
    assert "Without worth" not in run("judge", "report", "--images", "import=g").stdout
    assert Catalog(tmp_path / "lorarar.db").snapshot().brand == ""


def test_pictures_of_several_families_in_one_database_are_judged_each_by_its_own(
    noise, tmp_path, extended, monkeypatch
):
    monkeypatch.setenv("LORARAR_CRITIC", "rule:brighter")
    write_png(Image.new("RGB", (64, 64)), tmp_path / "g/S/ST/2.png", {"base": "pocket"})
    done = run("judge", "run", *noise, "--metrics", "mars2", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["mars2"]["asked"] == 4
    with Store(tmp_path / "lorarar.db") as store:
        rows = store.rows(
            "SELECT critic, count(*) AS n FROM verdicts v JOIN judges j ON j.id = v.judge GROUP BY critic"
        )
        assert {row["critic"]: row["n"] for row in rows} == {"pocket": 2, "rule:brighter": 2}
    check = run("judge", "check", *noise)
    assert check.exit_code == 1
    assert re.search(r"several critics: .*rule:brighter for pictures of no base that is known", check.stderr)


# whose figures are taken


def test_a_judge_who_knows_the_pictures_comes_before_one_who_answered_more():
    toy, real = Judge(1, "pocket", "p"), Judge(2, "llava-critic-7b", "p")
    clear = {(1, "p"): 99, (2, "p"): 3}
    assert judge_of_most([toy, real], clear, ["sdxl"]) == real
    assert judge_of_most([toy, real], clear, ["pocket"]) == toy == judge_of_most([toy, real], clear)
    assert judge_of_most([toy, real], {(1, "p"): 99}, ["sdxl"]) == toy  # branded, since there is no other
    assert judge_of_most([toy], {}, ["sdxl"]) is None


def test_scores_by_a_backbone_that_knows_the_pictures_come_first(tmp_path):
    targets = [
        replace(target("sdxl"), image=tmp_path / f"{n}.png", sha256=f"{n}", prompt="a can", plain_prompt="a can")
        for n in range(2)
    ]
    metric = METRICS["clip-t"]
    with Store(tmp_path / "a.db") as store:
        VerdictStore(store)
        with store.writing():
            for name, known in (("pocket", "01"), ("openai", "0")):
                record = json.dumps({"name": name, "revision": "1"})
                for image in known:
                    row = [image, "clip-t", record, "a can", 0.5, name]
                    store.db.execute("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?)", row)
        with store.reading() as database:
            best = best_scores(database, metric, targets)
            own = best_scores(database, metric, [replace(one, base="pocket") for one in targets])
    assert (best.name, best.brand, list(best.values)) == ("openai", "", [0.5, None])
    assert (own.name, own.brand, list(own.values)) == ("pocket", "", [0.5, 0.5])


def test_a_study_of_the_best_goes_by_a_judge_who_knows_the_pictures(tmp_path):
    database = make_database(tmp_path)
    add_verdicts(database, lambda *_: True, "llava-critic-7b")
    add_verdicts(database, lambda *_: True, "pocket")
    with Store(database) as store:
        assert find_judge(store, None, ["sdxl"]).critic == "llava-critic-7b"
        assert find_judge(store, None, ["pocket"]).critic == "pocket"
        assert find_judge(store, "pocket", ["sdxl"]).critic == "pocket"
        with store.writing():
            store.db.execute("DELETE FROM verdicts WHERE judge = 1")
            store.db.execute("DELETE FROM judges WHERE id = 1")
        with pytest.raises(StudyError, match=r"pocket alone, and these are of sdxl; .* --critic"):
            find_judge(store, None, ["sdxl"])


# what it costs without a GPU


def test_the_cost_of_a_large_critic_is_said_before_its_weights_are_read(tmp_path, monkeypatch):
    assert cost.weights_of(SEVEN) == pytest.approx(7.6e9, rel=0.01)
    assert cost.weights_of({"text_config": SEVEN}) == cost.weights_of(SEVEN)
    assert cost.weights_of({**SEVEN, "hidden_size": "wide"}) == cost.weights_of({"text_config": 3}) == 0
    monkeypatch.setattr("judge.critics.local.critic.operations_a_second", lambda dtype: 1e12)
    large = LocalCritic(Checkpoint("big", tmp_path, "1", config=SEVEN), LocalSettings(device="cpu"))
    line = large.cost(600)
    assert "big runs on the CPU and takes 30 GB of memory in float32 and some 60 s a question" in line
    assert "600 questions: some 10 hours" in line and "Quicker are a GPU, --image-mode pad and an address" in line
    eight = LocalCritic(large.checkpoint, LocalSettings(device="cpu", quantisation="8bit", image_mode="pad"))
    assert "8 GB of memory in 8bit" in eight.cost(1) and "some 13 s a question" not in eight.cost(1)
    assert "Quicker are a GPU and an address" in eight.cost(1)
    small = LocalCritic(
        replace(large.checkpoint, config={**SEVEN, "num_hidden_layers": 1, "vocab_size": 9}),
        LocalSettings(device="cpu"),
    )
    assert small.cost(10**6) == ""
    assert cost.span(90) == "90 seconds" and cost.span(7200) == "2 hours" and cost.operations_a_second("float32") > 1e6


def test_a_critic_larger_than_the_memory_is_refused_with_what_fits(tmp_path, monkeypatch):
    """Else the system would end the process, and nobody would know why."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    critic = LocalCritic(Checkpoint("big", tmp_path, "1", config=SEVEN), LocalSettings(device="cpu"))
    for total, more, words in (
        (
            24,
            0,
            r"takes 30 GB of memory in float32, and this machine has 24; take --dtype bfloat16 \(15 GB\) or an",
        ),
        (8, 3, r"this machine has 11; take an address as --critic"),
    ):
        monkeypatch.setattr(psutil, "virtual_memory", lambda total=total: memory._replace(total=int(total * 1e9)))
        monkeypatch.setattr(psutil, "swap_memory", lambda more=more: swap._replace(total=int(more * 1e9)))
        with pytest.raises(CriticError, match=words):
            _ = critic.reader
    cost.check_memory("big", cost.weights_of(SEVEN), "bfloat16", int(24e9))


class Costly(Critic):
    """Another package's, of which a question takes an hour."""

    identity, preparation = {"critic": "costly"}, Preparation(512)

    def __init__(self, *_):
        pass

    def cost(self, questions):
        return f"{questions} hours"

    def ask(self, questions):
        return iter(())


def test_the_cost_is_said_before_the_first_question(noise, tmp_path, monkeypatch, capsys):
    class Slow(Costly):
        def ask(self, questions):
            assert capsys.readouterr().err.startswith("2 hours")
            for index, _ in enumerate(questions):
                yield index, Reply.from_probability(0.9)

    with Store(tmp_path / "a.db") as store:
        for _ in range(2):
            judge_pictures(store, from_folders(tmp_path / "g", tmp_path / "r"), Slow())
    assert "hours" not in capsys.readouterr().err  # where all is known nothing is asked


def test_what_another_packages_critic_costs_is_handed_on():
    kind = CriticKind("costly", "a costly one", "costly", lambda _: True, f"{__name__}:Costly")
    assert GuardedCritic(kind, "costly", {}).cost(3) == "3 hours"


# the app


def test_every_screen_of_the_app_shows_the_brand(tmp_path, monkeypatch):
    database = make_database(tmp_path)
    add_verdicts(database, lambda *_: True, "pocket")
    with Store(database) as store, store.writing():
        store.db.execute("UPDATE images SET base = 'sdxl'")

    async def script(app, pilot):
        await sees(pilot, "Without worth: pocket knows pictures of pocket alone; 72 of 72", "of sdxl")
        for key in ("enter", "enter"):  # the gallery, a picture
            await pilot.press(key)
            await sees(pilot, "Without worth: pocket knows")
        await pilot.press("escape", "escape", "2")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen))
        await sees(pilot, "alpha", "Without worth: pocket knows")

    drive(database, script)
