"""Processes that train together do what one does with a batch of them all."""

import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from lorarar.lora.files import write_adapter
from lorarar.pictures.concepts import read_concepts
from lorarar.pictures.images import write_png
from lorarar.training.hypernet import HypernetMerging
from lorarar.training.lesson import Lesson
from lorarar.training.loop import Objective
from lorarar.training.lora import LoraDenoising
from lorarar.training.options import HypernetOptions, LoraOptions
from lorarar.training.share import ALONE, Share

from .conftest import ATTENTION, FEED_FORWARD, random_adapter
from .together import train_all

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path, tiny_folder):
    """A base, and two contents and two styles with two pictures each; one content has no feed-forward layers."""
    (tmp_path / "base").symlink_to(tiny_folder)
    for number, (side, name) in enumerate((side, name) for side in ("contents", "styles") for name in ("a", "b")):
        ends = ATTENTION if number == 0 else (*ATTENTION, *FEED_FORWARD)
        adapter = random_adapter(2, number, strength=0.2, ends=ends)
        write_adapter(adapter, tmp_path / side / f"{name}.safetensors", {"prompt": f"a sks thing {number}"})
        for picture in range(2):
            colour = (40 * number, 90 * picture, 20)
            write_png(Image.new("RGB", (16, 16), colour), tmp_path / side / name / f"{picture}.png")
    return tmp_path


def seeded(process):
    return torch.Generator().manual_seed(process)


def lora_objective(tiny, batch):
    files = torch.linspace(-1, 1, 3 * 3 * 16 * 16).view(3, 3, 16, 16)
    return LoraDenoising(tiny, [Lesson(files, "a sks dog")], LoraOptions(rank=2, batch=batch))


def hypernet_objective(tiny, batch, folder):
    concepts = [read_concepts(folder / side) for side in ("contents", "styles")]
    return HypernetMerging(tiny, *concepts, HypernetOptions(hidden=8, batch=batch), 16)


def test_shares_of_a_loras_step_are_a_larger_batch(tiny):
    objective = lora_objective(tiny, 2)
    parts = [objective.share_of_step(seeded, Share(process, 3)) for process in range(3)]
    objective.close()
    large = lora_objective(tiny, 6)
    whole = large.share_of_step(seeded, ALONE)
    large.close()
    for tensor, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(tensor, torch.cat(pieces))


def test_shares_of_a_merging_step_are_of_one_pair_and_a_larger_batch(tiny, folder):
    objective = hypernet_objective(tiny, 2, folder)
    parts = [objective.share_of_step(seeded, Share(process, 3)) for process in range(3)]
    whole = hypernet_objective(tiny, 6, folder).share_of_step(seeded, ALONE)
    assert all(torch.equal(indices, whole[0]) for indices, _, _ in parts)
    for place in (1, 2):
        halves = [torch.cat([part[place].chunk(2)[half] for part in parts]) for half in (0, 1)]
        assert torch.equal(torch.cat(halves), whole[place])


def test_the_mean_gradient_of_shares_is_that_of_the_larger_batch(tiny, folder):
    whole, part = (hypernet_objective(tiny, batch, folder) for batch in (2, 1))
    whole(*whole.share_of_step(seeded, ALONE)).backward()
    for process in (0, 1):
        (part(*part.share_of_step(seeded, Share(process, 2))) / 2).backward()
    for ours, theirs in zip(whole.hypernet.parameters(), part.hypernet.parameters(), strict=True):
        assert float((ours.grad - theirs.grad).norm()) <= 1e-4 * float(ours.grad.norm())


def test_another_objectives_processes_draw_for_themselves():
    class Numbers(Objective):
        def batch(self, generator):
            return (torch.rand(3, generator=generator),)

    first, second = (Numbers().share_of_step(seeded, Share(process, 2))[0] for process in (0, 1))
    assert torch.equal(first, torch.rand(3, generator=seeded(0)))
    assert torch.equal(second, torch.rand(3, generator=seeded(1)))


def launch(folder, count):
    """Run ``tests.together`` in so many processes of gloo, and wait for them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    common |= {"ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.together", str(folder)],
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            cwd=ROOT,
        )
        for rank in range(count)
    ]
    try:
        return [process.wait(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()


@pytest.mark.slow
def test_two_processes_end_where_one_does_with_twice_the_batch(folder):
    assert launch(folder, 2) == [0, 0]
    first, second = (torch.load(folder / f"{rank}-of-2.pt") for rank in (0, 1))
    _, alone = train_all(folder, 2)
    _, half = train_all(folder, 1)
    for kind, tensors in alone.items():
        largest = partial(_largest_difference, tensors)
        assert largest(first[kind]) < 1e-5, kind
        assert _largest_difference(first[kind], second[kind]) == 0, kind
        assert largest(half[kind]) > 1e-4, kind  # a planted fault: what one process alone does


def _largest_difference(ours, theirs):
    return max(float((tensor - theirs[name]).abs().max()) for name, tensor in ours.items())
