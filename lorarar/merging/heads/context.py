"""The head ``context``: the paper's, but a column also sees the other columns of its layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from lorarar.lora.adapter import Part
from lorarar.merging.head import ConstantRule, OthersRule
from lorarar.merging.hypernet import Hypernetwork


class ContextHead(Hypernetwork):
    """Cross-column context: with h_i the paper's hidden layer of column i before its ReLU,

        c = mean over the columns i of relu(h_i),    (m_c[i], m_s[i]) = W2 relu(h_i + C c) + b2.

    C (hidden, hidden) starts at zero, so that a training starts as the paper's does. All is exact on factors.
    """

    name = "context"

    def __init__(
        self,
        widths: Sequence[int],
        hidden: int = 128,
        parts: Sequence[Part] = ("query", "output"),
        key_value: ConstantRule = "mean",
        others: OthersRule = "key-value",
    ) -> None:
        super().__init__(widths, hidden, parts, key_value, others)
        self.context = nn.Linear(hidden, hidden, bias=False)
        nn.init.zeros_(self.context.weight)

    def _seen(self, hidden: Tensor) -> Tensor:
        """h_i + C c of every column; hidden is (hidden, n), or of stacks (P, hidden, n)."""
        return hidden + self.context.weight @ hidden.relu().mean(dim=-1, keepdim=True)
