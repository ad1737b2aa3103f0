"""The judges' part of Pocket's recipe; the command line appends it to the engine's."""

from __future__ import annotations

from lorarar.pocket.stage import Stage

_IN = "judge.pocket.stages"

STAGES = (
    Stage.at("bank", "the judges' labelled pictures", f"{_IN}.bank:run_bank"),
    Stage.at("eyes", "the critic's vision tower", f"{_IN}.vision_tower:run_vision_tower"),
    Stage.at("critic", "the critic, from questions on pairs", f"{_IN}.critic:run_critic"),
    Stage.at("fidelity", "what LoRAs keep of what they learnt, and what bounds merges", f"{_IN}.fidelity:run_fidelity"),
    Stage.at("clip", "CLIP, by contrast with captions", f"{_IN}.clip:run_clip"),
    Stage.at("dino", "DINO, by contrast of designs", f"{_IN}.dino:run_dino"),
    Stage.at("figures", "how the judges do on what none of them has seen", f"{_IN}.figures:run_figures"),
)
