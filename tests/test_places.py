import json
import os

import pytest
import torch
from safetensors.torch import load_file as tensors_of

from lorarar.lora.files import write_adapter
from lorarar.pictures.folders import find_images
from lorarar.store import Store

from .conftest import random_adapter

ALL = ("merge", "--all", "c", "s", "-o", "out", "--method", "direct", "--base")


def test_names_that_meet_are_files_of_their_own_and_are_there_the_second_time(run, lora_file, tiny_folder, tmp_path):
    for number, name in enumerate(("c/a", "c/a--b", "s/b--c", "s/c")):
        lora_file(name, 2, number)
    first = run(*ALL, tiny_folder)
    assert len(set(first.stdout.split())) == len(list((tmp_path / "out").iterdir())) == 4
    again = run(*ALL, tiny_folder)
    assert "0 merges, 4 were there already" in again.stderr
    assert again.stdout == first.stdout


def test_every_kind_of_lora_is_taken_and_one_bad_file_stops_no_other(run, lora_file, tiny_folder, tmp_path):
    for number, name in enumerate(("a", "b", "d", "e")):
        lora_file(f"c/{name}", 2, number)
    contents = tmp_path / "c"
    (contents / "d.safetensors").rename(contents / "d.SAFETENSORS")
    torch.save(tensors_of(contents / "e.safetensors"), contents / "e.pt")
    (contents / "e.safetensors").unlink()
    write_adapter(random_adapter(2, 9), contents / "p.v1", layout="peft")
    (contents / "b.safetensors").write_bytes(b"bad")
    (contents / "._a.safetensors").write_bytes(b"of macOS")
    (contents / "e.safetensors.checkpoint.pt").write_bytes(b"of a training")
    (contents / "a").mkdir()
    lora_file("s/x", 2, 20)
    lora_file("s/y", 2, 21)
    done = run(*ALL, tiny_folder)
    assert done.exit_code == 1
    assert done.stdout.split() == [
        f"out/{name}--{style}.safetensors" for name in ("a", "d", "e", "p.v1") for style in "xy"
    ]
    assert done.stderr.count("b.safetensors is not a sound safetensors file") == 1
    assert "2 of 10 pairs failed" in done.stderr


def test_what_was_there_already_is_listed_for_machines_too(run, lora_file, tiny_folder, tmp_path):
    lora_file("c/a", 2, 0)
    lora_file("s/x", 3, 1)
    new, there = (json.loads(run(*ALL, tiny_folder, "--json").stdout) for _ in range(2))
    assert (new[0].pop("new"), there[0].pop("new")) == (True, False)
    new[0].pop("seconds"), there[0].pop("seconds")
    assert there == new


@pytest.mark.parametrize("folder", ["c", "s", "c/../s"])
def test_merges_never_go_where_they_would_be_contents(run, lora_file, tiny_folder, tmp_path, folder):
    lora_file("c/a", 2, 0)
    lora_file("s/x", 2, 1)
    done = run("merge", "--all", "c", "s", "-o", folder, "--method", "direct", "--base", tiny_folder)
    assert done.exit_code == 1
    assert "also an input" in done.stderr
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2


def test_a_merge_replaces_an_input_only_where_asked(run, lora_file, tiny_folder, tmp_path):
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    before = pair[0].read_bytes()
    arguments = ("merge", *pair, "-o", pair[0].name, "--method", "direct", "--base", tiny_folder)
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert "also an input" in refused.stderr
    assert pair[0].read_bytes() == before
    assert run(*arguments, "--overwrite-input").exit_code == 0
    assert pair[0].read_bytes() != before


def test_a_peft_folder_is_not_replaced_by_a_merge_of_what_it_holds(run, lora_file, tiny_folder, tmp_path):
    write_adapter(random_adapter(2, 9), tmp_path / "p", layout="peft")
    style = lora_file("s", 2, 1)
    for content in ("p", "p/adapter_model.safetensors"):
        done = run("merge", content, style, "-o", "p", "--layout", "peft", "--method", "direct", "--base", tiny_folder)
        assert "also an input" in done.stderr


def test_a_lora_whose_name_is_no_utf8_is_refused_in_one_line(run, lora_file, tiny_folder, tmp_path):
    good = lora_file("s", 2, 1)
    bad = tmp_path / "dog-\udcff.pt"
    torch.save(tensors_of(good), bad)
    done = run("merge", bad, good, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder)
    assert done.exit_code == 1
    assert r"dog-\xff.pt is no UTF-8" in done.stderr
    assert not (tmp_path / "m.safetensors").exists()


