"""What other programs note in PNGs is read as data: prompts and seeds, or nothing where a note is broken or unclear."""

import json
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from lorarar.pictures.notes import SIGNATURE, read_note, read_notes
from lorarar.pictures.program_notes import LONGEST, LONGEST_PROMPT, ProgramNote, read_program_note

NOTHING = ProgramNote()


@pytest.fixture
def note(tmp_path):
    """What is read of a picture that has some notes."""

    def read(international=False, **notes):
        chunks = PngImagePlugin.PngInfo()
        for name, text in notes.items():
            (chunks.add_itxt if international else chunks.add_text)(name, text)
        Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=chunks)
        return read_program_note(tmp_path / "a.png")

    return read


def graph(seed=7, text="a tabby cat, neon", **more):
    """A run of ComfyUI with the nodes that every beginner has, as it notes it."""
    nodes = {
        "3": ("KSampler", {"seed": seed, "steps": 20, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0]}),
        "4": ("CheckpointLoaderSimple", {"ckpt_name": "sdxl.safetensors"}),
        "6": ("CLIPTextEncode", {"text": text, "clip": ["4", 1]}),
        "7": ("CLIPTextEncode", {"text": "blurry", "clip": ["4", 1]}),
        **more,
    }
    return json.dumps({name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()})


def test_a1111_notes_its_prompt_before_the_negative_one_and_its_seed_among_the_settings(note):
    text = (
        "a tabby cat, <lora:tabby_v2:0.8> neon\nin two lines\nNegative prompt: blurry, Seed: 4\n"
        "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 3141592653, Size: 512x512, Model: x"
    )
    expected = ProgramNote("a tabby cat, neon in two lines", 3141592653)
    assert note(parameters=text) == expected
    assert note(parameters=text.replace("tabby cat", "Kätzchen ✨"), international=True).prompt.startswith(
        "a Kätzchen ✨"
    )
    assert note(parameters="only words") == ProgramNote("only words")
    assert note(parameters="cat\nSteps: 2, Seed: -1, Size: 8x8") == ProgramNote("cat")
    assert note(parameters="{a|the} cat").prompt == "{a|the} cat"


def test_json_that_other_programs_note_as_parameters_is_no_prompt(note):
    assert note(parameters='{"sui_image_params": {"prompt": "a cat", "seed": 3}}') == NOTHING


def test_comfyui_notes_a_graph_whose_positive_words_and_seed_are_read(note):
    assert note(prompt=graph()) == ProgramNote("a tabby cat, neon", 7)


def test_words_and_seeds_are_followed_over_other_nodes(note):
    far = {
        "8": ("PrimitiveString", {"value": "a teapot"}),
        "9": ("ControlNetApplyAdvanced", {"positive": ["6", 0], "negative": ["7", 0], "strength": 1.0}),
        "10": ("SeedGenerator", {"seed": 11}),
    }
    nodes = json.loads(graph(text=["8", 0], seed=["10", 0], **far))
    nodes["3"]["inputs"]["positive"] = ["9", 0]
    assert note(prompt=json.dumps(nodes)) == ProgramNote("a teapot", 11)
    flux = {
        "1": ("RandomNoise", {"noise_seed": 2**63}),
        "2": ("BasicGuider", {"model": ["9", 0], "conditioning": ["3", 0]}),
        "3": ("FluxGuidance", {"guidance": 3.5, "conditioning": ["4", 0]}),
        "4": ("CLIPTextEncodeFlux", {"clip_l": "x", "t5xxl": "an owl in oil"}),
        "5": ("SamplerCustomAdvanced", {"noise": ["1", 0], "guider": ["2", 0]}),
    }
    values = {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in flux.items()}
    assert note(prompt=json.dumps(values)) == ProgramNote("an owl in oil", 2**63)


