"""``lorarar generate``"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    prepare_images,
    print_json,
    print_path,
    seeds_from,
    show_images,
)
from lorarar.cli.drawing_flags import (
    BatchOption,
    DtypeOption,
    GuidanceOption,
    LorasOption,
    NegativeOption,
    NoiseOption,
    OffloadOption,
    PromptOption,
    SchedulerOption,
    SizeOption,
    StepsOption,
)
from lorarar.cli.given_files import check_there
from lorarar.cli.help_pages import DRAWING, help_page
from lorarar.families import DEFAULT_BASE
from lorarar.generation.noise import NoiseCell, parse_noise_cell
from lorarar.generation.picture_size import parse_size
from lorarar.generation.settings import DrawingOptions, DrawingSettings
from lorarar.lora.drawn_methods import DRAWN, drawn_method
from lorarar.lora.strength_text import file_and_strength
from lorarar.util.messages import message
from lorarar.util.outputs import check_output_folder
from lorarar.util.suggestion import did_you_mean
from lorarar.util.text import alike

if TYPE_CHECKING:
    from lorarar.families import Base
    from lorarar.generation.picture import Picture
    from lorarar.store import Store


@help_page(
    'lorarar generate --prompt "a sks dog in oil painting style" --lora dog-in-oil.safetensors -n 4',
    'lorarar generate --prompt "a sks dog" --lora dog.safetensors:0.8 --base sdxl --steps 30 --offload model',
    panel=DRAWING,
)
@command
def generate(
    prompt: PromptOption,
    loras: LorasOption = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help=f"Draw with content's and then style's LoRA by a method that no file can hold: {', '.join(DRAWN)}.",
            metavar="METHOD",
            show_default="their sum",
        ),
    ] = None,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    n: Annotated[int, typer.Option("-n", help="How many pictures.", min=1)] = 1,
    seed: SeedOption = 0,
    negative: NegativeOption = "",
    size: SizeOption = None,
    steps: StepsOption = None,
    guidance: GuidanceOption = None,
    scheduler: SchedulerOption = None,
    noise_of: NoiseOption = None,
    batch: BatchOption = 4,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the pictures.")] = Path("out"),
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    offload: OffloadOption = "none",
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Generate pictures; number k has seed SEED + k and is the same alone or among others."""
    seeds = seeds_from(seed, n)
    check_output_folder(out)
    prepare_images()
    from lorarar.families import find_base

    switches = drawn_method(method) if method is not None else None
    if switches:
        switches.check_two(len(loras or []))
    model = find_base(base, vae=vae, prediction=prediction)
    sources = [file_and_strength(text) for text in loras or []]
    check_there(*(file for file, _ in sources))
    from lorarar.calls.drawing import keep_loras
    from lorarar.generation.attached_loras import AttachedLora
    from lorarar.generation.picture import save
    from lorarar.generation.studio import Studio
    from lorarar.lora.base_weights import read_adapter_for
    from lorarar.lora.fit import check_fit
    from lorarar.store import Store
    from lorarar.util.progress import Ticker

    options: DrawingOptions = {
        "steps": steps,
        "guidance": guidance,
        "negative": negative,
        "size": parse_size(size) if size else None,
        "scheduler": scheduler,
    }
    attached = [AttachedLora(read_adapter_for(model, file), strength) for file, strength in sources]
    for one in attached:
        check_fit(one.adapter, model)  # as far as it is known before gigabytes are loaded
    pictures: list[Picture] = []
    with Store(db) as store, Studio(model, device, dtype=dtype, offload=offload) as studio:
        studio.load_loras(attached, switches)
        made_by = keep_loras(store, attached, [file for file, _ in sources])
        steps_in_all = -(-n // batch) * DrawingSettings.of(model, options).steps
        with Ticker("generate", steps_in_all) as ticker:
            cell = _noise_cell(noise_of, store, model) if noise_of else None
            for picture in studio.generate(
                prompt, seeds, batch=batch, noise_of=cell, on_step=ticker.advance, **options
            ):
                pictures.append(save(picture, out))
                store.add_image(pictures[-1], *made_by)
    _show(pictures, as_json)


def _noise_cell(text: str, store: Store, model: Base) -> NoiseCell:
    """The cell that a text names, as the database or the base has its names, in whichever spelling they are given.

    Noise is decided by names, so that there is some for every text; that of a cell which is nowhere is remarked on.
    """
    from lorarar.lora.folders import find_loras
    from lorarar.lora.names import lora_name
    from lorarar.store.queries import cell_names

    given = parse_noise_cell(text)
    with store.reading() as database:
        cells = cell_names(database)
    names: list[str] = []
    for side, (name, folder) in enumerate(zip(given, (model.contents, model.styles), strict=True)):
        there = [*(cell[side] for cell in cells), *(map(lora_name, find_loras(folder)) if folder else ())]
        names.append(alike(name, dict.fromkeys(there)) or name)
        if names[-1] not in there:
            near = did_you_mean(name, there)
            message(f"--noise-of: no cell here has the name {name}; its noise is what it would have{near}", "yellow")
    return names[0], names[1]


def _show(pictures: Sequence[Picture], as_json: bool) -> None:
    """Show pictures in the terminal and say where they are."""
    from lorarar.util.formatting import count

    show_images([picture.image for picture in pictures])
    if as_json:
        print_json([picture.row() for picture in pictures])
        return
    per_picture = sum(picture.seconds for picture in pictures) / len(pictures)
    message(f"{count(len(pictures), 'picture')}, {per_picture:.2f} s each")
    for picture in pictures:
        print_path(picture.path)
