import json
import os
import struct
import time

import pytest
import torch
from safetensors.torch import save_file

from lorarar.lora.files import read_adapter, write_adapter
from lorarar.util.errors import AdapterError

from .conftest import random_adapter

LAYER = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1"
DOWN, UP = torch.randn(2, 5), torch.randn(6, 2)


def save(path, tensors, **metadata):
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, path, metadata)
    return path


def test_what_is_written_is_read(tmp_path):
    adapter = random_adapter(3, 0)
    path = write_adapter(adapter, tmp_path / "deep" / "a.safetensors", {"note": "x"})
    again = read_adapter(path)
    assert set(again.layers) == set(adapter.layers)
    assert again.provenance == {"note": "x"}
    assert again.metadata == {"lorarar": '{"note": "x"}'}
    assert again.ranks == (3,)
    for name, factors in adapter.layers.items():
        assert torch.equal(again.layers[name].dense(), factors.dense())


@pytest.mark.parametrize(
    ("down", "up"),
    [
        (f"{LAYER}.to_q.lora_A.weight", f"{LAYER}.to_q.lora_B.weight"),
        (f"{LAYER}.to_q.lora.down.weight", f"{LAYER}.to_q.lora.up.weight"),
        (f"{LAYER}.processor.to_q_lora.down.weight", f"{LAYER}.processor.to_q_lora.up.weight"),
        (f"unet.{LAYER}.to_q.lora.down.weight", f"unet.{LAYER}.to_q.lora.up.weight"),
        (f"{LAYER.removeprefix('unet.')}.to_q.lora_A.weight", f"{LAYER.removeprefix('unet.')}.to_q.lora_B.weight"),
    ],
)
def test_layouts_of_diffusers(tmp_path, down, up):
    adapter = read_adapter(save(tmp_path / "a.safetensors", {down: DOWN, up: UP}))
    assert list(adapter.layers) == [f"{LAYER}.to_q"]
    torch.testing.assert_close(adapter.layers[f"{LAYER}.to_q"].dense(), UP @ DOWN)


def test_old_output_layers_get_their_index(tmp_path):
    tensors = {f"{LAYER}.processor.to_out_lora.down.weight": DOWN, f"{LAYER}.processor.to_out_lora.up.weight": UP}
    assert list(read_adapter(save(tmp_path / "a.safetensors", tensors)).layers) == [f"{LAYER}.to_out.0"]


def test_alpha_is_folded_once(tmp_path):
    tensors = {f"{LAYER}.to_q.lora_A.weight": DOWN, f"{LAYER}.to_q.lora_B.weight": UP}
    by_tensor = read_adapter(save(tmp_path / "a.safetensors", tensors | {f"{LAYER}.to_q.alpha": torch.tensor(1.0)}))
    header = json.dumps({"unet.r": 2, "unet.lora_alpha": 1})
    by_header = read_adapter(save(tmp_path / "b.safetensors", tensors, lora_adapter_metadata=header))
    for adapter in (by_tensor, by_header):
        torch.testing.assert_close(adapter.layers[f"{LAYER}.to_q"].dense(), 0.5 * UP @ DOWN)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({f"{LAYER}.to_q.lora_A.weight": DOWN}, r"to_q\.lora_B\.weight is missing"),
        ({f"{LAYER}.to_q.lora_B.weight": UP}, r"to_q\.lora_A\.weight is missing"),
        ({f"{LAYER}.to_q.lora_A.weight": DOWN * float("nan"), f"{LAYER}.to_q.lora_B.weight": UP}, "NaN or infinite"),
        ({f"{LAYER}.to_q.lora_A.weight": DOWN, f"{LAYER}.to_q.lora_B.weight": UP.T}, "do not fit"),
        ({f"{LAYER}.to_q.lora_A.weight": DOWN[0], f"{LAYER}.to_q.lora_B.weight": UP}, "no matrix of floats"),
        ({f"{LAYER}.to_q.hada_w1_a": DOWN}, r"to_q\.hada_w1_b is missing"),
        ({f"{LAYER}.to_q.lokr_w1": DOWN}, r"to_q\.lokr_w2_a is missing"),
        ({f"{LAYER}.to_q.dora_scale": DOWN}, r"to_q\.lora_A\.weight is missing; there is only its dora_scale"),
        ({"something.else": DOWN}, "something.else is not a LoRA key"),
    ],
)
def test_unsound_adapters_name_file_and_key(tmp_path, tensors, message):
    path = save(tmp_path / "bad.safetensors", tensors)
    with pytest.raises(AdapterError, match=message) as caught:
        read_adapter(path)
    assert "bad.safetensors" in str(caught.value)


def test_a_file_that_is_cut_short_says_how_much_is_missing(tmp_path):
    path = save(tmp_path / "cut.safetensors", {f"{LAYER}.to_q.lora_A.weight": DOWN, f"{LAYER}.to_q.lora_B.weight": UP})
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    with pytest.raises(AdapterError, match=rf"is cut short: {len(whole) - 5:,} of its {len(whole):,} bytes are there"):
        read_adapter(path)


def _header(entries, body=b"", length=None):
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def _entry(start, end, shape=(2,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


MALFORMED = {
    "empty": b"",
    "text": b"not a safetensors file at all",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "short length": b"\x01\x02",
    "oversized header": _header({}, length=2**40),
    "negative length": _header({}, length=2**64 - 1),
    "lying header": _header({"a": _entry(0, 8)}, length=4),
    "no json": _header(b"{{{{{{{{"),
    "list header": _header(b"[1, 2, 3]"),
    "truncated body": _header({"a": _entry(0, 8)}, b"1234"),
    "overlap": _header({"a": _entry(0, 8), "b": _entry(4, 12)}, bytes(12)),
    "hole": _header({"a": _entry(0, 8), "b": _entry(16, 24)}, bytes(24)),
    "wrong shape": _header({"a": _entry(0, 8, (3,))}, bytes(8)),
    "unknown dtype": _header({"a": _entry(0, 8, dtype="Q7")}, bytes(8)),
    "backwards": _header({"a": _entry(8, 0)}, bytes(8)),
    "huge shape": _header({"a": _entry(0, 8, (2**62, 2**62))}, bytes(8)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_refused_at_once(tmp_path, name, note):
    path = tmp_path / "a.safetensors"
    path.write_bytes(MALFORMED[name])
    started = time.perf_counter()
    with pytest.raises(AdapterError, match=r"a\.safetensors"):
        read_adapter(path)
    seconds = time.perf_counter() - started
    note(f"refused in {seconds * 1000:.1f} ms")
    assert seconds < 0.5


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(AdapterError, match="does not exist"):
        read_adapter(tmp_path / "none.safetensors")
    with pytest.raises(AdapterError, match="is not a file"):
        read_adapter(tmp_path)


def test_an_unwritable_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(AdapterError, match="cannot write"):
        write_adapter(random_adapter(2, 0), tmp_path / "file" / "a.safetensors")
    taken = tmp_path / "folder.safetensors"
    taken.mkdir()
    with pytest.raises(AdapterError, match="cannot write"):
        write_adapter(random_adapter(2, 0), taken)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.safetensors"]
