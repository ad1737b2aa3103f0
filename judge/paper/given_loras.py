"""The LoRAs of both sides that a run is given, and the coefficients that a hypernetwork predicts for their pairs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from judge.paper.errors import PaperError
from lorarar.families import find_base
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.folders import find_loras
from lorarar.lora.names import distinct_names
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.util.pair_order import even_pairs
from lorarar.util.progress import Ticker

if TYPE_CHECKING:
    from judge.paper.layer_patterns import PairCoefficients
    from judge.paper.request import PaperRequest
    from lorarar.store.queries import Pair

LORAS_AT_ONCE = 64  # that are held in memory


def lora_files(request: PaperRequest) -> tuple[dict[str, Path], dict[str, Path]]:
    """The LoRAs of contents and of styles by name: of the folders that are given, else the base's own.

    Raises:
        PaperError: there are none of a side.
    """
    base = find_base(request.base)
    contents, styles = request.contents or base.contents, request.styles or base.styles
    return _files(contents, "--contents"), _files(styles, "--styles")


def network_file(request: PaperRequest) -> Path:
    """The hypernetwork that is given, else the base's own.

    Raises:
        PaperError: there is none.
    """
    file = request.hypernet or find_base(request.base).hypernet
    if file is None:
        raise PaperError(
            f"base {request.base} has no hypernetwork of its own; name one with --hypernet FILE, or train it: "
            "lorarar train hypernet"
        )
    return file


def predicted(request: PaperRequest, most: int) -> Iterator[tuple[Pair, PairCoefficients]]:
    """The coefficients that the hypernetwork predicts, of an even sample of so many pairs, constants left out.

    Raises:
        PaperError: there are no LoRAs, or there is no hypernetwork.
        AdapterError, HypernetError: a file cannot be read, or does not fit.
    """
    base, sides, network = find_base(request.base), lora_files(request), read_hypernet(network_file(request))
    read = lru_cache(maxsize=LORAS_AT_ONCE)(lambda file: network.spelt(read_adapter_for(base, file)))
    contents, styles = ([*side.items()] for side in sides)
    places = list(islice(even_pairs(len(contents), len(styles)), most))
    with Ticker("coefficients", len(places)) as ticker:
        for place in places:
            (content, ours), (style, theirs) = contents[place[0]], styles[place[1]]
            yield (content, style), network.predict(read(ours), read(theirs))
            ticker.advance()


def _files(folder: Path | None, flag: str) -> dict[str, Path]:
    files = find_loras(folder) if folder else []
    if not files:
        raise PaperError(f"{folder or 'the base'} has no LoRAs; name a folder of some with {flag} DIR")
    return dict(zip(distinct_names(files), files, strict=True))
