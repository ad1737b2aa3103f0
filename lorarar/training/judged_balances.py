"""Which balances of content and style a judge prefers, pair by pair: its verdicts on plain sums of both LoRAs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorarar.families import Base
from lorarar.store.acceptance import JudgeChoice
from lorarar.store.merged_loras import KnownMerge
from lorarar.training.judged_cells import JudgedCell, JudgedCells, read_judged_cells
from lorarar.training.judged_loras import JudgedLessons, read_judged_loras
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import TrainingError
from lorarar.util.formatting import count
from lorarar.util.grouping import group_by
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.store import Store

Strengths = tuple[float, float]  # of content and style in a plain sum
PLAIN = "direct"  # the method whose weights are a balance and nothing else


@dataclass(frozen=True)
class Tried:
    """One balance of a pair: so many pictures of it were judged, so many of them accepted."""

    strengths: Strengths
    pictures: int
    accepted: int


@dataclass(frozen=True)
class JudgedPair:
    """A pair of which several balances were judged, and some picture was accepted: what is preferred can be seen."""

    content: int  # places among the LoRAs
    style: int
    tried: tuple[Tried, ...]  # in the order of their strengths


@dataclass(frozen=True)
class JudgedBalances(JudgedLessons):
    """Pairs with their judged balances, and the LoRAs of these pairs."""

    pairs: Sequence[JudgedPair]


def read_balances(store: Store, titles: Sequence[str], choice: JudgeChoice, base: Base) -> JudgedBalances:
    """The judged balances of collections; pictures of other merges are left out, and pairs that tell no preference.

    Args:
        store: the database.
        titles: of its collections, or filters.
        choice: who judges.
        base: that is trained for.

    Raises:
        TrainingError: no pair tells a preference, or a LoRA is gone or has changed; or as ``read_judged_cells``.
        AdapterError: a LoRA cannot be read, or does not fit the base.
    """
    judged = read_judged_cells(store, titles, choice, base)
    sums = [cell for cell in judged.cells if is_plain_sum(cell.merge)]
    grouped = {pair: _tried(cells) for pair, cells in group_by(sums, lambda cell: cell.pair).items()}
    telling = {pair: tried for pair, tried in sorted(grouped.items()) if _tells(tried)}
    if not telling:
        raise TrainingError(
            f"--head balance learns which one is preferred, and {', '.join(titles)} has no pair with several judged "
            f'ones of which one is accepted; accepted are rows of method = "{PLAIN}" with several weights'
        )
    cells = [cell for cell in sums if cell.pair in telling]
    contents, styles = read_judged_loras(cells, store, base)
    places = [{digest: place for place, digest in enumerate(side)} for side in (contents, styles)]
    pairs = [JudgedPair(places[0][one], places[1][two], tried) for (one, two), tried in telling.items()]
    _tell(judged, sums, len(grouped), pairs)
    record = judged.record(len(cells), len(pairs), _digest(telling))
    return JudgedBalances([*contents.values()], [*styles.values()], record, pairs)


def is_plain_sum(merge: KnownMerge) -> bool:
    """Whether a merge is a sum of both LoRAs with two strengths, and nothing was done besides."""
    return merge.method == PLAIN and merge.options.keys() == {"seed", "weights"}


def _tried(cells: Iterable[JudgedCell]) -> tuple[Tried, ...]:
    """The balances of a pair's cells; a picture that is shown in several places counts once."""
    pictures = {(_strengths(cell.merge), cell.picture.sha256): bool(cell.verdict.accepted) for cell in cells}
    every, accepted = Counter(one for one, _ in pictures), Counter(one for (one, _), yes in pictures.items() if yes)
    return tuple(Tried(one, every[one], accepted[one]) for one in sorted(every))


def _strengths(merge: KnownMerge) -> Strengths:
    content, style = merge.options["weights"]
    return float(content), float(style)


def _tells(tried: Sequence[Tried]) -> bool:
    return len(tried) > 1 and any(one.accepted for one in tried)


def _digest(pairs: Mapping[tuple[str, str], Sequence[Tried]]) -> str:
    facts = [[*pair, [[*one.strengths, one.pictures, one.accepted] for one in tried]] for pair, tried in pairs.items()]
    return digest_of_facts({"balances": facts})


def _tell(judged: JudgedCells, sums: Sequence[JudgedCell], there: int, pairs: Sequence[JudgedPair]) -> None:
    balances = len({one.strengths for pair in pairs for one in pair.tried})
    without = f"; {count(there - len(pairs), 'pair')} of which none is accepted left out" if there > len(pairs) else ""
    message(
        f"{judged.critic} judged {count(len(sums), 'picture')} of {balances} balances, which tell of "
        f"{count(len(pairs), 'pair')}{without}"
    )
