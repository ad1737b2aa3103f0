"""Stage ``clip``: Pocket's CLIP, trained on the bank's captions."""

from __future__ import annotations

import torch
from transformers import CLIPModel, CLIPTokenizer

from judge.pocket import shipped
from judge.pocket.augmentations import BankPictures
from judge.pocket.bank import Bank
from judge.pocket.clip import ClipObjective, new_clip, new_processor
from judge.pocket.stages.bank import bank_file
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.text_encoders import write_tokenizer
from lorarar.training.loop import Schedule

SCHEDULE = Schedule(steps=3800, rate=1.5e-3, warmup=100, decay=0.8, weight_decay=0.1, ema=0.998, save_every=50)
SIZE = 512  # pictures a step: some minutes on a GPU, and many hours on a core


def run_clip(context: BuildContext) -> None:
    """Train CLIP, from what is shipped if it is of this size, and ship it in half precision."""
    torch.manual_seed(context.seed)
    bank = Bank.load(bank_file(context))
    words = [word for name in bank.class_names for word in str(name).split()]
    tokenizer = write_tokenizer(context.folder / "clip-tokenizer", ["picture", *words])
    clip = _clip_to_train(context, tokenizer)
    pictures = BankPictures(bank, context.accelerator().device)
    run = context.train("clip", ClipObjective(clip, tokenizer, bank, pictures, SIZE), context.adjust(SCHEDULE))
    clip.cpu().half().save_pretrained(shipped.CLIP)
    tokenizer.save_pretrained(shipped.CLIP)
    new_processor().save_pretrained(shipped.CLIP)
    shipped.MANIFEST.record("clip", steps=run.step, batch=SIZE, seconds=round(run.seconds), seed=context.seed)


def _clip_to_train(context: BuildContext, tokenizer: CLIPTokenizer) -> CLIPModel:
    """The shipped one, or a new one where none fits or a fresh one is wanted."""
    new = new_clip(tokenizer)
    if shipped.CLIP.is_dir() and not context.fresh:
        weights = CLIPModel.from_pretrained(shipped.CLIP, dtype=torch.float32).state_dict()
        if {name: t.shape for name, t in weights.items()} == {name: t.shape for name, t in new.state_dict().items()}:
            new.load_state_dict(weights)
    return new
