"""CLIP's vocabulary, which the text encoders of all these bases read: the merges of its byte pairs, in order."""

from __future__ import annotations

import gzip
from pathlib import Path

MERGES = Path(__file__).parent / "merges.txt.gz"
START, END = "<|startoftext|>", "<|endoftext|>"


def merges() -> list[tuple[str, str]]:
    """The pairs of tokens that are joined, those first that are joined first."""
    lines = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    return [(first, second) for first, _, second in (line.partition(" ") for line in lines)]


def vocabulary(pairs: list[tuple[str, str]]) -> dict[str, int]:
    """The numbers of all tokens: of the bytes, alone and at a word's end, of the merges, and of a text's two ends."""
    letters = list(byte_letters().values())
    joined = ["".join(pair) for pair in pairs]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *joined, START, END]
    return {token: number for number, token in enumerate(tokens)}


def byte_letters() -> dict[int, str]:
    """The letter that stands for each byte, in the vocabulary's order: its own if it has one, else one from 256 on."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return {byte: chr(byte) for byte in seen} | {byte: chr(256 + place) for place, byte in enumerate(unseen)}
