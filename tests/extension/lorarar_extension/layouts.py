"""A layout: the same names, for programs that read the dialect."""

from lorarar.lora.layouts import Layout


def matrices(adapter):
    """Both factors of every layer."""
    tensors = {f"{layer}/matrix_a": factors.down.contiguous() for layer, factors in adapter.layers.items()}
    return tensors | {f"{layer}/matrix_b": factors.up.contiguous() for layer, factors in adapter.layers.items()}


MATRICES = Layout("matrices", "a file of matrix_a and matrix_b", tensors=matrices)
