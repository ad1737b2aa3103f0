import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from lorarar.calls.drawing import generate
from lorarar.families import Base, find_base
from lorarar.generation.base_digest import base_digest
from lorarar.generation.bases import drawing_device, load_pipeline
from lorarar.generation.picture import save
from lorarar.generation.picture_names import picture_stem
from lorarar.generation.studio import Studio
from lorarar.pictures.images import read_image
from lorarar.util.errors import AdapterError, BaseError, SeedError

from .conftest import random_adapter


def pixels(picture):
    return np.asarray(picture.image).astype(int)


def test_every_picture_has_its_own_seed(tiny_folder):
    together = generate("a dog", base=str(tiny_folder), n=3, seed=5, steps=2)
    alone = generate("a dog", base=str(tiny_folder), n=1, seed=6, steps=2)
    assert [picture.seed for picture in together] == [5, 6, 7]
    assert np.abs(pixels(together[1]) - pixels(alone[0])).max() <= 1
    assert np.abs(pixels(together[0]) - pixels(together[1])).max() > 1


def test_pictures_are_written_with_what_made_them(tiny_folder, tmp_path, lora_file):
    lora = lora_file("a")
    (made,) = generate("a dog", base=str(tiny_folder), lora=lora, steps=2, guidance=3.0, out=tmp_path / "out", seed=9)
    assert made.path.parent == tmp_path / "out"
    assert re.fullmatch(r"a-dog-9-[0-9a-f]{8}\.png", made.path.name)
    notes = Image.open(made.path).text
    assert (notes["prompt"], notes["seed"], notes["steps"], notes["guidance"]) == ("a dog", "9", "2", "3.0")
    assert len(notes["lora_sha256"]) == 64
    assert (notes["base_digest"], notes["dtype"]) == (base_digest(find_base(str(tiny_folder))), "float32")
    assert notes["torch_version"] == torch.__version__
    assert read_image(made.path).size == made.image.size


def test_a_lora_changes_the_picture_and_comes_off_again(tiny_folder):
    with Studio(Base("tiny", str(tiny_folder)), "cpu") as studio:
        plain = pixels(next(studio.generate("a dog", [1], steps=2)))
        studio.load_lora(random_adapter(4, 0, strength=1.0))
        changed = pixels(next(studio.generate("a dog", [1], steps=2)))
        studio.load_lora(None)
        again = pixels(next(studio.generate("a dog", [1], steps=2)))
    assert np.abs(plain - changed).max() > 1
    assert np.array_equal(plain, again)


def test_nothing_of_a_refused_lora_stays_on_the_base(tiny_folder):
    """Planted is one layer of a text encoder that does not fit, after a UNet's of which all do."""
    adapter = random_adapter(4, 0, strength=1.0)
    linear = next(factors for factors in adapter.layers.values() if factors.down.dim() == 2)
    bad = type(linear)(torch.ones(4, 3), torch.ones(5, 4))
    layers = {**adapter.layers, "text_encoder.text_model.encoder.layers.0.self_attn.q_proj": bad}
    with Studio(Base("tiny", str(tiny_folder)), "cpu") as studio:
        plain = pixels(next(studio.generate("a dog", [1], steps=2)))
        with pytest.raises(AdapterError, match="does not fit base tiny"):
            studio.load_lora(replace(adapter, layers=layers))
        after = next(studio.generate("a dog", [1], steps=2))
        assert (after.lora, np.array_equal(pixels(after), plain)) == ("", True)
        studio.load_lora(adapter)
        assert not np.array_equal(pixels(next(studio.generate("a dog", [1], steps=2))), plain)


@pytest.mark.parametrize("device", ["foo", "", "cuda:99", "meta", "cpu,cuda"])
def test_a_device_that_this_machine_lacks_is_one_line(device):
    with pytest.raises(BaseError, match="accepted are cpu") as caught:
        drawing_device(device)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("seed", "n"), [(-1, 1), (2**64, 1), (2**64 - 1, 2), (10**20, 1)])
def test_numbers_that_are_no_seeds_are_refused_before_anything_is_loaded(seed, n):
    with pytest.raises(SeedError, match="a number from 0 to 18446744073709551615"):
        generate("a dog", base="pocket", seed=seed, n=n)


def test_the_largest_seed_draws(tiny_folder):
    (picture,) = generate("a dog", base=str(tiny_folder), seed=2**64 - 1, steps=1)
    assert picture.seed == 2**64 - 1


def test_a_lora_of_another_base_is_refused(tiny_folder):
    from lorarar.lora.adapter import Adapter

    layers = {name: factors.scale(1) for name, factors in random_adapter(2, 0).layers.items()}
    first = next(iter(layers))
    layers[first] = type(layers[first])(layers[first].down[:, :-1], layers[first].up)
    with Studio(Base("tiny", str(tiny_folder)), "cpu") as studio:
        with pytest.raises(AdapterError, match="does not fit base tiny"):
            studio.load_lora(Adapter(layers, "other"))
        assert np.asarray(next(studio.generate("a dog", [1], steps=1)).image).shape == (16, 16, 3)


