"""Stage ``figures``: how the shipped judges do on true cells that none of them has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedTokenizerFast

from judge.metrics.registry import find_backbone
from judge.pocket import held_out_trials as trials
from judge.pocket import shipped
from judge.pocket.critic_figures import CriticSetup, acceptance, discrimination
from judge.pocket.stages.vision_tower import read_critic
from judge.pocket.zero_shot import zero_shot
from lorarar.pictures.concept_table import Split
from lorarar.pocket.art import fetch_designs
from lorarar.pocket.build_context import BuildContext

SPLITS: tuple[Split, ...] = ("validation", "test")


def run_figures(context: BuildContext) -> None:
    """Measure the shipped critic, CLIP and DINO and put that into the manifest; nothing is trained."""
    subjects = trials.subject_trials(fetch_designs(context.art), trials.HELD_SUBJECTS, trials.HELD_STYLES)
    styles = trials.style_trials(trials.HELD_SUBJECTS, trials.HELD_STYLES)
    clip, dino = find_backbone("clip", "pocket"), find_backbone("dino", "pocket")
    shipped.MANIFEST.record(
        "figures",
        critic=_critic_figures(context, subjects, styles),
        clip={
            "words": zero_shot(clip, trials.HELD_SUBJECTS, trials.HELD_STYLES),
            "style": trials.cosine_auroc(clip, styles),
        },
        dino={"subject": trials.cosine_auroc(dino, subjects)},
    )


def _critic_figures(
    context: BuildContext, subjects: list[trials.HeldOutTrial], styles: list[trials.HeldOutTrial]
) -> Mapping[str, Any]:
    """On all held-out cells, and what is accepted of each split's own."""
    model = read_critic(shipped.CRITIC).to(context.accelerator().device)
    critic = CriticSetup(model, PreTrainedTokenizerFast.from_pretrained(shipped.CRITIC))
    accepted: dict[str, Mapping[str, float]] = {}
    for split in SPLITS:
        own_subjects = [subject for subject in trials.HELD_SUBJECTS if subject.split == split]
        own_styles = [style for style in trials.HELD_STYLES if style.split == split]
        accepted[split] = acceptance(critic, own_subjects, own_styles)
    return {"subject": discrimination(critic, subjects), "style": discrimination(critic, styles), **accepted}
