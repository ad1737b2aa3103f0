"""The rehearsal on checkpoints of the tiny kind: the real loaders read what it writes, and what it measures is so."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from benchmarks.rehearsal import inputs, room
from benchmarks.rehearsal.base import write_file, write_folder
from benchmarks.rehearsal.critic import write_critic
from benchmarks.rehearsal.random_file import BLOCK, RandomTensor, write_random
from benchmarks.rehearsal.results import Result, Results, steps_text
from benchmarks.rehearsal.scale import SCALES
from benchmarks.rehearsal.steps import STEPS, Setting, in_numbers
from lorarar.families import FAMILIES, find_base
from lorarar.families.architecture import blueprint_of
from lorarar.families.meta_models import meta_model

ROOT = Path(__file__).parents[1]
TINY, TRUE = SCALES["tiny"], SCALES["true"]


@pytest.fixture
def setting(tmp_path):
    return Setting(tmp_path, TRUE, "cpu", steps=1)


def test_random_files_have_the_numbers_that_are_asked_for_whatever_their_size(tmp_path):
    tensors = {
        "large": RandomTensor((BLOCK // 2, 3), 0.5),
        "norm.weight": RandomTensor((7,), 0.0, 1.0),
        "norm.bias": RandomTensor((7,), 0.0),
    }
    file = write_random(tmp_path / "a.safetensors", tensors, torch.float16)
    values = load_file(file)
    assert {name: tuple(value.shape) for name, value in values.items()} == {n: t.shape for n, t in tensors.items()}
    large = values["large"].float()
    assert large.std() == pytest.approx(0.5, rel=0.01) and large.mean().abs() < 0.001
    assert torch.equal(values["norm.weight"], torch.ones(7, dtype=torch.float16)) and not values["norm.bias"].any()
    square = large.flatten()[: 512 * 512].view(512, 512)
    assert torch.linalg.matrix_rank(square) == 512  # no row is another's
    bytes_before = file.read_bytes()
    file.unlink()
    assert write_random(file, tensors, torch.float16).read_bytes() == bytes_before


@pytest.mark.slow
def test_the_models_of_true_size_are_sdxls():
    """Names and shapes alone; 6.9 GB in half precision, as published."""
    models = {name: meta_model(one) for name, one in TRUE.architecture.components.items() if name != "scheduler"}
    weights = [weight for model in models.values() for weight in model.state_dict().values()]
    assert 2e-9 * sum(weight.numel() for weight in weights) == pytest.approx(TRUE.base_gigabytes, abs=0.05)
    shapes = {name: tuple(weight.shape) for name, weight in models["unet"].state_dict().items()}
    assert blueprint_of(shapes) == FAMILIES["sdxl"].architecture.blueprint


def test_folder_and_file_of_the_base_are_loaded_and_draw_a_picture(tmp_path, monkeypatch):
    from lorarar.generation.checkpoint import load_checkpoint
    from lorarar.generation.studio import Studio

    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    folder = write_folder(TINY.architecture, tmp_path / "base")
    with Studio(find_base(str(folder)), "cpu") as studio:
        (picture,) = studio.generate("a sks dog", [0], steps=1, size=(64, 64))
    assert len(picture.image.getcolors(64 * 64)) > 100
    file = write_file(TINY.architecture, tmp_path / "one.safetensors")
    family = replace(FAMILIES["sdxl"], architecture=TINY.architecture)
    one = load_checkpoint(file, family, torch.float32, {})
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        ours, theirs = getattr(studio.pipeline, part), getattr(one, part)
        shapes = [{name: weight.shape for name, weight in model.state_dict().items()} for model in (ours, theirs)]
        assert shapes[0] == shapes[1]


def test_the_critic_is_read_in_its_original_naming_and_answers(tmp_path, monkeypatch):
    from judge.critics.local.checkpoint import checkpoint_in
    from judge.critics.local.critic import LocalCritic
    from judge.critics.local.settings import LocalSettings
    from judge.questions import PAPER, Question

    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    folder = write_critic(replace(TINY.critic, layers=1), tmp_path / "critic")
    inputs.INPUTS["judged"].write(TINY, tmp_path / "judged")
    pictures = sorted((tmp_path / "judged").rglob("*.png"))
    checkpoint = checkpoint_in(folder)
    assert checkpoint.original
    assert len(list(folder.glob("model-*.safetensors"))) == 4
    critic = LocalCritic(checkpoint, LocalSettings(device="cpu", image_mode="pad"))
    questions = [Question("subject", PAPER.render("subject"), PAPER.system, *pictures[:2])]
    ((_, reply),) = critic.ask(questions)
    assert reply.status == "ok" and reply.answer in (True, False)


def test_what_there_is_no_room_for_is_said_in_a_line(setting, monkeypatch, tmp_path):
    memory = psutil.virtual_memory()
    full, empty = (memory._replace(available=int(gb * 1e9)) for gb in (3, 500))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: full)
    monkeypatch.setattr(room, "_free", lambda setting: 300.0)
    assert room.missing(STEPS["draw"], setting, ()) == "needs some 21 GB of memory, of which 3 are free"
    monkeypatch.setattr(psutil, "virtual_memory", lambda: empty)
    assert room.missing(STEPS["draw"], setting, ()) == ""
    monkeypatch.setattr(room, "_free", lambda setting: 5.0)
    words = f"needs 18 GB on the disk of {tmp_path} for critic and judged, which has 5 free"
    assert room.missing(STEPS["verdict"], setting, ()) == words


def test_where_the_disk_is_full_goes_what_no_later_step_needs(setting, monkeypatch, tmp_path):
    for name in ("base", "concepts"):
        (tmp_path / name / inputs.INPUTS[name].last).parent.mkdir(parents=True)
        (tmp_path / name / inputs.INPUTS[name].last).touch()
    monkeypatch.setattr(room, "available_memory", lambda: 99.0)
    monkeypatch.setattr(room, "_free", lambda setting: 5.0 if (tmp_path / "base").exists() else 30.0)
    assert "needs 18 GB" in room.missing(STEPS["verdict"], setting, {"base", "concepts"})
    assert room.missing(STEPS["verdict"], setting, {"concepts"}) == ""
    assert not (tmp_path / "base").exists() and (tmp_path / "concepts").exists()


def test_on_a_cpu_numbers_are_as_large_as_the_memory_lets_them_be(setting):
    step = STEPS["draw"]
    assert [in_numbers(step, setting, gb).numbers for gb in (99, 15, 1)] == ["", "bfloat16", "bfloat16"]
    assert in_numbers(step, replace(setting, device="cuda"), 1).numbers == ""
    assert in_numbers(step, replace(setting, numbers="float16"), 99).numbers == "float16"


def measuring(code, folder):
    """Where a record goes, and a program that measures Python code in place of a command."""
    (folder / "command.py").write_text(code)
    place = folder / "record.json"
    return place, (
        "import sys\nfrom benchmarks.rehearsal import measured\nmeasured.OFTEN = 1\n"
        f"measured.runpy.run_module = lambda *a, **k: exec(open({str(folder / 'command.py')!r}).read(), {{}})\n"
        f"sys.argv = ['measured', {str(place)!r}, 'methods']\nmeasured.main()"
    )


def test_of_a_command_that_is_killed_the_record_stays(tmp_path):
    place, program = measuring("import time\ntime.sleep(60)", tmp_path)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as process:
        while not place.exists():
            time.sleep(0.02)
        process.kill()
    assert json.loads(place.read_text())["resident"] > 1e6


def test_a_command_is_measured_from_inside_whatever_comes_of_it(tmp_path):
    code = (
        "import sys, time; from lorarar.util.progress import Ticker\ndata = bytes(b'x' * 200_000_000)\n"
        "with Ticker('work', 2) as ticker: ticker.advance(); ticker.advance()\ntime.sleep(0.5); sys.exit(3)"
    )
    place, program = measuring(code, tmp_path)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    record = json.loads(place.read_text())
    assert done.returncode == 3
    assert record["resident"] > 200e6 and record["own"] > 200e6 and record["seconds"] > 0
    assert [tick["title"] for tick in record["ticks"]] == ["work", "work", "end"]


def tick(title, seconds, cuda=0):
    return {"title": title, "seconds": seconds, "work": 2 * seconds, "cuda": cuda}


def test_results_are_kept_and_read_as_a_table(tmp_path):
    ticks = [tick("lora", 20.0, 6 << 30), tick("lora", 0.5, 5 << 30), tick("lora", 0.7, 4 << 30), tick("end", 1.0)]
    assert steps_text(ticks) == "lora 20 s, then 600 ms each (6.00 GiB, 5.00 GiB); end 1 s"
    assert steps_text([tick("digest of base, MB", 0.1)] * 3 + [tick("end", 2.0)]) == "end 2 s"
    assert steps_text(ticks[1:3], "work") == "lora 1 s, then 1.4 s each (5.00 GiB, 4.00 GiB)"
    record = {"seconds": 61.0, "work": 99.0, "resident": 3 << 30, "own": 2 << 30, "cuda": 6 << 30, "ticks": ticks}
    result = Result("lora", "train a LoRA", "", "cuda", "lorarar train lora", goal=5, record=record)
    results = Results(tmp_path / "results.json")
    results.keep(result)
    results.keep(replace(result, name="draw", goal=None, trouble="failed: x", record={}))
    again = Results(tmp_path / "results.json")
    assert again.by_name == results.by_name
    assert again.is_done("lora") and not again.is_done("draw") and not again.is_done("grid")
    assert result.row[5:9] == ("3.00 GiB", "2.00 GiB", "6.00 GiB", "**5 GiB**")
    assert "failed: x" in again.text()


@pytest.mark.slow
def test_the_whole_rehearsal_runs_on_the_tiny_kind_and_goes_on_where_it_stopped(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "rehearsal", "--scale", "tiny", "--work", str(tmp_path)]
    command += ["--device", "cpu"]
    first = subprocess.run([*command, "--only", "draw"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "draw a picture" in first.stdout
    rest = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    kept = json.loads((tmp_path / "results-tiny-cpu.json").read_text())
    troubles = {name: one["trouble"] for name, one in kept.items() if one["trouble"]}
    assert kept.keys() == {name for name, step in STEPS.items() if not step.on_gpu_alone}
    assert troubles.keys() == {"draw-file"}  # no family has so small a UNet
    assert "of an architecture that is not known here" in troubles["draw-file"]
    assert rest.returncode == 1
    assert "draw …" not in rest.stderr
