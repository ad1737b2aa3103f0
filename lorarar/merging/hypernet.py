"""The hypernetwork: merging coefficients of every column from the two LoRAs' own columns.

For column i of a layer with m rows the input is [dW_c[:, i], dW_s[:, i]] (2m values); an input layer per
m, ReLU, and a shared output layer give (m_c[i], m_s[i]) (paper, Section 3.3 and Eq. 1).

The first layer is linear, so W1 dW = (W1 B) A: two thin products per adapter, dW is never formed. Each
adapter's product is independent of its partner, so projections can be kept and shared by all pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self, cast

import torch
from torch import Tensor, nn

from lorarar.lora.adapter import Adapter, Factors, Part
from lorarar.lora.stack import is_stack
from lorarar.merging.coefficients import ROLES, Coefficients, CoefficientSet, ConceptRole
from lorarar.merging.head import ConstantRule, Head, HeadForm, OthersRule
from lorarar.util.errors import HypernetError


class Scratch:
    """Two buffers for the hidden layers of all layers in turn, content's and style's share.

    They are 0.65 MB each at SDXL's size, too large for an allocator to keep: fresh ones cost more in page
    faults than the arithmetic on them.
    """

    def __init__(self, weight: Tensor) -> None:
        """Make empty buffers; ``weight`` (2, hidden) gives their width, dtype and device."""
        self.weight = weight
        self.buffers = dict.fromkeys(ROLES, weight.new_empty(0))

    def room(self, role: ConceptRole, columns: Tensor) -> Tensor:
        """Room for (hidden, n), n being the columns of a tensor (r, n)."""
        size = self.weight.shape[1] * columns.shape[1]
        if self.buffers[role].numel() < size:
            self.buffers[role] = self.weight.new_empty(size)
        return self.buffers[role][:size].view(self.weight.shape[1], columns.shape[1])


class Hypernetwork(Head):
    """The head ``columns``, the paper's: a two-layer perceptron with one input layer per column length.

    Args:
        widths: the column lengths m it knows.
        hidden: width of the hidden layer (128 in the paper).
        parts: parts whose coefficients are predicted; the paper's are query and output.
        key_value: rule of attention's other parts: the paper's simple average, or the authors' sum.
        others: rule of layers outside attention that are not predicted, of which the paper says nothing.
    """

    name = "columns"
    by_width = True

    def __init__(
        self,
        widths: Sequence[int],
        hidden: int = 128,
        parts: Sequence[Part] = ("query", "output"),
        key_value: ConstantRule = "mean",
        others: OthersRule = "key-value",
    ) -> None:
        super().__init__(hidden, parts, key_value, others)
        self.inputs = nn.ModuleDict({str(width): nn.Linear(2 * width, hidden) for width in sorted(widths)})
        self.output = nn.Linear(hidden, 2)

    @classmethod
    def of(cls, form: HeadForm) -> Self:
        """A hypernetwork of this form, its weights at random."""
        return cls(form.widths, form.hidden, form.parts, form.key_value, form.others)

    @property
    def form(self) -> HeadForm:
        """Its form, of which ``of`` makes another."""
        return replace(super().form, widths=self.widths)

    def start(self) -> None:
        """Set the output bias to one, so that a training starts near the plain sum, from which ZipLoRA starts too."""
        nn.init.ones_(self.output.bias)

    @property
    def widths(self) -> tuple[int, ...]:
        """The column lengths it knows."""
        return tuple(int(width) for width in self.inputs)

    def project(self, factors: Factors, role: ConceptRole, scratch: Scratch | None = None) -> Tensor:
        """An adapter's share of the hidden layer before its ReLU, (hidden, n): (W1 B) A, content's with the bias.

        Raises:
            HypernetError: no input layer for this column length.
        """
        thin, down = self._thin(factors, role)
        room = scratch.room(role, down) if scratch else None
        if role == "content":
            return torch.addmm(self._bias(factors), thin, down, out=room)
        return torch.mm(thin, down, out=room)

    def _bias(self, factors: Factors) -> Tensor:
        return self._input(factors.up.shape[-2]).bias[:, None]

    def _thin(self, factors: Factors, role: ConceptRole) -> tuple[Tensor, Tensor]:
        """W1 B (hidden, r) and A (r, n), whose product is the projection."""
        rows = factors.up.shape[-2]
        weight = self._input(rows).weight
        half = weight[:, :rows] if role == "content" else weight[:, rows:]
        return half @ factors.up.to(weight.dtype), factors.down.to(weight.dtype)

    def _input(self, rows: int) -> nn.Linear:
        if str(rows) not in self.inputs:
            raise HypernetError(
                f"columns of {rows} values are unknown to this hypernetwork, which knows "
                f"{', '.join(map(str, self.widths))}; name one that was trained for this base model"
            )
        return cast("nn.Linear", self.inputs[str(rows)])

    def combine(self, content: Tensor, style: Tensor, scratch: Scratch | None = None) -> Coefficients:
        """m_c and m_s (n,) of a layer from both projections (hidden, n), which are left as they are."""
        room = scratch.room("content", content) if scratch else None
        return self._finish(torch.add(content, style, out=room))

    def coefficients(self, content: Factors, style: Factors, scratch: Scratch | None = None) -> Coefficients:
        """m_c and m_s (n,) of one layer (Eq. 1), to the bit those of ``combine`` from both projections.

        Of factors that are stacks of P adapters' they are (P, n).
        """
        if is_stack(content):
            return self._of_stacks(content, style)
        hidden = self.project(content, "content", scratch)
        return self._finish(hidden.add_(self.project(style, "style", scratch)))

    def _of_stacks(self, content: Factors, style: Factors) -> Coefficients:
        """m_c and m_s (P, n) of one layer of P pairs, by one product for both sides: the hidden layer is what costs."""
        (ours, down_c), (theirs, down_s) = self._thin(content, "content"), self._thin(style, "style")
        thin, down = torch.cat([ours, theirs], dim=-1), torch.cat([down_c, down_s], dim=-2)
        hidden = self._seen(torch.baddbmm(self._bias(content), thin, down)).relu_()
        both = self.output.weight @ hidden + self.output.bias[:, None]
        return both[:, 0], both[:, 1]

    def _finish(self, hidden: Tensor) -> Coefficients:
        """Both coefficients of every column from the sum of both projections, which is used up."""
        both = torch.addmm(self.output.bias[:, None], self.output.weight, self._seen(hidden).relu_())
        return both[0], both[1]

    def _seen(self, hidden: Tensor) -> Tensor:
        """What the output layer sees of the hidden layer before its ReLU, (hidden, n) or of stacks (P, hidden, n)."""
        return hidden

    def projections(self, adapter: Adapter, role: ConceptRole) -> dict[str, Tensor]:
        """An adapter's share of the hidden layer, (hidden, n), for every layer that is predicted."""
        layers = adapter.layers.items()
        return {name: self.project(factors, role) for name, factors in layers if self.predicts(name)}

    def predict(self, content: Adapter, style: Adapter) -> dict[str, Coefficients]:
        """The coefficients of the layers that are predicted, from the factors."""
        scratch = self._scratch()
        return {
            name: self.coefficients(ours, style.layers[name], scratch)
            for name, ours in content.layers.items()
            if name in style.layers and self.predicts(name)
        }

    def from_projections(
        self,
        content: Adapter,
        style: Adapter,
        ours: Mapping[str, Tensor],
        theirs: Mapping[str, Tensor],
        key_value: ConstantRule | None = None,
        others: OthersRule | None = None,
    ) -> CoefficientSet:
        """Coefficients to the bit as ``forward`` gives them, from ``projections`` of both adapters."""
        scratch = self._scratch()
        predicted = {name: self.combine(of, theirs[name], scratch) for name, of in ours.items() if name in theirs}
        return self.with_constants(content, style, predicted, key_value, others)

    def _scratch(self) -> Scratch | None:
        """Room for the hidden layer, where no gradients are wanted, which need every layer's own."""
        return None if torch.is_grad_enabled() and self.output.weight.requires_grad else Scratch(self.output.weight)


