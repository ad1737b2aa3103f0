"""``lorarar judge``: gathered by the command line, which is the only part of lorarar that knows the judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from judge.options import (
    BatchOption,
    ConcurrencyOption,
    CriticOption,
    DeviceOption,
    DTypeOption,
    GeneratedOption,
    ImageModeOption,
    ImagesOption,
    PromptsOption,
    QuantisationOption,
    ReferencesOption,
)
from judge.trust.cli import check
from lorarar.cli.console import DbOption, JsonOption, clean, command, print_json, talk

if TYPE_CHECKING:
    from judge.critics.settings import DType, ImageMode, Quantisation
    from judge.runner import Outcome
    from judge.targets import Target
    from lorarar.store import Store

app = typer.Typer(no_args_is_help=True, help="Judge pictures: MARS2 by a critic, CLIP-I, CLIP-T and DINO.")

app.command()(check)

MARS2 = "mars2"


@app.command()
@command
def run(
    critic: CriticOption = "pocket",
    metrics: Annotated[
        str, typer.Option("--metrics", help="Which of mars2,clip-i,clip-t,dino.")
    ] = "mars2,clip-i,clip-t,dino",
    prompts: PromptsOption = "paper",
    image_mode: ImageModeOption = None,
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    clip: Annotated[str, typer.Option("--clip", help="CLIP backbone: pocket, a folder or a hub id.")] = "pocket",
    dino: Annotated[str, typer.Option("--dino", help="DINO backbone: pocket, a folder or a hub id.")] = "pocket",
    batch: BatchOption = 32,
    concurrency: ConcurrencyOption = 8,
    quantisation: QuantisationOption = None,
    device: DeviceOption = None,
    dtype: DTypeOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every picture that is not scored yet; killed and started again, it goes on where it was."""
    from judge.prompts import find_prompts
    from lorarar.store import Store

    wanted, asked = parse_metrics(metrics), find_prompts(prompts)
    with Store(db) as store:
        targets = find_targets(store, images, generated, references)
        said: dict[str, Any] = {"pictures": len(targets)}
        if MARS2 in wanted:
            from judge.critics import find_critic
            from judge.runner import judge
            from judge.verdicts import VerdictStore

            found = find_critic(
                critic,
                image_mode=cast("ImageMode | None", image_mode),
                device=device,
                dtype=cast("DType | None", dtype),
                batch=batch,
                concurrency=concurrency,
                quantisation=cast("Quantisation | None", quantisation),
            )
            with found:
                outcome = judge(targets, found, asked, VerdictStore(store))
            said["mars2"] = vars(outcome)
            _describe(outcome)
        for name in (metric for metric in wanted if metric != MARS2):
            said[name] = _score(name, clip if name.startswith("clip") else dino, targets, store, device)
    if as_json:
        print_json(said)


def parse_metrics(text: str) -> list[str]:
    """``"mars2,dino"`` as names, each once.

    Raises:
        MetricError: an unknown name, or none.
    """
    from judge.metrics.metric import METRICS, MetricError

    known = (MARS2, *METRICS)
    given = [part.strip() for part in text.split(",") if part.strip()]
    if not given or set(given) - set(known):
        raise MetricError(f"--metrics is {text!r}; accepted is a list of {', '.join(known)}")
    return [name for name in known if name in given]


def find_targets(store: Store, images: str, generated: Path | None, references: Path | None) -> list[Target]:
    """What is to be judged: plain folders where they are named, else what grids made.

    Raises:
        TargetError: nothing is there, or one folder is named without the other.
    """
    from judge.targets import TargetError, from_folders, from_store

    if (generated is None) != (references is None):
        raise TargetError("--generated and --references go together")
    if generated is None or references is None:
        return from_store(store, images)
    if images:
        raise TargetError("--images filters the database's pictures, not those of --generated")
    return from_folders(generated, references)


def _score(name: str, backbone: str, targets: list[Target], store: Store, device: str | None) -> dict[str, object]:
    from judge.metrics.features import Features
    from judge.metrics.known import find_backbone
    from judge.metrics.measure import measure
    from judge.metrics.metric import METRICS
    from judge.scores import add_scores

    metric = METRICS[name]
    features = Features(find_backbone(metric.kind, backbone, device, "float32"))
    values = measure(metric, targets, features)
    add_scores(store, metric, features.backbone.identity, targets, values)
    scored = [value for value in values if value is not None]
    talk().print(f"{name}: {len(scored)} of {len(targets)} pictures by {clean(features.backbone.identity.name)}")
    return {"scored": len(scored), "mean": sum(scored) / len(scored) if scored else None}


def _describe(outcome: Outcome) -> None:
    talk().print(
        f"MARS2: {outcome.cases} verdicts, {outcome.found} were known, {outcome.asked} asked, "
        f"{outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    for reason, count in sorted(outcome.reasons.items(), key=lambda item: -item[1])[:5]:
        talk().print(clean(f"  {count} x {reason}"), style="yellow", markup=False)
