"""``lorarar judge check``"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, cast

import typer

from judge.cli.options import (
    BatchOption,
    ConcurrencyOption,
    CriticOption,
    DeviceOption,
    DTypeOption,
    GeneratedOption,
    ImageModeOption,
    ImagesOption,
    ModelOption,
    PromptsOption,
    QuantisationOption,
    ReferencesOption,
)
from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, message, print_json

if TYPE_CHECKING:
    from judge.check.interview import Tally
    from judge.critics.settings import DType, ImageMode, Quantisation

SAMPLE = 48  # pictures: six cells by eight methods, about a minute of Pocket's critic


@command
def check(
    critic: CriticOption = "pocket",
    model: ModelOption = None,
    prompts: PromptsOption = "paper",
    image_mode: ImageModeOption = None,
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    sample: Annotated[int, typer.Option("--sample", help="Pictures, even over methods and cells.", min=1)] = SAMPLE,
    seed: SeedOption = 0,
    against: Annotated[
        str | None, typer.Option("--against", help="Another critic to compare with.", show_default="none")
    ] = None,
    batch: BatchOption = 32,
    concurrency: ConcurrencyOption = 8,
    quantisation: QuantisationOption = None,
    device: DeviceOption = None,
    dtype: DTypeOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far the judge can be trusted: order, wording, controls, settings, and truth or people where known."""
    from judge.check.check import Plan, run_check
    from judge.check.configuration import Configuration
    from judge.check.ground_truth import find_distances, find_known
    from judge.check.interview import Interview
    from judge.check.people import StoredLabels
    from judge.questions import find_prompts
    from judge.targets import find_targets
    from lorarar.store import Store

    asked = find_prompts(prompts)
    with Store(db) as store:
        targets = find_targets(store, images, generated, references)
        plan = Plan(
            targets,
            asked,
            Configuration(
                critic,
                cast("ImageMode | None", image_mode),
                device,
                cast("DType | None", dtype),
                batch,
                concurrency,
                cast("Quantisation | None", quantisation),
                model=model,
            ),
            sample,
            seed,
            against,
            find_known(store, targets),
            partial(find_distances, store),
            list(StoredLabels(store).labels()),
        )
        found = run_check(plan, Interview(store))
    _describe(found.tally)
    if as_json:
        from dataclasses import asdict

        from judge.check.findings import findings

        print_json(asdict(found) | {"findings": [asdict(finding) for finding in findings(found)]})
        return
    from rich.console import Console

    from judge.check.page import page

    Console(highlight=False).print(page(found))


def _describe(tally: Tally) -> None:
    for reason, count in sorted(tally.reasons.items(), key=lambda item: -item[1])[:5]:
        message(f"  {count} x {reason}", "yellow")
