"""Where a hypernetwork's training has its LoRAs and pictures from: two folders, or judged pictures of a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.store.command_line import command_line
from lorarar.util.errors import UsageError
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.families import Base
    from lorarar.pictures.concept_table import Side, Split
    from lorarar.pictures.concepts import Concept
    from lorarar.training.accepted_pictures import AcceptedPictures
    from lorarar.training.judged_balances import JudgedBalances
    from lorarar.training.options import HypernetObjective


@dataclass(frozen=True)
class HypernetLessons:
    """What a hypernetwork learns from."""

    contents: Sequence[Concept]
    styles: Sequence[Concept]
    facts: dict[str, object]  # that decide the training
    record: dict[str, object] = field(default_factory=dict)  # what its result's header says besides
    accepted: AcceptedPictures | None = None
    balances: JudgedBalances | None = None

    @property
    def names(self) -> dict[Side, list[str]]:
        """The names of both sides' LoRAs."""
        return {"contents": [one.name for one in self.contents], "styles": [one.name for one in self.styles]}


@dataclass(frozen=True)
class FolderSource:
    """Two folders of LoRAs with their pictures, and which of them."""

    contents: Path | None
    styles: Path | None
    names: str | None
    split: Split | None
    skip_missing: bool

    @property
    def given(self) -> list[str]:
        """The flags that were given."""
        values = {
            "--contents": self.contents,
            "--styles": self.styles,
            "--names": self.names,
            "--split": self.split,
            "--skip-missing": self.skip_missing,
        }
        return [flag for flag, value in values.items() if value]

    @property
    def folders(self) -> dict[Side, Path]:
        """Both folders.

        Raises:
            UsageError: one is not named.
        """
        if self.contents is None or self.styles is None:
            raise UsageError("--contents and --styles are needed: folders of LoRAs with their pictures")
        return {"contents": self.contents, "styles": self.styles}

    @property
    def files(self) -> list[Path]:
        """What is read, and no result may lie over.

        Raises:
            AdapterError: a folder is not there.
        """
        from lorarar.lora.folders import find_loras

        return [lora for folder in self.folders.values() for lora in find_loras(folder)]

    def read(self, base: Base) -> HypernetLessons:
        """The contents and styles that are trained on; what lies beside their pictures and is left out is said.

        Raises:
            AdapterError, ImageError: one cannot be read, or does not fit the base.
        """
        from lorarar.lora.fit import check_fit
        from lorarar.pictures.concept_choice import choose
        from lorarar.pictures.concepts import read_concepts
        from lorarar.pictures.folders import left_out_beside
        from lorarar.training.makings import concept_facts

        chosen = choose(self.folders, self.names, self.split, self.skip_missing)
        concepts = {of: read_concepts(folder, chosen.get(of), base=base) for of, folder in self.folders.items()}
        for concept in chain(*concepts.values()):
            check_fit(concept.adapter, base)
        if rest := left_out_beside(concept.images for concept in chain(*concepts.values())):
            message(rest)
        facts: dict[str, object] = {of: list(map(concept_facts, group)) for of, group in concepts.items()}
        return HypernetLessons(concepts["contents"], concepts["styles"], facts)


@dataclass(frozen=True)
class JudgedSource:
    """Judged pictures of a database, and whose verdicts."""

    titles: tuple[str, ...]
    critics: tuple[str, ...]
    prompts: str | None
    judges: tuple[int, ...]
    db: Path | None
    head: str  # that is trained: ``balance`` learns from verdicts on balances, any other from accepted pictures

    @property
    def given(self) -> list[str]:
        """The flags that were given."""
        values = {
            "--accepted": self.titles,
            "--critic": self.critics,
            "--prompts": self.prompts,
            "--judge": self.judges,
        }
        return [flag for flag, value in values.items() if value]

    @property
    def files(self) -> list[Path]:
        """What is read, and no result may lie over: of LoRAs the database alone knows."""
        from lorarar.store import default_path

        return [self.db or default_path()]

    def read(self, base: Base) -> HypernetLessons:
        """The accepted pictures, or the judged balances, and their LoRAs.

        Raises:
            LorarError: there are none, or a LoRA has changed (``lorarar.training.judged_cells``, ``judged_loras``).
        """
        from lorarar.store.acceptance import JudgeChoice
        from lorarar.store.opening import open_for_reading
        from lorarar.training.accepted_pictures import read_accepted
        from lorarar.training.judged_balances import read_balances

        first = f"{command_line('lorarar bench run')}, {command_line('lorarar judge run')}"
        with open_for_reading(self.db, f"; draw and judge pictures first: {first}") as store:
            choice = JudgeChoice(self.critics, self.prompts, self.judges)
            if self.head == "balance":
                balances = read_balances(store, self.titles, choice, base)
                record: dict[str, object] = {"accepted": balances.record}
                return HypernetLessons(balances.contents, balances.styles, balances.facts, record, balances=balances)
            accepted = read_accepted(store, self.titles, choice, base)
        return HypernetLessons(
            accepted.contents, accepted.styles, accepted.facts, {"accepted": accepted.record}, accepted
        )


def hypernet_source(
    objective: HypernetObjective, folders: FolderSource, judged: JudgedSource
) -> FolderSource | JudgedSource:
    """The source that an objective has.

    Raises:
        UsageError: flags of the other are given, or judged pictures are needed and not named.
    """
    if objective != "accepted":
        if judged.given:
            raise UsageError(f"{judged.given[0]} goes with --objective accepted; this one is {objective}")
        return folders
    if not judged.titles:
        raise UsageError("--objective accepted needs --accepted TITLE: a plan whose pictures were judged")
    if folders.given:
        raise UsageError(
            f"{folders.given[0]} does not go with --objective accepted, whose LoRAs are those of the judged pictures"
        )
    return judged
