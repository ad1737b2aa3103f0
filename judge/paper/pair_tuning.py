"""A search for each pair of a grid, as ``lorarar tune`` makes it, and its leader on the grid's own seeds.

The searches have other seeds than the grid, so that its pictures are fresh to them; a leader that is a row of the grid
shares that row's pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.judges import Judges
from judge.paper.drawing_help import beside
from judge.paper.errors import PaperError
from judge.tuning.goals.table import goal_named
from judge.tuning.referee import Bench
from judge.tuning.request import TuneRequest, plan_tuning
from judge.tuning.search import Search
from judge.tuning.settings import Setting
from lorarar.lora.folders import find_loras
from lorarar.lora.names import lora_name
from lorarar.store import Store
from lorarar.store.queries import Pair
from lorarar.tryout.request import TryoutRequest

if TYPE_CHECKING:
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

PICTURES, QUICK_PICTURES = 40, 10  # of a search
TOGETHER = 2  # pictures that are drawn at once


@dataclass(frozen=True)
class TunedPair:
    """What the search of a pair came to."""

    pair: Pair
    setting: Setting
    tried: int  # settings

    def plan(self, grid: Plan) -> Plan:
        """The pair's leader on the grid's seeds."""
        content, style = self.pair
        sides = {
            side: getattr(grid, side).model_copy(update={"names": (name,)})
            for side, name in (("contents", content), ("styles", style))
        }
        title = f"{grid.title}-tuned-{content}-{style}"
        return grid.model_copy(update={"title": title, "methods": (self.setting.row.beside(Path()),), **sides})


def searched(work: PaperWork) -> int:
    """How many pictures the search of a pair has."""
    return QUICK_PICTURES if work.request.quick else PICTURES


def tune_pairs(work: PaperWork, grid: Plan) -> list[TunedPair]:
    """Search for every pair of a grid; what was searched already is not searched again.

    Raises:
        LorarError: as of searches.
        KeyboardInterrupt: Ctrl-C; what was finished is kept.
    """
    pairs = list(product(grid.contents.all_names, grid.styles.all_names))
    with beside(_search_all, (work, grid, pairs[::-1]), min(work.request.processes, len(pairs))):
        return [_search(work, grid, pair) for pair in pairs]


def _search_all(work: PaperWork, grid: Plan, pairs: Sequence[Pair]) -> None:
    """What another process does: the same from the other end."""
    for pair in pairs:
        _search(work, grid, pair)


def _search(work: PaperWork, grid: Plan, pair: Pair) -> TunedPair:
    """The search of a pair, which is kept beside the results."""
    tuning = plan_tuning(_request(work, grid, pair))

    def search() -> Mapping[str, Any]:
        bench = Bench(work.request.database, _judges(work), tuning.request.goal)
        with Store(work.request.database) as store:
            search = Search(tuning, goal_named(tuning.request.goal).referee(bench), store, work.request.out / "tuned")
            search.run()
        return {"setting": search.settings[0].facts, "tried": len(search.tried)}

    kept = work.kept("-".join(pair), {"search": tuning.title}, search)
    method, options = kept["setting"]["method"], {n: v for n, v in kept["setting"].items() if n != "method"}
    return TunedPair(pair, Setting.of(method, options), kept["tried"])


def _judges(work: PaperWork) -> Judges:
    return Judges(settings={"device": work.request.device} if work.request.device else {})


def _request(work: PaperWork, grid: Plan, pair: Pair) -> TuneRequest:
    files = [
        _file(side.folder, side.loras, name) for side, name in zip((grid.contents, grid.styles), pair, strict=True)
    ]
    pictures = grid.pictures
    tryout = TryoutRequest(
        content=str(files[0]),
        style=str(files[1]),
        prompt=pictures.prompt,
        base=grid.base,
        vae=grid.vae,
        prediction=grid.prediction,
        seeds=pictures.seeds,
        pictures={**pictures.options, "device": pictures.device, "dtype": pictures.dtype, "batch": TOGETHER},
        judged=True,
    )
    return TuneRequest(tryout=tryout, pictures=searched(work))


def _file(folder: Path | None, loras: Mapping[str, Path], name: str) -> Path:
    """A LoRA of a placed plan by its name.

    Raises:
        PaperError: it is not there.
    """
    there = {**{lora_name(file): file for file in (find_loras(folder) if folder else ())}, **loras}
    if name not in there:
        raise PaperError(f"{folder} has no LoRA {name}")
    return there[name]
