"""Dialects at fault: one that can read nothing, one whose expression is none, one whose expressions have no group."""

from lorarar.lora.dialects import Dialect

READS_NOTHING = Dialect("reads-nothing", down=r"(.+)\.down")
NO_EXPRESSION = Dialect("no-expression", down=r"(.+\.down", up=r"(.+)\.up")
NO_GROUP = Dialect("no-group", down=r".+\.down", up=r".+\.up")
