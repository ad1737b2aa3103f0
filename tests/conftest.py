"""Tiny random models of SDXL's architecture, and LoRAs for them, made once per run."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from PIL import Image
from typer.testing import CliRunner, Result

from lorarar.cli.main import app
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import write_adapter
from lorarar.pictures.concepts import Concept, read_concepts
from lorarar.pictures.images import write_png
from lorarar.pocket.text_encoders import new_encoders, write_tokenizer
from lorarar.store import Store

from .extending import EXTENSION

# a shell's background jobs ignore Ctrl-C, and so would every program that a test interrupts
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# one thread for each of several workers: torch's own on shared cores starve each other
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")))


def make_unet() -> UNet2DConditionModel:
    """SDXL's blocks at widths 16 and 32."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 16, 32),
        layers_per_block=1,
        transformer_layers_per_block=(1, 1, 1),
        attention_head_dim=(1, 2, 4),
        cross_attention_dim=128,
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 128,
    ).eval()


@pytest.fixture
def store(grid: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of the database that the module makes as ``grid``, so that tests may write into it."""
    with Store(grid) as original:
        original.backup(tmp_path / "copy.db")
    with Store(tmp_path / "copy.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def grid(original: tuple[Path, Path]) -> Path:
    """The database of a module that makes one with a packet as ``original``."""
    return original[0]


@pytest.fixture
def packet(original: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the packet that the module makes with a database as ``original``, in a folder of its own."""
    copy = tmp_path / "elsewhere" / "p.zip"
    copy.parent.mkdir()
    copy.write_bytes(original[1].read_bytes())
    return copy


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random pipeline on disk."""
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = write_tokenizer(folder / "words")
    torch.manual_seed(1)
    one, two = new_encoders(tokenizer)
    vae = AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        block_out_channels=[8, 8],
        norm_num_groups=4,
        latent_channels=4,
        sample_size=16,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=one,
        text_encoder_2=two,
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=make_unet(),
        scheduler=DDPMScheduler(prediction_type="v_prediction"),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder / "base")
    return folder / "base"


@pytest.fixture
def tiny(tiny_folder: Path) -> StableDiffusionXLPipeline:
    """A fresh copy of the tiny pipeline."""
    pipeline = StableDiffusionXLPipeline.from_pretrained(tiny_folder, add_watermarker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


ATTENTION = (".to_q", ".to_k", ".to_v", ".to_out.0")
FEED_FORWARD = (".ff.net.0.proj", ".ff.net.2")


def random_adapter(
    rank: int,
    seed: int,
    unet: torch.nn.Module | None = None,
    strength: float = 0.3,
    ends: tuple[str, ...] = ATTENTION,
) -> Adapter:
    """A LoRA with random factors on every attention linear of the tiny UNet, or on layers with other ends."""
    generator = torch.Generator().manual_seed(seed)
    layers = {}
    for name, module in (unet or make_unet()).named_modules():
        if name.endswith(ends):
            rows, columns = module.weight.shape
            down = torch.randn((rank, columns), generator=generator) * strength
            up = torch.randn((rows, rank), generator=generator) * strength
            layers[f"unet.{name}"] = Factors(down, up)
    return Adapter(layers, f"random-{seed}", f"{seed:064d}")


@pytest.fixture
def lora_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a random LoRA and return its file."""

    def write(name: str, rank: int = 2, seed: int = 0, **notes: str) -> Path:
        return write_adapter(random_adapter(rank, seed), tmp_path / f"{name}.safetensors", notes)

    return write


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say a figure of a fault test; they are gathered in the file that $LORARAR_FIGURES names, for the docs."""

    def write(text: str) -> None:
        if place := os.environ.get("LORARAR_FIGURES"):
            with Path(place).open("a") as file:
                file.write(f"{request.node.name}: {text}\n")

    return write


@pytest.fixture
def extended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of tests/extension on the path of this process; its rows are gone after the test."""
    monkeypatch.syspath_prepend(EXTENSION)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LORARAR_DB", raising=False)

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture(scope="session")
def drawn_pool(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    """The folder of a plan that was drawn and not judged."""
    from .judged_plan import draw_pool

    return draw_pool(tmp_path_factory.mktemp("pool"), tiny_folder).parent


@pytest.fixture
def pool(drawn_pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of its database beside copies of its files, in the working folder."""
    shutil.copytree(drawn_pool, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("pool.db")


def write_concepts(folder: Path, contents: int, styles: int) -> list[list[Concept]]:
    """Contents and styles with a picture each, of ranks of their own, written and read."""
    for side, count in (("contents", contents), ("styles", styles)):
        for number in range(count):
            adapter = random_adapter(2 + number, number + 10 * (side == "styles"), strength=0.2)
            prompt = f"a sks thing{number}" if side == "contents" else f"a house in look{number} style"
            write_adapter(adapter, folder / side / f"c{number}.safetensors", {"prompt": prompt})
            write_png(Image.new("RGB", (16, 16), (40 * number, 90, 20)), folder / side / f"c{number}" / "1.png")
    return [read_concepts(folder / side) for side in ("contents", "styles")]


def of_one_colour(content: Concept, style: Concept) -> Image.Image:
    """The true picture of a pair of such concepts."""
    return Image.new("RGB", (16, 16), (60 * int(content.name[-1]), 100 * int(style.name[-1]), 30))
