"""The share of a plan that is a shard's: pairs, each with its training, its merge and all its pictures.

What two rows have in common (the same training, or the same pictures) is one task, so that no two shards make it.
"""

from __future__ import annotations

from collections.abc import Sequence

from lorarar.bench.cells import SHORT, Pair
from lorarar.bench.plan import PictureSettings
from lorarar.families import Base
from lorarar.training.options import LoraOptions, PairOptions, options_facts
from lorarar.util.digest import digest_of_facts
from lorarar.util.grouping import group_by
from lorarar.util.shard import Shard

# What a step of a training takes, in passes of one latent through the denoiser, of which a picture takes one a step, or
# two with guidance. A pass with gradients is worth three.
_SIDES = 2  # content and style
_JOINT = 3 * _SIDES  # one with gradients a side
_COEFFICIENTS = (3 + 1) * _SIDES  # and the teacher's besides


def share_of(pairs: Sequence[Pair], shard: Shard, pictures: PictureSettings, base: Base) -> list[Pair]:
    """The pairs of a shard, in the order of the plan.

    Args:
        pairs: all of the plan, also those that are finished: what is left would change while others work.
        shard: which share.
        pictures: of each pair.
        base: the plan's.
    """
    tasks = group_by(pairs, task_of)
    costs = {task: cost_of(members, pictures, base) for task, members in tasks.items()}
    mine = shard.share(costs)
    return [pair for pair in pairs if task_of(pair) in mine]


def task_of(pair: Pair) -> str:
    """The name of the task that a pair belongs to: that of its training, or else of its adapter.

    The plan and its LoRAs alone decide it, and nothing of this machine: shards on others have the same tasks.
    """
    options = pair.row.options
    trained = options_facts(options) if isinstance(options, LoraOptions | PairOptions) else None
    made = pair.method if trained is None else {"method": pair.row.method, "training": trained}
    loras = {"content": pair.content.adapter.sha256, "style": pair.style.adapter.sha256}
    return f"{pair.name} {digest_of_facts({**made, **loras})[:SHORT]}"


def cost_of(pairs: Sequence[Pair], pictures: PictureSettings, base: Base) -> int:
    """What the pairs of one task cost, in passes of one latent through the denoiser.

    Of those that share a training it counts once, and so do pictures of one adapter.
    """
    settings = pictures.settings(base)
    drawing = settings.steps * (2 if settings.guidance > 1 else 1)
    adapters = {digest_of_facts(pair.makings) for pair in pairs}
    trainings = {digest_of_facts(pair.training) for pair in pairs if pair.training is not None}
    number = len(pictures.seeds) * len(pictures.templates)
    return len(adapters) * number * drawing + len(trainings) * training_cost(pairs[0])


def training_cost(pair: Pair) -> int:
    """What the training of a pair costs, in the same measure; nothing where its row does not train."""
    options = pair.row.options
    if isinstance(options, LoraOptions):
        return options.steps * options.batch * _JOINT
    if isinstance(options, PairOptions):
        return options.steps * options.batch * _COEFFICIENTS
    return 0
