"""Pictures on their way to a server: packed once, and the very pixels that a critic on this machine would see."""

import io
import json
import struct
import threading
import time
import zlib
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from judge.critics.kept_once import KeptOnce
from judge.critics.openai.request import PICTURE, packed
from judge.critics.openai.sent_pictures import SentPictures
from judge.critics.preparation import Preparation
from lorarar.pictures.images import read_image, write_png
from lorarar.pictures.plain_png import plain_png
from lorarar.util.errors import ImageError

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 4), dtype=np.uint8)
RGB = Image.fromarray(NOISE[..., :3])


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def with_chunk(kind, body):
    """A plain PNG with another chunk behind its header."""
    data = saved(RGB)
    return data[:33] + chunk(kind, body) + data[33:]


def noted(key, text):
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt(key, text)
    return saved(RGB, pnginfo=notes)


def sent(path, side=64):
    """The picture of a file as a server sees it."""
    text = json.loads(SentPictures(Preparation(side))(path))
    assert text.startswith("data:image/png;base64,")
    return Image.open(io.BytesIO(b64decode(text.partition(",")[2])))


PASSED_ON = {
    "plain": saved(RGB),
    "with a note": noted("prompt", "a secret"),
    "with a time and a size": with_chunk(b"tIME", bytes(7)),
    "named sRGB": with_chunk(b"sRGB", b"\0"),
}
DECODED = {
    "see-through": saved(Image.fromarray(NOISE)),
    "grey": saved(RGB.convert("L")),
    "of a palette": saved(RGB.convert("P")),
    "turned": saved(RGB, exif=(exif := Image.Exif(), exif.__setitem__(0x112, 6))[0]),
    "turned in a text": noted("XML:com.adobe.xmp", "<x tiff:Orientation='6'/>"),
    "with a colour that is see-through": with_chunk(b"tRNS", bytes(6)),
    "with a profile": with_chunk(b"iCCP", b"p\0\0" + zlib.compress(b"x")),
    "animated": with_chunk(b"acTL", struct.pack(">II", 1, 0)),
    "with something unknown": with_chunk(b"teST", b"x"),
    "interlaced": saved(RGB).replace(saved(RGB)[8:33], chunk(b"IHDR", struct.pack(">IIBBBBB", 60, 40, 8, 2, 0, 0, 1))),
    "cut off": saved(RGB)[:-20],
    "with a wrong checksum": saved(RGB)[:-14] + b"\0" + saved(RGB)[-13:],
    "a jpeg": b"\xff\xd8\xff",
    "empty": b"",
}


@pytest.mark.parametrize("what", PASSED_ON)
def test_a_plain_png_is_passed_on_as_it_is_but_for_its_notes(what, tmp_path):
    (tmp_path / "a.png").write_bytes(PASSED_ON[what])
    passed = plain_png(PASSED_ON[what], 60)
    assert read_image(passed).tobytes() == read_image(tmp_path / "a.png").tobytes() == RGB.tobytes()
    assert b"secret" not in passed and plain_png(PASSED_ON[what], 59) is None
    assert sent(tmp_path / "a.png").tobytes() == RGB.tobytes()


@pytest.mark.parametrize("what", DECODED)
def test_whatever_else_a_file_holds_is_decoded(what):
    assert plain_png(DECODED[what], 64) is None


@pytest.mark.parametrize("what", ["see-through", "grey", "turned", "with a colour that is see-through"])
@pytest.mark.parametrize("side", [64, 20])
def test_a_server_sees_what_a_critic_here_would_see(what, side, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(DECODED[what])
    seen = Preparation(side)(path).image
    shown = sent(path, side)
    assert (shown.mode, shown.size, shown.tobytes()) == ("RGB", seen.size, seen.tobytes())


def test_a_picture_that_changed_is_packed_anew_and_one_that_is_gone_says_so(tmp_path):
    pictures, path = SentPictures(Preparation(64)), tmp_path / "a.png"
    write_png(RGB, path)
    first = pictures(path)
    assert pictures(path) is first
    write_png(RGB.rotate(180), path)
    assert pictures(path) != first
    path.unlink()
    with pytest.raises(ImageError, match=r"a\.png"):
        pictures(path)


def test_what_many_threads_want_is_made_once_and_an_error_is_not_kept():
    made, kept = [], KeptOnce(2)

    def make():
        made.append(threading.get_ident())
        time.sleep(0.05)
        return len(made)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: kept.get("a", make), range(8))) == {1}
    assert len(made) == 1
    for key in ("b", "c"):
        kept.get(key, lambda: 0)
    assert kept.get("a", make) == 2  # which two others had driven out
    with pytest.raises(KeyError):
        kept.get("d", lambda: {}["none"])
    assert kept.get("d", lambda: 4) == 4


def test_a_request_is_the_json_it_would_be_with_its_pictures_in_it():
    body = {"model": 'a "b" \\', "messages": [{"url": PICTURE}, "words", {"url": PICTURE}], "x": [1, None]}
    pictures = ["data:one", "data:two"]
    whole = json.loads(packed(body, [json.dumps(one).encode() for one in pictures]))
    assert whole == body | {"messages": [{"url": "data:one"}, "words", {"url": "data:two"}]}