@pytest.mark.parametrize("name", ["", "nothing", "a/b/c", "../up", "/nowhere/at/all", "~none"])
def test_names_that_are_no_base(name):
    with pytest.raises(BaseError, match="neither pocket nor sdxl"):
        find_base(name)


def test_bases_are_named_by_folder_or_hub_id(tiny_folder, tmp_path):
    assert find_base(str(tiny_folder)).folder == tiny_folder
    assert find_base("owner/name@abc") == Base("owner/name@abc", "owner/name", "abc")
    assert find_base("sdxl").location == "stabilityai/stable-diffusion-xl-base-1.0"
    with pytest.raises(BaseError, match="is no pipeline folder"):
        find_base(str(tmp_path))


def test_a_base_that_asks_for_its_own_code_is_refused(tiny_folder, tmp_path):
    import shutil

    folder = tmp_path / "base"
    shutil.copytree(tiny_folder, folder)
    trace = tmp_path / "ran"
    (folder / "pipeline.py").write_text(f"open({str(trace)!r}, 'w')")
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = ["pipeline", "Evil"]
    index["unet"] = ["evil_module", "Evil"]
    (folder / "evil_module.py").write_text(f"open({str(trace)!r}, 'w')")
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(BaseError, match="cannot load"):
        load_pipeline(Base("evil", str(folder)), "cpu")
    assert not trace.exists()


def test_a_broken_base_is_one_clear_line(tiny_folder, tmp_path):
    import shutil

    folder = tmp_path / "base"
    shutil.copytree(tiny_folder, folder)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(BaseError, match="is not a sound safetensors file") as caught:
        load_pipeline(Base("broken", str(folder)), "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("prompt", ["../../etc/passwd", "a\x1b[31m dog", "x" * 10_000, "", "\u202e", "a/b\0c"])
def test_file_names_are_safe_whatever_the_prompt(prompt):
    stem = picture_stem(prompt, 3, {"prompt": prompt})
    assert re.fullmatch(r"[a-z0-9-]{1,60}-3-[0-9a-f]{8}", stem)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a sks dog in Glowing style", "a-sks-dog-in-glowing-style"),
        ("狗, 水彩画", "狗-水彩画"),
        ("कुत्ता और बिल्ली", "कुत्ता-और-बिल्ली"),
        ("Ein Hund — ganz groß!", "ein-hund-ganz-groß"),
        ("cafe\u0301", "caf\xe9"),
        ("🐕", "picture"),
        ("犬" * 100, "犬" * 20),
    ],
)
def test_words_of_any_alphabet_stay_readable(prompt, words):
    assert picture_stem(prompt, 0, {}).removesuffix("-0-44136fa3") == words  # sha256 of {}


def test_only_equal_makings_share_a_name(tiny_folder, lora_file):
    """Planted is one change at a time of all that decides a picture."""
    same = {"steps": 1, "guidance": 5.0, "seed": 0, "base": str(tiny_folder)}
    changes = [{}, {"steps": 2}, {"guidance": 4.0}, {"seed": 1}, {"lora": lora_file("l", 2, 0)}]
    changes += [{"lora": lora_file("m", 2, 1)}]
    changes += [{"lora": replace(random_adapter(2, seed), sha256="", name="merged")} for seed in (2, 3)]
    pictures = [generate("a dog", **{**same, **change})[0] for change in changes]
    pictures += [
        *(
            replace(pictures[0], drawing=replace(pictures[0].drawing, **change))
            for change in ({"dtype": "float16"}, {"device": "cuda"})
        ),
        *generate("a  dog", **same),
    ]
    names = [picture_stem(one.prompt, one.seed, one.makings()) for one in pictures]
    assert len(set(names)) == len(names)
    (again,) = generate("a dog", **same)
    assert picture_stem(again.prompt, again.seed, again.makings()) == names[0]


def test_keep_names_are_given_or_derived(tiny_folder, tmp_path):
    (picture,) = generate("a dog", base=str(tiny_folder), steps=1)
    assert save(picture, tmp_path, "own").path == tmp_path / "own.png"


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_finished(tiny_folder, tmp_path):
    command = [
        sys.executable,
        "-m",
        "lorarar",
        "generate",
        "--prompt",
        "a dog",
        "--base",
        str(tiny_folder),
        "-n",
        "400",
    ]
    command += ["-o", str(tmp_path / "out"), "--db", str(tmp_path / "a.db"), "--steps", "4"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while len(list((tmp_path / "out").glob("*.png"))) < 8 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130, talk
    assert "Interrupted" in talk
    assert "Traceback" not in talk
    names = sorted(os.listdir(tmp_path / "out"))
    assert 8 <= len(names) < 400
    assert all(name.endswith(".png") for name in names)
    for name in names:
        read_image(tmp_path / "out" / name)
    from lorarar.store import Store

    with Store(tmp_path / "a.db") as store:
        assert len(store.rows("SELECT id FROM images")) >= len(names) - 1
