"""A dialect: both factors of a layer named matrix_a and matrix_b, below a slash."""

from lorarar.lora.dialects import Dialect

MATRICES = Dialect("matrices", down=r"(.+)/matrix_a", up=r"(.+)/matrix_b")
