"""What Pocket's critic says on true pictures it has not seen, and how far order, words and image mode change that.

Measured on the tokens of its tower, as it is trained, so that thousands of questions take a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import LlavaOnevisionForConditionalGeneration, PreTrainedTokenizerFast

from judge.checks.paraphrases import PARAPHRASES
from judge.pocket.held_out_trials import HeldOutTrial, auroc_summary
from judge.pocket.pair_reader import PairReader
from judge.pocket.pair_sequences import ANYRES, PAD, PairSequences
from judge.pocket.question_tokens import QuestionSampler
from judge.pocket.vision_tower import encode
from judge.questions import PAPER, Prompts
from lorarar.pictures.images import read_image
from lorarar.pocket import shipped
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.ground_truth import true_picture

Logits = NDArray[np.float64]  # (N,), of Yes less No
BATCH = 32


@dataclass(frozen=True)
class CriticSetup:
    """A critic and its tokenizer."""

    model: LlavaOnevisionForConditionalGeneration
    tokenizer: PreTrainedTokenizerFast


@dataclass(frozen=True)
class ExamPair:
    """A reference and a test picture, and the style family asked about, empty for a subject."""

    family: str
    reference: Image.Image
    test: Image.Image


class Exam:
    """Pairs of pictures and the critic that is asked about them; every picture is encoded once."""

    def __init__(self, critic: CriticSetup, pairs: Sequence[ExamPair]) -> None:
        self.critic, self.pairs = critic, pairs
        images = {image.tobytes(): image for pair in pairs for image in (pair.reference, pair.test)}
        index = {key: number for number, key in enumerate(images)}
        pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images.values()]))
        self.tokens = encode(critic.model.model.vision_tower, pixels)
        self.rows = torch.tensor([[index[pair.reference.tobytes()], index[pair.test.tobytes()]] for pair in pairs])

    @torch.no_grad()
    def logits(self, prompts: Prompts = PAPER, *, exchanged: bool = False, anyres: bool = False) -> Logits:
        """The logit of Yes less that of No for every pair."""
        logits = np.zeros(len(self.pairs))
        reader, sampler = PairReader(self.critic.model, self.critic.tokenizer), QuestionSampler(self.critic.tokenizer)
        device = self.critic.model.device
        for family in {pair.family for pair in self.pairs}:
            rows = torch.tensor([k for k, pair in enumerate(self.pairs) if pair.family == family])
            question = sampler.tokens(prompts, "style" if family else "subject", family)
            codes = PairSequences.of([question], ANYRES if anyres else PAD).codes.to(device)
            for part in torch.split(rows, BATCH):
                shown = self.rows[part].flip(1) if exchanged else self.rows[part]
                pictures = self.tokens[shown.T].float().to(device)
                answers = reader.read(codes.expand(len(part), -1), pictures)[:, -1]
                logits[part.numpy()] = (answers[:, 1] - answers[:, 0]).double().cpu().numpy()
        return logits


def discrimination(critic: CriticSetup, trials: Sequence[HeldOutTrial]) -> dict[str, float]:
    """AUROC of the logit in the paper's words, over all negatives and over the hard ones alone, and shares.

    Of answers that are right, of those that flip in the other order and in image mode anyres, and of those that are
    the same in all wordings of the check.
    """
    exam = Exam(critic, [ExamPair(trial.family, trial.reference, trial.test) for trial in trials])
    logits = exam.logits()
    yes = logits > 0
    same = np.array([trial.same for trial in trials])
    wordings = np.stack([exam.logits(prompts) > 0 for prompts in PARAPHRASES])
    shares = {
        "right": yes == same,
        "sensitivity": yes[same],
        "specificity": ~yes[~same],
        "flips_order": yes != (exam.logits(exchanged=True) > 0),
        "flips_anyres": yes != (exam.logits(anyres=True) > 0),
        "consistent_wordings": (wordings == yes).all(0),
    }
    return auroc_summary(logits.tolist(), trials) | {name: _share(values) for name, values in shares.items()}


def acceptance(critic: CriticSetup, subjects: Sequence[Subject], styles: Sequence[Style]) -> Mapping[str, float]:
    """The share of true cells that MARS2 counts as correct: in the paper's words, and by the other wordings.

    Also, in the paper's words, the share whose subject and whose style is accepted.
    """
    cells = [(subject, style) for subject in subjects for style in styles]
    pairs, owners = [], []
    for number, (subject, style) in enumerate(cells):
        test = true_picture(subject, style)
        subject_files = shipped.references(shipped.content_lora(subject.slug))
        style_files = shipped.references(shipped.style_lora(style.slug))
        for family, files in (("", subject_files), (style.family, style_files)):
            pairs += [ExamPair(family, read_image(file), test) for file in files]
            owners += [(number, bool(family))] * len(files)
    exam = Exam(critic, pairs)
    by_wording = {prompts.name: _majorities(exam.logits(prompts) > 0, owners, len(cells)) for prompts in PARAPHRASES}
    shares = {name: _share(aspects.all(1)) for name, aspects in by_wording.items()}
    paper = by_wording[PAPER.name]
    return {
        "accepted": shares[PAPER.name],
        "subject": _share(paper[:, 0]),
        "style": _share(paper[:, 1]),
        "lowest_wording": min(shares.values()),
        "highest_wording": max(shares.values()),
        "cells": len(cells),
    }


def _majorities(yes: NDArray[np.bool_], owners: Sequence[tuple[int, bool]], count: int) -> NDArray[np.bool_]:
    """Whether more than half of the references say yes, by cell and aspect (subject, style)."""
    votes = np.zeros((count, 2, 2))
    for answer, (cell, style) in zip(yes, owners, strict=True):
        votes[cell, int(style), int(answer)] += 1
    majorities: NDArray[np.bool_] = votes[..., 1] > votes[..., 0]
    return majorities


def _share(values: NDArray[np.bool_] | np.bool_) -> float:
    return round(float(values.mean()), 4)
