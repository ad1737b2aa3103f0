import os
import pickle

import pytest
import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.header import provenance_of, read_header
from lorarar.merging.hypernet import Hypernetwork, from_published
from lorarar.merging.hypernet_file import read_hypernet, write_hypernet
from lorarar.util.errors import HypernetError

from .conftest import ATTENTION, FEED_FORWARD, random_adapter


def factors(rows, columns, rank, seed):
    generator = torch.Generator().manual_seed(seed)
    return Factors(torch.randn(rank, columns, generator=generator), torch.randn(rows, rank, generator=generator))


def published(widths=(640, 1280), hidden=128):
    """A state dict as the authors publish them."""
    torch.manual_seed(0)
    state = {"output.1.weight": torch.randn(2, hidden) * 0.1, "output.1.bias": torch.randn(2)}
    for number, width in enumerate(widths, start=1):
        state[f"input_{number}.weight"] = torch.randn(hidden, 2 * width) * 0.02
        state[f"input_{number}.bias"] = torch.randn(hidden) * 0.02
    return state


def dense_definition(state, number, content, style):
    """The paper's definition on dense updates, a row per column."""
    rows = torch.cat([content.dense().T, style.dense().T], dim=1)
    hidden = torch.relu(rows @ state[f"input_{number}.weight"].T + state[f"input_{number}.bias"])
    return (hidden @ state["output.1.weight"].T + state["output.1.bias"]).T


@pytest.mark.parametrize(
    ("rows", "columns", "number"), [(640, 640, 1), (640, 2048, 1), (1280, 1280, 2), (1280, 2048, 2)]
)
def test_published_weights_give_the_dense_definitions_update(rows, columns, number):
    state = published()
    network = from_published(state)
    content, style = factors(rows, columns, 8, 1), factors(rows, columns, 5, 2)
    m_c, m_s = network.coefficients(content, style)
    wanted = dense_definition(state, number, content, style)
    update = (content.scale(m_c) + style.scale(m_s)).dense()
    dense = content.dense() * wanted[0] + style.dense() * wanted[1]
    assert torch.norm(update - dense) / torch.norm(dense) < 1e-5


def test_published_files_load_as_they_are(tmp_path):
    path = tmp_path / "hypernet.pth"
    torch.save(published(), path)
    network = read_hypernet(path)
    assert network.widths == (640, 1280)
    assert network.key_value == "sum"
    assert sum(p.numel() for p in network.parameters()) == 492_034 - 0
    assert read_hypernet(path, "mean").key_value == "mean"


def test_our_files_keep_weights_and_form(tmp_path):
    network = Hypernetwork((16, 32), hidden=7, parts=("query",), key_value="sum")
    again = read_hypernet(write_hypernet(network, tmp_path / "h.safetensors"))
    assert (again.widths, again.hidden, again.parts, again.key_value) == ((16, 32), 7, ("query",), "sum")
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def test_only_the_named_parts_are_predicted():
    content, style = random_adapter(2, 0), random_adapter(2, 1)
    coefficients = Hypernetwork((16, 32), key_value="mean")(content, style)
    for layer, (m_c, m_s) in coefficients.items():
        if layer.endswith((".to_k", ".to_v")):
            assert torch.all(m_c == 0.5)
            assert torch.all(m_s == 0.5)
        else:
            assert m_c.std() > 0


@torch.no_grad()
def test_feed_forward_layers_are_predicted_by_the_dense_definition_where_they_are_named():
    content, style = (random_adapter(2, seed, ends=(*ATTENTION, *FEED_FORWARD)) for seed in (0, 1))
    widths = sorted({factors.up.shape[0] for factors in content.layers.values()})
    torch.manual_seed(0)
    network = Hypernetwork(widths, hidden=6, parts=("query", "output", "feed-forward"))
    layers = [layer for layer in content.layers if layer.endswith(FEED_FORWARD)]
    assert layers
    for layer, (m_c, m_s) in network(content, style).items():
        assert network.predicts(layer) == (not layer.endswith((".to_k", ".to_v")))
        if layer in layers:
            first, last = network.inputs[str(content.layers[layer].up.shape[0])], network.output
            state = {"input_1.weight": first.weight, "input_1.bias": first.bias}
            state |= {"output.1.weight": last.weight, "output.1.bias": last.bias}
            wanted = dense_definition(state, 1, content.layers[layer], style.layers[layer])
            torch.testing.assert_close(torch.stack([m_c, m_s]), wanted)


