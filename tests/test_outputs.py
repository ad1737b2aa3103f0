import os
import stat
from pathlib import Path

import pytest

from lorarar.lora.names import distinct_names, pair_stem
from lorarar.util.errors import OutputError
from lorarar.util.files import replacing
from lorarar.util.outputs import check_output, check_output_folder


@pytest.fixture
def umask():
    """A umask of 022, whatever the machine's is."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


def write_as_safetensors_does(path):
    """Through a file of one's own of mode 600, moved into place."""
    own = path.with_name("own")
    own.touch(0o600)
    own.replace(path)


@pytest.mark.parametrize("write", [lambda path: path.write_text("new"), write_as_safetensors_does])
@pytest.mark.parametrize("before", [None, 0o664, 0o600, 0o444])
def test_a_new_file_has_the_umasks_mode_and_a_replaced_one_keeps_its_own(tmp_path, umask, write, before):
    path = tmp_path / "deep" / "file"
    if before is not None:
        path.parent.mkdir()
        path.touch()
        path.chmod(before)
    with replacing(path) as partial:
        write(partial)
    assert mode(path) == oct(0o644 if before is None else before)
    assert os.listdir(path.parent) == ["file"]


def test_a_secret_is_never_open_to_others(tmp_path, umask):
    with replacing(tmp_path / "tokens", 0o600) as partial:
        assert mode(partial) == oct(0o600)
    (tmp_path / "tokens").chmod(0o644)
    with replacing(tmp_path / "tokens", 0o600) as partial:
        partial.write_text("x")
    assert mode(tmp_path / "tokens") == oct(0o600)


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing yet"])
def test_a_link_is_followed_and_stays(tmp_path, there):
    target, link = tmp_path / "disk" / "file", tmp_path / "link"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to(target)
    with replacing(link) as partial:
        partial.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_is_not_replaced_even_where_nobody_asked_before(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"), replacing(tmp_path / "pipe"):
        pass
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.fixture
def places(tmp_path):
    """A folder with one of everything that a name may lead to."""
    (tmp_path / "in.safetensors").write_text("input")
    (tmp_path / "folder.safetensors").mkdir()
    os.mkfifo(tmp_path / "pipe.safetensors")
    os.link(tmp_path / "in.safetensors", tmp_path / "second-name.safetensors")
    (tmp_path / "link.safetensors").symlink_to("in.safetensors")
    (tmp_path / "null.safetensors").symlink_to("/dev/null")
    (tmp_path / "loop.safetensors").symlink_to("loop.safetensors")
    return tmp_path


REFUSED = [
    ("m", "accepted is a name ending in .safetensors"),
    ("m.pt", "accepted is a name ending in .safetensors"),
    ("my.lora.v1.2", "accepted is a name ending in .safetensors"),
    (".safetensors", "an ending without a name"),
    ("folder.safetensors", "which is a folder"),
    ("pipe.safetensors", "which is a pipe"),
    ("null.safetensors", "which is a device"),
    ("loop.safetensors", "Too many levels of symbolic links"),
    ("in.safetensors", "also an input"),
    ("sub/../in.safetensors", "also an input"),
    ("second-name.safetensors", "also an input"),
    ("link.safetensors", "also an input"),
    ("in.safetensors/m.safetensors", "Not a directory"),
    ("n" * 300 + ".safetensors", "File name too long"),
    ("n\udcff.safetensors", r"n\\xff.safetensors, no UTF-8"),
]


@pytest.mark.parametrize(("name", "reason"), REFUSED)
def test_a_place_that_would_lose_something_is_refused_in_one_line(places, name, reason):
    (places / "sub").mkdir()
    with pytest.raises(OutputError, match=reason) as caught:
        check_output(places / name, ".safetensors", inputs=[places / "in.safetensors"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["m.safetensors", "new/deep/m.safetensors", "M.SAFETENSORS", "狗.safetensors"])
def test_a_sound_place_is_taken(places, name):
    assert check_output(places / name, ".safetensors", inputs=[places / "in.safetensors"]) == places / name
    assert not (places / "new").exists(), "a check writes nothing"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("in.safetensors", "which is a file"), ("in.safetensors/out", "Not a directory"), ("loras", "also an input")],
)
def test_a_folder_to_write_into_is_a_folder_and_no_input(places, name, reason):
    (places / "loras").mkdir()
    with pytest.raises(OutputError, match=reason):
        check_output_folder(places / name, inputs=[places / "sub" / ".." / "loras", places / "loras"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused_before_the_work(tmp_path):
    (tmp_path / "closed").mkdir(0o555)
    with pytest.raises(OutputError, match="cannot be written to"):
        check_output(tmp_path / "closed" / "deep" / "file")


def test_pairs_of_names_and_stems_are_one_to_one():
    words = ["a", "b", "a--b", "b--c", "c", "a-", "-b", "-", "--", "a---b", "a--b--c", "b-1a2b3c4d", ""]
    pairs = [(content, style) for content in words for style in words]
    assert len({pair_stem(*pair).casefold() for pair in pairs}) == len(pairs)


def test_an_ordinary_pair_has_an_ordinary_stem():
    assert pair_stem("dog-2", "flat-cartoon-illustration-2") == "dog-2--flat-cartoon-illustration-2"


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a.safetensors", "b.pt", "my.lora.v1.safetensors"], ["a", "b", "my.lora.v1"]),
        (["dog.safetensors", "dog.pt"], ["dog.safetensors", "dog.pt"]),
        (["dog.v1"], ["dog.v1"]),
        (["dog.pt", "dog.pt.safetensors"], ["dog", "dog.pt.safetensors"]),
    ],
)
def test_loras_of_a_folder_have_the_names_of_their_files(files, names):
    assert distinct_names([Path(file) for file in files]) == names


def test_names_that_a_file_system_may_call_equal_are_told_apart():
    files = ["dog", "dog.safetensors", "Dog.safetensors", "DOG.SAFETENSORS", "dog.pt", "dog.PT", "dog.pt.safetensors"]
    names = distinct_names([Path(file) for file in files])
    assert len({name.casefold() for name in names}) == len(files)
