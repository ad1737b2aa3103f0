"""Pictures are read as a viewer shows them; what is shown by its own pixels keeps them and its digest."""

import hashlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from lorarar.pictures.images import digest_as_read, read_image, read_size

UPRIGHT = Image.fromarray(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3)  # 6 wide, 4 high


def stored_for(orientation):
    """The upright picture as a camera of that orientation stores it, by EXIF's own words: where row 0, column 0 are."""
    pixels = np.asarray(UPRIGHT)
    first = {  # of a stored pixel (y, x), its place in the upright picture of height h and width w
        1: lambda y, x, h, w: (y, x),
        2: lambda y, x, h, w: (y, w - 1 - x),
        3: lambda y, x, h, w: (h - 1 - y, w - 1 - x),
        4: lambda y, x, h, w: (h - 1 - y, x),
        5: lambda y, x, h, w: (x, y),
        6: lambda y, x, h, w: (x, w - 1 - y),
        7: lambda y, x, h, w: (h - 1 - x, w - 1 - y),
        8: lambda y, x, h, w: (h - 1 - x, y),
    }[orientation]
    h, w = pixels.shape[:2]
    size = (h, w) if orientation < 5 else (w, h)
    stored = np.array([[pixels[first(y, x, h, w)] for x in range(size[1])] for y in range(size[0])])
    return Image.fromarray(stored)


@pytest.mark.parametrize("ending", ["png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_read_upright_to_the_bit(tmp_path, orientation, ending):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / f"a.{ending}"
    stored_for(orientation).save(path, exif=exif, **({"lossless": True} if ending == "webp" else {}))
    assert np.array_equal(np.asarray(read_image(path)), np.asarray(UPRIGHT))
    assert read_size(path) == UPRIGHT.size


def test_a_turned_photo_is_read_upright(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    halves = Image.new("RGB", (16, 32), "red")
    halves.paste("blue", (0, 16, 16, 32))  # stored above and below; turned clockwise the red is on the right
    halves.save(tmp_path / "a.jpg", exif=exif, quality=95)
    shown = read_image(tmp_path / "a.jpg")
    assert shown.size == (32, 16) == read_size(tmp_path / "a.jpg")
    assert shown.getpixel((28, 8))[0] > 200 and shown.getpixel((3, 8))[2] > 200


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(20), b""])
def test_a_broken_exif_tag_turns_nothing(tmp_path, exif):
    UPRIGHT.save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(np.asarray(read_image(tmp_path / "a.png")), np.asarray(UPRIGHT))


def test_greys_of_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    values = np.array([[0, 128, 129, 257, 32768], [54658, 65278, 65406, 65407, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    shown = np.asarray(read_image(tmp_path / "a.png"))
    assert shown.shape == (2, 5, 3)
    assert np.array_equal(shown[..., 1], [[round(int(v) / 257) for v in row] for row in values])
    assert np.array_equal(shown[..., 0], shown[..., 2])


def test_of_sixteen_bits_the_see_through_grey_is_white(tmp_path):
    Image.fromarray(np.array([[0, 1000, 65535]], np.uint16)).save(tmp_path / "a.png", transparency=1000)
    assert [pixel[0] for pixel in (read_image(tmp_path / "a.png").getpixel((x, 0)) for x in range(3))] == [0, 255, 255]


def see_through():
    """One pixel that shows white, one that shows black, in every form that a file can say it in."""
    for hidden in ("black", "magenta"):
        rgba = Image.new("RGBA", (2, 1), "black")
        rgba.putpixel((0, 0), (*Image.new("RGB", (1, 1), hidden).getpixel((0, 0)), 0))
        yield f"rgba-{hidden}.png", rgba, {}
        yield f"rgba-{hidden}.webp", rgba, {"lossless": True, "exact": True}
        yield f"la-{hidden}.png", rgba.convert("LA"), {}
        palette = Image.new("P", (2, 1), 0)
        palette.putpalette([*Image.new("RGB", (1, 1), hidden).getpixel((0, 0)), 0, 0, 0])
        palette.putpixel((1, 0), 1)
        yield f"p-{hidden}.png", palette, {"transparency": 0}
        yield f"p-bytes-{hidden}.png", palette, {"transparency": b"\0\xff"}
    for mode, hidden, black in (("L", 7, 0), ("RGB", (9, 8, 7), (0, 0, 0)), ("1", 1, 0)):
        opaque = Image.new(mode, (2, 1), black)
        opaque.putpixel((0, 0), hidden)
        yield f"{mode}.png", opaque, {"transparency": hidden}


@pytest.mark.parametrize(("name", "image", "options"), see_through(), ids=lambda value: str(value)[:20])
def test_what_is_see_through_shows_white_whatever_is_hidden_there(tmp_path, name, image, options):
    image.save(tmp_path / name, **options)
    shown = read_image(tmp_path / name)
    assert (shown.mode, shown.getpixel((0, 0)), shown.getpixel((1, 0))) == ("RGB", (255, 255, 255), (0, 0, 0))


def test_half_see_through_red_is_half_white(tmp_path):
    Image.new("RGBA", (1, 1), (255, 0, 0, 128)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").getpixel((0, 0)) == (255, 127, 127)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "RGBA"])  # of these RGBA is opaque
def test_a_plain_picture_keeps_its_pixels_and_its_digest(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    UPRIGHT.convert(mode).save(path)
    assert np.array_equal(np.asarray(read_image(path)), np.asarray(Image.open(path).convert("RGB")))
    assert digest_as_read(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_picture_that_was_misread_counts_as_another(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 8
    UPRIGHT.save(tmp_path / "turned.png", exif=exif)
    Image.new("RGBA", (2, 2)).save(tmp_path / "clear.png")
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(tmp_path / "deep.png")
    for path in tmp_path.iterdir():
        assert digest_as_read(path) != hashlib.sha256(path.read_bytes()).hexdigest(), path
