"""``lorarar.generate``: pictures from Python, kept in the database where one is named, as the command keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from lorarar.families import DEFAULT_BASE, Base, find_base
from lorarar.generation.attached_loras import AttachedLora
from lorarar.generation.noise import NoiseCell
from lorarar.generation.offload import Offload
from lorarar.generation.picture import Picture, save
from lorarar.generation.settings import DrawingOptions
from lorarar.generation.studio import BATCH, Studio
from lorarar.lora.adapter import Adapter
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.drawn_methods import drawn_method
from lorarar.store import Store
from lorarar.util.dtype import Dtype
from lorarar.util.errors import OutputError
from lorarar.util.messages import spoken
from lorarar.util.outputs import check_output_folder
from lorarar.util.seeds import check_seeds

Lora = str | Path | Adapter


def generate(
    prompt: str,
    *,
    lora: Lora | Sequence[tuple[Lora, float]] | None = None,
    base: str | Base = DEFAULT_BASE,
    method: str | None = None,
    n: int = 1,
    seed: int = 0,
    out: str | Path | None = None,
    db: str | Path | None = None,
    device: str | None = None,
    dtype: Dtype | None = None,
    offload: Offload = "none",
    batch: int = BATCH,
    noise_of: NoiseCell | None = None,
    progress: bool = False,
    **options: Unpack[DrawingOptions],
) -> list[Picture]:
    """Generate ``n`` pictures with seeds ``seed``, ``seed + 1``, …, each the same alone or among others.

    Args:
        prompt: what to draw, of any length.
        lora: one LoRA, a file, a PEFT folder or an ``Adapter`` such as ``merge(…).adapter``; or several, each with its
            strength.
        base: a name as ``--base`` takes it, or what ``lorarar.families.find_base`` made of one and a VAE.
        method: how a content and a style are drawn with where they are not simply added: ``k-lora``.
        n: how many pictures.
        seed: of the first.
        out: the folder that they are written to as PNG; None keeps them in memory.
        db: the database that the pictures in ``out`` and their LoRAs are noted in, as ``lorarar generate`` notes them;
            None notes nothing.
        device: cpu, cuda, cuda:1 or mps; by default a GPU if there is one.
        dtype: numbers of the base; by default float16 on CUDA, else float32.
        offload: none, model or sequential: what is kept off the GPU while it is not needed.
        batch: how many pictures are drawn at once.
        noise_of: a content and a style of a grid, whose cell's noise the pictures begin with.
        progress: whether bars and messages go to stderr, as the command's do; else messages go to the log.
        options: ``steps``, ``guidance``, ``negative``, ``size`` (width and height in pixels) and ``scheduler``, each
            by default the base's own.

    Raises:
        OutputError: ``db`` is named, and no ``out``: the database knows pictures by their files; or as of the folder.
        BaseError, AdapterError, DrawingError, ImageError, MethodError, StoreError: each names what was wrong and what
            is accepted.
    """
    if db is not None and out is None:
        raise OutputError("db notes where pictures lie, and they are not written; name a folder with out")
    if out is not None:
        check_output_folder(Path(out))
    check_seeds(seeds := range(seed, seed + n))
    with spoken(progress):
        model = base if isinstance(base, Base) else find_base(base)
        given = [(lora, 1.0)] if isinstance(lora, str | Path | Adapter) else list(lora or ())
        attached = [
            AttachedLora(one if isinstance(one, Adapter) else read_adapter_for(model, one), strength)
            for one, strength in given
        ]
        with Studio(model, device, dtype=dtype, offload=offload) as studio:
            studio.load_loras(attached, drawn_method(method) if method else None)
            made = studio.generate(prompt, seeds, batch=batch, noise_of=noise_of, **options)
            pictures = [save(picture, Path(out)) if out is not None else picture for picture in made]
    if db is not None:
        with Store(Path(db)) as store:
            made_by = keep_loras(store, attached, ["" if isinstance(one, Adapter) else Path(one) for one, _ in given])
            for picture in pictures:
                store.add_image(picture, *made_by)
    return pictures


def keep_loras(
    store: Store, loras: Sequence[AttachedLora], files: Sequence[str | Path]
) -> tuple[int | None, int | None]:
    """Keep LoRAs; the ids of the one that pictures are made with, and of its merge where it is drawn as it is."""
    ids = [store.add_adapter(lora.adapter, file) for lora, file in zip(loras, files, strict=True)]
    if len(ids) != 1:
        return None, None
    return ids[0], store.merge_of(ids[0]) if loras[0].strength == 1 else None
