"""A kind of critics: one that answers by a rule, the brightness of the picture that is judged."""

from judge.critics.kind import CriticKind
from lorarar.util.options import Option

RULE = CriticKind(
    name="rule",
    title="a critic by a rule",
    names="rule:brighter",
    runs=lambda name: name == "rule:brighter",
    opener="lorarar_extension.rule_critic:open_rule",
    options=(Option("threshold", "Mean brightness from which a picture is right.", default=128.0, least=0, most=255),),
)