def test_the_canvas_of_comfyui_is_read_where_the_run_is_not_noted(note):
    canvas = {
        "nodes": [
            {"id": 3, "type": "KSampler", "widgets_values": [5, "fixed", 20],
             "inputs": [{"name": "positive", "link": 1}, {"name": "negative", "link": 2}]},
            {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a dog"], "inputs": []},
            {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["ugly"], "inputs": []},
            {"id": 8, "type": "KSampler", "mode": 2, "widgets_values": [99],
             "inputs": [{"name": "positive", "link": 3}]},
        ],
        "links": [[1, 6, 0, 3, 1, "CONDITIONING"], [2, 7, 0, 3, 2, "CONDITIONING"], [3, 7, 0, 8, 1, "CONDITIONING"]],
    }  # fmt: skip
    assert note(workflow=json.dumps(canvas)) == ProgramNote("a dog", 5)
    assert note(workflow=json.dumps(canvas), prompt=graph()) == ProgramNote("a tabby cat, neon", 7)


def test_a_graph_that_says_two_things_says_nothing_of_them(note):
    second = {"20": ("KSampler", {"seed": 8, "positive": ["21", 0]}), "21": ("CLIPTextEncode", {"text": "another"})}
    assert note(prompt=graph(**second)) == NOTHING
    again = {"20": ("KSampler", {"seed": 7, "positive": ["6", 0]})}  # a second pass over the same picture
    assert note(prompt=graph(**again)) == ProgramNote("a tabby cat, neon", 7)


def test_our_own_notes_are_read_as_they_are(note):
    assert note(prompt="a sks cat", seed="3", lorarar_version="0.1.0") == ProgramNote("a sks cat", 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[" * 100_000,
        '{"a":' * 50_000,
        "[1, 2]",
        "7",
        '{"1": 2, "2": null, "3": {"class_type": 5, "inputs": []}}',
        '{"1": {"class_type": "KSampler", "inputs": {"seed": true, "positive": ["1", 0]}}}',  # leads to itself
        '{"1": {"class_type": "KSampler", "inputs": {"seed": 1e5, "positive": [["x"], 0]}}}',
        '{"1": {"class_type": "KSampler", "inputs": {"seed": -1, "positive": ["9", 0]}}}',
        '{"1": {"class_type": "KSampler", "inputs": {"seed": 99999999999999999999999}}}',
        '{"1": {"class_type": "KSampler", "inputs": {"seed": ' + "9" * 6000 + "}}}",
        '{"nodes": [1, {"id": {}, "inputs": 3, "widgets_values": {}}], "links": {"a": 1}}',
        '{"nodes": [{"type": "KSampler", "widgets_values": [[]], "inputs": [7, {"link": []}]}], "links": [[], 3]}',
    ],
)
def test_a_broken_graph_is_no_graph(note, text):
    assert note(prompt=text) == NOTHING
    assert note(workflow=text) == NOTHING


def test_what_is_too_long_is_not_read(note):
    assert note(parameters="x " * LONGEST_PROMPT) == NOTHING
    assert note(parameters="x" * (LONGEST + 1)) == NOTHING


def test_a_prompt_is_one_line_that_a_database_can_keep(note):
    assert note(prompt=graph(text="a\ud800 cat\n\n in \x00 ink")) == ProgramNote("a? cat in ink", 7)


def test_what_is_no_png_or_is_cut_notes_nothing(tmp_path):
    chunk = struct.pack(">I4s", 40, b"tEXt") + b"parameters\0a cat"
    for data in (b"", b"GIF89a", SIGNATURE, SIGNATURE + chunk[:6], SIGNATURE + b"\xff" * 12):
        (tmp_path / "x.png").write_bytes(data)
        assert read_program_note(tmp_path / "x.png") == NOTHING
    assert read_program_note(tmp_path) == read_program_note(tmp_path / "none.png") == NOTHING


def test_several_notes_are_read_in_one_pass_and_the_first_of_a_name_counts(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))

    texts = [(b"tEXt", b"seed\x001"), (b"tEXt", b"seed\x002"), (b"iTXt", b"prompt\0\0\0\0\0" + "Bär".encode())]
    (tmp_path / "a.png").write_bytes(SIGNATURE + b"".join(chunk(*text) for text in texts) + chunk(b"IEND", b""))
    assert read_notes(tmp_path / "a.png", ("seed", "prompt")) == {"seed": "1", "prompt": "Bär"}
    assert read_notes(tmp_path / "a.png", ("seed",)) == {"seed": "1"}
    assert read_note(tmp_path / "a.png", "prompt") == "Bär"
