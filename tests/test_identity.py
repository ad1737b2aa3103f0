"""What decides a picture, a training, a base, and what follows from a change of it."""

import hashlib
import json
import shutil
import subprocess
import sys
from functools import partial

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from PIL import Image

from lorarar.bench.outcome import GridOutcome
from lorarar.families import find_base
from lorarar.lora.files import read_adapter
from lorarar.lora.header import provenance_of, read_header
from lorarar.merge_files import merge, merge_all, pairings
from lorarar.merging.methods import method_named
from lorarar.merging.recipe import Recipe
from lorarar.pictures.concepts import read_concept
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.queries import cell_pictures
from lorarar.training.makings import facts_of_file
from lorarar.training.options import OF_COEFFICIENTS, Training, ZipOptions
from lorarar.training.pair_coefficients import PairOptimiser, train_coefficients
from lorarar.util.errors import TrainingError
from lorarar.util.files import checkpoint_beside, sha256_of

from .bench_plan import pictures, run, write_plan

JOINT = """
[[methods]]
method = "joint"
rank = 2
steps = 2
rate = 1e-2
"""


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    """A plan of 2 rows x 1 content x 1 style x 2 seeds."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    path = write_plan(tmp_path, tiny_folder)
    change(path, ("seeds = 3", "seeds = 2"), ("steps = 2", "steps = 1"), ("[styles]", 'names = ["c0"]\n[styles]'))
    text = path.read_text()
    path.write_text(text[: text.rindex("[[methods]]")])
    return path


@pytest.fixture
def training_plan(plan_file):
    """A plan of 3 rows, one of which trains, x 2 contents x 1 style x 1 seed."""
    change(plan_file, ("seeds = 2", "seeds = 1"), ('names = ["c0"]\n', ""))
    plan_file.write_text(plan_file.read_text() + JOINT)
    return plan_file


def counts(outcome: GridOutcome):
    assert not outcome.failures
    return outcome.existing, outcome.shared, outcome.generated


def change(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def shown(tmp_path):
    """The digests of the pictures that each plan's rows show."""
    with Store(tmp_path / "a.db") as store, store.reading() as database:
        rows = cell_pictures(database)
    return {(row.collection.name, row.row, row.content, row.seed): row.sha256 for row in rows}


def test_a_picture_belongs_to_every_plan_and_row_that_asks_for_it(plan_file, tmp_path):
    assert counts(run(plan_file, tmp_path / "a")) == (0, 0, 4)
    copy = tmp_path / "copy.toml"
    copy.write_text('title = "other"\n' + plan_file.read_text())
    change(copy, ("[0.5, 0.5]", "[1.0, 1.0]"))
    assert counts(run(copy, tmp_path / "b")) == (0, 4, 0)
    assert not pictures(tmp_path / "b")
    assert counts(run(copy, tmp_path / "b")) == (4, 0, 0)
    assert counts(run(plan_file, tmp_path / "a")) == (4, 0, 0)
    places = shown(tmp_path)
    assert len(places) == 8
    for (plan, row, *where), sha256 in places.items():
        assert sha256 == places["plan", "direct" if plan == "other" else row, *where]


def test_two_rows_that_ask_for_one_picture_have_it_drawn_once(plan_file, tmp_path):
    change(plan_file, ("[0.5, 0.5]", "[1.0, 1.0]"))
    outcome = run(plan_file, tmp_path / "a")
    assert counts(outcome) == (0, 2, 2)
    assert len(pictures(tmp_path / "a")) == 2
    assert len(shown(tmp_path)) == 4


def test_a_change_and_back_draws_twice_and_not_three_times(plan_file, tmp_path):
    assert counts(run(plan_file, tmp_path / "a")) == (0, 0, 4)
    first = shown(tmp_path)
    change(plan_file, ("guidance = 2.0", "guidance = 5.0"))
    assert counts(run(plan_file, tmp_path / "a")) == (0, 0, 4)
    assert not set(first.values()) & set(shown(tmp_path).values())
    change(plan_file, ("guidance = 5.0", "guidance = 2.0"))
    assert counts(run(plan_file, tmp_path / "a")) == (0, 4, 0)
    assert shown(tmp_path) == first