@torch.no_grad()
@pytest.mark.parametrize(
    ("key_value", "others", "of_keys", "of_rest"),
    [
        ("mean", "key-value", 0.5, 0.5),
        ("sum", "key-value", 1.0, 1.0),
        ("mean", "sum", 0.5, 1.0),
        ("sum", "mean", 1.0, 0.5),
        ("sum", "sum", 1.0, 1.0),
        ("mean", "mean", 0.5, 0.5),
    ],
)
def test_keys_and_values_have_one_rule_and_layers_outside_attention_another(key_value, others, of_keys, of_rest):
    content, style = (
        Adapter(
            {
                "unet.a.attn1.to_k": factors(16, 4, 2, seed),
                "unet.a.attn1.to_q": factors(16, 4, 2, seed),
                "unet.a.ff.net.2": factors(48, 4, 2, seed),
                "unet.a.proj_in": factors(48, 4, 2, seed),
                "text_encoder.text_model.encoder.layers.0.mlp.fc1": factors(24, 7, 2, seed),
            }
        )
        for seed in (0, 1)
    )
    own = Hypernetwork((16,), key_value=key_value, others=others)
    told = Hypernetwork((16,))
    for coefficients in (own(content, style), told(content, style, key_value, others)):
        constants = {layer: {float(v) for m in pair for v in m} for layer, pair in coefficients.items()}
        assert len(constants.pop("unet.a.attn1.to_q")) == 8
        assert constants.pop("unet.a.attn1.to_k") == {of_keys}
        assert all(values == {of_rest} for values in constants.values())


def test_our_files_keep_the_rule_of_other_layers_and_those_of_before_mean_what_they_meant(tmp_path):
    plain, other = tmp_path / "plain.safetensors", tmp_path / "other.safetensors"
    write_hypernet(Hypernetwork((16,), key_value="sum"), plain)
    write_hypernet(Hypernetwork((16,), parts=("query", "feed-forward"), others="sum"), other)
    assert "others" not in provenance_of(read_header(plain, HypernetError))
    assert read_hypernet(plain).constant("unet.a.ff.net.2") == 1.0
    assert read_hypernet(plain, "mean").constant("unet.a.ff.net.2") == 0.5
    again = read_hypernet(other)
    assert (again.parts, again.others) == (("query", "feed-forward"), "sum")
    assert (again.constant("unet.a.attn1.to_k"), again.constant("unet.a.proj_in")) == (0.5, 1.0)


@pytest.mark.parametrize(("what", "value"), [("parts", ("query", "time")), ("others", "half")])
def test_a_file_with_a_rule_or_a_part_that_is_not_known_is_refused(tmp_path, what, value):
    network = Hypernetwork((16,))
    setattr(network, what, value)
    with pytest.raises(HypernetError, match=what):
        read_hypernet(write_hypernet(network, tmp_path / "h.safetensors"))


def test_projections_of_one_adapter_serve_every_partner():
    network = Hypernetwork((16,))
    content, styles = factors(16, 9, 2, 0), [factors(16, 9, 3, seed) for seed in (1, 2)]
    kept = network.project(content, "content")
    for style in styles:
        wanted = network.coefficients(content, style)
        got = network.combine(kept, network.project(style, "style"))
        torch.testing.assert_close(got, wanted)


def test_an_unknown_width_is_named_with_the_known_ones():
    with pytest.raises(HypernetError, match=r"48 values.*knows 16, 32"):
        Hypernetwork((16, 32)).coefficients(factors(48, 5, 2, 0), factors(48, 5, 2, 1))


class Runs:
    """A pickle that would leave a trace."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (self.trace,)


def test_a_checkpoint_that_runs_code_is_refused_and_did_not_run(tmp_path):
    path, trace = tmp_path / "evil.pth", tmp_path / "ran"
    torch.save({"input_1.weight": Runs(str(trace))}, path)
    with pytest.raises(HypernetError, match="run code"):
        read_hypernet(path)
    path.write_bytes(pickle.dumps(Runs(str(trace)), protocol=2))
    with pytest.raises(HypernetError):
        read_hypernet(path)
    assert not trace.exists()


@pytest.mark.parametrize("change", ["missing", "extra", "nan", "shape"])
def test_unsound_published_files_are_refused(tmp_path, change):
    state = published(hidden=8)
    if change == "missing":
        del state["input_1.bias"]
    if change == "extra":
        state["input_9.scale"] = torch.ones(1)
    if change == "nan":
        state["input_1.bias"][0] = float("nan")
    if change == "shape":
        state["input_1.bias"] = torch.ones(3)
    torch.save(state, tmp_path / "h.pth")
    with pytest.raises(HypernetError):
        read_hypernet(tmp_path / "h.pth")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04nonsense"])
def test_broken_files_are_refused(tmp_path, content):
    for name in ("h.pth", "h.safetensors"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(HypernetError, match=name):
            read_hypernet(tmp_path / name)
    with pytest.raises(HypernetError, match="does not exist"):
        read_hypernet(tmp_path / "none.pth")
