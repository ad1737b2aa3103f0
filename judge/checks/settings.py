"""The same questions under other settings, or to another judge: how much of a result is the setting's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

from judge.checks.ask import CheckQuestion
from judge.checks.findings import Finding, at_most, flips_text
from judge.checks.part import Baseline, CheckPlan, Configuration, Part
from judge.checks.statistics.agreement import Flips, count_flips
from judge.critics import CriticError
from judge.critics.local.settings import ImageMode
from judge.critics.preparation import SIDE
from judge.critics.settings import Settings, kind_of
from judge.pictures import group_by_picture, mars2
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.pictures.images import read_image
from lorarar.util.dtype import Dtype
from lorarar.util.errors import ImageError

SHARED = ("device", "batch", "concurrency", "side")  # settings that another critic is given too, where it has them
SIDES = (384, 512, 1024)  # pixels of the long side, as the paper's pictures might be shown


@dataclass(frozen=True)
class SettingResult:
    """Another critic, or the same one under another setting, against the one that is checked."""

    name: str
    flips: Flips | None
    average: float | None  # MARS2 of the sample
    failure: str = ""  # why it could not be tried


class SettingsPart(Part[CheckQuestion, list[SettingResult]]):
    """The sample under every other setting, one at a time, and by the critic to compare with."""

    name = "settings"
    order = 4

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> list[CheckQuestion]:
        """No questions: the ordinary ones are asked of other critics, after the one that is checked is closed."""
        return []

    def measure(
        self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]
    ) -> list[SettingResult]:
        """Ask the ordinary questions of each other critic in turn, and compare its verdicts."""
        plan = baseline.plan
        others = variants(plan.configuration, baseline.identity, longest_side(baseline.sample), plan.against)
        return [_measure_setting(baseline, name, configuration) for name, configuration in others.items()]

    def findings(self, result: list[SettingResult], average: float | None) -> Iterator[Finding]:
        """One sentence for each setting."""
        for setting in result:
            yield self._finding(setting, average)

    def _finding(self, setting: SettingResult, average: float | None) -> Finding:
        flips = setting.flips
        if flips is None:
            return Finding(self.name, "", f"{setting.name}: could not be tried: {setting.failure}")
        if flips.rate.value is None:
            return Finding(self.name, "", f"{setting.name}: no clear verdicts to compare")
        kappa = f", kappa {flips.kappa:.2f}" if flips.kappa is not None else ""
        change = ""
        if average is not None and setting.average is not None:
            change = f"; MARS2 {average:.2f} becomes {setting.average:.2f}"
        grade = at_most(flips.rate.value, 0.02, 0.1)
        return Finding(self.name, grade, f"{setting.name}: {flips_text(flips)}{kappa}{change}")


def variants(
    configuration: Configuration, identity: Mapping[str, str], longest: int, against: str | None = None
) -> dict[str, Configuration]:
    """Other configurations by what is other about them, and that of the critic to compare with.

    A side at which the same pixels would be shown is left out. Where pictures are smaller than the smallest
    of the usual sides, half of their own side is tried. What a kind of critics has no setting for is not tried.

    Args:
        configuration: the critic that is checked, with its settings.
        identity: of that critic.
        longest: the long side of the largest picture, in pixels.
        against: the critic to compare with.
    """
    settings, takes = configuration.settings, configuration.kind.takes
    others: dict[str, Configuration] = {}
    mode, dtype = identity.get("image mode"), identity.get("dtype")
    for other in get_args(ImageMode):
        if takes("image_mode") and mode in get_args(ImageMode) and other != mode:
            others[f"image mode {other}"] = configuration.with_settings(image_mode=other)
    for side in _other_sides(settings.get("side") or SIDE, longest) if takes("side") else ():
        others[f"side {side} px"] = configuration.with_settings(side=side)
    if takes("dtype") and dtype in get_args(Dtype) and settings.get("quantisation") is None:
        other_dtype = _other_dtype(str(dtype), identity.get("device", "cpu"))
        others[f"dtype {other_dtype}"] = configuration.with_settings(dtype=other_dtype)
    if against is not None:
        others[f"critic {against}"] = rival(settings, against)
    return others


def rival(settings: Settings, critic: str) -> Configuration:
    """Another critic as it is compared with one that has these settings.

    Raises:
        CriticError: no kind runs it.
    """
    takes = kind_of(critic).takes
    return Configuration(critic, {name: settings[name] for name in SHARED if name in settings and takes(name)})


def longest_side(targets: Sequence[Target]) -> int:
    """The long side of the largest picture that can be read, in pixels."""
    longest = 1
    for target in targets:
        with suppress(ImageError):
            longest = max(longest, *read_image(target.image).size)
    return longest


def _measure_setting(baseline: Baseline, name: str, configuration: Configuration) -> SettingResult:
    try:
        verdicts = baseline.ask_other(configuration, name)
    except CriticError as error:
        return SettingResult(name, flips=None, average=None, failure=str(error))
    flips = count_flips(baseline.verdicts, verdicts, baseline.pictures)
    return SettingResult(name, flips, average=mars2(group_by_picture(baseline.sample, verdicts)))


def _other_sides(side: int, longest: int) -> list[int]:
    """Sides at which pictures, of which ``longest`` is the longest side, are shown otherwise than at ``side``."""
    if longest <= min(SIDES):
        return [max(1, longest // 2)]
    return [min(other, longest) for other in SIDES if min(other, longest) != min(side, longest)]


def _other_dtype(dtype: str, device: str) -> Dtype:
    """Single precision against half; on a GPU the two halves, since a large model may not fit in single."""
    if dtype == "float32":
        return "bfloat16"
    if device == "cpu":
        return "float32"
    return "float16" if dtype == "bfloat16" else "bfloat16"