def from_published(state: Mapping[str, Tensor], key_value: ConstantRule = "sum") -> Hypernetwork:
    """A hypernetwork from the authors' state dict (``input_1``, ``input_2`` … and ``output.1``).

    Raises:
        HypernetError: other keys or shapes than theirs.
    """
    numbers = sorted(key.split(".")[0] for key in state if key.startswith("input_") and key.endswith(".weight"))
    expected = {f"{number}.{kind}" for number in numbers for kind in ("weight", "bias")}
    expected |= {"output.1.weight", "output.1.bias"}
    if not numbers or set(state) != expected:
        strange = sorted(set(state) ^ expected)[:3]
        raise HypernetError(f"not a published LoRA.rar state dict (unexpected or missing: {', '.join(strange)})")
    hidden = state["output.1.weight"].shape[1]
    network = Hypernetwork([state[f"{n}.weight"].shape[1] // 2 for n in numbers], hidden, key_value=key_value)
    renamed = {"output.weight": state["output.1.weight"], "output.bias": state["output.1.bias"]}
    for number in numbers:
        width = state[f"{number}.weight"].shape[1] // 2
        for kind in ("weight", "bias"):
            renamed[f"inputs.{width}.{kind}"] = state[f"{number}.{kind}"]
    load_state(network, renamed)
    return network


def load_state(network: Head, state: Mapping[str, Tensor]) -> None:
    """Give a network a copy of these weights, checked for shape and finiteness; it need not have memory for any yet.

    Raises:
        HypernetError: they do not fit, or are not finite.
    """
    broken = [key for key, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise HypernetError(f"{broken[0]} holds NaN or infinite values")
    try:
        network.load_state_dict({key: tensor.float().clone() for key, tensor in state.items()}, assign=True)
    except RuntimeError as error:
        raise HypernetError(f"the weights do not fit a hypernetwork: {str(error).splitlines()[-1].strip()}") from None
