"""``lorarar train means``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import BaseOption, command, print_path
from lorarar.cli.help_pages import help_page
from lorarar.cli.train_flags import NamesOption, SkipMissingOption, SplitOption
from lorarar.families import DEFAULT_BASE
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.families import Base
    from lorarar.lora.adapter import Adapter
    from lorarar.pictures.concept_choice import Names
    from lorarar.pictures.concept_table import Side


@help_page(
    "lorarar train means hypernet.safetensors --contents contents --styles styles",
)
@command
def means(
    hypernet: Annotated[Path, typer.Argument(help="Hypernetwork, ours or the authors' .pth.")],
    contents: Annotated[Path, typer.Option("--contents", help="Folder of the content LoRAs it was trained on.")],
    styles: Annotated[Path, typer.Option("--styles", help="Folder of the style LoRAs it was trained on.")],
    names: NamesOption = None,
    split: SplitOption = None,
    skip_missing: SkipMissingOption = False,
    base: BaseOption = DEFAULT_BASE,
) -> None:
    """Give a hypernetwork its means, which lorarar merge --means and rows of plans with means = true use.

    What lorarar train hypernet writes has them. Those of another lie beside it then, in NAME.means.safetensors, and its
    own file stays as it is. They are taken over all pairs, or an even sample of 400.
    """
    from lorarar.families import find_base
    from lorarar.merging.hypernet_file import read_hypernet
    from lorarar.merging.means import take_means
    from lorarar.merging.means_file import own_means, write_means_beside
    from lorarar.pictures.concept_choice import choose
    from lorarar.util.errors import HypernetError

    network = read_hypernet(hypernet)
    if own_means(hypernet):
        raise HypernetError(f"{hypernet} has its means already, from its training; --means uses them")
    folders: dict[Side, Path] = {"contents": contents, "styles": styles}
    loras = _read_loras(folders, choose(folders, names, split, skip_missing), find_base(base))
    taken = take_means(network, loras["contents"], loras["styles"])
    of_loras = {side: [one.sha256 for one in own] for side, own in loras.items()}
    path = write_means_beside(taken, hypernet, {"taken_over": of_loras})
    message(f"means of {taken.looks.pairs} of {taken.looks.of_pairs} pairs; lorarar inspect {hypernet} shows them")
    print_path(path)


def _read_loras(folders: dict[Side, Path], chosen: Names, base: Base) -> dict[Side, list[Adapter]]:
    """The LoRAs of both sides, without their pictures.

    Raises:
        AdapterError: one cannot be read, or does not fit the base, or a folder has none.
    """
    from lorarar.lora.base_weights import read_adapter_for
    from lorarar.lora.fit import check_fit
    from lorarar.lora.folders import find_loras
    from lorarar.lora.names import distinct_names
    from lorarar.util.errors import AdapterError

    loras: dict[Side, list[Adapter]] = {}
    for side, folder in folders.items():
        files = find_loras(folder)
        wanted = chosen.get(side)
        named = zip(distinct_names(files), files, strict=True)
        loras[side] = [read_adapter_for(base, file) for name, file in named if wanted is None or name in wanted]
        if not loras[side]:
            raise AdapterError(f"{folder} has no LoRA (sub-folders are not looked into)")
        for adapter in loras[side]:
            check_fit(adapter, base)
    return loras