#: Every command that writes a file, and the name of its option's value in a sound call; no input of them exists, so
#: that a refusal of the place comes before anything was read.
FILES = {
    "merge": (("merge", "a", "b", "-o"), ".safetensors"),
    "merge as kohya": (("merge", "a", "b", "--layout", "kohya", "-o"), ".safetensors"),
    "coefficients": (("coefficients", "a", "b", "-o"), ".safetensors"),
    "train lora": (("train", "lora", "p", "--prompt", "x", "-o"), ".safetensors"),
    "train joint": (
        ("train", "joint", "--content", "p", "--content-prompt", "x", "--style", "q", "--style-prompt", "y", "-o"),
        ".safetensors",
    ),
    "train hypernet": (("train", "hypernet", "--contents", "a", "--styles", "b", "-o"), ".safetensors"),
    "judge report": (("judge", "report", "--gallery"), ".html"),
    "study export": (("study", "export", "name", "-o"), ".zip"),
    "backup": (("backup", "-o"), ""),
    "study serve": (("study", "serve", "name", "--tokens"), ""),
    "study run": (("study", "run", "packet.zip", "--votes"), ""),
    "pocket truth": (("pocket", "truth", "dog #8", "glowing", "-o"), ".png"),
}
FOLDERS = {
    "merge --all": ("merge", "--all", "a", "b", "-o"),
    "merge as a PEFT folder": ("merge", "a", "b", "--layout", "peft", "-o"),
    "generate": ("generate", "--prompt", "x", "--lora", "none.safetensors", "-o"),
    "demo": ("demo", "-o"),
    "try": ("try", "a", "b", "-o"),
    "bench run": ("bench", "run", "quick", "-o"),
    "pocket build": ("pocket", "build", "--work"),
    "train loras": ("train", "loras", "paper", "--images", "p", "-o"),
}


def refused(done):
    """The one line of a refusal."""
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("Output: "), done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(("arguments", "ending"), FILES.values(), ids=FILES)
def test_every_command_refuses_a_file_that_would_be_lost(run, tmp_path, arguments, ending):
    (tmp_path / "file").write_text("kept")
    (tmp_path / f"folder{ending}").mkdir()
    (tmp_path / f"device{ending}").symlink_to("/dev/null")
    os.mkfifo(tmp_path / f"pipe{ending}")
    with Store("lorarar.db"):
        pass
    bad = [f"folder{ending}", f"device{ending}", f"pipe{ending}", f"file/x{ending}", f"x\udcff{ending}"]
    for name in [*bad, *(["x", "x.unknown", "sub/"] if ending else [])]:
        refused(run(*arguments, name))
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("arguments", FOLDERS.values(), ids=FOLDERS)
def test_every_command_refuses_a_folder_that_is_none(run, tmp_path, arguments):
    (tmp_path / "file").write_text("kept")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "pipe", "file/deep", "/dev/null", "x\udcff"):
        refused(run(*arguments, name))
    assert {path.name for path in tmp_path.iterdir()} <= {"file", "pipe", "lorarar.db"}


def test_a_database_is_not_copied_onto_itself(run, tmp_path):
    Store("lorarar.db").close()
    (tmp_path / "link.db").symlink_to("lorarar.db")
    for name in ("lorarar.db", "./lorarar.db", "link.db"):
        assert "also an input" in refused(run("backup", "-o", name))


def test_pictures_of_two_loras_lie_side_by_side_with_a_row_each(run, lora_file, tiny_folder, tmp_path):
    calls = [("--lora", lora_file("a", 2, 0)), ("--lora", lora_file("b", 2, 1)), (), (), ("--guidance", "2")]
    paths = [run("generate", "--prompt", "狗", "--base", tiny_folder, "--steps", "1", *call).stdout for call in calls]
    assert len(set(paths)) == 4
    assert paths[2] == paths[3]
    assert all((tmp_path / path.strip()).is_file() for path in paths)
    with Store("lorarar.db") as store:
        assert len(store.rows("SELECT id FROM images")) == 4


@pytest.mark.parametrize("name", ["._a.png", ".hidden.jpg"])
def test_hidden_files_are_no_pictures(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a picture")
    (tmp_path / "a.png").write_bytes(b"")
    assert find_images(tmp_path) == [tmp_path / "a.png"]


DATABASES = {
    "merge": ("merge", "a", "b", "--overwrite-input", "-o", "x.safetensors"),
    "study export": ("study", "export", "name", "-o", "x.zip"),
    "judge report": ("judge", "report", "--gallery", "x.html"),
    "study run": ("study", "run", "packet.zip", "--votes", "x.votes"),
}


@pytest.mark.parametrize("arguments", DATABASES.values(), ids=DATABASES)
@pytest.mark.parametrize("there", [True, False])
def test_the_database_is_an_input_too(run, tmp_path, arguments, there):
    name = arguments[-1]
    if there:
        Store(name).close()
    assert "also an input" in refused(run(*arguments, "--db", f"./{name}"))
    assert (tmp_path / name).exists() == there


def test_what_was_there_already_is_entered_into_a_database_that_lacks_it(run, lora_file, tiny_folder, tmp_path):
    lora_file("c/a", 2, 0)
    lora_file("s/x", 3, 1)
    counts = []
    for name in ("one.db", "two.db", "two.db"):
        done = run(*ALL, tiny_folder, "--json", "--db", name)
        with Store(name, read_only=True) as store:
            ((merges,),) = store.db.conn.execute("SELECT count(*) FROM merges")
        counts.append((json.loads(done.stdout)[0]["new"], merges))
    assert counts == [(True, 1), (True, 1), (False, 1)]
    assert len({file.read_bytes() for file in (tmp_path / "out").iterdir()}) == 1


@pytest.mark.parametrize("facts", ["x", None, [1], 7])
def test_a_header_that_says_nonsense_is_no_merge_that_is_there(run, lora_file, tiny_folder, tmp_path, facts):
    lora_file("c/a", 2, 0)
    lora_file("s/x", 3, 1)
    (merged,) = run(*ALL, tiny_folder).stdout.split()
    write_adapter(random_adapter(2, 9), tmp_path / merged, {"method": "direct", "content": facts, "style": facts})
    (record,) = json.loads(run(*ALL, tiny_folder, "--json").stdout)
    assert record["new"]
