"""``lorarar generate``"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import (
    BaseOption,
    DbOption,
    DeviceOption,
    JsonOption,
    PredictionOption,
    SeedOption,
    VaeOption,
    command,
    finite,
    print_json,
    show_images,
)
from lorarar.families import DEFAULT_BASE
from lorarar.generation.noise import NoiseCell, parse_noise_cell
from lorarar.util.errors import AdapterError
from lorarar.util.messages import message
from lorarar.util.outputs import check_output_folder
from lorarar.util.seeds import check_seeds

OWN = "the base's own"


@command
def generate(
    prompt: Annotated[str, typer.Option("--prompt", help="What to generate.")],
    lora: Annotated[list[Path] | None, typer.Option("--lora", help="LoRA to generate with.")] = None,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    n: Annotated[int, typer.Option("-n", help="How many pictures.", min=1)] = 1,
    seed: SeedOption = 0,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Denoising steps.", show_default=OWN, min=1, max=1000)
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option("--guidance", help="Classifier-free guidance.", show_default=OWN, min=0, callback=finite),
    ] = None,
    noise_of: Annotated[
        str | None,
        typer.Option(
            "--noise-of",
            help="Begin with the noise of this cell of a grid, a demo or a blend.",
            metavar="CONTENT,STYLE",
            show_default="each seed's own",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the pictures.")] = Path("out"),
    device: DeviceOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Generate pictures; number k has seed SEED + k and is the same alone or among others."""
    check_output_folder(out)
    check_seeds(range(seed, seed + n))
    cell = _cell(noise_of)
    source = _only(lora or [])
    from lorarar.families import find_base
    from lorarar.generation.settings import DrawingOptions, DrawingSettings
    from lorarar.generation.studio import BATCH, Picture, Studio, save
    from lorarar.lora.base_weights import read_adapter_for
    from lorarar.store import Store
    from lorarar.util.formatting import count
    from lorarar.util.progress import Ticker

    model = find_base(base, vae=vae, prediction=prediction)
    adapter = read_adapter_for(model, source) if source else None
    pictures: list[Picture] = []
    options: DrawingOptions = {"steps": steps, "guidance": guidance}
    batches = -(-n // BATCH)
    with Store(db) as store, Studio(model, device) as studio:
        studio.load_lora(adapter)
        adapter_id = store.add_adapter(adapter, source) if adapter and source else None
        merge_id = store.merge_of(adapter_id) if adapter_id else None
        with Ticker("generate", batches * DrawingSettings.of(model, options).steps) as ticker:
            seeds = range(seed, seed + n)
            for picture in studio.generate(prompt, seeds, noise_of=cell, on_step=ticker.advance, **options):
                pictures.append(save(picture, out))
                store.add_image(pictures[-1], adapter_id, merge_id)
    show_images([picture.image for picture in pictures])
    if as_json:
        print_json([picture.row() for picture in pictures])
        return
    per_picture = sum(picture.seconds for picture in pictures) / n
    message(f"{count(n, 'picture')}, {per_picture:.2f} s each")
    for picture in pictures:
        print(picture.path)


def _cell(text: str | None) -> NoiseCell | None:
    """The cell of ``--noise-of``, a usage error where it is none."""
    try:
        return parse_noise_cell(text) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _only(loras: Sequence[Path]) -> Path | None:
    """The one LoRA that pictures are drawn with; None where there is none.

    Raises:
        AdapterError: there are several.
    """
    if len(loras) > 1:
        raise AdapterError(f"--lora is given {len(loras)} times; accepted is one, and lorarar merge makes one of two")
    return next(iter(loras), None)
