"""The grids that items need: the paper's test grid, shared by most of them, and others in its likeness.

A grid at another size than the usual one has a title of its own, so that it takes no other's place in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.bench.plan import Plan, place_plan, read_plan
from lorarar.families import DEFAULT_BASE, FAMILIES
from lorarar.util.formatting import count

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from lorarar.bench.plan import MethodRow

TEST = "pocket"  # the shipped plan of the test grid on Pocket
OTHERS = "sdxl"  # and on another base, with LoRAs of one's own
QUICK_STEPS, QUICK_SIDE = 4, 2  # of a sampler; subjects, and as many styles

Row = Mapping[str, Any]  # as a plan has it: method, name and options
#: The network's own means given to every pair, which a hypernetwork has to beat.
MEANS_ROW: Row = {"method": "lorarar", "name": "lorarar-means", "means": True}


def test_grid(request: PaperRequest) -> Plan:
    """The paper's test grid by all methods: Table 1's, and of all that is said of the same pictures.

    On Pocket it is the shipped plan ``pocket``, so that what ``lorarar bench run pocket`` drew is there already.

    Raises:
        PlanError: the base has no LoRAs of its own and none are given.
    """
    if request.is_pocket:
        return sized(read_plan(TEST), request)
    return grid(request, "test", _other_rows(request))


def grid(
    request: PaperRequest,
    name: str,
    rows: Iterable[Row],
    *,
    contents: Sequence[str] | None = None,
    styles: Sequence[str] | None = None,
    prompts: Sequence[str] = (),
    seeds: int | None = None,
    folders: tuple[Path, Path] | None = None,
) -> Plan:
    """A grid of an item's own.

    Args:
        request: the base, and the size.
        name: what tells it from other grids.
        rows: the methods.
        contents, styles: which concepts; None: all of the folders.
        prompts: several templates, each with pictures of its own.
        seeds: of each pair, where the item has others than the request says.
        folders: of contents and of styles; None: the request's, else the base's own.

    Raises:
        PlanError: a folder is not there, or a row is not accepted.
    """
    of_contents, of_styles = folders or (request.contents, request.styles)
    each = min(seeds or request.pictures, request.pictures)
    pictures: dict[str, Any] = {"seeds": each, "batch": min(each, 10), "device": request.device}
    title = f"paper-{name}" if request.is_pocket else f"paper-{name}-{Path(request.base).name}"
    plan = Plan.model_validate(
        {
            "title": title,
            "base": request.base,
            "keep_loras": False,
            "together": "auto",
            "contents": {"folder": of_contents, "names": contents},
            "styles": {"folder": of_styles, "names": styles},
            "pictures": pictures | ({"prompts": tuple(prompts)} if prompts else {}),
            "methods": [dict(row) for row in rows],
        }
    )
    return sized(place_plan(plan, Path(f"{title}.toml")), request)


def sized(plan: Plan, request: PaperRequest) -> Plan:
    """A plan at the size that is asked for, on the device that is."""
    seeds = plan.pictures.seeds[: request.pictures]
    pictures = {"seeds": seeds, "batch": min(plan.pictures.batch, len(seeds)), "device": request.device}
    update: dict[str, Any] = {"title": plan.title + request.suffix}
    if request.quick:
        pictures["steps"] = QUICK_STEPS
        update["methods"] = tuple(map(quick_row, plan.methods))
        for side in ("contents", "styles"):
            concepts = getattr(plan, side)
            update[side] = concepts.model_copy(update={"names": concepts.all_names[:QUICK_SIDE]})
    return plan.model_copy(update=update | {"pictures": plan.pictures.model_copy(update=pictures)})


def quick_row(row: MethodRow) -> MethodRow:
    """A row whose training, if it has one, is of two steps."""
    return row.model_copy(update={"steps": 2}) if row.trains else row


def constants_row() -> Row:
    """The best constants of Pocket's family, which a hypernetwork has to beat."""
    return {"method": "direct", "name": "constants", "weights": list(FAMILIES[DEFAULT_BASE].constants or (1.0, 1.0))}


def _other_rows(request: PaperRequest) -> list[Row]:
    """The rows of the test grid on a base of the user's, with the hypernetwork that is given or the base's own.

    Without either LoRA.rar is left out.
    """
    from lorarar.families import find_base

    rows: list[Row] = []
    for row in _written_rows():
        if row["method"] != "lorarar":
            rows.append(row)
        elif request.hypernet is not None:
            rows.append({**row, "hypernet": str(request.hypernet.absolute())})
        elif find_base(request.base).hypernet is not None:
            rows.append({name: value for name, value in row.items() if name != "hypernet"})
    return rows


def _written_rows() -> list[Row]:
    """The rows of the shipped plan for other bases, as they are written there."""
    import tomllib

    from lorarar.bench.shipped_plans import SHIPPED

    return list(tomllib.loads((SHIPPED / f"{OTHERS}.toml").read_text())["methods"])


def grid_words(plan: Plan) -> str:
    """How large a grid is, in words."""
    sides = [count(number, noun) for number, noun in ((plan.contents.size, "subject"), (plan.styles.size, "style"))]
    sample = "" if plan.pairs.sample is None else f" ({plan.pair_count} of their pairs)"
    each = count(len(plan.pictures.seeds), "picture")
    grid = f"{' x '.join(sides)}{sample}"
    return f"{grid}, {each} of each pair by each method, noises of each cell's own (plan `{plan.title}`)"
