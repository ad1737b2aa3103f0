"""The one table of critics that are known by name; ``lorarar judge critics`` shows it.

Parameters are counted from the architectures' published settings, and so is what they take in memory. No revision is
pinned: ``--critic OWNER/NAME@REVISION`` asks for one, and the commit that was loaded is in every verdict's identity.
"""

from __future__ import annotations

from judge.critics.presets.preset import CriticPreset, ServedAdapter, Serving
from judge.critics.presets.pvc_judge import PVC_JUDGE
from judge.critics.presets.unified_reward import UNIFIED_REWARD_EDIT, UNIFIED_REWARD_EDIT_PAIRS
from judge.pair_questions import PAIRS
from judge.questions import PAPER

QWEN = "Qwen/Qwen3-VL-8B-Instruct"
APACHE = "Apache-2.0"

_ROWS = (
    CriticPreset(
        "llava-critic-7b",
        title="the paper's critic",
        repository="lmms-lab/llava-critic-7b",
        parameters=8.03e9,
        licence=APACHE,
        paper="arXiv 2410.02712",
        singles=PAPER,
        pairs=PAIRS,
        serving=Serving(
            tokens=32768,  # of which a picture takes 3,699, as vLLM cuts it
            model="llava-critic-7b-hf",
            note="vLLM reads transformers' form of its weights alone: llava-critic-7b-hf is a folder with them, "
            "converted by transformers' script for LLaVA-OneVision",
        ),
    ),
    CriticPreset(
        "qwen3-vl-8b",
        title="a general vision-language model that a GPU of 24 GB holds",
        repository=QWEN,
        parameters=8.77e9,
        licence=APACHE,
        paper="arXiv 2511.21631",
        singles=PAPER,
        pairs=PAIRS,
    ),
    CriticPreset(
        "qwen3-vl-32b",
        title="the strongest open judge of MMRB2 (arXiv 2512.16899)",
        repository="Qwen/Qwen3-VL-32B-Instruct",
        parameters=33.36e9,
        licence=APACHE,
        paper="arXiv 2511.21631",
        singles=PAPER,
        pairs=PAIRS,
        serving=Serving(
            arguments=("--tensor-parallel-size", "2"),
            note="two GPUs of 80 GB; Qwen/Qwen3-VL-32B-Instruct-FP8 in its place fits one",
        ),
    ),
    CriticPreset(
        "pvc-judge",
        title="which of two edits keeps what its source shows, a LoRA",
        repository="GEditBench-v2/PVC-Judge",
        parameters=8.94e9,
        licence="none named; its base Apache-2.0",
        paper="arXiv 2603.28547",
        pairs=PVC_JUDGE,
        adapter=ServedAdapter(base=QWEN, rank=64),
        serving=Serving(note="a folder with its merged weights is served like any other, under this name"),
    ),
    CriticPreset(
        "unifiedreward-edit",
        title="scores an edited image against its source",
        repository="CodeGoat24/UnifiedReward-Edit-qwen3vl-8b",
        parameters=8.77e9,
        licence="MIT",
        paper="arXiv 2503.05236",
        singles=UNIFIED_REWARD_EDIT,
        pairs=UNIFIED_REWARD_EDIT_PAIRS,
    ),
)

#: Presets by name.
PRESETS = {preset.name: preset for preset in _ROWS}
