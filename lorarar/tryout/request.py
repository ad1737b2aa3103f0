"""What a tryout is asked for, and the plan that comes of it: one pair, a row a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorarar.bench.plan import Plan, place_plan, plan_of
from lorarar.families import DEFAULT_BASE, find_base
from lorarar.generation.picture_names import safe_words
from lorarar.lora.header import read_metadata
from lorarar.lora.names import lora_name
from lorarar.merging.methods.method import SIDES
from lorarar.pictures.description import NOTHING, Description, describe
from lorarar.pictures.folders import find_images
from lorarar.pictures.prompts import PAIR_PROMPT
from lorarar.pictures.references import references_folder
from lorarar.tryout.loras import find_file, find_pair
from lorarar.tryout.rows import TryoutRows, tryout_rows
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import AdapterError, ImageError, PlanError

PLACE = ("device", "dtype", "offload")  # what of the pictures' settings is where they are drawn


@dataclass(frozen=True)
class TryoutRequest:
    """What is asked for."""

    content: str  # a file or folder, or the name of one of the base's own
    style: str
    more: Sequence[str] = ()  # further LoRAs by their files, which are merged with both
    prompt: str | None = None  # of the pictures, with {content} and {style}; None: both LoRAs' own together
    given: tuple[Description, Description] = (NOTHING, NOTHING)  # what is said of content and of style
    base: str = DEFAULT_BASE
    vae: str | None = None
    prediction: str | None = None
    methods: Sequence[str] = ()  # by name; none: all that need nothing but the files
    options: Mapping[str, Any] = field(default_factory=dict)  # of methods
    seeds: Sequence[int] = (0, 1, 2, 3)
    pictures: Mapping[str, Any] = field(default_factory=dict)  # other settings of ``[pictures]``; None: by default
    anyway: bool = False
    drop_missing: bool = False
    judged: bool = False  # afterwards, for which both LoRAs need pictures


@dataclass(frozen=True)
class Tryout:
    """A placed plan of one pair, with the methods that are left out of it."""

    plan: Plan
    rows: TryoutRows

    @property
    def title(self) -> str:
        """The plan's, which names the tryout's files too."""
        return self.plan.title


def plan_tryout(request: TryoutRequest) -> Tryout:
    """The tryout of a request, wholly checked before anything is merged or drawn.

    Raises:
        AdapterError: a LoRA is not there, or nothing says a prompt that is needed.
        ImageError: a judge has nothing to compare with.
        BaseError, HypernetError, MethodError, PlanError: as of plans and methods.
    """
    if request.prompt is not None and not request.prompt.strip():
        raise PlanError("--prompt is empty; accepted is what to draw, or none: both LoRAs' own prompts together")
    base = find_base(request.base, vae=request.vae, prediction=request.prediction)
    files = find_pair(request.content, request.style, base)
    descriptions = [
        describe(file, read_metadata(file, AdapterError), given)
        for file, given in zip(files, request.given, strict=True)
    ]
    unsaid = [file for file, words in zip(files, descriptions, strict=True) if not (words.prompt or "").strip()]
    if request.prompt is None and unsaid:
        raise AdapterError(
            f"{unsaid[0]} does not say its prompt; say what to draw: --prompt, or what it was trained with: "
            "--content-prompt, --style-prompt"
        )
    if request.judged:
        _check_judgeable(files, descriptions)
    more = [find_file(text) for text in request.more]
    rows = tryout_rows(base, request.methods, request.options, has_prompts=not unsaid, loras=len(files) + len(more))
    content, style = (
        {"concepts": {lora_name(file): _entry(file, given)}} for file, given in zip(files, request.given, strict=True)
    )
    tables = {**tables_of(request, content, style, more, rows), "files_alone": not request.judged}
    title = _title(tables, *files)
    plan = place_plan(plan_of({**tables, "title": title}, "try"), Path("try"))
    return Tryout(plan, rows)


def tables_of(
    request: TryoutRequest,
    contents: Mapping[str, Any],
    styles: Mapping[str, Any],
    more: Sequence[Path],
    rows: TryoutRows,
) -> dict[str, Any]:
    """The tables of a plan that draws both sides by these rows as a request says, all but its title."""
    pictures = {name: value for name, value in request.pictures.items() if value is not None}
    return {
        "base": request.base,
        "vae": request.vae,
        "prediction": request.prediction,
        "contents": contents,
        "styles": styles,
        **({"more": [str(file.absolute()) for file in more]} if more else {}),
        "pictures": {"prompt": request.prompt or PAIR_PROMPT, "seeds": list(request.seeds), **pictures},
        "methods": [{"method": row.method, **(row.model_extra or {})} for row in rows.rows],
        "anyway": request.anyway,
        "drop_missing": request.drop_missing,
    }


def _check_judgeable(files: Sequence[Path], descriptions: Sequence[Description]) -> None:
    """Refuse to have judged what a judge has no words for, or no pictures to compare with."""
    for side, file, words in zip(SIDES, files, descriptions, strict=True):
        if not (words.prompt or "").strip():
            raise AdapterError(
                f"{file} does not say its prompt, by which --critic asks for its {side}; say it with --{side}-prompt, "
                "or judge nothing: leave --critic out"
            )
        try:
            find_images(words.images or references_folder(file))
        except ImageError as error:
            raise ImageError(
                f"{file} has no pictures, which --critic compares with: {error}; name them with --{side}-images, or "
                "judge nothing: leave --critic out"
            ) from None


def _entry(file: Path, given: Description) -> dict[str, Any]:
    """What the plan says of a LoRA."""
    facts = {"prompt": given.prompt, "images": given.images}
    return {"lora": str(file.absolute()), **{name: str(value) for name, value in facts.items() if value is not None}}


def _title(tables: Mapping[str, Any], content: Path, style: Path) -> str:
    """The name of a tryout: words of it, and a digest of all that is asked for but how many pictures, and where.

    So a tryout that asks for more pictures goes on with the first, and no other takes the place of its pictures.
    """
    pictures = {name: value for name, value in tables["pictures"].items() if name not in (*PLACE, "seeds")}
    facts = {**tables, "pictures": pictures, "files_alone": None}
    words = safe_words(f"try {lora_name(content)} {lora_name(style)} {tables['pictures']['prompt']}")
    return f"{words}-{digest_of_facts(facts)[:8]}"
