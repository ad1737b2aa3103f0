import pytest
import torch

import lorarar
from lorarar.lora.files import read_adapter
from lorarar.lora.folders import find_loras
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.pocket import shipped
from lorarar.util.errors import AdapterError, BaseError, HypernetError, MethodError


@pytest.fixture
def pair(lora_file):
    return lora_file("content", 2, 0), lora_file("style", 3, 1)


@pytest.fixture
def hypernet_file(tmp_path):
    torch.manual_seed(0)
    return write_hypernet(Hypernetwork((16, 32)), tmp_path / "hypernet.safetensors")


def test_direct_is_the_weighted_sum(pair, tmp_path, tiny_folder):
    done = lorarar.merge(*pair, tmp_path / "m.safetensors", method="direct", base=str(tiny_folder), weights=(0.5, 2))
    content, style, merged = map(read_adapter, (*pair, done.path))
    for layer, factors in merged.layers.items():
        wanted = 0.5 * content.layers[layer].dense() + 2 * style.layers[layer].dense()
        torch.testing.assert_close(factors.dense(), wanted)
        assert factors.rank == 5


def test_lorarar_is_the_dense_definition(pair, hypernet_file, tmp_path, tiny_folder):
    done = lorarar.merge(*pair, tmp_path / "m.safetensors", base=str(tiny_folder), hypernet=hypernet_file)
    content, style, merged = map(read_adapter, (*pair, done.path))
    for layer, (m_c, m_s) in done.coefficients.items():
        wanted = content.layers[layer].dense() * m_c + style.layers[layer].dense() * m_s
        assert torch.norm(merged.layers[layer].dense() - wanted) / torch.norm(wanted) < 1e-5


def test_a_hypernetwork_of_the_bases_own_is_known_by_its_name_alone():
    content, style = (find_loras(folder)[0] for folder in (shipped.CONTENTS, shipped.STYLES))
    named = lorarar.merge(content, style, hypernet="ranks-accepted")
    by_file = lorarar.merge(content, style, hypernet=shipped.NETWORKS / "ranks-accepted.safetensors")
    assert named.adapter.sha256 == by_file.adapter.sha256
    with pytest.raises(
        MethodError, match=r"--hypernet: nothing is no file, and none of base pocket's own: .*ranks-acc"
    ):
        lorarar.merge(content, style, hypernet="nothing")


def test_the_file_says_what_made_it(pair, hypernet_file, tmp_path, tiny_folder):
    done = lorarar.merge(*pair, tmp_path / "m.safetensors", base=str(tiny_folder), hypernet=hypernet_file, seed=4)
    made = read_adapter(done.path).provenance
    assert made["method"] == "lorarar"
    assert made["version"] == lorarar.__version__
    assert made["content"]["sha256"] == read_adapter(pair[0]).sha256
    assert made["style"]["sha256"] == read_adapter(pair[1]).sha256
    assert made["options"]["seed"] == 4
    assert made["options"]["key_value"] == "mean"
    assert len(made["options"]["hypernet"]) == 64


def test_merging_twice_gives_the_same_bytes(pair, tmp_path, tiny_folder):
    files = [
        lorarar.merge(*pair, tmp_path / f"{k}.safetensors", method="direct", base=str(tiny_folder)).path for k in "ab"
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_rule_for_keys_and_values_is_an_option(pair, hypernet_file, tiny_folder):
    for rule, constant in (("mean", 0.5), ("sum", 1.0)):
        done = lorarar.merge(*pair, base=str(tiny_folder), hypernet=hypernet_file, key_value=rule)
        for layer, (m_c, _) in done.coefficients.items():
            if ".to_k" in layer or ".to_v" in layer:
                assert torch.all(m_c == constant)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "average"}, MethodError, "accepted are direct, ties"),
        ({"method": "direct", "hypernet": "x.safetensors"}, MethodError, "takes no --hypernet"),
        ({"method": "lorarar", "weights": (1.0, 1.0)}, MethodError, "takes no --weights"),
        ({"base": "nothing"}, BaseError, "neither pocket nor sdxl"),
        ({"base": "pocket"}, AdapterError, "does not fit base pocket"),
        ({"hypernet": "none.pth"}, HypernetError, "does not exist"),
        ({}, MethodError, "has no hypernet of its own; name one with --hypernet FILE"),
    ],
)
def test_bad_options_name_what_is_accepted(pair, tmp_path, tiny_folder, options, error, message):
    with pytest.raises(error, match=message):
        lorarar.merge(*pair, tmp_path / "m.safetensors", **{"base": str(tiny_folder), **options})
    assert not (tmp_path / "m.safetensors").exists()