def test_a_changed_plan_shows_nothing_of_its_earlier_form(plan_file, tmp_path):
    """Planted are another plan of the same cells, which has to go on showing them, and fewer rows, seeds, guidance."""
    (tmp_path / "other.toml").write_text('title = "other"\n' + plan_file.read_text())
    run(plan_file, tmp_path / "a")
    run(tmp_path / "other.toml", tmp_path / "a")
    before = shown(tmp_path)
    change(plan_file, ("seeds = 2", "seeds = 1"), ("guidance = 2.0", "guidance = 3.0"))
    text = plan_file.read_text()
    plan_file.write_text(text[: text.rindex("[[methods]]")])
    assert counts(run(plan_file, tmp_path / "a")) == (0, 0, 1)
    after = shown(tmp_path)
    assert [place for place in after if place[0] == "plan"] == [("plan", "direct", "c0", 0)]
    assert after["plan", "direct", "c0", 0] not in before.values()
    assert {place: after[place] for place in after if place[0] == "other"} == {
        place: before[place] for place in before if place[0] == "other"
    }


def test_a_renamed_folder_of_pictures_is_found_again(plan_file, tmp_path):
    run(plan_file, tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert counts(run(plan_file, tmp_path / "b")) == (4, 0, 0)
    with Store(tmp_path / "a.db") as store:
        assert all(row["path"].startswith("b/images/") for row in store.rows("SELECT path FROM images"))


def test_other_weights_of_the_base_draw_all_anew(plan_file, tmp_path, tiny_folder):
    from safetensors.torch import load_file, save_file

    base = shutil.copytree(tiny_folder, tmp_path / "base")
    change(plan_file, (str(tiny_folder), str(base)))
    assert counts(run(plan_file, tmp_path / "a")) == (0, 0, 4)
    file = base / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({name: tensor * 1.01 for name, tensor in load_file(file).items()}, file)
    assert counts(run(plan_file, tmp_path / "a")) == (0, 0, 4)


def test_a_base_is_known_by_its_weights_under_any_name(plan_file, tmp_path, tiny_folder):
    assert counts(run(plan_file, tmp_path / "a")) == (0, 0, 4)
    moved = shutil.copytree(tiny_folder, tmp_path / "moved")
    change(plan_file, (str(tiny_folder), str(moved)))
    assert counts(run(plan_file, tmp_path / "a")) == (4, 0, 0)


def know_by_old_keys(tmp_path, tiny_folder):
    """Let the database know its pictures as lorarar 0.1 did, whose formula is written out anew here."""
    style = {"name": "s0.safetensors", "sha256": sha256_of(tmp_path / "styles" / "s0.safetensors")}
    with Store(tmp_path / "a.db") as store, store.writing():
        rows = list(
            store.db.query("""
            SELECT c.content, c.seed, c.image, m.method, m.options
            FROM cells c JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge""")
        )
        for row in rows:
            content = f"{row['content']}.safetensors"
            facts = {
                "method": row["method"],
                "options": json.loads(row["options"]),
                "base": [str(tiny_folder), None],
                "content": {"name": content, "sha256": sha256_of(tmp_path / "contents" / content)},
                "style": style,
                "prompt": "a sks dog in glowing style",
                "steps": 1,
                "guidance": 2.0,
                "together": [row["seed"]],
                "seed": row["seed"],
            }
            key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
            store.db.execute("UPDATE images SET key = ?, makings = NULL WHERE id = ?", [key, row["image"]])


def test_pictures_of_the_first_version_are_taken_over(plan_file, tmp_path, tiny_folder):
    def keys():
        with Store(tmp_path / "a.db") as store:
            return {row["path"]: row["key"] for row in store.rows("SELECT path, key FROM images")}

    change(plan_file, ("[pictures]", '[pictures]\nnoise = "seed"'))
    run(plan_file, tmp_path / "a")
    today = keys()
    know_by_old_keys(tmp_path, tiny_folder)
    assert not set(keys().values()) & set(today.values())
    next((tmp_path / "a" / "images" / "direct").rglob("0-*.png")).write_bytes(b"changed")
    assert counts(run(plan_file, tmp_path / "a")) == (3, 0, 1)
    assert keys() == today


def test_changed_training_pictures_are_trained_anew(training_plan, tmp_path):
    outcome = run(training_plan, tmp_path / "a")
    assert (counts(outcome), outcome.trained) == ((0, 0, 6), 2)
    write_png(Image.new("RGB", (16, 16), "red"), tmp_path / "contents" / "c0" / "1.png")
    outcome = run(training_plan, tmp_path / "a")
    assert (counts(outcome), outcome.trained) == ((5, 0, 1), 1)


def test_a_trained_file_says_all_that_decided_it(training_plan, tmp_path):
    run(training_plan, tmp_path / "a")
    (file, _) = sorted((tmp_path / "a" / "trained" / "joint").iterdir())
    training = provenance_of(read_header(file, TrainingError))["training"]
    assert training["content"]["pictures"] == [sha256_of(tmp_path / "contents" / "c0" / "1.png")]
    assert training["content"]["lora"] == read_adapter(tmp_path / "contents" / "c0.safetensors").sha256
    assert training["options"]["rate"] == 0.01
    assert (training["precision"], training["device"]) == ("no", "cpu")
    assert training["versions"]["torch"] == ".".join(torch.__version__.split(".")[:2])
    assert len(training["base"]) == 64


RUN = """
import sys
from pathlib import Path
from tests.bench_plan import run
sys.stdin.readline()
outcome = run(Path(sys.argv[1]), Path(sys.argv[2]))
assert not outcome.failures, outcome.failures
print(outcome.existing, outcome.shared, outcome.generated, outcome.trained)
"""


@pytest.mark.slow
def test_two_processes_share_a_plan_and_draw_every_cell_once(training_plan, tmp_path):
    change(training_plan, ("seeds = 1", "seeds = 2"))
    command = [sys.executable, "-c", RUN, str(training_plan), str(tmp_path / "out")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        print(file=process.stdin, flush=True)
    said = [[int(number) for number in process.communicate()[0].split()] for process in processes]
    generated, trained = (sum(numbers[place] for numbers in said) for place in (2, 3))
    assert (generated, trained) == (12, 2)
    assert [sum(numbers[:3]) for numbers in said] == [12, 12]
    assert len(shown(tmp_path)) == len(pictures(tmp_path / "out")) == 12
    with Store(tmp_path / "a.db") as store:
        assert not store.rows("SELECT * FROM claims")


@pytest.fixture
def two_steps(monkeypatch):
    """ZipLoRA with two steps a pair, each of which leaves a checkpoint."""
    monkeypatch.setitem(OF_COEFFICIENTS, "ziplora", Training(partial(ZipOptions, steps=2), ()))


def merge_all_by_ziplora(tmp_path, base, seed):
    recipe = Recipe(method_named("ziplora"), find_base(str(base)), {"seed": seed})
    pairs = pairings(tmp_path / "contents", tmp_path / "styles", tmp_path / "merged")
    return [done is not None for _, done in merge_all(recipe, pairs)]


def test_merges_that_were_optimised_are_made_again_where_options_or_pictures_changed(
    plan_file, tmp_path, tiny_folder, two_steps
):
    assert merge_all_by_ziplora(tmp_path, tiny_folder, 0) == [True, True]
    assert merge_all_by_ziplora(tmp_path, tiny_folder, 0) == [False, False]
    assert merge_all_by_ziplora(tmp_path, tiny_folder, 1) == [True, True]
    write_png(Image.new("RGB", (16, 16), "red"), tmp_path / "contents" / "c1" / "1.png")
    assert merge_all_by_ziplora(tmp_path, tiny_folder, 1) == [False, True]


def test_an_interrupted_merge_is_not_taken_up_by_another_pair(plan_file, tmp_path, tiny_folder, two_steps):
    base, out = find_base(str(tiny_folder)), tmp_path / "m.safetensors"
    content, style = read_concept(tmp_path / "contents" / "c0.safetensors"), tmp_path / "styles" / "s0.safetensors"
    optimiser = PairOptimiser(base, ZipOptions(steps=2))
    train_coefficients(
        StableDiffusionXLPipeline.from_pretrained(tiny_folder, add_watermarker=False),
        content,
        read_concept(style),
        ZipOptions(steps=2),
        checkpoint=checkpoint_beside(out),
        makings=optimiser.makings(facts_of_file(content.path), facts_of_file(style)),
        side=16,
    )
    with pytest.raises(TrainingError, match=r"m\.safetensors\.checkpoint\.pt is .* by content\.lora, content\.pict"):
        merge(tmp_path / "contents" / "c1.safetensors", style, out, base=str(tiny_folder), method="ziplora")
    assert not out.exists()
    done = merge(content.path, style, out, base=str(tiny_folder), method="ziplora")
    assert done.provenance()["training"] == read_adapter(out).provenance["training"]
    assert not checkpoint_beside(out).exists()
