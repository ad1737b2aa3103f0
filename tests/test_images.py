import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from io import BytesIO

import pytest
import torch
from PIL import Image

from lorarar.generation.latents import read_images
from lorarar.pictures.folders import find_images
from lorarar.pictures.images import read_image, write_png
from lorarar.util.errors import ImageError


def test_what_is_written_is_read_with_its_notes(tmp_path):
    image = Image.new("RGB", (8, 8), (1, 2, 3))
    path = write_png(image, tmp_path / "deep" / "a.png", {"prompt": "a dög"})
    assert read_image(path).getpixel((3, 3)) == (1, 2, 3)
    assert Image.open(path).text == {"prompt": "a dög"}
    assert os.listdir(tmp_path / "deep") == ["a.png"]


def test_pictures_become_one_tensor(tmp_path):
    for number, size in enumerate([(8, 8), (20, 10)]):
        write_png(Image.new("RGB", size, (255, 0, 127)), tmp_path / f"{number}.png")
    images = read_images(find_images(tmp_path), 4)
    assert images.shape == (2, 3, 4, 4)
    torch.testing.assert_close(images[1, :, 0, 0], torch.tensor([1.0, -1.0, 0.0]), atol=0.01, rtol=0)


def bomb(side):
    """A PNG of few bytes that claims ``side`` x ``side`` pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    body = zlib.compress(bytes(1000))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_100, 12_000, 60_000])
def test_image_bombs_are_refused_at_once(tmp_path, side, note):
    (tmp_path / "bomb.png").write_bytes(bomb(side))
    started = time.perf_counter()
    with pytest.raises(ImageError, match="pixels"):
        read_image(tmp_path / "bomb.png")
    seconds = time.perf_counter() - started
    note(f"refused in {seconds * 1000:.1f} ms")
    assert seconds < 0.1


def test_every_truncation_is_caught(tmp_path):
    buffer = BytesIO()
    Image.effect_noise((24, 24), 90).convert("RGB").save(buffer, "JPEG")
    whole = buffer.getvalue()
    for length in range(0, len(whole) - 2, max(1, len(whole) // 60)):
        (tmp_path / "a.jpg").write_bytes(whole[:length])
        with pytest.raises(ImageError, match=r"a\.jpg"):
            read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("content", [b"", b"GIF89a nonsense", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_other_formats_are_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match="PNG, JPEG, WEBP"):
        read_image(tmp_path / "a.png")


def test_missing_pictures_are_named(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="no pictures"):
        find_images(tmp_path)


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ImageError, match="cannot write"):
        write_png(Image.new("RGB", (2, 2)), tmp_path / "file" / "a.png")


WRITER = """
import sys
from PIL import Image
from lorarar.pictures.images import write_png
image = Image.effect_noise((256, 256), 90).convert("RGB")
print("ready", flush=True)
while True:
    write_png(image, sys.argv[1])
"""


def test_sigkill_tears_no_picture(tmp_path, note):
    path = tmp_path / "a.png"
    for attempt in range(25):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(0.01 + 0.004 * attempt)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        if path.exists():
            assert read_image(path).size == (256, 256)
    note("25 kills, 0 torn files")
    assert path.exists()
